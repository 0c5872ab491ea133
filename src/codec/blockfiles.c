/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/blockfiles.h"

#include "base/bits.h"
#include "base/vec.h"
#include "codec/crc32c.h"
#include "codec/json.h"
#include "codec/num.h"
#include "codec/varint.h"

#define CHUNKS_MAGIC     UINT32_C(0x85BD40DD)
#define TOMBSTONES_MAGIC UINT32_C(0x0130BA30)

enum { VERSION = 1, CRC_BYTES = 4, TOMBSTONES_HEADER = 5, TOMBSTONE_BYTES_MIN = 3 };

/*
 * Chunks
 */

bool blockchunks_header_ok(struct str file)
{
    return file.n >= BLOCKCHUNKS_HEADER && load_be32(file.p) == CHUNKS_MAGIC &&
           file.p[4] == VERSION;
}

void blockchunks_put_header(struct buf *b)
{
    buf_be32(b, CHUNKS_MAGIC);
    buf_be32(b, (uint32_t)VERSION << 24);
}

void blockchunks_put(struct buf *b, unsigned encoding, struct str data)
{
    varint_put_u64(b, data.n);
    size_t from = b->n;
    buf_char(b, (char)encoding);
    buf_put(b, data);
    if (buf_ok(b) != OK) return;
    buf_be32(b, crc32c(0, str_make(b->p + from, data.n + 1)));
}

enum err blockchunks_read(struct str file, uint64_t at, unsigned *encoding, struct str *data)
{
    if (at < BLOCKCHUNKS_HEADER) return ERR_CORRUPT;
    struct str rest = str_from(file, at);
    uint64_t n;
    if (varint_read_u64(&rest, &n) != OK) return ERR_CORRUPT;
    if (rest.n < 1 + CRC_BYTES || n > rest.n - 1 - CRC_BYTES) return ERR_CORRUPT;
    if (crc32c(0, str_first(rest, n + 1)) != load_be32(rest.p + 1 + n)) return ERR_CORRUPT;
    *encoding = (unsigned char)rest.p[0];
    *data = str_make(rest.p + 1, n);
    return OK;
}

/*
 * Tombstones
 */

static enum err read_times(struct str *in, struct tombstone *t)
{
    if (varint_read_i64(in, &t->mint) != OK || varint_read_i64(in, &t->maxt) != OK) {
        return ERR_CORRUPT;
    }
    return OK;
}

enum err tombstones_read(struct str file, struct arena *a, struct tombstone **out, size_t *n)
{
    if (file.n < TOMBSTONES_HEADER + CRC_BYTES || load_be32(file.p) != TOMBSTONES_MAGIC ||
        file.p[4] != VERSION) {
        return ERR_CORRUPT;
    }
    struct str in = str_make(file.p + TOMBSTONES_HEADER, file.n - TOMBSTONES_HEADER - CRC_BYTES);
    if (crc32c(0, in) != load_be32(in.p + in.n)) return ERR_CORRUPT;
    VEC(struct tombstone) v = { 0 };
    while (in.n) {
        struct tombstone t;
        if (varint_read_u64(&in, &t.series) != OK || read_times(&in, &t) != OK) return ERR_CORRUPT;
        *vec_push(a, &v) = t;
    }
    *out = v.v;
    *n = v.n;
    return OK;
}

void tombstones_write(struct buf *b, const struct tombstone *v, size_t n)
{
    buf_be32(b, TOMBSTONES_MAGIC);
    buf_char(b, VERSION);
    size_t from = b->n;
    for (size_t i = 0; i < n; i++) {
        varint_put_u64(b, v[i].series);
        varint_put_i64(b, v[i].mint);
        varint_put_i64(b, v[i].maxt);
    }
    if (buf_ok(b) == OK) buf_be32(b, crc32c(0, str_from(buf_str(b), from)));
}

enum err tombstones_read_record(struct str in, struct arena *a, struct tombstone **out, size_t *n)
{
    VEC(struct tombstone) v = { 0 };
    while (in.n) {
        struct tombstone t;
        if (in.n < 8) return ERR_CORRUPT;
        t.series = load_be64(in.p);
        in = str_from(in, 8);
        TRY(read_times(&in, &t));
        *vec_push(a, &v) = t;
    }
    *out = v.v;
    *n = v.n;
    return OK;
}

void tombstones_write_record(struct buf *b, const struct tombstone *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char ref[8];
        store_be64(ref, v[i].series);
        buf_put(b, str_make(ref, sizeof(ref)));
        varint_put_i64(b, v[i].mint);
        varint_put_i64(b, v[i].maxt);
    }
}

/*
 * ULID
 */

static const char CROCKFORD[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* 130 bits for 128: the first character holds three. */
void ulid_write(char to[ULID_CHARS + 1], uint64_t ms, const unsigned char random[10])
{
    for (int i = 9; i >= 0; i--, ms >>= 5) to[i] = CROCKFORD[ms & 31];
    for (size_t i = 0; i < 16; i++) {
        size_t bit = i * 5, byte = bit / 8;
        unsigned word = (unsigned)random[byte] << 8 | (byte + 1 < 10 ? random[byte + 1] : 0U);
        to[10 + i] = CROCKFORD[word >> (11 - bit % 8) & 31];
    }
    to[ULID_CHARS] = 0;
}

bool ulid_ok(struct str s)
{
    if (s.n != ULID_CHARS || s.p[0] > '7') return false;
    for (size_t i = 0; i < s.n; i++) {
        if (str_find_char(str_make(CROCKFORD, 32), s.p[i]) == STR_NONE) return false;
    }
    return true;
}

/*
 * meta.json
 */

static int64_t number(const struct json *v, const char *key)
{
    const struct json *it = json_get(v, key);
    int64_t n;
    if (!it || it->kind != JSON_NUMBER || num_parse_i64(it->text, &n) != OK) return 0;
    return n;
}

static uint64_t count(const struct json *v, const char *key)
{
    int64_t n = number(v, key);
    return n > 0 ? (uint64_t)n : 0;
}

static const struct str *strings(struct arena *a, const struct json *v, size_t *n)
{
    *n = v && v->kind == JSON_ARRAY ? v->n : 0;
    struct str *out = arena_array(a, *n, sizeof(*out));
    for (size_t i = 0; i < *n; i++) out[i] = json_str(&v->items[i], STR(""));
    return out;
}

static void read_parents(struct arena *a, const struct json *v, struct blockmeta *m)
{
    size_t n = v && v->kind == JSON_ARRAY ? v->n : 0;
    struct blockmeta_parent *p = arena_array(a, n, sizeof(*p));
    for (size_t i = 0; i < n; i++) {
        p[i].ulid = json_str(json_get(&v->items[i], "ulid"), STR(""));
        p[i].mint = number(&v->items[i], "minTime");
        p[i].maxt = number(&v->items[i], "maxTime");
    }
    m->parents = p;
    m->parents_n = n;
}

enum err blockmeta_read(struct arena *a, struct str text, struct blockmeta *out, struct diag *d)
{
    const struct json *v;
    TRY(json_parse(a, text, &v, d));
    if (number(v, "version") != VERSION) {
        return diag_set(d, ERR_UNSUPPORTED, "meta.json: version %lld is not known",
                        (long long)number(v, "version"));
    }
    const struct json *stats = json_get(v, "stats"), *c = json_get(v, "compaction");
    struct blockmeta m = {
        .ulid = json_str(json_get(v, "ulid"), STR("")),
        .mint = number(v, "minTime"),
        .maxt = number(v, "maxTime"),
        .stats = { count(stats, "numSamples"), count(stats, "numFloatSamples"),
                   count(stats, "numHistogramSamples"), count(stats, "numSeries"),
                   count(stats, "numChunks"), count(stats, "numTombstones") },
        .level = number(c, "level"),
        .deletable = json_bool(json_get(c, "deletable"), false),
        .failed = json_bool(json_get(c, "failed"), false),
    };
    m.sources = strings(a, json_get(c, "sources"), &m.sources_n);
    m.hints = strings(a, json_get(c, "hints"), &m.hints_n);
    read_parents(a, json_get(c, "parents"), &m);
    *out = m;
    return OK;
}

/* Go's MarshalIndent with tabs, written by hand: json_writer is compact. */
struct indented {
    struct buf *b;
    unsigned depth;
    bool first;
};

static void line(struct indented *w)
{
    if (!w->first) buf_char(w->b, ',');
    w->first = false;
    buf_char(w->b, '\n');
    for (unsigned i = 0; i < w->depth; i++) buf_char(w->b, '\t');
}

static void key(struct indented *w, const char *name)
{
    line(w);
    buf_fmt(w->b, "\"%s\": ", name);
}

static void open_bracket(struct indented *w, char c)
{
    buf_char(w->b, c);
    w->depth++;
    w->first = true;
}

static void close_bracket(struct indented *w, char c)
{
    w->depth--;
    if (!w->first) {
        w->first = true;
        line(w);
    }
    w->first = false;
    buf_char(w->b, c);
}

static void put_string(struct indented *w, struct str s)
{
    buf_char(w->b, '"');
    json_escape(w->b, s);
    buf_char(w->b, '"');
}

static void put_number(struct indented *w, const char *name, int64_t v)
{
    key(w, name);
    buf_fmt(w->b, "%lld", (long long)v);
}

static void put_count(struct indented *w, const char *name, uint64_t v)
{
    if (v) put_number(w, name, (int64_t)v); /* zeros are left out, as the original does */
}

static void put_strings(struct indented *w, const char *name, const struct str *v, size_t n)
{
    if (!n) return;
    key(w, name);
    open_bracket(w, '[');
    for (size_t i = 0; i < n; i++) {
        line(w);
        put_string(w, v[i]);
    }
    close_bracket(w, ']');
}

static void put_parents(struct indented *w, const struct blockmeta *m)
{
    if (!m->parents_n) return;
    key(w, "parents");
    open_bracket(w, '[');
    for (size_t i = 0; i < m->parents_n; i++) {
        line(w);
        open_bracket(w, '{');
        key(w, "ulid");
        put_string(w, m->parents[i].ulid);
        put_number(w, "minTime", m->parents[i].mint);
        put_number(w, "maxTime", m->parents[i].maxt);
        close_bracket(w, '}');
    }
    close_bracket(w, ']');
}

static void put_compaction(struct indented *w, const struct blockmeta *m)
{
    key(w, "compaction");
    open_bracket(w, '{');
    put_number(w, "level", m->level);
    put_strings(w, "sources", m->sources, m->sources_n);
    if (m->deletable) {
        key(w, "deletable");
        buf_putc(w->b, "true");
    }
    put_parents(w, m);
    if (m->failed) {
        key(w, "failed");
        buf_putc(w->b, "true");
    }
    put_strings(w, "hints", m->hints, m->hints_n);
    close_bracket(w, '}');
}

void blockmeta_write(struct buf *b, const struct blockmeta *m)
{
    struct indented w = { .b = b };
    open_bracket(&w, '{');
    key(&w, "ulid");
    put_string(&w, m->ulid);
    put_number(&w, "minTime", m->mint);
    put_number(&w, "maxTime", m->maxt);
    key(&w, "stats");
    open_bracket(&w, '{');
    put_count(&w, "numSamples", m->stats.samples);
    put_count(&w, "numFloatSamples", m->stats.float_samples);
    put_count(&w, "numHistogramSamples", m->stats.histogram_samples);
    put_count(&w, "numSeries", m->stats.series);
    put_count(&w, "numChunks", m->stats.chunks);
    put_count(&w, "numTombstones", m->stats.tombstones);
    close_bracket(&w, '}');
    put_compaction(&w, m);
    put_number(&w, "version", VERSION);
    close_bracket(&w, '}');
}
