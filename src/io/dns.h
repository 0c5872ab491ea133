/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns.h - records of a name that are no addresses to connect to: SRV, MX, NS, and A and AAAA as texts
 *
 * Shape:   a look-up runs on a short-lived thread of its own (c-ares); its late answer after dns_cancel() is thrown away.
 *          Names are searched as /etc/resolv.conf says; UDP first, TCP where the answer was cut.
 * Limits:  4096 records; 2 s a try, two tries a server.
 * Threads: start, cancel and the callback belong to the loop's thread.
 */
#ifndef IO_DNS_H
#define IO_DNS_H

#include "base/arena.h"
#include "base/err.h"
#include "io/loop.h"

enum dns_type { DNS_A = 1, DNS_NS = 2, DNS_MX = 15, DNS_AAAA = 28, DNS_SRV = 33 };

struct dns_record {
    struct str target; /* a name without the last dot, or an address */
    uint16_t port;     /* SRV */
};

struct dns_answer {
    struct dns_record *v; /* in the order of the answer; a name that does not exist has none */
    size_t n;
};

struct dns_query;

/*
 * servers: "address:port,..."; empty: those of /etc/resolv.conf. The callback is called once, never from inside dns_start.
 * Errors: ERR_TIMEOUT, ERR_SYS, ERR_SYNTAX an answer that cannot be read. That there is no such name is no error.
 */
struct dns_query *dns_start(struct loop *l, struct str name, enum dns_type type, struct str servers,
                            void (*fn)(void *ctx, enum err e, const struct dns_answer *r,
                                       const struct diag *d),
                            void *ctx);
void dns_cancel(struct dns_query *q); /* NULL is fine */

/* What a server sent, read; for tests and fuzzing. Errors: ERR_SYNTAX */
enum err dns_parse(struct arena *a, enum dns_type type, const unsigned char *bytes, int n,
                   struct dns_answer *out);

#endif
