/* SPDX-License-Identifier: Apache-2.0 */
#include "jmx/jrmp.h"

#include "base/bits.h"

/*
 * Method hashes as they stand on the wire: the first 8 bytes of SHA-1 over name and descriptor, read as a little-endian
 * integer and written big-endian.
 */
enum method {
    LOOKUP,
    NEW_CLIENT,
    QUERY_NAMES,
    QUERY_MBEANS,
    GET_MBEAN_INFO,
    GET_ATTRIBUTE,
    GET_ATTRIBUTES,
    GET_CONNECTION_ID,
    CLOSE,
};

static const struct {
    uint32_t
        operation; /* the registry still counts its methods; everything newer has -1 and a hash */
    uint64_t hash;
} METHODS[] = {
    [LOOKUP] = { 2, 0x44154dc9d4e63bdf },
    [NEW_CLIENT] = { 0xffffffff, 0xf0e074eaad0caea8 },
    [QUERY_NAMES] = { 0xffffffff, 0x7f0473acb73677da },
    [QUERY_MBEANS] = { 0xffffffff, 0x28774a543ca14dd8 },
    [GET_MBEAN_INFO] = { 0xffffffff, 0x993cd0f9b9817af6 },
    [GET_ATTRIBUTE] = { 0xffffffff, 0xf0e0500a394d7215 },
    [GET_ATTRIBUTES] = { 0xffffffff, 0x5739d96a8b235c47 },
    [GET_CONNECTION_ID] = { 0xffffffff, 0xff0ebec77dc65363 },
    [CLOSE] = { 0xffffffff, 0xbe2e5bc7809d0dcc },
};

#define OP_CALL    0x50
#define OP_RETURN  0x51
#define OP_DGC_ACK 0x54
#define OP_ACK     0x4e

#define RETURN_NORMAL    1
#define RETURN_EXCEPTION 2

void jrmp_put_hello(struct buf *b)
{
    buf_put(b, STR("JRMI\x00\x02\x4b")); /* version 2, stream protocol */
    buf_put(b,
            STR("\x00\x00\x00\x00\x00\x00")); /* our endpoint: no name, port 0; nobody reads it */
}

static enum err hello_mismatch(struct str in, struct diag *d)
{
    unsigned first = (unsigned char)in.p[0];
    if (first == 0x15 || first == 0x16) {
        return diag_set(d, ERR_SYNTAX, "this port speaks TLS; JMX over TLS is not supported yet");
    }
    if (str_starts(in, STR("HTTP"))) {
        return diag_set(d, ERR_SYNTAX, "this port speaks HTTP, not RMI");
    }
    return diag_set(d, ERR_SYNTAX, "this is no RMI port: expected 0x4e, got 0x%02x", first);
}

enum err jrmp_read_hello(struct str *in, struct diag *d)
{
    if (in->n < 1) return ERR_SHORT;
    if (in->p[0] != OP_ACK) return hello_mismatch(*in, d);
    if (in->n < 3) return ERR_SHORT;
    size_t n = 3U + load_be16(in->p + 1) + 4U;
    if (in->n < n) return ERR_SHORT;
    *in = str_from(*in, n);
    return OK;
}

static void put_call(struct buf *b, const struct jrmp_objid *id, enum method m)
{
    static const struct jrmp_objid REGISTRY = { { 0 } };
    char block[34];
    memcpy(block, (id ? id : &REGISTRY)->bytes, 22);
    store_be32(block + 22, METHODS[m].operation);
    store_be64(block + 26, METHODS[m].hash);
    buf_char(b, OP_CALL);
    javaser_put_header(b);
    javaser_put_block(b, str_make(block, sizeof(block)));
}

static void put_object_name(struct buf *b, struct str name)
{
    if (!name.p) {
        javaser_put_null(b);
        return;
    }
    javaser_put_object(b, "javax.management.ObjectName", 0x0f03a71beb6d15cf,
                       JAVASER_SERIALIZABLE | JAVASER_WRITE_METHOD);
    javaser_put_string(b, name);
    javaser_put_end(b);
}

void jrmp_put_lookup(struct buf *b, struct str name)
{
    put_call(b, NULL, LOOKUP);
    javaser_put_string(b, name);
}

void jrmp_put_new_client(struct buf *b, const struct jrmp_objid *server)
{
    put_call(b, server, NEW_CLIENT);
    javaser_put_null(b); /* credentials */
}

static void put_query(struct buf *b, const struct jrmp_objid *conn, enum method m,
                      struct str pattern)
{
    put_call(b, conn, m);
    put_object_name(b, pattern);
    javaser_put_null(b); /* query expression */
    javaser_put_null(b); /* subject */
}

void jrmp_put_query_mbeans(struct buf *b, const struct jrmp_objid *conn, struct str pattern)
{
    put_query(b, conn, QUERY_MBEANS, pattern);
}

void jrmp_put_query_names(struct buf *b, const struct jrmp_objid *conn, struct str pattern)
{
    put_query(b, conn, QUERY_NAMES, pattern);
}

void jrmp_put_get_mbean_info(struct buf *b, const struct jrmp_objid *conn, struct str bean)
{
    put_call(b, conn, GET_MBEAN_INFO);
    put_object_name(b, bean);
    javaser_put_null(b);
}

void jrmp_put_get_attribute(struct buf *b, const struct jrmp_objid *conn, struct str bean,
                            struct str attribute)
{
    put_call(b, conn, GET_ATTRIBUTE);
    put_object_name(b, bean);
    javaser_put_string(b, attribute);
    javaser_put_null(b);
}

void jrmp_put_get_attributes(struct buf *b, const struct jrmp_objid *conn, struct str bean,
                             const struct str *attributes, size_t n)
{
    put_call(b, conn, GET_ATTRIBUTES);
    put_object_name(b, bean);
    javaser_put_array(b, "[Ljava.lang.String;", 0xadd256e7e91d7b47, (uint32_t)n);
    for (size_t i = 0; i < n; i++) javaser_put_string(b, attributes[i]);
    javaser_put_null(b);
}

void jrmp_put_get_connection_id(struct buf *b, const struct jrmp_objid *conn)
{
    put_call(b, conn, GET_CONNECTION_ID);
}

void jrmp_put_close(struct buf *b, const struct jrmp_objid *conn) { put_call(b, conn, CLOSE); }

void jrmp_put_dgc_ack(struct buf *b, const struct jrmp_uid *uid)
{
    buf_char(b, OP_DGC_ACK);
    buf_put(b, str_make(uid->bytes, sizeof(uid->bytes)));
}

static enum err return_kind(const struct javaser_value *v, struct jrmp_return *out, struct diag *d)
{
    if (v->kind != JAVASER_BLOCK || v->text.n != 15 ||
        (v->text.p[0] != RETURN_NORMAL && v->text.p[0] != RETURN_EXCEPTION)) {
        return diag_set(d, ERR_SYNTAX, "a return that does not say whether it is an exception");
    }
    out->exception = v->text.p[0] == RETURN_EXCEPTION;
    memcpy(out->uid.bytes, v->text.p + 1, sizeof(out->uid.bytes));
    return OK;
}

enum err jrmp_read_return(struct str *in, struct arena *a, struct jrmp_return *out, struct diag *d)
{
    struct javaser s;
    struct jrmp_return r = { 0 };
    const struct javaser_value *v;
    if (in->n < 1) return ERR_SHORT;
    if (in->p[0] != OP_RETURN) {
        return diag_set(d, ERR_SYNTAX, "expected an RMI return (0x51), got 0x%02x",
                        (unsigned)(unsigned char)in->p[0]);
    }
    enum err e = javaser_open(&s, str_from(*in, 1), a);
    if (e == ERR_SYNTAX) return diag_set(d, e, "an RMI return without a serialised stream");
    TRY(e);
    TRY(javaser_read(&s, &v, d));
    TRY(return_kind(v, &r, d));
    TRY(javaser_read(&s, &r.value, d));
    *in = s.in;
    *out = r;
    return OK;
}

/* Blocks of the stub's custom contents, put together: a socket factory may stand between them. */
static struct str stub_bytes(const struct javaser_part *p, struct arena *a)
{
    BUF(all, 4096);
    for (size_t i = 0; i < p->n; i++) {
        if (p->items[i]->kind == JAVASER_BLOCK) buf_put(&all, p->items[i]->text);
    }
    return arena_dup(a, buf_str(&all));
}

static bool take_utf(struct str *in, struct str *out)
{
    if (in->n < 2 || in->n - 2 < load_be16(in->p)) return false;
    *out = str_make(in->p + 2, load_be16(in->p));
    *in = str_from(*in, 2 + out->n);
    return true;
}

static bool parse_stub(struct str in, struct jrmp_stub *out)
{
    struct str type;
    uint32_t port;
    if (!take_utf(&in, &type)) return false;
    if (str_eqc(type, "UnicastRef2")) {
        if (in.n < 1) return false;
        out->tls = in.p[0] == 1;
        in = str_from(in, 1);
    } else if (!str_eqc(type, "UnicastRef")) {
        return false;
    }
    if (!take_utf(&in, &out->host) || in.n < 4 + sizeof(out->id.bytes)) return false;
    port = load_be32(in.p);
    if (port == 0 || port > 65535) return false;
    out->port = (uint16_t)port;
    memcpy(out->id.bytes, in.p + 4, sizeof(out->id.bytes));
    return true;
}

enum err jrmp_read_stub(const struct javaser_value *v, struct arena *a, struct jrmp_stub *out,
                        struct diag *d)
{
    /* A dynamic proxy keeps the reference one level down, in its handler. */
    if (v->kind == JAVASER_OBJECT && v->class->name.n == 0) v = javaser_object(v, "h");
    const struct javaser_part *p = javaser_part(v, "java.rmi.server.RemoteObject");
    struct jrmp_stub stub = { 0 };
    if (!p || !parse_stub(stub_bytes(p, a), &stub)) {
        return diag_set(d, ERR_SYNTAX, "expected the stub of a remote object");
    }
    *out = stub;
    return OK;
}

struct str jrmp_exception_class(const struct javaser_value *v)
{
    return v->kind == JAVASER_OBJECT ? v->class->name : STR("");
}

#define CAUSES_MAX 4

void jrmp_exception_text(const struct javaser_value *v, struct buf *b)
{
    for (int i = 0; i < CAUSES_MAX && v->kind == JAVASER_OBJECT; i++) {
        struct str text = javaser_text(v, "detailMessage");
        if (i) buf_put(b, STR("; caused by "));
        buf_put(b, v->class->name);
        if (text.n) buf_put(b, STR(": "));
        buf_put(b, text);
        const struct javaser_value *cause = javaser_object(v, "cause");
        if (cause->kind != JAVASER_OBJECT) cause = javaser_object(v, "detail");
        if (cause->kind != JAVASER_OBJECT) cause = javaser_object(v, "exception");
        if (cause == v) return;
        v = cause;
    }
}
