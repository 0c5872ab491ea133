/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/answer.h"

#include "codec/snap.h"
#include "codec/xor.h"

enum { CHUNK_SAMPLES = 120, CHUNK_XOR = 1 };

struct answer {
    const struct remote_answer_options *o;
    struct querier *q;
    struct arena a; /* of one query */
    struct matcher *matchers;
    size_t matchers_n;
    struct series *series;
    size_t series_n;
    struct column c;
    struct buf labels, series_buf, result;
    uint64_t samples;
};

static void answer_done(struct answer *x)
{
    for (size_t i = 0; i < x->matchers_n; i++) matcher_done(&x->matchers[i]);
    if (x->q) x->q->ops->close(x->q);
    column_done(&x->c);
    buf_done(&x->labels);
    buf_done(&x->series_buf);
    buf_done(&x->result);
    arena_done(&x->a);
}

/* cluster="c1" asked of the server whose external label it is says nothing about its series. */
static bool is_external(const struct answer *x, const struct remotepb_matcher *m)
{
    struct str v = labels_get(x->o->external, m->name);
    return m->op == MATCH_EQ && v.p && str_eq(v, m->value);
}

static enum err make_matchers(struct answer *x, const struct remotepb_query *q, struct diag *d)
{
    x->matchers = arena_array(&x->a, q->n, sizeof(*x->matchers));
    x->matchers_n = 0;
    for (size_t i = 0; i < q->n; i++) {
        const struct remotepb_matcher *m = &q->matchers[i];
        if (is_external(x, m)) continue;
        TRY(matcher_init(&x->matchers[x->matchers_n], (enum match_op)m->op, m->name, m->value, d));
        x->matchers_n++;
    }
    return OK;
}

static enum err begin_query(struct answer *x, const struct remotepb_query *q, struct diag *d)
{
    TRY(make_matchers(x, q, d));
    TRY(x->o->store->ops->open(x->o->store, q->start, q->end, &x->q, d));
    return x->q->ops->select(x->q, &x->a, x->matchers, x->matchers_n, q->start, q->end, &x->series,
                             &x->series_n, d);
}

static void end_query(struct answer *x)
{
    for (size_t i = 0; i < x->matchers_n; i++) matcher_done(&x->matchers[i]);
    x->matchers_n = 0;
    x->q->ops->close(x->q);
    x->q = NULL;
    arena_reset(&x->a);
}

/* The series' own label wins over an external one. */
static void put_labels(struct answer *x, struct labels lb)
{
    struct labels ext = x->o->external;
    size_t i = 0, k = 0;
    buf_reset(&x->labels);
    while (i < lb.n || k < ext.n) {
        int c = i == lb.n ? 1 : k == ext.n ? -1 : str_cmp(lb.v[i].name, ext.v[k].name);
        const struct label *l = c <= 0 ? &lb.v[i] : &ext.v[k];
        if (l->value.n) remotepb_put_label(&x->labels, l->name, l->value);
        i += c <= 0;
        k += c >= 0;
    }
}

static enum err read_series(struct answer *x, const struct remotepb_query *q, size_t i,
                            struct diag *d)
{
    if (x->o->cancel && *x->o->cancel) return diag_set(d, ERR_CANCELED, "context canceled");
    column_clear(&x->c);
    enum err e = x->q->ops->read(x->q, &x->series[i], q->start, q->end, &x->c);
    if (e != OK) return diag_set(d, e, "reading series: %s", err_name(e));
    if (x->c.n) put_labels(x, x->series[i].lb);
    return OK;
}

/* --- samples --- */

static void put_samples(struct answer *x)
{
    struct remotepb_sample *v = arena_raw(&x->a, x->c.n * sizeof(*v));
    for (size_t i = 0; i < x->c.n; i++) v[i] = (struct remotepb_sample){ x->c.t[i], x->c.v[i] };
    remotepb_put_series(&x->result, buf_str(&x->labels), v, x->c.n);
}

static enum err answer_samples(struct answer *x, const struct remotepb_query *q, struct buf *out,
                               struct diag *d)
{
    buf_reset(&x->result);
    for (size_t i = 0; i < x->series_n; i++) {
        TRY(read_series(x, q, i, d));
        if (!x->c.n) continue;
        x->samples += x->c.n;
        if (x->o->sample_limit && x->samples > (uint64_t)x->o->sample_limit) {
            return diag_set(d, ERR_LIMIT, "exceeded sample limit (%lld)",
                            (long long)x->o->sample_limit);
        }
        put_samples(x);
    }
    remotepb_put_result(out, buf_str(&x->result));
    return OK;
}

/* --- chunks --- */

static void put_chunk(struct answer *x, size_t from, size_t n)
{
    BUF(data, 0);
    xor_encode_chunk(x->c.t + from, x->c.v + from, n, &data);
    const struct remotepb_chunk c = { x->c.t[from], x->c.t[from + n - 1], CHUNK_XOR,
                                      buf_str(&data) };
    remotepb_put_chunk(&x->series_buf, &c);
}

/* A long series takes several frames, each with its labels in front. */
static void put_chunks(struct answer *x, size_t query, struct buf *out)
{
    for (size_t at = 0; at < x->c.n;) {
        buf_reset(&x->series_buf);
        buf_put(&x->series_buf, buf_str(&x->labels));
        do {
            size_t n = x->c.n - at < CHUNK_SAMPLES ? x->c.n - at : CHUNK_SAMPLES;
            put_chunk(x, at, n);
            at += n;
        } while (at < x->c.n && x->series_buf.n < x->o->frame_bytes);
        remotepb_put_frame(out, buf_str(&x->series_buf), query);
    }
}

static enum err answer_chunks(struct answer *x, const struct remotepb_query *q, size_t query,
                              struct buf *out, struct diag *d)
{
    for (size_t i = 0; i < x->series_n; i++) {
        TRY(read_series(x, q, i, d));
        put_chunks(x, query, out);
    }
    return OK;
}

enum err remote_answer(const struct remote_answer_options *o, const struct remotepb_read *req,
                       struct buf *out, struct diag *d)
{
    CLEANUP(answer_done) struct answer x = { .o = o };
    BUF(plain, 0);
    for (size_t i = 0; i < req->n; i++) {
        const struct remotepb_query *q = &req->queries[i];
        TRY(begin_query(&x, q, d));
        TRY(req->streamed ? answer_chunks(&x, q, i, out, d) : answer_samples(&x, q, &plain, d));
        end_query(&x);
    }
    if (!req->streamed) snap_pack(buf_str(&plain), out);
    return buf_ok(out) == OK && buf_ok(&plain) == OK
               ? OK
               : diag_set(d, ERR_LIMIT, "the answer is larger than this server builds");
}
