/* SPDX-License-Identifier: Apache-2.0 */
#include "alert/records.h"

#include "base/bits.h"
#include "base/vec.h"
#include "codec/varint.h"

#include <stdlib.h>

enum { WIRE_VARINT, WIRE_64, WIRE_BYTES, WIRE_32 = 5 };

/* The order of the wire's enum: = is 0, =~ 1, != 2, !~ 3. */
static const enum match_op op_of_wire[] = { MATCH_EQ, MATCH_RE, MATCH_NE, MATCH_NRE };

struct silence *silence_new(void)
{
    struct silence *s = calloc(1, sizeof(*s));
    if (!s) abort();
    arena_init(&s->arena, 0);
    return s;
}
void silence_free(struct silence *s)
{
    if (!s) return;
    for (size_t i = 0; i < s->sets_n; i++) matchers_done(&s->sets[i]);
    arena_done(&s->arena);
    free(s);
}
struct log_entry *log_entry_new(void)
{
    struct log_entry *e = calloc(1, sizeof(*e));
    if (!e) abort();
    arena_init(&e->arena, 0);
    return e;
}
void log_entry_free(struct log_entry *e)
{
    if (!e) return;
    arena_done(&e->arena);
    free(e);
}
void log_entry_key(struct log_entry *e)
{
    e->key = arena_fmt(&e->arena, STR_FMT ":" STR_FMT "/" STR_FMT "/%u", STR_ARG(e->group_key),
                       STR_ARG(e->receiver), STR_ARG(e->integration), e->index);
}

/* ---- writing ---- */
static void put_varint(struct buf *b, uint64_t v)
{
    for (; v >= 0x80; v >>= 7) buf_char(b, (char)(v | 0x80));
    buf_char(b, (char)v);
}
static void put_number(struct buf *b, unsigned field, uint64_t v)
{
    if (!v) return;
    put_varint(b, field << 3 | WIRE_VARINT);
    put_varint(b, v);
}
static void put_bytes(struct buf *b, unsigned field, struct str s)
{
    put_varint(b, field << 3 | WIRE_BYTES);
    put_varint(b, s.n);
    buf_put(b, s);
}
static void put_text(struct buf *b, unsigned field, struct str s)
{
    if (s.n) put_bytes(b, field, s);
}
static void put_time(struct buf *b, unsigned field, int64_t ms)
{
    BUF(t, 64);
    int64_t s = ms / 1000, rest = ms % 1000;
    if (rest < 0) {
        s--;
        rest += 1000;
    }
    put_number(&t, 1, (uint64_t)s);
    put_number(&t, 2, (uint64_t)rest * 1000000);
    put_bytes(b, field, buf_str(&t));
}

static void put_matcher(struct buf *b, unsigned field, const struct matcher *m)
{
    BUF(t, RECORD_MAX);
    unsigned wire = 0;
    while (op_of_wire[wire] != m->op) wire++;
    put_number(&t, 1, wire);
    put_text(&t, 2, m->name);
    put_text(&t, 3, m->value);
    put_bytes(b, field, buf_str(&t));
}

static void put_silence(struct buf *b, const struct silence *s)
{
    put_text(b, 1, s->id);
    /* Field 2 repeats the first set for readers that know no sets. */
    for (size_t i = 0; s->sets_n && i < s->sets[0].n; i++) put_matcher(b, 2, &s->sets[0].v[i]);
    put_time(b, 3, s->starts_at);
    put_time(b, 4, s->ends_at);
    put_time(b, 5, s->updated_at);
    put_text(b, 8, s->created_by);
    put_text(b, 9, s->comment);
    for (size_t i = 0; i < s->annotations.n; i++) {
        BUF(pair, RECORD_MAX);
        put_text(&pair, 1, s->annotations.v[i].name);
        put_text(&pair, 2, s->annotations.v[i].value);
        put_bytes(b, 10, buf_str(&pair));
    }
    for (size_t i = 0; i < s->sets_n; i++) {
        BUF(set, RECORD_MAX);
        for (size_t k = 0; k < s->sets[i].n; k++) put_matcher(&set, 1, &s->sets[i].v[k]);
        put_bytes(b, 11, buf_str(&set));
    }
}

static void put_record(struct buf *b, struct str inner, int64_t expires_at)
{
    BUF(t, RECORD_MAX);
    put_bytes(&t, 1, inner);
    put_time(&t, 2, expires_at);
    put_varint(b, t.n);
    buf_put(b, buf_str(&t));
}

void silence_write(struct buf *b, const struct silence *s)
{
    BUF(t, RECORD_MAX);
    put_silence(&t, s);
    put_record(b, buf_str(&t), s->expires_at);
}

static void put_packed(struct buf *b, unsigned field, const uint64_t *v, size_t n)
{
    BUF(t, RECORD_MAX);
    for (size_t i = 0; i < n; i++) put_varint(&t, v[i]);
    if (n) put_bytes(b, field, buf_str(&t));
}

void log_entry_write(struct buf *b, const struct log_entry *e)
{
    BUF(t, RECORD_MAX);
    BUF(receiver, RECORD_MAX);
    put_text(&receiver, 1, e->receiver);
    put_text(&receiver, 2, e->integration);
    put_number(&receiver, 3, e->index);
    put_text(&t, 1, e->group_key);
    put_bytes(&t, 2, buf_str(&receiver));
    put_time(&t, 5, e->at);
    put_packed(&t, 6, e->firing, e->firing_n);
    put_packed(&t, 7, e->resolved, e->resolved_n);
    put_record(b, buf_str(&t), e->expires_at);
}

/* ---- reading ---- */
struct field {
    unsigned number, wire;
    uint64_t v;
    struct str bytes;
};

/* ERR_EOF at the end of the message. */
static enum err next_field(struct str *in, struct field *f)
{
    uint64_t tag, n;
    *f = (struct field){ 0 };
    if (!in->n) return ERR_EOF;
    if (varint_read_u64(in, &tag) != OK || tag >> 3 == 0 || tag >> 3 > 536870911) {
        return ERR_CORRUPT;
    }
    f->number = (unsigned)(tag >> 3);
    f->wire = tag & 7;
    switch (f->wire) {
    case WIRE_VARINT: return varint_read_u64(in, &f->v) == OK ? OK : ERR_CORRUPT;
    case WIRE_64:
    case WIRE_32:
        n = f->wire == WIRE_64 ? 8 : 4;
        if (in->n < n) return ERR_CORRUPT;
        *in = str_from(*in, n);
        return OK;
    case WIRE_BYTES:
        if (varint_read_u64(in, &n) != OK || n > in->n) return ERR_CORRUPT;
        f->bytes = str_first(*in, n);
        *in = str_from(*in, n);
        return OK;
    default: return ERR_CORRUPT;
    }
}

#define FIELDS(in, f, e) while (((e) = next_field((in), (f))) == OK)

static enum err read_time(struct str s, int64_t *ms)
{
    struct field f;
    enum err e;
    int64_t seconds = 0, nanos = 0;
    FIELDS(&s, &f, e)
    {
        if (f.number == 1) seconds = (int64_t)f.v;
        if (f.number == 2) nanos = (int64_t)f.v;
    }
    if (e != ERR_EOF || nanos < 0 || nanos > 999999999) return ERR_CORRUPT;
    if (seconds > INT64_C(253402300800) || seconds < -INT64_C(62135596800)) return ERR_CORRUPT;
    *ms = seconds * 1000 + nanos / 1000000;
    return OK;
}

struct found {
    struct matcher *v;
    size_t n, cap;
};
static void found_done(struct found *l)
{
    for (size_t i = 0; i < l->n; i++) matcher_done(&l->v[i]);
}

static enum err read_matcher(struct arena *a, struct str s, struct found *out)
{
    struct field f;
    enum err e;
    uint64_t wire = 0;
    struct str name = STR(""), value = STR("");
    FIELDS(&s, &f, e)
    {
        if (f.number == 1) wire = f.v;
        if (f.number == 2) name = f.bytes;
        if (f.number == 3) value = f.bytes;
    }
    if (e != ERR_EOF || wire >= ARRAY_LEN(op_of_wire)) return ERR_CORRUPT;
    struct matcher m;
    if (alert_matcher_init(a, &m, op_of_wire[wire], arena_dup(a, name), arena_dup(a, value),
                           NULL) != OK) {
        return ERR_CORRUPT;
    }
    *vec_push(a, out) = m;
    return OK;
}

static enum err read_set(struct arena *a, struct str s, struct found *out)
{
    struct field f;
    enum err e;
    FIELDS(&s, &f, e)
    {
        if (f.number == 1) TRY(read_matcher(a, f.bytes, out));
    }
    return e == ERR_EOF ? OK : e;
}

struct sets {
    struct matchers *v;
    size_t n, cap;
};

/* {1 record, 2 expires_at}, what both kinds stand in; exactly one record. */
static enum err read_record(struct str message, enum err (*read)(void *x, struct str in), void *x,
                            int64_t *expires_at)
{
    struct field f;
    enum err e;
    bool found = false;
    FIELDS(&message, &f, e)
    {
        if (f.number == 1 && !found) {
            found = true;
            e = read(x, f.bytes);
        } else if (f.number == 2) {
            e = read_time(f.bytes, expires_at);
        }
        if (e != OK) break;
    }
    return e == ERR_EOF && found ? OK : ERR_CORRUPT;
}

static enum err read_pair(struct silence *s, struct str in)
{
    struct field f;
    enum err e;
    struct str name = STR(""), value = STR("");
    FIELDS(&in, &f, e)
    {
        if (f.number == 1) name = f.bytes;
        if (f.number == 2) value = f.bytes;
    }
    if (e != ERR_EOF) return e;
    struct labels_builder b;
    labels_builder_init(&b, &s->arena, s->annotations);
    labels_set(&b, arena_dup(&s->arena, name), arena_dup(&s->arena, value));
    s->annotations = labels_dup(&s->arena, labels_build(&b));
    return OK;
}

static enum err read_silence_field(struct silence *s, const struct field *f, struct found *old,
                                   struct sets *sets)
{
    struct found set = { 0 };
    switch (f->number) {
    case 1: s->id = arena_dup(&s->arena, f->bytes); return OK;
    case 2: return read_matcher(&s->arena, f->bytes, old);
    case 3: return read_time(f->bytes, &s->starts_at);
    case 4: return read_time(f->bytes, &s->ends_at);
    case 5: return read_time(f->bytes, &s->updated_at);
    case 8: s->created_by = arena_dup(&s->arena, f->bytes); return OK;
    case 9: s->comment = arena_dup(&s->arena, f->bytes); return OK;
    case 10: return read_pair(s, f->bytes);
    case 11:
        if (read_set(&s->arena, f->bytes, &set) != OK) {
            found_done(&set);
            return ERR_CORRUPT;
        }
        *vec_push(&s->arena, sets) = (struct matchers){ set.v, set.n };
        return OK;
    default: return OK;
    }
}

static enum err read_inner(void *x, struct str in)
{
    struct silence *s = x;
    struct field f;
    enum err e;
    struct found old = { 0 };
    struct sets sets = { 0 };
    FIELDS(&in, &f, e)
    {
        e = read_silence_field(s, &f, &old, &sets);
        if (e != OK) break;
    }
    s->sets = sets.v;
    s->sets_n = sets.n;
    if (sets.n || !old.n) {
        found_done(&old);
    } else {
        *vec_push(&s->arena, &sets) = (struct matchers){ old.v, old.n };
        s->sets = sets.v;
        s->sets_n = 1;
    }
    return e == ERR_EOF && s->id.n ? OK : ERR_CORRUPT;
}

enum err silence_read(struct str message, struct silence **out)
{
    struct silence *s = silence_new();
    if (read_record(message, read_inner, s, &s->expires_at) != OK) {
        silence_free(s);
        return ERR_CORRUPT;
    }
    *out = s;
    return OK;
}

static enum err read_packed(struct arena *a, const struct field *f, const uint64_t **out, size_t *n)
{
    struct str in = f->bytes;
    uint64_t *v = arena_array(a, *n + (f->wire == WIRE_BYTES ? in.n : 1), sizeof(*v));
    if (*n) memcpy(v, *out, *n * sizeof(*v));
    if (f->wire == WIRE_VARINT) v[(*n)++] = f->v;
    while (in.n) {
        if (varint_read_u64(&in, &v[*n]) != OK) return ERR_CORRUPT;
        ++*n;
    }
    *out = v;
    return OK;
}

static enum err read_receiver(struct log_entry *le, struct str in)
{
    struct field f;
    enum err e;
    FIELDS(&in, &f, e)
    {
        if (f.number == 1) le->receiver = arena_dup(&le->arena, f.bytes);
        if (f.number == 2) le->integration = arena_dup(&le->arena, f.bytes);
        if (f.number == 3) le->index = (uint32_t)f.v;
    }
    return e == ERR_EOF ? OK : e;
}

static enum err read_entry(void *x, struct str in)
{
    struct log_entry *le = x;
    struct field f;
    enum err e;
    FIELDS(&in, &f, e)
    {
        switch (f.number) {
        case 1: le->group_key = arena_dup(&le->arena, f.bytes); break;
        case 2: TRY(read_receiver(le, f.bytes)); break;
        case 5: TRY(read_time(f.bytes, &le->at)); break;
        case 6: TRY(read_packed(&le->arena, &f, &le->firing, &le->firing_n)); break;
        case 7: TRY(read_packed(&le->arena, &f, &le->resolved, &le->resolved_n)); break;
        default: break;
        }
    }
    return e == ERR_EOF ? OK : e;
}

enum err log_entry_read(struct str message, struct log_entry **out)
{
    struct log_entry *le = log_entry_new();
    if (read_record(message, read_entry, le, &le->expires_at) != OK) {
        log_entry_free(le);
        return ERR_CORRUPT;
    }
    log_entry_key(le);
    *out = le;
    return OK;
}

enum err record_next(struct str *in, struct str *message)
{
    struct str s = *in;
    uint64_t n;
    if (!s.n) return ERR_EOF;
    enum err e = varint_read_u64(&s, &n);
    if (e == ERR_SHORT) return ERR_SHORT;
    if (e != OK || !n || n > RECORD_MAX) return ERR_CORRUPT;
    if (n > s.n) return ERR_SHORT;
    *message = str_first(s, n);
    *in = str_from(s, n);
    return OK;
}
