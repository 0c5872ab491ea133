/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/fetch.h"

#include "base/vec.h"
#include "codec/remotepb.h"
#include "codec/snap.h"
#include "codec/xor.h"

#include <stdlib.h>

enum { FIXED_HEADERS = 5, CHUNK_XOR = 1 };

#define BODY_MAX  ((size_t)1 << 30)
#define PLAIN_MAX ((size_t)1 << 30)

struct fetched_vec {
    VEC(struct fetched) v;
};

/* --- decoding --- */

static bool is_added(struct labels added, const struct remotepb_label *l)
{
    struct str v = labels_get(added, l->name);
    return v.p && str_eq(v, l->value);
}

static enum err labels_of(struct arena *a, const struct remotepb_item *item, struct labels added,
                          struct labels *out)
{
    struct remotepb_label *raw;
    size_t n, kept = 0;
    TRY(remotepb_labels(a, item, &raw, &n));
    struct label *v = arena_array(a, n, sizeof(*v));
    for (size_t i = 0; i < n; i++) {
        if (is_added(added, &raw[i])) continue;
        v[kept++] = (struct label){ arena_dup(a, raw[i].name), arena_dup(a, raw[i].value) };
    }
    *out = labels_from(v, kept);
    return OK;
}

static void push(struct arena *a, struct fetched *f, size_t *cap, int64_t t, double v)
{
    if (f->n && t <= f->t[f->n - 1]) return; /* overlapping chunks: what was first stays */
    if (f->n == *cap) {
        size_t to = *cap ? *cap * 2 : 128;
        int64_t *ts = arena_raw(a, to * sizeof(*ts));
        double *vs = arena_raw(a, to * sizeof(*vs));
        if (f->n) {
            memcpy(ts, f->t, f->n * sizeof(*ts));
            memcpy(vs, f->v, f->n * sizeof(*vs));
        }
        f->t = ts;
        f->v = vs;
        *cap = to;
    }
    f->t[f->n] = t;
    f->v[f->n++] = v;
}

static enum err decode_samples(struct arena *a, struct str body, struct labels added,
                               struct fetched_vec *out)
{
    BUF(plain, PLAIN_MAX);
    struct str series;
    struct remotepb_item item;
    TRY(snap_unpack(body, PLAIN_MAX, &plain));
    struct str message = buf_str(&plain);
    enum err e = remotepb_result(&message, &series);
    if (e != OK) return e == ERR_EOF ? OK : e;
    while ((e = remotepb_next(&series, &item)) == OK) {
        struct fetched f = { 0 };
        struct remotepb_others others = { 0 };
        struct remotepb_sample s;
        size_t cap = 0;
        if (item.kind != REMOTEPB_SERIES) continue;
        TRY(labels_of(a, &item, added, &f.lb));
        while ((e = remotepb_sample(&item.rest, &s, &others)) == OK) push(a, &f, &cap, s.t, s.v);
        if (e != ERR_EOF) return e;
        if (f.n) *vec_push(a, &out->v) = f;
    }
    return e == ERR_EOF ? OK : e;
}

static enum err add_chunk(struct arena *a, struct fetched *f, size_t *cap,
                          const struct remotepb_chunk *c)
{
    if (c->type != CHUNK_XOR) return OK; /* native histograms */
    size_t n = xor_count(c->data);
    int64_t *t = arena_raw(a, n * sizeof(*t));
    double *v = arena_raw(a, n * sizeof(*v));
    TRY(xor_decode(c->data, t, v));
    for (size_t i = 0; i < n; i++) push(a, f, cap, t[i], v[i]);
    return OK;
}

/* A series' chunks may come in several frames in a row. */
static enum err decode_chunked(struct arena *a, struct str message, struct labels added,
                               struct fetched_vec *out, size_t *cap)
{
    struct remotepb_item item;
    enum err e;
    while ((e = remotepb_chunked_next(&message, &item)) == OK) {
        struct labels lb;
        struct remotepb_chunk c;
        TRY(labels_of(a, &item, added, &lb));
        if (!out->v.n || !labels_eq(out->v.v[out->v.n - 1].lb, lb)) {
            vec_push(a, &out->v)->lb = lb;
            *cap = 0;
        }
        struct fetched *f = &out->v.v[out->v.n - 1];
        while ((e = remotepb_chunk(&item.rest, &c)) == OK) TRY(add_chunk(a, f, cap, &c));
        if (e != ERR_EOF) return e;
    }
    return e == ERR_EOF ? OK : e;
}

static enum err decode_frames(struct arena *a, struct str body, size_t frame_max,
                              struct labels added, struct fetched_vec *out)
{
    struct str message;
    size_t cap = 0;
    enum err e;
    while ((e = remotepb_frame(&body, frame_max, &message)) == OK) {
        TRY(decode_chunked(a, message, added, out, &cap));
    }
    return e == ERR_EOF ? OK : e;
}

static int by_labels(const void *a, const void *b)
{
    return labels_cmp(((const struct fetched *)a)->lb, ((const struct fetched *)b)->lb);
}

enum err remote_decode(struct arena *a, struct str content_type, struct str body, size_t frame_max,
                       struct labels added, struct fetched **out, size_t *out_n, struct diag *d)
{
    struct fetched_vec all = { 0 };
    enum err e;
    if (str_starts(content_type, STR("application/x-protobuf"))) {
        e = decode_samples(a, body, added, &all);
    } else if (str_starts(content_type, STR("application/x-streamed-protobuf"))) {
        e = decode_frames(a, body, frame_max, added, &all);
    } else {
        return diag_set(d, ERR_UNSUPPORTED, "unsupported content type: " STR_FMT,
                        STR_ARG(content_type));
    }
    if (e != OK) return diag_set(d, e, "the answer cannot be read: %s", err_name(e));
    if (all.v.n) qsort(all.v.v, all.v.n, sizeof(*all.v.v), by_labels);
    *out = all.v.v;
    *out_n = all.v.n;
    return OK;
}

/* --- asking --- */

/* External labels that the selector says nothing of: asked for, and taken off again. */
static struct labels labels_to_add(struct arena *a, const struct remote_read_options *o,
                                   const struct matcher *m, size_t n)
{
    struct labels ext = o->filter_external ? o->external : (struct labels){ 0 };
    struct label *v = arena_array(a, ext.n, sizeof(*v));
    size_t kept = 0;
    for (size_t i = 0; i < ext.n; i++) {
        bool said = false;
        for (size_t k = 0; k < n; k++) said |= str_eq(m[k].name, ext.v[i].name);
        if (!said) v[kept++] = ext.v[i];
    }
    return (struct labels){ v, kept };
}

static void put_request(struct buf *b, struct arena *a, const struct matcher *m, size_t n,
                        struct labels added, int64_t mint, int64_t maxt)
{
    BUF(plain, 0);
    struct remotepb_matcher *v = arena_array(a, n + added.n, sizeof(*v));
    for (size_t i = 0; i < n; i++) {
        v[i] = (struct remotepb_matcher){ (unsigned)m[i].op, m[i].name, m[i].value };
    }
    for (size_t i = 0; i < added.n; i++) {
        v[n + i] = (struct remotepb_matcher){ MATCH_EQ, added.v[i].name, added.v[i].value };
    }
    const struct remotepb_query q = { mint, maxt, v, n + added.n };
    remotepb_put_read_request(&plain, &q, true);
    snap_pack(buf_str(&plain), b);
}

static enum err check_status(const struct http_result *res, struct diag *d)
{
    struct str line, rest;
    if (res->status / 100 == 2) return OK;
    (void)str_cut(buf_str(&res->body), '\n', &line, &rest);
    return diag_set(d, ERR_SYS, "remote server returned http status %d: " STR_FMT, res->status,
                    STR_ARG(str_first(line, 512)));
}

enum err remote_fetch(const struct remote_read_options *o, struct str agent, struct arena *a,
                      const struct matcher *m, size_t n, int64_t mint, int64_t maxt,
                      struct fetched **out, size_t *out_n, struct diag *d)
{
    BUF(body, 0);
    struct labels added = labels_to_add(a, o, m, n);
    struct http_pair *h = arena_array(a, FIXED_HEADERS + o->from.headers_n, sizeof(*h));
    size_t k = 0;
    put_request(&body, a, m, n, added, mint, maxt);
    h[k++] = (struct http_pair){ STR("Content-Encoding"), STR("snappy") };
    h[k++] = (struct http_pair){ STR("Accept-Encoding"), STR("snappy") };
    h[k++] = (struct http_pair){ STR("Content-Type"), STR("application/x-protobuf") };
    h[k++] = (struct http_pair){ STR("User-Agent"), agent };
    h[k++] = (struct http_pair){ STR("X-Prometheus-Remote-Read-Version"), STR("0.1.0") };
    for (size_t i = 0; i < o->from.headers_n; i++) h[k++] = o->from.headers[i];
    const struct http_call call = {
        .method = "POST",
        .url = o->from.url,
        .headers = h,
        .headers_n = k,
        .body = buf_str(&body),
        .timeout_ms = o->from.timeout_ms,
        .body_max = BODY_MAX,
        .config = o->from.http,
    };
    struct http_result res = { 0 };
    enum err e = http_fetch(&call, NULL, &res, d);
    struct str type = arena_dup(a, res.content_type);
    if (e == OK) e = check_status(&res, d);
    if (e == OK) {
        e = remote_decode(a, type, buf_str(&res.body), o->frame_max, added, out, out_n, d);
    }
    buf_done(&res.body);
    return e;
}
