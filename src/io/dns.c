/* SPDX-License-Identifier: Apache-2.0 */
#include "io/dns.h"

#include "base/assert.h"
#include "base/vec.h"

#include <ares.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

enum { RECORDS_MAX = 4096, TRY_MS = 2000, TRIES = 2, NAME_MAX_BYTES = 255, SERVERS_MAX = 512 };

struct dns_query {
    struct loop *loop;
    void (*fn)(void *ctx, enum err e, const struct dns_answer *r, const struct diag *d);
    void *ctx;
    bool canceled; /* the loop's thread only */
    char name[NAME_MAX_BYTES + 1], servers[SERVERS_MAX];
    enum dns_type type;
    struct arena arena;
    bool answered;
    enum err err;
    struct dns_answer found;
    struct diag d;
};

/* --- answers --- */

struct records {
    VEC(struct dns_record) v;
};

static void add(struct arena *a, struct records *to, const char *target, unsigned port)
{
    if (to->v.n == RECORDS_MAX) return;
    *vec_push(a, &to->v) = (struct dns_record){ arena_dup(a, str_c(target)), (uint16_t)port };
}

static int read_srv(struct arena *a, const unsigned char *p, int n, struct records *out)
{
    struct ares_srv_reply *all = NULL;
    int e = ares_parse_srv_reply(p, n, &all);
    for (const struct ares_srv_reply *r = all; r; r = r->next) add(a, out, r->host, r->port);
    if (all) ares_free_data(all);
    return e;
}

static int read_mx(struct arena *a, const unsigned char *p, int n, struct records *out)
{
    struct ares_mx_reply *all = NULL;
    int e = ares_parse_mx_reply(p, n, &all);
    for (const struct ares_mx_reply *r = all; r; r = r->next) add(a, out, r->host, 0);
    if (all) ares_free_data(all);
    return e;
}

static int read_ns(struct arena *a, const unsigned char *p, int n, struct records *out)
{
    struct hostent *all = NULL;
    int e = ares_parse_ns_reply(p, n, &all);
    for (char **r = all ? all->h_aliases : NULL; r && *r; r++) add(a, out, *r, 0);
    if (all) ares_free_hostent(all);
    return e;
}

static int read_addresses(struct arena *a, const unsigned char *p, int n, bool v6,
                          struct records *out)
{
    struct hostent *all = NULL;
    char text[INET6_ADDRSTRLEN];
    int e = v6 ? ares_parse_aaaa_reply(p, n, &all, NULL, NULL)
               : ares_parse_a_reply(p, n, &all, NULL, NULL);
    for (char **r = all ? all->h_addr_list : NULL; r && *r; r++) {
        if (inet_ntop(v6 ? AF_INET6 : AF_INET, *r, text, sizeof(text))) add(a, out, text, 0);
    }
    if (all) ares_free_hostent(all);
    return e;
}

enum err dns_parse(struct arena *a, enum dns_type type, const unsigned char *bytes, int n,
                   struct dns_answer *out)
{
    struct records found = { 0 };
    int e = ARES_EBADRESP;
    switch (type) {
    case DNS_SRV: e = read_srv(a, bytes, n, &found); break;
    case DNS_MX: e = read_mx(a, bytes, n, &found); break;
    case DNS_NS: e = read_ns(a, bytes, n, &found); break;
    case DNS_A: e = read_addresses(a, bytes, n, false, &found); break;
    case DNS_AAAA: e = read_addresses(a, bytes, n, true, &found); break;
    }
    if (e != ARES_SUCCESS && e != ARES_ENODATA && e != ARES_ENOTFOUND) return ERR_SYNTAX;
    *out = (struct dns_answer){ found.v.v, found.v.n };
    return OK;
}

/* --- the look-up's thread --- */

static void on_answer(void *ctx, int status, int timeouts, unsigned char *bytes, int n)
{
    struct dns_query *q = ctx;
    (void)timeouts;
    q->answered = true;
    if (status == ARES_ENOTFOUND || status == ARES_ENODATA) {
        q->err = OK;
    } else if (status != ARES_SUCCESS) {
        q->err = diag_set(&q->d, status == ARES_ETIMEOUT ? ERR_TIMEOUT : ERR_SYS,
                          "could not resolve \"%s\": %s", q->name, ares_strerror(status));
    } else if (dns_parse(&q->arena, q->type, bytes, n, &q->found) != OK) {
        q->err = diag_set(&q->d, ERR_SYNTAX, "could not resolve \"%s\": the answer cannot be read",
                          q->name);
    } else {
        q->err = OK;
    }
}

/* Until the answer is there; c-ares ends every query by its own tries. */
static void turn(ares_channel channel, const struct dns_query *q)
{
    while (!q->answered) {
        ares_socket_t fds[ARES_GETSOCK_MAXNUM];
        struct pollfd p[ARES_GETSOCK_MAXNUM];
        struct timeval most = { .tv_sec = 1 }, left;
        int bits = ares_getsock(channel, fds, ARES_GETSOCK_MAXNUM);
        nfds_t n = 0;
        for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
            short events = (short)((ARES_GETSOCK_READABLE(bits, i) ? POLLIN : 0) |
                                   (ARES_GETSOCK_WRITABLE(bits, i) ? POLLOUT : 0));
            if (events) p[n++] = (struct pollfd){ fds[i], events, 0 };
        }
        const struct timeval *wait = ares_timeout(channel, &most, &left);
        (void)poll(p, n, (int)(wait->tv_sec * 1000 + wait->tv_usec / 1000) + 1);
        for (nfds_t i = 0; i < n; i++) {
            ares_process_fd(channel, (p[i].revents & ~POLLOUT) ? p[i].fd : ARES_SOCKET_BAD,
                            (p[i].revents & POLLOUT) ? p[i].fd : ARES_SOCKET_BAD);
        }
        ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    }
}

static void look_up(struct dns_query *q)
{
    ares_channel channel;
    struct ares_options o = { .timeout = TRY_MS, .tries = TRIES };
    int e = ares_init_options(&channel, &o, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
    if (e != ARES_SUCCESS) {
        q->err = diag_set(&q->d, ERR_SYS, "could not load resolv.conf: %s", ares_strerror(e));
        return;
    }
    if (q->servers[0]) (void)ares_set_servers_ports_csv(channel, q->servers);
    ares_search(channel, q->name, ns_c_in, (int)q->type, on_answer, q);
    turn(channel, q);
    ares_destroy(channel);
}

static void query_free(struct dns_query *q)
{
    arena_done(&q->arena);
    free(q);
}

static void deliver(void *ctx)
{
    struct dns_query *q = ctx;
    if (!q->canceled) q->fn(q->ctx, q->err, &q->found, &q->d);
    query_free(q);
}

static void *on_thread(void *ctx)
{
    struct dns_query *q = ctx;
    struct loop *l = q->loop; /* q is the loop's once it is posted */
    look_up(q);
    if (!loop_post(l, deliver, q)) query_free(q);
    loop_release(l);
    return NULL;
}

static bool start_thread(struct dns_query *q)
{
    pthread_attr_t attr;
    pthread_t thread;
    pthread_attr_init(&attr);
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attr, 256 * 1024);
    int e = pthread_create(&thread, &attr, on_thread, q);
    pthread_attr_destroy(&attr);
    return e == 0;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init_library(void) { ASSERT(ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS); }

struct dns_query *dns_start(struct loop *l, struct str name, enum dns_type type, struct str servers,
                            void (*fn)(void *ctx, enum err e, const struct dns_answer *r,
                                       const struct diag *d),
                            void *ctx)
{
    struct dns_query *q = calloc(1, sizeof(*q));
    ASSERT(q != NULL);
    (void)pthread_once(&once, init_library);
    q->loop = l;
    q->fn = fn;
    q->ctx = ctx;
    q->type = type;
    if (name.n > NAME_MAX_BYTES || servers.n >= SERVERS_MAX) {
        q->err = diag_set(&q->d, ERR_SYNTAX, "the name is longer than 255 bytes");
        (void)loop_post(l, deliver, q);
        return q;
    }
    memcpy(q->name, name.p, name.n);
    if (servers.n) memcpy(q->servers, servers.p, servers.n);
    loop_hold(l);
    if (start_thread(q)) return q;
    loop_release(l);
    q->err = diag_set(&q->d, ERR_SYS, "could not resolve \"%s\": no thread to spare", q->name);
    (void)loop_post(l, deliver, q);
    return q;
}

void dns_cancel(struct dns_query *q)
{
    if (q) q->canceled = true;
}
