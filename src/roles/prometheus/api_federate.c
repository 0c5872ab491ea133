/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /federate: the newest sample of each series that a selector finds, as a page to scrape
 *
 * Source: Prometheus web/federate.go
 */
#include "base/vec.h"
#include "codec/expowrite.h"
#include "codec/num.h"
#include "io/clock.h"
#include "roles/prometheus/prometheus_priv.h"

#include <stdlib.h>

struct newest {
    struct labels lb;
    int64_t t;
    double v;
};

struct federation {
    struct arena a;
    struct querier *q;
    struct column c;
    VEC(struct newest) found;
    struct labels external; /* with instance="" where there is none */
    int64_t mint, maxt;
};

static void federation_done(struct federation *f)
{
    if (f->q) f->q->ops->close(f->q);
    column_done(&f->c);
    arena_done(&f->a);
}

/* By name, then by the other labels; the same series found twice stands twice in a row. */
static int by_name(const void *a, const void *b)
{
    const struct newest *x = a, *y = b;
    int c = str_cmp(labels_get(x->lb, METRIC_NAME), labels_get(y->lb, METRIC_NAME));
    return c ? c : labels_cmp(x->lb, y->lb);
}

/* Native histograms have no form in the text format: such a series is left out. */
static bool is_float(struct federation *f, const struct series *s, int64_t t)
{
    column_clear(&f->c);
    return f->q->ops->read(f->q, s, t, t, &f->c) == OK && f->c.n && !(f->c.h && f->c.h[0]);
}

static enum err find(struct federation *f, struct str selector, bool *bad, struct diag *d)
{
    struct matcher *m;
    struct series *s;
    size_t n, series_n;
    enum err e = promql_parse_matchers(selector, &f->a, &m, &n, d);
    *bad = e != OK;
    TRY(e);
    e = f->q->ops->select(f->q, &f->a, m, n, f->mint, f->maxt, &s, &series_n, d);
    for (size_t i = 0; i < n; i++) matcher_done(&m[i]);
    TRY(e);
    for (size_t i = 0; i < series_n; i++) {
        struct sample last;
        if (!f->q->ops->last(f->q, &s[i], f->mint, f->maxt, &last) || is_stale_nan(last.v))
            continue;
        if (!labels_get(s[i].lb, METRIC_NAME).n || !is_float(f, &s[i], last.t)) continue;
        *vec_push(&f->a, &f->found) = (struct newest){ s[i].lb, last.t, last.v };
    }
    return OK;
}

static void put_label(struct buf *b, const struct label *l, size_t *n)
{
    buf_putc(b, (*n)++ ? "," : "{");
    buf_put(b, l->name);
    buf_putc(b, "=\"");
    expo_escape_value(b, l->value);
    buf_char(b, '"');
}

static void put_sample(struct buf *b, const struct newest *x, struct labels external)
{
    size_t n = 0;
    buf_put(b, labels_get(x->lb, METRIC_NAME));
    for (size_t i = 0; i < x->lb.n; i++) {
        if (!str_eq(x->lb.v[i].name, METRIC_NAME)) put_label(b, &x->lb.v[i], &n);
    }
    for (size_t i = 0; i < external.n; i++) {
        if (!labels_get(x->lb, external.v[i].name).p) put_label(b, &external.v[i], &n);
    }
    buf_putc(b, n ? "} " : " ");
    num_write_expo(b, x->v);
    buf_char(b, ' ');
    num_write_i64(b, x->t);
    buf_char(b, '\n');
}

static void put_page(struct buf *b, const struct federation *f)
{
    struct str name = { 0 };
    for (size_t i = 0; i < f->found.n; i++) {
        const struct newest *x = &f->found.v[i];
        struct str its = labels_get(x->lb, METRIC_NAME);
        if (i && labels_eq(x->lb, f->found.v[i - 1].lb)) continue;
        if (!str_eq(its, name)) buf_fmt(b, "# TYPE " STR_FMT " untyped\n", STR_ARG(its));
        name = its;
        put_sample(b, x, f->external);
    }
}

static struct labels external_labels(struct arena *a, const struct prometheus *p)
{
    struct prom_config *c = prometheus_config((struct prometheus *)(uintptr_t)p);
    struct labels from = c->global.external_labels;
    struct label *v = arena_array(a, from.n + 1, sizeof(*v));
    size_t n = 0;
    bool instance = labels_get(from, STR("instance")).p != NULL;
    for (size_t i = 0; i < from.n; i++) {
        if (!instance && str_cmp(STR("instance"), from.v[i].name) < 0) {
            v[n++] = (struct label){ STR("instance"), STR("") };
            instance = true;
        }
        v[n].name = arena_dup(a, from.v[i].name);
        v[n++].value = arena_dup(a, from.v[i].value);
    }
    if (!instance) v[n++] = (struct label){ STR("instance"), STR("") };
    prom_config_unref(c);
    return (struct labels){ v, n };
}

void api_federate(struct http_req *req)
{
    struct prometheus *p = prometheus_of(req);
    CLEANUP(federation_done) struct federation f = { .maxt = clock_now_ms() };
    struct queryable *qa = tsdb_queryable(p->tsdb);
    struct diag d = { 0 };
    bool bad = false;
    f.mint = f.maxt - p->cfg->lookback_ms;
    enum err e = qa->ops->open(qa, f.mint, f.maxt, &f.q, &d);
    for (size_t i = 0; i < req->params_n && e == OK; i++) {
        if (str_eqc(req->params[i].name, "match[]")) e = find(&f, req->params[i].value, &bad, &d);
    }
    if (e != OK) {
        http_reply_text(req, bad ? 400 : 500, arena_fmt(&req->arena, "%s\n", d.text).p);
        return;
    }
    struct buf b = { 0 };
    f.external = external_labels(&f.a, p);
    if (f.found.n) qsort(f.found.v, f.found.n, sizeof(*f.found.v), by_name);
    put_page(&b, &f);
    http_reply(req, 200, EXPO_CONTENT_TYPE, &b);
}
