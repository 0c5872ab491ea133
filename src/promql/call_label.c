/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that change labels or the order of rows. */
#include "base/utf8.h"
#include "promql/eval_priv.h"
#include "promql/kernels.h"

#include <stdlib.h>

static bool label_name_ok(struct str s) { return s.n && utf8_valid(s); }

/* A name set here stays, even where it was to be dropped. */
static void relabel(struct query *q, struct row *r, struct str name, struct str value)
{
    struct labels_builder b;
    labels_builder_init(&b, q->a, r->lb);
    labels_set(&b, name, value);
    r->lb = labels_build(&b);
    if (str_eq(name, METRIC_NAME)) r->drop = false;
}

struct replace {
    struct regex *re;
    struct str dst, replacement, src;
};

static void replace_row(struct query *q, const struct replace *x, struct row *r)
{
    struct regex_groups groups;
    if (!regex_find(x->re, labels_get(r->lb, x->src), 0, q->a, &groups)) return;
    BUF(b, 0);
    regex_expand(x->re, x->replacement, &groups, &b);
    relabel(q, r, x->dst, arena_dup(q->a, buf_str(&b)));
}

static enum err label_replace(struct query *q, const struct node *n, struct vec *v)
{
    struct diag d = { 0 };
    struct node **args = n->call.args;
    struct replace x = { .dst = eval_string(args[1]),
                         .replacement = eval_string(args[2]),
                         .src = eval_string(args[3]) };
    if (regex_compile(eval_string(args[4]), REGEX_RE2, &x.re, &d) != OK) {
        return query_fail(q, "invalid regular expression in label_replace(): " STR_FMT,
                          STR_ARG(eval_string(args[4])));
    }
    enum err e = OK;
    if (!label_name_ok(x.dst)) {
        e = query_fail(q, "invalid destination label name in label_replace(): " STR_FMT,
                       STR_ARG(x.dst));
    }
    for (size_t i = 0; i < v->n && e == OK; i++) replace_row(q, &x, &v->v[i]);
    regex_free(x.re);
    return e;
}

static void join_row(struct query *q, const struct node *n, struct row *r)
{
    BUF(b, 0);
    for (size_t i = 3; i < n->call.n; i++) {
        if (i > 3) buf_put(&b, eval_string(n->call.args[2]));
        buf_put(&b, labels_get(r->lb, eval_string(n->call.args[i])));
    }
    relabel(q, r, eval_string(n->call.args[1]), arena_dup(q->a, buf_str(&b)));
}

static enum err label_join(struct query *q, const struct node *n, struct vec *v)
{
    struct str dst = eval_string(n->call.args[1]);
    if (!label_name_ok(dst)) {
        return query_fail(q, "invalid destination label name in label_join(): " STR_FMT,
                          STR_ARG(dst));
    }
    for (size_t i = 3; i < n->call.n; i++) {
        struct str src = eval_string(n->call.args[i]);
        if (label_name_ok(src)) continue;
        return query_fail(q, "invalid source label name in label_join(): " STR_FMT, STR_ARG(src));
    }
    for (size_t i = 0; i < v->n; i++) join_row(q, n, &v->v[i]);
    return OK;
}

/* ---- order ---- */

/* NaN last, whichever way. */
static int by_value(const void *a, const void *b)
{
    double x = ((const struct row *)a)->v[0], y = ((const struct row *)b)->v[0];
    if (isnan(x) || isnan(y)) return isnan(x) ? !isnan(y) : -1;
    return x < y ? -1 : x > y;
}

static int by_value_down(const void *a, const void *b)
{
    double x = ((const struct row *)a)->v[0], y = ((const struct row *)b)->v[0];
    if (isnan(x) || isnan(y)) return isnan(x) ? !isnan(y) : -1;
    return x > y ? -1 : x < y;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static size_t skip_zeros(struct str s, size_t i)
{
    while (i + 1 < s.n && s.p[i] == '0' && is_digit(s.p[i + 1])) i++;
    return i;
}

static size_t digits_end(struct str s, size_t i)
{
    while (i < s.n && is_digit(s.p[i])) i++;
    return i;
}

/* Numbers at *i and *j by their value: a longer one is larger, equal lengths go digit by digit. */
static int compare_numbers(struct str a, size_t *i, struct str b, size_t *j)
{
    size_t x = skip_zeros(a, *i), y = skip_zeros(b, *j);
    *i = digits_end(a, x);
    *j = digits_end(b, y);
    if (*i - x != *j - y) return *i - x < *j - y ? -1 : 1;
    return memcmp(a.p + x, b.p + y, *i - x);
}

/* "a2" before "a10" */
static int natural(struct str a, struct str b)
{
    size_t i = 0, j = 0;
    while (i < a.n && j < b.n) {
        int order;
        if (is_digit(a.p[i]) && is_digit(b.p[j])) {
            order = compare_numbers(a, &i, b, &j);
        } else {
            order = (unsigned char)a.p[i++] - (unsigned char)b.p[j++];
        }
        if (order) return order;
    }
    if (i < a.n || j < b.n) return i < a.n ? 1 : -1;
    return str_cmp(a, b);
}

static int by_label(const void *a, const void *b, void *ctx)
{
    const struct node *n = ctx;
    const struct row *x = a, *y = b;
    bool down = n->call.fn->id == FN_SORT_BY_LABEL_DESC;
    int order = 0;
    for (size_t i = 1; i < n->call.n && !order; i++) {
        struct str name = eval_string(n->call.args[i]);
        order = natural(labels_get(x->lb, name), labels_get(y->lb, name));
    }
    if (!order) order = labels_cmp(x->lb, y->lb);
    return down ? -order : order;
}

static enum err sort_rows(struct query *q, const struct node *n, const struct frame *f,
                          struct vec *v)
{
    enum function_id id = n->call.fn->id;
    if (!v->n) return OK;
    if (f->n > 1 || q->step) {
        query_warn(q, n,
                   "sort is ineffective for range queries since results are always ordered by "
                   "labels");
        return OK;
    }
    if (id == FN_SORT_BY_LABEL || id == FN_SORT_BY_LABEL_DESC) {
        struct node own = *n; /* qsort_r's context is not const */
        qsort_r(v->v, v->n, sizeof(*v->v), by_label, &own);
    } else {
        qsort(v->v, v->n, sizeof(*v->v), id == FN_SORT ? by_value : by_value_down);
    }
    return OK;
}

enum err label_call_rows(struct query *q, const struct node *n, const struct frame *f, row_fn *fn,
                         void *ctx)
{
    struct vec v = { 0 };
    enum function_id id = n->call.fn->id;
    TRY(eval_vec(q, n->call.args[0], f, &v));
    if (id == FN_LABEL_REPLACE || id == FN_LABEL_JOIN) {
        TRY(id == FN_LABEL_REPLACE ? label_replace(q, n, &v) : label_join(q, n, &v));
        TRY(vec_merge(q, &v, f, false));
    } else {
        TRY(sort_rows(q, n, f, &v));
    }
    TRY(vec_push_rows(q, &v, fn, ctx));
    query_drop(q, v.samples);
    return OK;
}
