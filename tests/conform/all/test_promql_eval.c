/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prometheus' own evaluation tests (promqltest language) over series in memory. A file's passing evals are counted and
 * compared with tests/conform/promqltest.counts: a count may only rise. What needs a native histogram or a start
 * timestamp is counted as refused. As the original's runner does, every instant query is asked again with @ at other
 * times, and as the middle of a range query.
 */
#include "codec/gotime.h"
#include "codec/num.h"
#include "codec/regex.h"
#include "promql/expr.h"
#include "promql/functions.h"
#include "promql/promql.h"
#include "promql_store.h"
#include "test.h"

#include <math.h>
#include <stdio.h>

enum { LINES_MAX = 20000 };

static struct arena memory; /* of one file */
static struct store store;
static struct evaluator *ev;
static bool verbose;

static struct {
    size_t passed, failed, refused;
} tally;

/* ---- series lines: {labels} values ---- */

struct values {
    VEC(double) v; /* ABSENT: a gap; STALE: a marker */
    bool refused;
};

#define GAP double_of_bits(UINT64_C(0x7ff8dead00000000))
static bool is_gap(double v) { return bits_of_double(v) == UINT64_C(0x7ff8dead00000000); }

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

static struct str skip_blanks(struct str s)
{
    while (s.n && is_blank(s.p[0])) s = str_from(s, 1);
    return s;
}

/* A metric in front of a line: a name, {...}, or both; the rest is behind it. */
static bool take_metric(struct str line, struct labels *out, struct str *rest)
{
    size_t end = 0;
    bool quoted = false, braces = false;
    for (; end < line.n; end++) {
        char c = line.p[end];
        if (c == '"' && line.p[end - 1] != '\\') quoted = !quoted;
        if (quoted) continue;
        if (c == '{') braces = true;
        if (c == '}') {
            end++;
            break;
        }
        if (!braces && (is_blank(c) || c == '@')) break;
    }
    *rest = str_from(line, end);
    struct str text = str_first(line, end);
    if (str_eq(text, STR("{}"))) {
        *out = (struct labels){ 0 };
        return true;
    }
    struct parse p;
    struct node *n = NULL;
    struct diag d = { 0 };
    /* selectors and metrics are written alike, but for the empty value that a selector may not be */
    struct str probe = arena_fmt(&memory, STR_FMT, STR_ARG(text));
    enum err e = parse_selector(&p, &memory, probe, &n, &d);
    parse_done(&p);
    if (e != OK) return false;
    struct label *v = arena_array(&memory, n->selector.n, sizeof(*v));
    for (size_t i = 0; i < n->selector.n; i++) {
        v[i] = (struct label){ n->selector.matchers[i].name, n->selector.matchers[i].value };
    }
    *out = labels_from(v, n->selector.n);
    return true;
}

static size_t number_end(struct str s, size_t at)
{
    if (at < s.n && (s.p[at] == '-' || s.p[at] == '+')) at++;
    struct str word = str_first(str_from(s, at), 3);
    if (str_ieq(word, STR("nan")) || str_ieq(word, STR("inf"))) return at + 3;
    for (; at < s.n; at++) {
        char c = s.p[at];
        bool sign = (c == '-' || c == '+') && (s.p[at - 1] | 0x20) == 'e';
        if (!(c >= '0' && c <= '9') && c != '.' && (c | 0x20) != 'e' && !sign) break;
    }
    return at;
}

/* 1, 1x3, 1+2x3, 1-2x3 */
static bool take_numbers(struct str s, struct values *out)
{
    double v, step = 0;
    int64_t times = 0;
    size_t end = number_end(s, 0);
    if (num_parse_f64(str_first(s, end), &v) == ERR_SYNTAX) return false;
    if (end < s.n && s.p[end] != 'x') {
        size_t step_end = number_end(s, end);
        struct str text = str_make(s.p + end, step_end - end);
        if (num_parse_f64(text, &step) == ERR_SYNTAX) return false;
        end = step_end;
    }
    if (end < s.n) {
        if (s.p[end] != 'x' || num_parse_i64(str_from(s, end + 1), &times) != OK) return false;
    }
    for (int64_t i = 0; i <= times; i++) {
        *vec_push(&memory, &out->v) = v;
        v += step;
    }
    return true;
}

static bool take_value(struct str s, struct values *out)
{
    int64_t times = 1;
    if (str_eq(s, STR("stale"))) {
        *vec_push(&memory, &out->v) = stale_nan();
        return true;
    }
    if (s.p[0] == '_') {
        if (s.n > 1 && num_parse_i64(str_from(s, 2), &times) != OK) return false;
        for (int64_t i = 0; i < times; i++) *vec_push(&memory, &out->v) = GAP;
        return true;
    }
    return take_numbers(s, out);
}

static bool take_values(struct str s, struct values *out)
{
    if (str_find(s, STR("{{")) != STR_NONE) {
        out->refused = true;
        return true;
    }
    for (s = skip_blanks(s); s.n; s = skip_blanks(s)) {
        size_t end = 0;
        while (end < s.n && !is_blank(s.p[end])) end++;
        if (!take_value(str_first(s, end), out)) return false;
        s = str_from(s, end);
    }
    return true;
}

/* ---- load ---- */

static int64_t duration_of(struct str s)
{
    int64_t ms = 0;
    struct diag d;
    if (s.n && s.p[0] == '-') return -duration_of(str_from(s, 1));
    if (duration_parse(s, &ms, &d) != OK) fail_msg("duration " STR_FMT, STR_ARG(s));
    return ms;
}

static void load_line(struct str line, int64_t step)
{
    struct labels lb;
    struct str rest;
    struct values values = { 0 };
    if (!take_metric(line, &lb, &rest)) fail_msg("series " STR_FMT, STR_ARG(line));
    struct store_series *s = store_series(&store, lb);
    if (str_starts(rest, STR("@st"))) {
        s->marked = true;
        return;
    }
    if (!take_values(rest, &values)) fail_msg("values " STR_FMT, STR_ARG(line));
    if (values.refused) {
        s->marked = true;
        return;
    }
    for (size_t i = 0; i < values.v.n; i++) {
        if (!is_gap(values.v.v[i])) column_push(&s->c, (int64_t)i * step, values.v.v[i]);
    }
}

/* ---- eval: what is asked, what is expected ---- */

struct expected_text {
    struct str text;
    bool any, regex;
};

struct expected_series {
    struct labels lb;
    struct values values;
};

struct eval {
    struct str query;
    size_t line;
    bool range, ordered, fail, warn, info, no_warn, no_info, scalar, refused, string, raw;
    int64_t start, end, step;
    struct str string_text;
    struct expected_text fail_text;
    VEC(struct expected_text) warns;
    VEC(struct expected_text) infos;
    VEC(struct expected_series) series;
};

static struct str take_word(struct str *s)
{
    *s = skip_blanks(*s);
    size_t end = 0;
    while (end < s->n && !is_blank(s->p[end])) end++;
    struct str word = str_first(*s, end);
    *s = skip_blanks(str_from(*s, end));
    return word;
}

static struct expected_text expected_text(struct str s)
{
    struct expected_text t = { .any = true };
    if (str_starts(s, STR("msg:"))) t = (struct expected_text){ .text = str_trim(str_from(s, 4)) };
    if (str_starts(s, STR("regex:"))) {
        t = (struct expected_text){ .text = str_trim(str_from(s, 6)), .regex = true };
    }
    return t;
}

static void take_raw_range(struct eval *e, struct str s)
{
    struct str text = str_from(s, sizeof("vector from") - 1);
    e->raw = true;
    e->start = duration_of(take_word(&text));
    (void)take_word(&text);
    e->end = duration_of(take_word(&text));
    (void)take_word(&text);
    e->step = duration_of(take_word(&text));
}

/* What a quoted string means. */
static struct str literal_text(struct str s)
{
    struct parse p;
    struct node *n = NULL;
    struct diag d = { 0 };
    enum err e = parse_expression(&p, &memory, s, 0, &n, &d);
    parse_done(&p);
    if (e != OK || n->kind != NODE_STRING) fail_msg("string " STR_FMT, STR_ARG(s));
    return n->string;
}

static void expect_line(struct eval *e, struct str s)
{
    struct str word = take_word(&s);
    struct expected_text t = expected_text(s);
    if (str_eq(word, STR("ordered"))) {
        e->ordered = true;
    } else if (str_eq(word, STR("fail"))) {
        e->fail = true;
        e->fail_text = t;
    } else if (str_eq(word, STR("warn"))) {
        e->warn = true;
        *vec_push(&memory, &e->warns) = t;
    } else if (str_eq(word, STR("info"))) {
        e->info = true;
        *vec_push(&memory, &e->infos) = t;
    } else if (str_eq(word, STR("no_warn"))) {
        e->no_warn = true;
    } else if (str_eq(word, STR("no_info"))) {
        e->no_info = true;
    } else if (str_eq(word, STR("string"))) {
        e->string = true;
        e->string_text = literal_text(s);
    } else if (str_eq(word, STR("range"))) {
        take_raw_range(e, s);
    }
}

static void result_line(struct eval *e, struct str line)
{
    struct str rest;
    if (str_starts(line, STR("expect "))) {
        expect_line(e, str_from(line, 7));
        return;
    }
    double number;
    struct expected_series *x = vec_push(&memory, &e->series);
    if (num_parse_f64(line, &number) != ERR_SYNTAX) {
        e->scalar = true;
        *vec_push(&memory, &x->values.v) = number;
        return;
    }
    if (!take_metric(line, &x->lb, &rest) || !take_values(rest, &x->values)) {
        fail_msg("line %zu: expectation " STR_FMT, e->line, STR_ARG(line));
    }
    e->refused |= x->values.refused;
}

static void eval_line(struct eval *e, struct str line)
{
    struct str s = line;
    struct str verb = take_word(&s); /* eval, eval_fail, eval_ordered ... */
    e->fail = str_eq(verb, STR("eval_fail"));
    e->fail_text.any = true;
    e->ordered = str_eq(verb, STR("eval_ordered"));
    e->warn = str_eq(verb, STR("eval_warn"));
    e->info = str_eq(verb, STR("eval_info"));
    e->range = str_eq(take_word(&s), STR("range"));
    (void)take_word(&s); /* at, from */
    e->start = e->end = duration_of(take_word(&s));
    if (e->range) {
        (void)take_word(&s);
        e->end = duration_of(take_word(&s));
        (void)take_word(&s);
        e->step = duration_of(take_word(&s));
    }
    e->query = s;
}

/* ---- comparing ---- */

static struct str why; /* of the last difference */

static bool differs(const char *what, struct str a, struct str b)
{
    why = arena_fmt(&memory, "%s " STR_FMT " %s " STR_FMT, what, STR_ARG(a), b.n ? "got" : "",
                    STR_ARG(b));
    return false;
}

static struct str labels_text(struct labels lb)
{
    BUF(b, 0);
    labels_write(&b, lb);
    return arena_dup(&memory, buf_str(&b));
}

static struct str number_text(double v)
{
    BUF(b, 0);
    num_write_g(&b, v);
    return arena_dup(&memory, buf_str(&b));
}

static bool nearly(double a, double b)
{
    static const double TOLERANCE = 1e-6, SMALLEST = 0x1p-1022;
    if (is_stale_nan(a) || is_stale_nan(b)) return is_stale_nan(a) && is_stale_nan(b);
    if (isnan(a) && isnan(b)) return true;
    if (a <= b && a >= b) return true;
    double sum = fabs(a) + fabs(b), diff = fabs(a - b);
    if (!(fabs(a) > 0) || !(fabs(b) > 0) || sum < SMALLEST) return diff < TOLERANCE * SMALLEST;
    return diff / fmin(sum, 0x1.fffffffffffffp1023) < TOLERANCE;
}

static bool value_equal(struct labels lb, double want, double got)
{
    if (nearly(want, got)) return true;
    struct str text = labels_text(lb);
    why = arena_fmt(&memory, STR_FMT ": want " STR_FMT ", got " STR_FMT, STR_ARG(text),
                    STR_ARG(number_text(want)), STR_ARG(number_text(got)));
    return false;
}

static bool vector_equal(const struct eval *e, const struct vector_sample *v, size_t n)
{
    size_t matched = 0;
    if (n != e->series.n) {
        why = arena_fmt(&memory, "want %zu samples, got %zu", e->series.n, n);
        for (size_t i = 0; i < n; i++) {
            why = arena_fmt(&memory, STR_FMT "; " STR_FMT " = " STR_FMT, STR_ARG(why),
                            STR_ARG(labels_text(v[i].lb)), STR_ARG(number_text(v[i].v)));
        }
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const struct expected_series *x = &e->series.v[i];
        size_t at = i;
        for (size_t j = 0; !e->ordered && j < n; j++) {
            if (labels_eq(v[j].lb, x->lb)) at = j;
        }
        if (!labels_eq(v[at].lb, x->lb)) {
            return differs("want", labels_text(x->lb), labels_text(v[at].lb));
        }
        if (!value_equal(x->lb, x->values.v.v[0], v[at].v)) return false;
        matched++;
    }
    return matched == n;
}

static bool series_equal(const struct eval *e, const struct expected_series *x,
                         const struct matrix_series *m)
{
    size_t at = 0;
    for (size_t i = 0; i < x->values.v.n; i++) {
        int64_t t = e->start + (int64_t)i * e->step;
        if (is_gap(x->values.v.v[i]) || t > e->end) continue;
        if (at >= m->n || m->t[at] != t) {
            why = arena_fmt(&memory, STR_FMT ": no value at %lld", STR_ARG(labels_text(x->lb)),
                            (long long)t);
            return false;
        }
        if (!value_equal(x->lb, x->values.v.v[i], m->v[at++])) return false;
    }
    if (at == m->n) return true;
    why = arena_fmt(&memory, STR_FMT ": %zu values too many", STR_ARG(labels_text(x->lb)),
                    m->n - at);
    return false;
}

static bool has_values(const struct expected_series *x)
{
    for (size_t i = 0; i < x->values.v.n; i++) {
        if (!is_gap(x->values.v.v[i])) return true;
    }
    return false;
}

static bool matrix_equal(const struct eval *e, const struct value *v)
{
    size_t wanted = 0;
    for (size_t i = 0; i < e->series.n; i++) {
        const struct expected_series *x = &e->series.v[i];
        const struct matrix_series *m = NULL;
        if (!has_values(x)) continue;
        wanted++;
        for (size_t j = 0; j < v->matrix.n; j++) {
            if (labels_eq(v->matrix.v[j].lb, x->lb)) m = &v->matrix.v[j];
        }
        if (!m) return differs("missing", labels_text(x->lb), STR(""));
        if (!series_equal(e, x, m)) return false;
    }
    if (wanted == v->matrix.n) return true;
    why = arena_fmt(&memory, "want %zu series, got %zu", wanted, v->matrix.n);
    for (size_t j = 0; j < v->matrix.n; j++) {
        why = arena_fmt(&memory, STR_FMT "; " STR_FMT, STR_ARG(why),
                        STR_ARG(labels_text(v->matrix.v[j].lb)));
    }
    return false;
}

static bool text_matches(const struct expected_text *t, struct str got)
{
    struct regex *re = NULL;
    struct diag d;
    if (t->any) return true;
    if (!t->regex) return str_eq(t->text, got);
    if (regex_compile(t->text, REGEX_RE2_PART, &re, &d) != OK) return false;
    bool yes = regex_match(re, got);
    regex_free(re);
    return yes;
}

/* Each expected one is there, and each that is there is expected. */
static bool annotations_match(const char *kind, bool want, bool none, const struct expected_text *t,
                              size_t t_n, const struct str *got, size_t n)
{
    if (none && n) return differs("unexpected", str_c(kind), got[0]);
    if (want && !n) return differs("no", str_c(kind), STR(""));
    for (size_t i = 0; i < t_n; i++) {
        bool found = false;
        for (size_t j = 0; j < n; j++) found |= text_matches(&t[i], got[j]);
        if (!found) return differs("want", t[i].text, got[0]);
    }
    for (size_t j = 0; t_n && j < n; j++) {
        bool found = false;
        for (size_t i = 0; i < t_n; i++) found |= text_matches(&t[i], got[j]);
        if (!found) return differs("unexpected", str_c(kind), got[j]);
    }
    return true;
}

static bool annotations_equal(const struct eval *e, const struct value *v)
{
    return annotations_match("warning", e->warn, e->no_warn, e->warns.v, e->warns.n, v->warnings,
                             v->warnings_n) &&
           annotations_match("info", e->info, e->no_info, e->infos.v, e->infos.n, v->infos,
                             v->infos_n);
}

static bool result_equal(const struct eval *e, const struct value *v)
{
    if (!annotations_equal(e, v)) return false;
    if (e->string) {
        struct str got = v->kind == VALUE_STRING ? v->string.s : STR("no string");
        return str_eq(e->string_text, got) || differs("want", e->string_text, got);
    }
    if (v->kind == VALUE_SCALAR) {
        if (!e->series.n) return differs("got a scalar", STR(""), STR(""));
        return value_equal((struct labels){ 0 }, e->series.v[0].values.v.v[0], v->scalar.v);
    }
    if (v->kind == VALUE_VECTOR) return vector_equal(e, v->vector.v, v->vector.n);
    if (v->kind == VALUE_MATRIX) return matrix_equal(e, v);
    return differs("got a string", STR(""), STR(""));
}

/* ---- asking ---- */

static bool failure_expected(const struct eval *e, const struct diag *d)
{
    if (!e->fail) return differs("error", str_c(d->text), STR(""));
    if (text_matches(&e->fail_text, str_c(d->text))) return true;
    return differs("want error", e->fail_text.text, str_c(d->text));
}

static bool ask(const struct eval *e, struct expr *x, const struct eval_range *r)
{
    ARENA(a, 64 << 20);
    struct value v;
    struct diag d = { 0 };
    enum err failed = ev->ops->eval(ev, x, r, &a, NULL, &v, &d);
    store.touched |= failed == ERR_UNSUPPORTED;
    if (failed != OK) return failure_expected(e, &d);
    if (e->fail) return differs("no error", STR(""), STR(""));
    return result_equal(e, &v);
}

/* As the middle of three steps; a series without a value there is none. */
static bool ask_as_range(const struct eval *e, struct expr *x)
{
    ARENA(a, 64 << 20);
    struct value v;
    struct diag d = { 0 };
    struct eval_range r = { e->start - 60000, e->start + 60000, 60000 };
    if (ev->ops->eval(ev, x, &r, &a, NULL, &v, &d) != OK) return failure_expected(e, &d);
    struct vector_sample *mid = arena_array(&a, v.matrix.n, sizeof(*mid));
    size_t n = 0;
    for (size_t i = 0; i < v.matrix.n; i++) {
        const struct matrix_series *m = &v.matrix.v[i];
        for (size_t j = 0; j < m->n; j++) {
            if (m->t[j] == e->start) {
                mid[n++] = (struct vector_sample){ m->lb, m->t[j], m->v[j], NULL };
            }
        }
    }
    struct eval loose = *e;
    loose.ordered = false;
    bool same = e->scalar ? n == 1 && value_equal(mid[0].lb, e->series.v[0].values.v.v[0], mid[0].v)
                          : vector_equal(&loose, mid, n);
    if (!same) why = arena_fmt(&memory, "as a range: " STR_FMT, STR_ARG(why));
    return same;
}

static bool depends_on_time(const struct node *call)
{
    static const char *const NAMES[] = { "days_in_month",  "day_of_month", "day_of_week",
                                         "day_of_year",    "end",          "hour",
                                         "minute",         "month",        "year",
                                         "predict_linear", "range",        "start",
                                         "step",           "time",         "timestamp" };
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        if (strcmp(call->call.fn->name, NAMES[i]) == 0) return true;
    }
    return false;
}

static void pin(struct shift *s, int64_t t)
{
    if (s->at != AT_NONE) return;
    s->at = AT_TIME;
    s->at_ms = t;
}

/*
 * @ t on every selector that has none; below a subquery only the subquery gets it. False: a function depends on the
 * time of evaluation.
 */
static bool pin_all(struct node *n, int64_t t, bool below)
{
    if (!n) return true;
    switch (n->kind) {
    case NODE_SELECTOR:
        if (!below) pin(&n->selector.shift, t);
        return true;
    case NODE_MATRIX: return pin_all(n->matrix.selector, t, below);
    case NODE_SUBQUERY:
        if (!below) pin(&n->subquery.shift, t);
        return pin_all(n->subquery.inner, t, true);
    case NODE_PAREN: return pin_all(n->inner, t, below);
    case NODE_UNARY: return pin_all(n->unary.inner, t, below);
    case NODE_BINARY: return pin_all(n->binary.lhs, t, below) && pin_all(n->binary.rhs, t, below);
    case NODE_AGGREGATE:
        return pin_all(n->aggregate.param, t, below) && pin_all(n->aggregate.inner, t, below);
    case NODE_CALL:
        if (depends_on_time(n)) return false;
        for (size_t i = 0; i < n->call.n; i++) {
            if (n->call.fn->id == FN_INFO && i == 1) continue;
            if (!pin_all(n->call.args[i], t, below)) return false;
        }
        return true;
    case NODE_NUMBER:
    case NODE_STRING:
    case NODE_DURATION: return true;
    }
    return true;
}

static bool ask_pinned(const struct eval *e, struct expr *x)
{
    int64_t t = e->start;
    int64_t times[] = { -10 * t, 0, t / 5, t, 10 * t };
    if (!pin_all(x->root, t, false)) return true;
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        struct eval_range r = { times[i], times[i], 0 };
        if (ask(e, x, &r)) continue;
        why = arena_fmt(&memory, "at %lld with @ %lld: " STR_FMT, (long long)times[i], (long long)t,
                        STR_ARG(why));
        return false;
    }
    return true;
}

/* start(), end(), step() and range() tell of the query as a whole, which a range query around it changes. */
static bool tells_of_query(struct str query)
{
    static const struct str WORDS[] = {
        { "start(", 6 }, { "end(", 4 }, { "step(", 5 }, { "range(", 6 }
    };
    for (size_t i = 0; i < ARRAY_LEN(WORDS); i++) {
        if (str_find(query, WORDS[i]) != STR_NONE) return true;
    }
    return false;
}

static bool ask_all(const struct eval *e)
{
    struct expr *x = NULL;
    struct diag d = { 0 };
    if (ev->ops->compile(ev, e->query, &x, &d) != OK) return failure_expected(e, &d);
    struct eval_range r = { e->start, e->end, e->range ? e->step : 0 };
    if (e->raw) r.start = r.end = e->end;
    bool good = ask(e, x, &r);
    enum value_kind kind = promql_kind(x);
    bool again = good && !e->range && !e->fail && !e->raw && kind != VALUE_STRING;
    bool ranged = !e->ordered && kind != VALUE_MATRIX && !tells_of_query(e->query);
    if (again && ranged) good = ask_as_range(e, x);
    if (again && good) good = ask_pinned(e, x);
    ev->ops->release(ev, x);
    return good;
}

static void run_eval(const struct eval *e, const char *file)
{
    store.touched = false;
    why = STR("");
    bool good = ask_all(e);
    if (e->refused || store.touched) {
        tally.refused++;
    } else if (good) {
        tally.passed++;
    } else {
        tally.failed++;
        if (verbose) {
            (void)printf("%s:%zu: " STR_FMT "\n    " STR_FMT "\n", file, e->line, STR_ARG(e->query),
                         STR_ARG(why));
        }
    }
}

/* ---- files ---- */

static struct str read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) return (struct str){ 0 };
    (void)fseek(f, 0, SEEK_END);
    long n = ftell(f);
    rewind(f);
    char *p = arena_alloc(&memory, (size_t)n + 1);
    size_t got = fread(p, 1, (size_t)n, f);
    (void)fclose(f);
    return str_make(p, got);
}

struct lines {
    struct str *v;
    size_t n;
};

/* Trimmed; a comment is an empty line, and an empty line ends a block. */
static struct lines lines_of(struct str text)
{
    struct lines ls = { arena_array(&memory, LINES_MAX, sizeof(struct str)), 0 };
    struct str line;
    while (text.n && ls.n < LINES_MAX) {
        (void)str_cut(text, '\n', &line, &text);
        line = str_trim(line);
        ls.v[ls.n++] = line.n && line.p[0] == '#' ? STR("") : line;
    }
    return ls;
}

static void clear_store(void)
{
    store_done(&store);
    store_init(&store);
}

/* The original makes a native histogram of each classic one; here it is only known to exist. */
static void mark_histogram(struct str line)
{
    struct labels lb;
    struct str rest;
    if (!take_metric(line, &lb, &rest)) return;
    struct str name = labels_get(lb, METRIC_NAME);
    if (!str_ends(name, STR("_bucket"))) return;
    struct labels_builder b;
    labels_builder_init(&b, &memory, lb);
    labels_set(&b, METRIC_NAME, str_first(name, name.n - (sizeof("_bucket") - 1)));
    labels_del(&b, STR("le"));
    store_series(&store, labels_build(&b))->marked = true;
}

static size_t run_load(const struct lines *ls, size_t i)
{
    struct str s = ls->v[i];
    bool nhcb = str_starts(take_word(&s), STR("load_with_nhcb"));
    int64_t step = duration_of(take_word(&s));
    for (i++; i < ls->n && ls->v[i].n; i++) {
        load_line(ls->v[i], step);
        if (nhcb) mark_histogram(ls->v[i]);
    }
    return i;
}

static size_t run_block(const struct lines *ls, size_t i, const char *file)
{
    struct eval e = { .line = i + 1 };
    eval_line(&e, ls->v[i]);
    for (i++; i < ls->n && ls->v[i].n; i++) result_line(&e, ls->v[i]);
    run_eval(&e, file);
    return i;
}

static void run_file(const char *path, const char *file)
{
    struct lines ls = lines_of(read_file(path));
    memset(&tally, 0, sizeof(tally));
    store_init(&store);
    struct promql_options o = { .max_samples = 10000, .features = UINT32_MAX };
    if (strcmp(file, "type_and_unit.test") != 0) o.features &= ~(uint32_t)PROMQL_TYPE_AND_UNIT;
    ev = promql_new(&store.qa, &o);
    for (size_t i = 0; i < ls.n;) {
        struct str s = ls.v[i];
        if (str_starts(s, STR("load"))) {
            i = run_load(&ls, i);
        } else if (str_starts(s, STR("eval"))) {
            i = run_block(&ls, i, file);
        } else {
            if (str_starts(s, STR("clear"))) clear_store();
            i++;
        }
    }
    promql_free(ev);
    store_done(&store);
}

/* The floor of a file: 0 when it is new. */
static size_t floor_of(struct str counts, struct str file)
{
    struct str line, name, rest;
    while (counts.n) {
        int64_t n = 0;
        (void)str_cut(counts, '\n', &line, &counts);
        (void)str_cut(line, ' ', &name, &rest);
        if (str_eq(name, file) && num_parse_i64(str_trim(rest), &n) == OK) return (size_t)n;
    }
    return 0;
}

static const char *const FILES[] = {
    "aggregators.test",
    "at_modifier.test",
    "duration_expression.test",
    "extended_vectors.test",
    "fill-modifier.test",
    "functions.test",
    "info.test",
    "literals.test",
    "name_label_dropping.test",
    "native_histograms.test",
    "selectors.test",
    "start_timestamps.test",
    "trig_functions.test",
    "type_and_unit.test",
    "collision.test",
    "histograms.test",
    "limit.test",
    "operators.test",
    "range_queries.test",
    "staleness.test",
    "subquery.test",
};

static struct str counts_path(void) { return STR("tests/conform/promqltest.counts"); }

static void every_file(void **state)
{
    (void)state;
    const char *root = getenv("VIGIE_DATA");
    size_t fallen = 0, total = 0;
    verbose = getenv("VERBOSE") != NULL;
    for (size_t i = 0; i < ARRAY_LEN(FILES); i++) {
        struct str path = arena_fmt(&memory, "%s/promqltest/%s", root ? root : "../shared/data",
                                    FILES[i]);
        FILE *f = fopen(path.p, "rb");
        if (!f) continue; /* not every file is published */
        (void)fclose(f);
        run_file(path.p, FILES[i]);
        size_t least = floor_of(read_file(counts_path().p), str_c(FILES[i]));
        (void)printf("%-26s passed %4zu  failed %3zu  refused %4zu\n", FILES[i], tally.passed,
                     tally.failed, tally.refused);
        if (tally.passed < least) {
            (void)printf("    fell below %zu\n", least);
            fallen++;
        }
        if (tally.passed > least) {
            (void)printf("    rose from %zu: write it into promqltest.counts\n", least);
        }
        total += tally.passed;
        arena_reset(&memory);
    }
    (void)printf("%zu passed\n", total);
    if (!total) skip();
    assert_int_equal(fallen, 0);
}

int main(void)
{
    const char *root = getenv("VIGIE_DATA");
    struct str path = arena_fmt(&memory, "%s/promqltest/functions.test",
                                root ? root : "../shared/data");
    FILE *f = fopen(path.p, "rb");
    if (!f) {
        (void)fprintf(stderr, "no promqltest under VIGIE_DATA: skipped\n");
        arena_done(&memory);
        return 77;
    }
    (void)fclose(f);
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_file) };
    int failed = cmocka_run_group_tests_name("promqltest", tests, NULL, NULL);
    arena_done(&memory);
    return failed;
}
