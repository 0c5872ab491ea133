/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matching is worked out once for the whole query: every row of both sides gets the number of its match group, and the
 * labels of a result are made once for each pair that meets. At each time only numbers are compared.
 */
#include "promql/match.h"

#include "base/assert.h"

#include <stdlib.h>

static const uint32_t NONE = UINT32_MAX;

struct side {
    struct vec rows;
    uint32_t *group; /* of each row */
};

struct meeting {
    uint32_t one; /* the row it met last, and which result that was */
    uint32_t result;
};

struct match {
    struct query *q;
    const struct node *n;
    const struct matching *m;
    const struct frame *f;
    struct side many, one;      /* one to one: the left side is "many" */
    struct label_index groups;  /* labels that a group matches by */
    struct label_index results; /* labels of the rows that come out */
    struct vec out;
    struct meeting *last; /* of each row of many */
    struct map64 met;     /* many, one -> result + 1 */
    uint32_t *present;    /* group -> row of `one` at this time */
    uint32_t *taken;      /* one to one: group -> the time + 1 at which it had its match */
    uint32_t *fill_last;  /* row of `one` -> result of a filled many side */
};

static struct labels group_labels(struct query *q, const struct matching *m, struct labels lb)
{
    return m->on ? labels_keep(q->a, lb, m->labels.v, m->labels.n)
                 : labels_without(q->a, lb, m->labels.v, m->labels.n);
}

static void group_side(struct match *x, struct side *s)
{
    s->group = arena_array(x->q->a, s->rows.n, sizeof(*s->group));
    for (size_t i = 0; i < s->rows.n; i++) {
        struct labels lb = group_labels(x->q, x->m, s->rows.v[i].lb);
        s->group[i] = (uint32_t)label_index_add(x->q, &x->groups, lb, NULL);
    }
}

static uint32_t *numbers(struct query *q, size_t n, uint32_t v)
{
    uint32_t *p = arena_raw(q->a, n * sizeof(*p));
    for (size_t i = 0; i < n; i++) p[i] = v;
    return p;
}

/* ---- labels of a result ---- */

static bool drops_name(const struct node *n)
{
    return !op_is_comparison(n->binary.op) || n->binary.to_bool;
}

static struct labels result_labels(struct match *x, struct labels many, struct labels one)
{
    struct query *q = x->q;
    struct labels lb = many;
    const struct matching *m = x->m;
    if (drops_name(x->n) && !query_has(q, PROMQL_DELAYED_NAME_REMOVAL)) lb = labels_nameless(q, lb);
    if (m->card == CARD_ONE_TO_ONE && m->on) {
        lb = labels_keep(q->a, lb, m->labels.v, m->labels.n);
    } else if (m->card == CARD_ONE_TO_ONE && m->labels.n) {
        struct labels_builder b;
        labels_builder_init(&b, q->a, lb);
        for (size_t i = 0; i < m->labels.n; i++) labels_del(&b, m->labels.v[i]);
        lb = labels_build(&b);
    }
    if (!m->include.n) return lb;
    struct labels_builder b;
    labels_builder_init(&b, q->a, lb);
    for (size_t i = 0; i < m->include.n; i++) {
        labels_set(&b, m->include.v[i], labels_get(one, m->include.v[i]));
    }
    return labels_build(&b);
}

/* room: the column that a new result may have; NULL: it gets one of its own. */
static uint32_t result_in(struct match *x, struct labels many, struct labels one, bool drop,
                          double *room)
{
    bool fresh;
    struct labels lb = result_labels(x, many, one);
    size_t id = label_index_add(x->q, &x->results, lb, &fresh);
    bool later = drops_name(x->n) && query_has(x->q, PROMQL_DELAYED_NAME_REMOVAL);
    if (fresh) (void)vec_add(x->q, &x->out, lb, false, room ? room : values_absent(x->q, x->f));
    x->out.v[id].drop |= drop || later;
    return (uint32_t)id;
}

static uint32_t result_of(struct match *x, struct labels many, struct labels one, bool drop)
{
    return result_in(x, many, one, drop, NULL);
}

/* The result of row `many` met by row `one`; the pair that met last is nearly always the one. */
static uint32_t meet(struct match *x, uint32_t many, uint32_t one)
{
    struct meeting *last = &x->last[many];
    if (last->one == one) return last->result;
    const struct row *row = &x->many.rows.v[many];
    uint64_t key = (uint64_t)many << 32 | one;
    uintptr_t known = (uintptr_t)map64_get(&x->met, key);
    if (!known) {
        known = (uintptr_t)result_of(x, row->lb, x->one.rows.v[one].lb, row->drop) + 1;
        (void)map64_put(&x->met, key, (void *)known); // NOLINT(performance-no-int-to-ptr)
    }
    *last = (struct meeting){ one, (uint32_t)(known - 1) };
    return last->result;
}

/* ---- errors ---- */

static struct str labels_text(struct arena *a, struct labels lb)
{
    BUF(b, 0);
    labels_write_set(&b, lb);
    return arena_dup(a, buf_str(&b));
}

static enum err duplicate_on_one(struct match *x, uint32_t first, uint32_t second)
{
    struct arena *a = x->q->a;
    struct str s = labels_text(a, x->one.rows.v[first].lb);
    struct str t = labels_text(a, x->one.rows.v[second].lb);
    struct str group = labels_text(a, x->groups.sets.v[x->one.group[first]]);
    bool swap = str_cmp(s, t) > 0;
    return query_fail(x->q,
                      "found duplicate series for the match group " STR_FMT
                      " on the %s hand-side of the operation: [" STR_FMT ", " STR_FMT
                      "];many-to-many matching not allowed: matching labels must be unique on one "
                      "side",
                      STR_ARG(group), x->m->card == CARD_ONE_TO_MANY ? "left" : "right",
                      STR_ARG(swap ? t : s), STR_ARG(swap ? s : t));
}

/* ---- one time ---- */

static double value_of(const struct match *x, double many, double one)
{
    enum token_kind op = x->n->binary.op;
    bool swapped = x->m->card == CARD_ONE_TO_MANY;
    double l = swapped ? one : many, r = swapped ? many : one;
    if (!op_is_comparison(op)) return binary_value(op, l, r);
    bool holds = binary_holds(op, l, r);
    if (x->n->binary.to_bool) return holds ? 1 : 0;
    return holds ? l : ABSENT;
}

static enum err list_present(struct match *x, size_t at)
{
    for (size_t i = 0; i < x->groups.sets.n; i++) x->present[i] = NONE;
    for (uint32_t i = 0; i < x->one.rows.n; i++) {
        if (is_absent(x->one.rows.v[i].v[at])) continue;
        uint32_t *slot = &x->present[x->one.group[i]];
        if (*slot != NONE) return duplicate_on_one(x, *slot, i);
        *slot = i;
    }
    return OK;
}

/* A group that has had its match at this time may not have another, except with group_left or group_right. */
static enum err take_group(struct match *x, uint32_t group, size_t at)
{
    if (x->m->card == CARD_ONE_TO_ONE && x->taken[group] == at + 1) {
        return query_fail(x->q,
                          "multiple matches for labels: many-to-one matching must be explicit "
                          "(group_left/group_right)");
    }
    x->taken[group] = (uint32_t)at + 1;
    return OK;
}

static enum err put(struct match *x, uint32_t result, size_t at, double v)
{
    if (is_absent(v)) return OK;
    double *to = &x->out.v[result].v[at];
    if (!is_absent(*to)) {
        return query_fail(x->q, "multiple matches for labels: grouping labels must ensure unique "
                                "matches");
    }
    *to = v;
    return OK;
}

/* As the original has it: with group_right, too, fill_right fills the one side and fill_left the many. */
static bool fill_one_side(const struct match *x, double *v)
{
    *v = x->m->fill_right;
    return x->m->has_fill_right;
}

static bool fill_many_side(const struct match *x, double *v)
{
    *v = x->m->fill_left;
    return x->m->has_fill_left;
}

/* The result of a row that met nobody: its last meeting is with NONE - 1, which no row is. */
static uint32_t meet_nobody(struct match *x, uint32_t many)
{
    struct meeting *last = &x->last[many];
    const struct row *row = &x->many.rows.v[many];
    if (last->one == NONE - 1) return last->result;
    *last = (struct meeting){ NONE - 1, result_of(x, row->lb, (struct labels){ 0 }, row->drop) };
    return last->result;
}

static enum err match_many(struct match *x, uint32_t i, size_t at)
{
    double v = x->many.rows.v[i].v[at], filled = ABSENT;
    if (is_absent(v)) return OK;
    uint32_t group = x->many.group[i], one = x->present[group];
    if (one == NONE && !fill_one_side(x, &filled)) return OK;
    TRY(take_group(x, group, at));
    if (one == NONE) return put(x, meet_nobody(x, i), at, value_of(x, v, filled));
    return put(x, meet(x, i, one), at, value_of(x, v, x->one.rows.v[one].v[at]));
}

/* Rows of the one side whose group had no match: the many side is filled, with the group's labels. */
static enum err fill_rest(struct match *x, size_t at)
{
    double filled = ABSENT;
    if (!fill_many_side(x, &filled)) return OK;
    for (uint32_t i = 0; i < x->one.rows.n; i++) {
        double v = x->one.rows.v[i].v[at];
        uint32_t group = x->one.group[i];
        if (is_absent(v) || x->taken[group] == at + 1) continue;
        if (x->fill_last[i] == NONE) {
            x->fill_last[i] = result_of(x, x->groups.sets.v[group], x->one.rows.v[i].lb, false);
        }
        TRY(put(x, x->fill_last[i], at, value_of(x, filled, v)));
    }
    return OK;
}

static enum err match_time(struct match *x, size_t at)
{
    TRY(list_present(x, at));
    for (uint32_t i = 0; i < x->many.rows.n; i++) TRY(match_many(x, i, at));
    return fill_rest(x, at);
}

/* ---- the usual case: at most one row of each side in a group, so pairs are known before any value is ---- */

static bool groups_once(struct match *x, const struct side *s)
{
    for (size_t i = 0; i < x->groups.sets.n; i++) x->present[i] = NONE;
    for (uint32_t i = 0; i < s->rows.n; i++) {
        if (x->present[s->group[i]] != NONE) return false;
        x->present[s->group[i]] = i;
    }
    return true;
}

static bool pairs_known(struct match *x)
{
    const struct matching *m = x->m;
    if (m->has_fill_left || m->has_fill_right) return false;
    if (m->card == CARD_ONE_TO_ONE && !groups_once(x, &x->many)) return false;
    return groups_once(x, &x->one); /* last: it leaves the one side listed */
}

/* A new result takes the column of the row it is made from; each value is read before its place is written. */
static enum err match_pair(struct match *x, uint32_t i, uint32_t one)
{
    struct row *many = &x->many.rows.v[i];
    const double *w = x->one.rows.v[one].v;
    uint32_t result = result_in(x, many->lb, x->one.rows.v[one].lb, many->drop, many->v);
    bool own = x->out.v[result].v == many->v;
    for (size_t at = 0; at < x->f->n; at++) {
        bool both = !is_absent(many->v[at]) && !is_absent(w[at]);
        double v = both ? value_of(x, many->v[at], w[at]) : ABSENT;
        if (own) {
            many->v[at] = v;
        } else {
            TRY(put(x, result, at, v));
        }
    }
    return OK;
}

static enum err match_pairs(struct match *x)
{
    for (uint32_t i = 0; i < x->many.rows.n; i++) {
        uint32_t one = x->present[x->many.group[i]];
        if (one == NONE) continue;
        TRY(query_tick(x->q));
        TRY(match_pair(x, i, one));
    }
    return OK;
}

static enum err match_times(struct match *x)
{
    for (size_t at = 0; at < x->f->n; at++) {
        TRY(query_tick(x->q));
        TRY(match_time(x, at));
    }
    return OK;
}

static enum err match_all(struct match *x)
{
    struct query *q = x->q;
    size_t groups = x->groups.sets.n;
    x->present = numbers(q, groups, NONE);
    x->taken = numbers(q, groups, 0);
    x->fill_last = numbers(q, x->one.rows.n, NONE);
    x->last = arena_array(q->a, x->many.rows.n, sizeof(*x->last));
    for (size_t i = 0; i < x->many.rows.n; i++) x->last[i].one = NONE;
    enum err e = pairs_known(x) ? match_pairs(x) : match_times(x);
    map64_done(&x->met);
    return e;
}

/* ---- and, or, unless ---- */

static void list_groups(struct match *x, const struct side *s, size_t at)
{
    for (size_t i = 0; i < x->groups.sets.n; i++) x->present[i] = NONE;
    for (uint32_t i = 0; i < s->rows.n; i++) {
        if (!is_absent(s->rows.v[i].v[at])) x->present[s->group[i]] = i;
    }
}

/* Values of s go where their group is (or is not) among the listed ones. */
static void keep_groups(struct match *x, struct side *s, size_t at, bool listed)
{
    for (size_t i = 0; i < s->rows.n; i++) {
        if ((x->present[s->group[i]] != NONE) != listed) s->rows.v[i].v[at] = ABSENT;
    }
}

static enum err set_all(struct match *x)
{
    enum token_kind op = x->n->binary.op;
    x->present = numbers(x->q, x->groups.sets.n, NONE);
    for (size_t at = 0; at < x->f->n; at++) {
        TRY(query_tick(x->q));
        list_groups(x, op == TOK_OR ? &x->many : &x->one, at);
        keep_groups(x, op == TOK_OR ? &x->one : &x->many, at, op == TOK_AND);
    }
    for (size_t i = 0; i < x->many.rows.n; i++) *vec_push(x->q->a, &x->out) = x->many.rows.v[i];
    for (size_t i = 0; op == TOK_OR && i < x->one.rows.n; i++) {
        *vec_push(x->q->a, &x->out) = x->one.rows.v[i];
    }
    return op == TOK_OR ? vec_merge(x->q, &x->out, x->f, false) : OK;
}

enum err match_rows(struct query *q, const struct node *n, const struct frame *f, row_fn *fn,
                    void *ctx)
{
    struct match x = { .q = q, .n = n, .m = &n->binary.m, .f = f };
    bool swapped = x.m->card == CARD_ONE_TO_MANY;
    TRY(eval_vec(q, n->binary.lhs, f, swapped ? &x.one.rows : &x.many.rows));
    TRY(eval_vec(q, n->binary.rhs, f, swapped ? &x.many.rows : &x.one.rows));
    if (x.many.rows.n >= NONE - 1 || x.one.rows.n >= NONE - 1) return query_hold(q, UINT64_MAX / 2);
    group_side(&x, &x.many);
    group_side(&x, &x.one);
    TRY(op_is_set(n->binary.op) ? set_all(&x) : match_all(&x));
    query_drop(q, x.many.rows.samples + x.one.rows.samples);
    return vec_push_rows(q, &x.out, fn, ctx);
}
