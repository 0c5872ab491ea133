/* SPDX-License-Identifier: Apache-2.0 */
#include "promql/notation.h"

#include "base/vec.h"
#include "codec/num.h"
#include "model/sample.h"
#include "promql/promql.h"

/* Metrics and selectors are written alike. */
enum err notation_metric(struct arena *a, struct str text, struct labels *out, struct diag *d)
{
    struct matcher *m;
    size_t n;
    bool good = true;
    struct str metric = str_trim(text);
    if (str_eq(metric, STR("{}"))) {
        *out = (struct labels){ 0 };
        return OK;
    }
    TRY(promql_parse_matchers(metric, a, &m, &n, d));
    struct label *v = arena_array(a, n, sizeof(*v));
    for (size_t i = 0; i < n; i++) {
        good &= m[i].op == MATCH_EQ;
        v[i] = (struct label){ m[i].name, m[i].value };
        matcher_done(&m[i]);
    }
    if (!good) {
        return diag_set(d, ERR_SYNTAX,
                        "1:1: parse error: a series has only labels with =, got " STR_FMT,
                        STR_ARG(metric));
    }
    *out = labels_from(v, n);
    return OK;
}

struct values {
    VEC(struct notated) v;
};

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* One word behind blanks; empty at the end. */
static struct str take_word(struct str *s)
{
    while (s->n && is_space(s->p[0])) *s = str_from(*s, 1);
    size_t n = 0;
    while (n < s->n && !is_space(s->p[n])) n++;
    struct str word = str_first(*s, n);
    *s = str_from(*s, n);
    return word;
}

static enum err push(struct arena *a, struct values *to, double first, double step, uint64_t times,
                     bool gap, struct diag *d)
{
    if (times > NOTATION_MAX || to->v.n + times > NOTATION_MAX) {
        return diag_set(d, ERR_LIMIT, "a series of more than %d values", NOTATION_MAX);
    }
    for (uint64_t i = 0; i < times; i++) {
        *vec_push(a, &to->v) = (struct notated){ first, gap };
        first += step; /* summed up, as the original has it */
    }
    return OK;
}

/* Where the number at the front ends: a sign within belongs to an exponent, else to the step behind it. */
static size_t number_end(struct str s)
{
    size_t i = s.n && (s.p[0] == '-' || s.p[0] == '+') ? 1 : 0;
    bool hex = s.n > i + 1 && s.p[i] == '0' && (s.p[i + 1] == 'x' || s.p[i + 1] == 'X');
    if (hex) i += 2;
    for (; i < s.n; i++) {
        char c = s.p[i], before = i ? s.p[i - 1] : ' ';
        bool exponent = (before == 'e' || before == 'E') && !hex;
        if (c == 'x' || ((c == '+' || c == '-') && !exponent)) break;
    }
    return i;
}

/* 0x10 is ten zeros more, not sixteen. */
static size_t plain_end(struct str s)
{
    size_t i = s.n && (s.p[0] == '-' || s.p[0] == '+') ? 1 : 0;
    if (s.n > i + 1 && s.p[i] == '0' && s.p[i + 1] == 'x') return i + 1;
    return number_end(s);
}

static enum err bad(struct str word, struct diag *d)
{
    return diag_set(d, ERR_SYNTAX, "parse error: unexpected \"" STR_FMT "\" in series values",
                    STR_ARG(word));
}

/* `xN` at the end of a word; *n is 1 and more where it stands. */
static bool take_times(struct str s, uint64_t *n)
{
    return s.n > 1 && s.p[0] == 'x' && num_parse_u64(str_from(s, 1), n) == OK;
}

/* 1, 1x3, 1+2x3, 1-2x3: `times` says how many follow the first. */
static enum err add_numbers(struct arena *a, struct str word, struct values *to, struct diag *d)
{
    double first, step = 0;
    uint64_t times = 0;
    size_t end = plain_end(word);
    if (num_parse_f64(str_first(word, end), &first) == ERR_SYNTAX) return bad(word, d);
    struct str rest = str_from(word, end);
    if (rest.n && rest.p[0] != 'x') {
        size_t at = plain_end(rest);
        if (num_parse_f64(str_first(rest, at), &step) == ERR_SYNTAX) return bad(word, d);
        rest = str_from(rest, at);
        if (!rest.n) return bad(word, d);
    }
    if (rest.n && !take_times(rest, &times)) return bad(word, d);
    if (times > NOTATION_MAX) times = NOTATION_MAX;
    return push(a, to, first, step, times + 1, false, d);
}

static enum err add_word(struct arena *a, struct str word, struct values *to, struct diag *d)
{
    uint64_t times = 1;
    if (str_starts(word, STR("{{"))) {
        return diag_set(d, ERR_UNSUPPORTED, "native histograms in series are not supported yet");
    }
    if (word.p[0] == '_') {
        if (word.n > 1 && !take_times(str_from(word, 1), &times)) return bad(word, d);
        return push(a, to, 0, 0, times, true, d);
    }
    if (str_starts(word, STR("stale"))) {
        struct str rest = str_from(word, 5);
        if (rest.n && !take_times(rest, &times)) return bad(word, d);
        return push(a, to, stale_nan(), 0, rest.n ? times + 1 : 1, false, d);
    }
    return add_numbers(a, word, to, d);
}

enum err notation_values(struct arena *a, struct str text, struct notated **out, size_t *n,
                         struct diag *d)
{
    struct values all = { 0 };
    for (;;) {
        struct str word = take_word(&text);
        if (!word.n) break;
        TRY(add_word(a, word, &all, d));
    }
    *out = all.v.v;
    *n = all.v.n;
    return OK;
}
