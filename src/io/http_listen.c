/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_listen.h"

#include "io/file.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

static enum err bind_failed(struct str address, uint16_t port, int e, struct diag *d)
{
    if (e == EADDRINUSE) {
        return diag_set(
            d, ERR_EXISTS,
            "listen tcp " STR_FMT ":%u: bind: address already in use "
            "(\"ss -ltnp sport = :%u\" shows by whom; stop that program or choose another port)",
            STR_ARG(address), port, port);
    }
    char why[128];
    enum err code = e == EACCES || e == EPERM ? ERR_DENIED : ERR_SYS;
    return diag_set(d, code, "listen tcp " STR_FMT ":%u: bind: %s", STR_ARG(address), port,
                    strerror_r(e, why, sizeof(why)));
}

/* -1 and errno when the address cannot be had. */
static int listen_on(const struct addrinfo *ai)
{
    int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    int on = 1, off = 0;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
                     sizeof(on)); /* Linux: accepted sockets inherit it */
    if (ai->ai_family == AF_INET6) {
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    }
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) return fd;
    int e = errno;
    (void)close(fd);
    errno = e;
    return -1;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage a;
    socklen_t n = sizeof(a);
    if (getsockname(fd, (struct sockaddr *)&a, &n) != 0) return 0;
    if (a.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)(void *)&a)->sin6_port);
    return ntohs(((struct sockaddr_in *)(void *)&a)->sin_port);
}

enum err http_listen(struct str address, uint16_t port, int *fd, uint16_t *bound, struct diag *d)
{
    char host[256], service[8];
    struct str bare = address;
    if (bare.n > 2 && bare.p[0] == '[' && bare.p[bare.n - 1] == ']') {
        bare = str_make(bare.p + 1, bare.n - 2);
    }
    if (bare.n >= sizeof(host)) return diag_set(d, ERR_SYNTAX, "listen address is too long");
    (void)snprintf(host, sizeof(host), STR_FMT, STR_ARG(bare));
    (void)snprintf(service, sizeof(service), "%u", port);
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV },
                    *all = NULL;
    if (!bare.n) hints.ai_family = AF_INET6; /* with V6ONLY off it takes both families */
    int e = getaddrinfo(bare.n ? host : NULL, service, &hints, &all);
    if (e != 0) {
        return diag_set(d, ERR_SYNTAX, "listen address " STR_FMT ": %s", STR_ARG(address),
                        gai_strerror(e));
    }
    int s = listen_on(all);
    int why = errno;
    freeaddrinfo(all);
    if (s < 0 && !bare.n && why == EAFNOSUPPORT) {
        return http_listen(STR("0.0.0.0"), port, fd, bound, d);
    }
    if (s < 0) return bind_failed(address, port, why, d);
    *fd = s;
    *bound = port_of(s);
    return OK;
}
