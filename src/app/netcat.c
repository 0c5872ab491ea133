/* SPDX-License-Identifier: Apache-2.0 */
#include "app/netcat.h"

#include "base/arena.h"
#include "codec/flags.h"
#include "codec/num.h"
#include "io/file.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

struct netcat {
    bool zero, verbose, numeric, four, six;
    int64_t seconds;
};

static const struct flag FLAGS[] = {
    { .name = "zero",
      .short_name = 'z',
      .type = FLAG_BOOL,
      .offset = offsetof(struct netcat, zero),
      .help = "Only look whether the port answers." },
    { .name = "verbose",
      .short_name = 'v',
      .type = FLAG_BOOL,
      .offset = offsetof(struct netcat, verbose),
      .help = "Say what was found." },
    { .name = "numeric",
      .short_name = 'n',
      .type = FLAG_BOOL,
      .offset = offsetof(struct netcat, numeric),
      .help = "HOST is an address; no name is looked up." },
    { .name = "ipv4",
      .short_name = '4',
      .type = FLAG_BOOL,
      .offset = offsetof(struct netcat, four),
      .help = "Only IPv4." },
    { .name = "ipv6",
      .short_name = '6',
      .type = FLAG_BOOL,
      .offset = offsetof(struct netcat, six),
      .help = "Only IPv6." },
    { .name = "wait",
      .short_name = 'w',
      .type = FLAG_INT,
      .offset = offsetof(struct netcat, seconds),
      .deflt = "10",
      .help = "Seconds to wait for an answer." },
    { .name = NULL },
};

static int help(void)
{
    BUF(b, 0);
    flags_help(&b, "nc -z [-v] [-w SECONDS] HOST PORT", "Looks whether a TCP port answers.", FLAGS);
    (void)fwrite(b.p, 1, b.n, stdout);
    return EXIT_SUCCESS;
}

/* 0, or what connect(2) says. */
static int reach(const struct addrinfo *to, int64_t seconds)
{
    CLEANUP(fd_close)
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return errno;
    if (connect(fd, to->ai_addr, to->ai_addrlen) == 0) return 0;
    if (errno != EINPROGRESS) return errno;
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    int why = ETIMEDOUT;
    socklen_t size = sizeof(why);
    if (poll(&p, 1, (int)(seconds * 1000)) > 0) {
        (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &size);
    }
    return why;
}

static void say(const char *host, const char *port, const struct addrinfo *at, int why)
{
    char address[NI_MAXHOST] = "?";
    (void)getnameinfo(at->ai_addr, at->ai_addrlen, address, sizeof(address), NULL, 0,
                      NI_NUMERICHOST);
    if (why == 0) {
        (void)fprintf(stderr, "%s (%s:%s) open\n", host, address, port);
    } else {
        (void)fprintf(stderr, "nc: %s (%s:%s): %s\n", host, address, port, strerrordesc_np(why));
    }
}

/* Each address of the name in turn, as the resolver orders them. */
static int look(const struct netcat *n, const char *host, const char *port)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *all;
    if (n->four) hints.ai_family = AF_INET;
    if (n->six) hints.ai_family = AF_INET6;
    if (n->numeric) hints.ai_flags = AI_NUMERICHOST;
    if (getaddrinfo(host, port, &hints, &all) != 0) {
        (void)fprintf(stderr, "nc: bad address '%s'\n", host);
        return EXIT_FAILURE;
    }
    int why = 0;
    for (const struct addrinfo *at = all; at; at = at->ai_next) {
        why = reach(at, n->seconds);
        if (n->verbose || why) say(host, port, at, why);
        if (why == 0) break;
    }
    freeaddrinfo(all);
    return why ? EXIT_FAILURE : EXIT_SUCCESS;
}

static enum err check(const struct netcat *n, const struct flag_strs *rest, struct diag *d)
{
    if (rest->n != 2) {
        return diag_set(d, ERR_SYNTAX, "HOST and PORT are expected, not %zu arguments", rest->n);
    }
    if (!n->zero) {
        return diag_set(d, ERR_UNSUPPORTED, "this nc only looks (-z); it carries nothing");
    }
    if (n->seconds < 1 || n->seconds > 3600) {
        return diag_set(d, ERR_RANGE, "-w wants 1 to 3600 seconds");
    }
    uint64_t port;
    if (num_parse_u64(rest->v[1], &port) != OK || port == 0 || port > UINT16_MAX) {
        return diag_set(d, ERR_RANGE, "bad port '" STR_FMT "'", STR_ARG(rest->v[1]));
    }
    return OK;
}

int netcat_run(int argc, char **argv)
{
    ARENA(a, 0);
    struct diag d = { 0 };
    struct netcat n = { 0 };
    struct flag_strs rest = { 0 };
    enum err e = flags_parse(FLAGS, NULL, argc, argv, &a, &n, &rest, &d);
    if (e == ERR_CANCELED) return help();
    if (e == OK) e = check(&n, &rest, &d);
    if (e != OK) {
        (void)fprintf(stderr, "nc: %s\nusage: nc -zv HOST PORT\n", d.text);
        return EXIT_FAILURE;
    }
    return look(&n, rest.v[0].p, rest.v[1].p);
}
