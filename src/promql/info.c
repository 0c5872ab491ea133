/* SPDX-License-Identifier: Apache-2.0 */
/*
 * info(v, {selector}): each series of v gets the labels of the info series (target_info, unless the selector names
 * another) that have its instance and job and are alive at the time its samples are from.
 * Source: promql/info.go of Prometheus 3.14
 */
#include "promql/eval_priv.h"

static const struct str IDENTIFYING[] = { { "instance", 8 }, { "job", 3 } };

struct info_series {
    struct labels lb;
    struct str name;
    double *t; /* time of the newest sample at each step; ABSENT: none */
};

struct info {
    struct query *q;
    const struct frame *f;
    struct matcher *names; /* all of them make an info series */
    size_t names_n;
    const struct matcher *data; /* the selector's; those on the name are skipped */
    size_t data_n;
    bool must_match; /* some data matcher refuses the empty value */
    VEC(struct info_series) series;
    struct vec out;
    struct label_index index;
};

static bool is_name(const struct matcher *m) { return str_eq(m->name, METRIC_NAME); }

static bool is_positive(const struct matcher *m) { return m->op == MATCH_EQ || m->op == MATCH_RE; }

static enum err add_name(struct info *x, enum match_op op, struct str value)
{
    struct matcher *m = &x->names[x->names_n];
    TRY(matcher_init(m, op, METRIC_NAME, value, x->q->d));
    x->names_n++;
    return OK;
}

/* Without a name: target_info; with only negative ones: what ends in _info. */
static enum err name_matchers(struct info *x, const struct node *sel)
{
    size_t n = sel ? sel->selector.n : 0;
    bool any = false, positive = false;
    x->names = arena_array(x->q->a, n + 1, sizeof(*x->names));
    x->data = sel ? sel->selector.matchers : NULL;
    x->data_n = n;
    for (size_t i = 0; i < n; i++) {
        const struct matcher *m = &x->data[i];
        if (is_name(m)) {
            TRY(add_name(x, m->op, m->value));
            any = true;
            positive |= is_positive(m);
        } else {
            x->must_match |= !matcher_match(m, STR(""));
        }
    }
    if (!any) return add_name(x, MATCH_EQ, STR("target_info"));
    return positive ? OK : add_name(x, MATCH_RE, STR(".+_info"));
}

/* ---- when the samples of v are from: offsets and @ of the way down to its first selector ---- */

struct reference {
    int64_t at, offset;
    bool fixed;
};

static enum err refer(struct query *q, const struct shift *s, struct reference *r)
{
    struct place p;
    TRY(place_of(q, s, &p));
    if (p.fixed) {
        r->fixed = true;
        r->at = p.at;
        r->offset = 0;
    }
    r->offset += p.offset;
    return OK;
}

/* True once a selector was met. */
static enum err find_reference(struct query *q, const struct node *n, struct reference *r,
                               bool *met)
{
    n = node_unwrap(n);
    switch (n->kind) {
    case NODE_SELECTOR: *met = true; return refer(q, &n->selector.shift, r);
    case NODE_MATRIX: return find_reference(q, n->matrix.selector, r, met);
    case NODE_SUBQUERY:
        TRY(refer(q, &n->subquery.shift, r));
        return find_reference(q, n->subquery.inner, r, met);
    case NODE_UNARY: return find_reference(q, n->unary.inner, r, met);
    case NODE_AGGREGATE: return find_reference(q, n->aggregate.inner, r, met);
    case NODE_BINARY:
        TRY(find_reference(q, n->binary.lhs, r, met));
        return *met ? OK : find_reference(q, n->binary.rhs, r, met);
    case NODE_CALL:
        for (size_t i = 0; i < n->call.n && !*met; i++) {
            TRY(find_reference(q, n->call.args[i], r, met));
        }
        return OK;
    default: return OK;
    }
}

static int64_t reference_time(const struct reference *r, const struct frame *f, size_t i)
{
    return (r->fixed ? r->at : frame_time(f, i)) - r->offset;
}

/* ---- info series ---- */

static enum err read_series(struct info *x, const struct series *s, const struct reference *r)
{
    struct query *q = x->q;
    struct sample got;
    double *t = values_new(q, x->f);
    for (size_t i = 0; i < x->f->n; i++) {
        int64_t now = reference_time(r, x->f, i);
        bool found = q->qr->ops->last(q->qr, s, now - q->o->lookback_ms + 1, now, &got);
        t[i] = found && !is_stale_nan(got.v) ? (double)got.t : ABSENT;
    }
    *vec_push(q->a, &x->series) = (struct info_series){ s->lb, labels_get(s->lb, METRIC_NAME), t };
    return query_hold(q, x->f->n);
}

static enum err select_info(struct info *x, const struct reference *r)
{
    struct query *q = x->q;
    struct series *series;
    size_t n, total = x->names_n;
    struct matcher *ms = arena_array(q->a, x->names_n + x->data_n, sizeof(*ms));
    memcpy(ms, x->names, x->names_n * sizeof(*ms));
    for (size_t i = 0; i < x->data_n; i++) {
        if (!is_name(&x->data[i])) ms[total++] = x->data[i];
    }
    int64_t mint = reference_time(r, x->f, 0) - q->o->lookback_ms + 1;
    int64_t maxt = reference_time(r, x->f, x->f->n - 1);
    TRY(q->qr->ops->select(q->qr, q->a, ms, total, mint, maxt, &series, &n, q->d));
    for (size_t i = 0; i < n; i++) {
        TRY(query_tick(q));
        TRY(read_series(x, &series[i], r));
    }
    return OK;
}

static bool identifies(struct labels a, struct labels b)
{
    bool any = false;
    for (size_t i = 0; i < ARRAY_LEN(IDENTIFYING); i++) {
        struct str v = labels_get(a, IDENTIFYING[i]);
        if (!str_eq(v, labels_get(b, IDENTIFYING[i]))) return false;
        any |= v.n > 0;
    }
    return any;
}

/* ---- one value ---- */

/* Of info series of one name the one with the newest sample; two of one age are an error. */
static enum err newest_of_name(struct info *x, const struct labels lb, size_t at, size_t first,
                               const struct info_series **out)
{
    const struct info_series *best = NULL;
    bool tie = false;
    for (size_t i = first; i < x->series.n; i++) {
        const struct info_series *s = &x->series.v[i];
        if (is_absent(s->t[at]) || !str_eq(s->name, x->series.v[first].name)) continue;
        if (!identifies(lb, s->lb)) continue;
        tie = best && s->t[at] >= best->t[at] && s->t[at] <= best->t[at];
        if (!best || s->t[at] > best->t[at]) best = s;
        if (tie) return query_fail(x->q, "found duplicate series for info metric");
    }
    *out = best;
    return OK;
}

static bool is_first_of_name(const struct info *x, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (str_eq(x->series.v[i].name, x->series.v[at].name)) return false;
    }
    return true;
}

static bool wanted(const struct info *x, struct str name)
{
    bool any = false;
    for (size_t i = 0; i < x->data_n; i++) {
        if (is_name(&x->data[i])) continue;
        if (str_eq(x->data[i].name, name)) return true;
        any = true;
    }
    return !any;
}

/* given: what other info series gave already. */
static enum err take_labels(struct info *x, struct labels base, const struct info_series *s,
                            struct labels_builder *given)
{
    for (size_t i = 0; i < s->lb.n; i++) {
        struct label l = s->lb.v[i];
        if (str_eq(l.name, METRIC_NAME) || !wanted(x, l.name)) continue;
        if (labels_get(base, l.name).n) continue;
        struct str before = labels_builder_get(given, l.name);
        if (before.n && !str_eq(before, l.value)) {
            return query_fail(x->q, "conflicting label: " STR_FMT, STR_ARG(l.name));
        }
        labels_set(given, l.name, l.value);
    }
    return OK;
}

static enum err enrich_value(struct info *x, const struct row *r, size_t at)
{
    struct query *q = x->q;
    bool matched = false, fresh;
    struct labels_builder b;
    labels_builder_init(&b, q->a, r->lb);
    for (size_t i = 0; i < x->series.n; i++) {
        const struct info_series *s = NULL;
        if (!is_first_of_name(x, i)) continue;
        TRY(newest_of_name(x, r->lb, at, i, &s));
        if (!s) continue;
        matched = true;
        TRY(take_labels(x, r->lb, s, &b));
    }
    if (!matched && x->must_match) return OK;
    size_t id = label_index_add(q, &x->index, labels_build(&b), &fresh);
    if (fresh) (void)vec_add(q, &x->out, x->index.sets.v[id], r->drop, values_absent(q, x->f));
    struct row *to = &x->out.v[id];
    if (!is_absent(to->v[at])) {
        return query_fail(q, "vector cannot contain metrics with the same labelset");
    }
    to->v[at] = r->v[at];
    to->drop |= r->drop;
    return OK;
}

/* Info series among v pass as they are. */
static bool is_info(const struct info *x, const struct row *r)
{
    struct str name = labels_get(r->lb, METRIC_NAME);
    for (size_t i = 0; i < x->names_n; i++) {
        if (!matcher_match(&x->names[i], name)) return false;
    }
    return true;
}

static enum err enrich(struct info *x, const struct vec *base)
{
    for (size_t i = 0; i < base->n; i++) {
        const struct row *r = &base->v[i];
        TRY(query_tick(x->q));
        if (is_info(x, r)) {
            (void)label_index_add(x->q, &x->index, r->lb, NULL);
            (void)vec_add(x->q, &x->out, r->lb, r->drop, r->v);
            continue;
        }
        for (size_t at = 0; at < x->f->n; at++) {
            if (!is_absent(r->v[at])) TRY(enrich_value(x, r, at));
        }
    }
    return OK;
}

static enum err run(struct info *x, const struct node *n)
{
    struct vec base = { 0 };
    struct reference r = { 0 };
    bool met = false;
    TRY(name_matchers(x, n->call.n > 1 ? node_unwrap(n->call.args[1]) : NULL));
    TRY(eval_vec(x->q, n->call.args[0], x->f, &base));
    TRY(find_reference(x->q, n->call.args[0], &r, &met));
    TRY(select_info(x, &r));
    TRY(enrich(x, &base));
    query_drop(x->q, base.samples + x->series.n * x->f->n);
    return OK;
}

enum err info_rows(struct query *q, const struct node *n, const struct frame *f, row_fn *fn,
                   void *ctx)
{
    struct info x = { .q = q, .f = f };
    enum err e = run(&x, n);
    for (size_t i = 0; i < x.names_n; i++) matcher_done(&x.names[i]);
    TRY(e);
    return vec_push_rows(q, &x.out, fn, ctx);
}
