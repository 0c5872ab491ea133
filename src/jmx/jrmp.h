/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jrmp.h - the messages of RMI: connection header, calls, returns, stubs
 *
 * Shape:  a connection begins with a header (7 bytes), the server's acknowledgement and our endpoint; then calls and
 *         returns follow each other in order, so that many calls may be under way. A return has no length.
 * Source: Java RMI wire protocol; method hashes are SHA-1 of name and descriptor (README, "On the wire").
 */
#ifndef JMX_JRMP_H
#define JMX_JRMP_H

#include "codec/javaser.h"

struct jrmp_objid {
    char bytes[22];
};
struct jrmp_uid {
    char bytes[14];
};

/* Header and endpoint in one; the first call may follow at once. */
void jrmp_put_hello(struct buf *b);

/* Errors: ERR_SHORT; ERR_SYNTAX with what answers there instead (TLS, HTTP, ...). */
enum err jrmp_read_hello(struct str *in, struct diag *d);

void jrmp_put_lookup(struct buf *b, struct str name);
void jrmp_put_new_client(struct buf *b, const struct jrmp_objid *server);

/* An ObjectName pattern, or {NULL,0} for all beans. */
void jrmp_put_query_mbeans(struct buf *b, const struct jrmp_objid *conn, struct str pattern);
void jrmp_put_query_names(struct buf *b, const struct jrmp_objid *conn, struct str pattern);
void jrmp_put_get_mbean_info(struct buf *b, const struct jrmp_objid *conn, struct str bean);
void jrmp_put_get_attribute(struct buf *b, const struct jrmp_objid *conn, struct str bean,
                            struct str attribute);
void jrmp_put_get_attributes(struct buf *b, const struct jrmp_objid *conn, struct str bean,
                             const struct str *attributes, size_t n);
void jrmp_put_get_connection_id(struct buf *b, const struct jrmp_objid *conn);
void jrmp_put_close(struct buf *b, const struct jrmp_objid *conn);

/* Tells the server that a stub has arrived, so that it need not pin the object for minutes. */
void jrmp_put_dgc_ack(struct buf *b, const struct jrmp_uid *uid);

struct jrmp_return {
    bool exception; /* value is a Throwable */
    struct jrmp_uid uid;
    const struct javaser_value *value;
};

/*
 * Takes one return of a call that answers with an object off the front of *in; the tree is in a.
 * Errors: javaser_read's; *in is unchanged
 */
enum err jrmp_read_return(struct str *in, struct arena *a, struct jrmp_return *out, struct diag *d);

/* Where a remote object lives, as its stub says. Strings are in the tree's memory. */
struct jrmp_stub {
    struct str host;
    uint16_t port;
    bool tls; /* it wants a socket factory of its own: RMI over TLS */
    struct jrmp_objid id;
};
enum err jrmp_read_stub(const struct javaser_value *v, struct arena *a, struct jrmp_stub *out,
                        struct diag *d);

/* A Throwable as a person reads it: class and message of it and of its causes. */
struct str jrmp_exception_class(const struct javaser_value *v);
void jrmp_exception_text(const struct javaser_value *v, struct buf *b);

#endif
