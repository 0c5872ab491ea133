/* SPDX-License-Identifier: Apache-2.0 */
#include "promql/parse.h"

#include "base/assert.h"
#include "base/utf8.h"
#include "codec/gotime.h"
#include "codec/num.h"
#include "promql/functions.h"
#include "promql/parse_priv.h"
#include "promql/promql.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    NEST_MAX = 500,   /* parentheses, calls, signs: the parser's own recursion */
    DEPTH_MAX = 1000, /* of the tree: what walks and evaluation recurse over */
};

/* ---- notes ---- */

static void note_add(struct parse *p, size_t start, size_t end, struct str text)
{
    *vec_push(p->a, &p->notes) = (struct parse_note){ start, end, text };
}

static struct str format(struct arena *a, const char *fmt, va_list ap) PRINTF(2, 0);
static struct str format(struct arena *a, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    size_t room = n < 0 ? 1 : (size_t)n + 1;
    char *text = arena_raw(a, room);
    (void)vsnprintf(text, room, fmt, again);
    va_end(again);
    return str_make(text, room - 1);
}

void parse_note(struct parse *p, size_t start, size_t end, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    note_add(p, start, end, format(p->a, fmt, ap));
    va_end(ap);
}

void parse_note_token(struct parse *p, const struct token *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    note_add(p, t->start, t->start + t->text.n, format(p->a, fmt, ap));
    va_end(ap);
}

/* Read only when asked for: then errors come in the order in which the original's parser meets them. */
enum token_kind parse_peek(struct parse *p)
{
    if (p->peeked) return p->tok.kind;
    p->peeked = true;
    p->tok = lexer_next(&p->lex);
    switch (p->tok.kind) {
    case TOK_ERROR:
        if (p->tok.text.n) note_add(p, p->tok.start, p->text.n, p->tok.text);
        break;
    case TOK_RBRACE:
    case TOK_RPAREN:
    case TOK_RBRACKET:
    case TOK_DURATION:
    case TOK_NUMBER: p->last_closing = p->tok.start + p->tok.text.n; break;
    default: break;
    }
    return p->tok.kind;
}

struct token parse_take(struct parse *p)
{
    (void)parse_peek(p);
    p->peeked = p->tok.kind == TOK_ERROR || p->tok.kind == TOK_EOF; /* there is nothing behind */
    return p->tok;
}

bool parse_accept(struct parse *p, enum token_kind k, struct token *out)
{
    if (p->dead || parse_peek(p) != k) return false;
    struct token t = parse_take(p);
    if (out) *out = t;
    return true;
}

void parse_unexpected(struct parse *p, const char *context, const char *expected)
{
    if (p->dead) return;
    p->dead = true;
    if (parse_peek(p) == TOK_ERROR) return; /* noted already */
    if (!context && p->aggregates) context = "aggregation";
    struct str what = token_describe(p->a, &p->tok);
    parse_note_token(p, &p->tok, "unexpected " STR_FMT "%s%s%s%s", STR_ARG(what),
                     context ? " in " : "", context ? context : "", expected ? ", expected " : "",
                     expected ? expected : "");
}

bool parse_expect(struct parse *p, enum token_kind k, const char *context, const char *expected,
                  struct token *out)
{
    if (parse_accept(p, k, out)) return true;
    parse_unexpected(p, context, expected);
    return false;
}

bool parse_has(struct parse *p, uint32_t feature) { return p->features & feature; }

/* ---- leaves ---- */

struct node *parse_node(struct parse *p, enum node_kind kind, size_t start, size_t end)
{
    struct node *n = arena_new(p->a, struct node);
    *n = (struct node){ .kind = kind, .start = start, .end = end, .depth = 1 };
    return n;
}

static void deepen(struct node *n, const struct node *child)
{
    if (child && child->depth >= n->depth) n->depth = child->depth + 1;
}

static struct str without_underscores(struct arena *a, struct str s)
{
    char *p = arena_raw(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '_') p[n++] = s.p[i];
    }
    p[n] = '\0';
    return str_make(p, n);
}

/* Whole numbers in Go's base 0: 0x1f, and octal for 0755. False: read it as a float. */
static bool parse_based(struct str s, double *out)
{
    bool hex = s.n > 2 && s.p[0] == '0' && (s.p[1] | 0x20) == 'x';
    bool octal = s.n > 1 && s.p[0] == '0' && !hex;
    if (!hex && !octal) return false;
    uint64_t v = 0;
    for (size_t i = hex ? 2 : 1; i < s.n; i++) {
        char c = s.p[i];
        uint64_t d = c <= '9' ? (uint64_t)(c - '0') : (uint64_t)((c | 0x20) - 'a' + 10);
        if ((octal && (c < '0' || c > '7')) || v > (INT64_MAX >> 4)) return false;
        v = v * (hex ? 16 : 8) + d;
    }
    *out = (double)v;
    return true;
}

double parse_number(struct parse *p, const struct token *t)
{
    double v = 0;
    struct str s = without_underscores(p->a, t->text);
    if (parse_based(s, &v)) return v;
    enum err e = num_parse_f64(s, &v);
    if (e == OK) return v;
    parse_note_token(p, t, "error parsing number: strconv.ParseFloat: parsing \"" STR_FMT "\": %s",
                     STR_ARG(t->text), e == ERR_RANGE ? "value out of range" : "invalid syntax");
    return 0;
}

double parse_seconds(struct parse *p, const struct token *t)
{
    if (t->kind == TOK_NUMBER) return parse_number(p, t);
    int64_t ms = 0;
    struct diag d = { 0 };
    if (duration_parse(t->text, &ms, &d) != OK) {
        parse_note_token(p, t, "%s", d.text);
        return 0;
    }
    return (double)ms / 1000;
}

static void unquote_digits(struct buf *b, struct str s, size_t *i, size_t n, int base, bool rune)
{
    uint32_t x = 0;
    for (size_t end = *i + n; *i < end && *i < s.n; (*i)++) {
        int c = (unsigned char)s.p[*i];
        x = x * (uint32_t)base + (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    if (rune) {
        utf8_put(b, x);
    } else {
        buf_char(b, (char)x);
    }
}

static void unquote_escape(struct buf *b, struct str s, size_t *i)
{
    static const char PLAIN[] = "a\ab\bf\fn\nr\rt\tv\v";
    char c = s.p[*i];
    const char *plain = strchr(PLAIN, c);
    if (plain && (plain - PLAIN) % 2 == 0) {
        buf_char(b, plain[1]);
        (*i)++;
    } else if (c >= '0' && c <= '7') {
        unquote_digits(b, s, i, 3, 8, false);
    } else if (c == 'x' || c == 'u' || c == 'U') {
        (*i)++;
        unquote_digits(b, s, i, c == 'x' ? 2 : c == 'u' ? 4 : 8, 16, c != 'x');
    } else {
        buf_char(b, c); /* the quote or a backslash */
        (*i)++;
    }
}

/* The lexer has checked every escape. */
struct str parse_unquoted(struct parse *p, const struct token *t)
{
    struct str s = str_make(t->text.p + 1, t->text.n - 2);
    if (t->text.p[0] == '`') return s;
    BUF(b, 0);
    for (size_t i = 0; i < s.n;) {
        if (s.p[i] != '\\') {
            buf_char(&b, s.p[i++]);
        } else {
            i++;
            unquote_escape(&b, s, &i);
        }
    }
    return arena_dup(p->a, buf_str(&b));
}

static struct node *parse_literal(struct parse *p)
{
    struct token t = parse_take(p);
    struct node *n = parse_node(p, t.kind == TOK_STRING ? NODE_STRING : NODE_NUMBER, t.start,
                                t.start + t.text.n);
    if (t.kind == TOK_STRING) {
        n->type = VALUE_STRING;
        n->string = parse_unquoted(p, &t);
        return n;
    }
    n->type = VALUE_SCALAR;
    n->number.v = parse_seconds(p, &t);
    n->number.duration = t.kind == TOK_DURATION;
    return n;
}

/* ---- grouping labels, arguments ---- */

static bool label_name(struct parse *p, struct str *out)
{
    struct token t;
    if (parse_is_label_word(parse_peek(p))) {
        *out = parse_take(p).text;
        return true;
    }
    if (!parse_accept(p, TOK_STRING, &t)) {
        parse_unexpected(p, "grouping opts", "label");
        return false;
    }
    *out = parse_unquoted(p, &t);
    if (out->n && utf8_valid(*out)) return true;
    BUF(b, 0);
    str_write_quoted(&b, *out);
    parse_note_token(p, &t, "invalid label name for grouping: " STR_FMT, STR_ARG(buf_str(&b)));
    return true;
}

/* ( a, "b c", d, ) */
static struct names parse_names(struct parse *p)
{
    VEC(struct str) v = { 0 };
    if (!parse_expect(p, TOK_LPAREN, "grouping opts", "\"(\"", NULL)) return (struct names){ 0 };
    while (!parse_accept(p, TOK_RPAREN, NULL)) {
        struct str name;
        if (!label_name(p, &name)) break;
        *vec_push(p->a, &v) = name;
        if (parse_accept(p, TOK_COMMA, NULL)) continue;
        if (parse_peek(p) != TOK_RPAREN) parse_unexpected(p, "grouping opts", "\",\" or \")\"");
        if (p->dead) break;
    }
    return (struct names){ v.v, v.n };
}

struct args {
    struct node **v;
    size_t n, cap;
};

/* ( expr, expr ); *end is behind the parenthesis that closes it. */
static void parse_args(struct parse *p, struct args *out, size_t *end)
{
    struct token t;
    *end = 0;
    if (!parse_expect(p, TOK_LPAREN, NULL, NULL, NULL)) return;
    while (!parse_accept(p, TOK_RPAREN, &t)) {
        struct node *n = parse_expr(p);
        if (p->dead) return;
        *vec_push(p->a, out) = n;
        if (parse_accept(p, TOK_COMMA, &t)) {
            if (parse_peek(p) != TOK_RPAREN && p->tok.kind != TOK_ERROR) continue;
            parse_note_token(p, &t, "trailing commas not allowed in function call args");
        } else if (parse_peek(p) != TOK_RPAREN) {
            parse_unexpected(p, NULL, NULL);
            return;
        }
    }
    *end = t.start + 1;
}

/* ---- calls and aggregations ---- */

static void check_function(struct parse *p, const struct token *name, const struct function *fn)
{
    if (!fn) {
        parse_note_token(p, name, "unknown function with name \"" STR_FMT "\"",
                         STR_ARG(name->text));
    } else if (fn->experimental && !parse_has(p, PROMQL_EXPERIMENTAL_FUNCTIONS)) {
        parse_note_token(p, name, "function \"" STR_FMT "\" is not enabled", STR_ARG(name->text));
    }
}

static struct node *parse_call(struct parse *p, const struct token *name)
{
    struct args args = { 0 };
    size_t end;
    parse_args(p, &args, &end);
    const struct function *fn = function_find(name->text);
    if (!p->dead) check_function(p, name, fn);
    struct node *n = parse_node(p, NODE_CALL, name->start, end);
    n->type = fn ? fn->returns : VALUE_NONE;
    n->call.fn = fn;
    n->call.args = args.v;
    n->call.n = args.n;
    for (size_t i = 0; i < args.n; i++) deepen(n, args.v[i]);
    return n;
}

static bool parse_by(struct parse *p, struct node *n)
{
    if (p->dead || (parse_peek(p) != TOK_BY && p->tok.kind != TOK_WITHOUT)) return false;
    n->aggregate.without = parse_take(p).kind == TOK_WITHOUT;
    n->aggregate.by = parse_names(p);
    n->end = p->last_closing;
    return true;
}

static void set_aggregate_args(struct parse *p, struct node *n, const struct args *args)
{
    enum token_kind op = n->aggregate.op;
    size_t want = op_takes_param(op) ? 2 : 1;
    if (!args->n) {
        parse_note(p, n->start, n->end, "no arguments for aggregate expression provided");
    } else if ((op == TOK_LIMITK || op == TOK_LIMIT_RATIO) &&
               !parse_has(p, PROMQL_EXPERIMENTAL_FUNCTIONS)) {
        parse_note(p, n->start, n->end,
                   "%s() is experimental and must be enabled with "
                   "--enable-feature=promql-experimental-functions",
                   token_text(op));
    } else if (args->n != want) {
        parse_note(p, n->start, n->end,
                   "wrong number of arguments for aggregate expression provided, expected %zu, "
                   "got %zu",
                   want, args->n);
    } else {
        n->aggregate.inner = args->v[want - 1];
        n->aggregate.param = want == 2 ? args->v[0] : NULL;
        deepen(n, n->aggregate.inner);
        deepen(n, n->aggregate.param);
    }
}

static struct node *parse_aggregate(struct parse *p, const struct token *op)
{
    struct args args = { 0 };
    struct node *n = parse_node(p, NODE_AGGREGATE, op->start, 0);
    n->type = VALUE_VECTOR;
    n->aggregate.op = op->kind;
    p->aggregates++;
    bool before = parse_by(p, n);
    size_t end;
    parse_args(p, &args, &end);
    n->end = end;
    p->aggregates--;
    if (!before) (void)parse_by(p, n);
    if (!p->dead) set_aggregate_args(p, n, &args);
    return n;
}

/* ---- offset, @, ranges, anchored ---- */

/* What a modifier changes; NULL with a note where e is nothing that takes one. */
static struct shift *shift_of(struct parse *p, struct node *e, const char *modifier)
{
    if (e->kind == NODE_SELECTOR) return &e->selector.shift;
    if (e->kind == NODE_SUBQUERY) return &e->subquery.shift;
    if (e->kind != NODE_MATRIX) {
        parse_note(p, e->start, e->end,
                   "%s modifier must be preceded by an instant vector selector or range vector "
                   "selector or a subquery",
                   modifier);
        return NULL;
    }
    if (e->matrix.selector->kind == NODE_SELECTOR) return &e->matrix.selector->selector.shift;
    parse_note(p, e->start, e->end, "ranges only allowed for vector selectors");
    return NULL;
}

static void parse_offset(struct parse *p, struct node *e)
{
    struct node *by = parse_offset_duration(p);
    if (p->dead) return;
    struct shift *s = shift_of(p, e, "offset");
    if (!s) return;
    if (s->offset.ms || s->offset.expr) {
        parse_note(p, e->start, e->end, "offset may not be set multiple times");
    } else {
        s->offset = parse_span(by);
    }
    e->end = p->last_closing;
}

static void set_time(struct parse *p, struct node *e, enum at_kind at, double seconds)
{
    /* Go's float64(MaxInt64) is 2^63 */
    if (!(seconds > -9223372036854775808.0 && seconds < 9223372036854775808.0)) {
        BUF(b, 0);
        num_write_fixed(&b, seconds, 6);
        parse_note(p, e->start, e->end, "timestamp out of bounds for @ modifier: " STR_FMT,
                   STR_ARG(buf_str(&b)));
        return;
    }
    struct shift *s = shift_of(p, e, "@");
    if (!s) return;
    if (s->at != AT_NONE) {
        parse_note(p, e->start, e->end, "@ <timestamp> may not be set multiple times");
        return;
    }
    s->at = at;
    s->at_ms = at == AT_TIME ? span_round(seconds * 1000) : 0;
    e->end = p->last_closing;
}

static void parse_at(struct parse *p, struct node *e)
{
    enum token_kind k = parse_peek(p);
    if (k == TOK_START || k == TOK_END) {
        (void)parse_take(p);
        if (!parse_expect(p, TOK_LPAREN, "@", "timestamp", NULL)) return;
        if (!parse_expect(p, TOK_RPAREN, "@", "timestamp", NULL)) return;
        set_time(p, e, k == TOK_START ? AT_START : AT_END, 0);
        return;
    }
    bool minus = k == TOK_SUB;
    if (minus || k == TOK_ADD) (void)parse_take(p);
    if (parse_peek(p) != TOK_NUMBER && p->tok.kind != TOK_DURATION) {
        parse_unexpected(p, "@", "timestamp");
        return;
    }
    struct token t = parse_take(p);
    double v = parse_seconds(p, &t);
    set_time(p, e, AT_TIME, minus ? -v : v);
}

static void note_misplaced_range(struct parse *p, const struct node *e, size_t start, size_t end)
{
    const char *text = NULL;
    if (e->kind != NODE_SELECTOR) {
        text = "ranges only allowed for vector selectors";
    } else if (e->selector.shift.offset.ms || e->selector.shift.offset.expr) {
        text = "no offset modifiers allowed before range";
    } else if (e->selector.shift.at != AT_NONE) {
        text = "no @ modifiers allowed before range";
    }
    if (text) parse_note(p, start, end, "%s", text);
}

static struct node *new_subquery(struct parse *p, struct node *e, const struct node *range,
                                 const struct node *step, size_t end)
{
    struct node *n = parse_node(p, NODE_SUBQUERY, e->start, end);
    n->type = VALUE_MATRIX;
    n->subquery.inner = e;
    n->subquery.range = parse_span(range);
    if (step) n->subquery.step = parse_span(step);
    deepen(n, e);
    return n;
}

/* e[range] or e[range:step], behind the bracket at `open`. */
static struct node *parse_brackets(struct parse *p, struct node *e, size_t open)
{
    struct token t;
    struct node *range = parse_positive_duration(p);
    if (p->dead) return e;
    if (parse_accept(p, TOK_RBRACKET, &t)) {
        note_misplaced_range(p, e, open, t.start + 1);
        struct node *n = parse_node(p, NODE_MATRIX, e->start, t.start + 1);
        n->type = VALUE_MATRIX;
        n->matrix.selector = e;
        n->matrix.range = parse_span(range);
        deepen(n, e);
        return n;
    }
    if (!parse_expect(p, TOK_COLON, "subquery or range", "\":\" or \"]\"", NULL)) return e;
    if (parse_accept(p, TOK_RBRACKET, &t)) return new_subquery(p, e, range, NULL, t.start + 1);
    struct node *step = parse_step_duration(p);
    if (p->dead) return e;
    if (!parse_expect(p, TOK_RBRACKET, "subquery selector", "\"]\"", &t)) return e;
    return new_subquery(p, e, range, step, t.start + 1);
}

/* e anchored, e smoothed */
static void set_extended(struct parse *p, struct node *e, bool anchored)
{
    const char *name = anchored ? "anchored" : "smoothed";
    struct node *s = e->kind == NODE_MATRIX ? e->matrix.selector : e;
    if (!parse_has(p, PROMQL_EXTENDED_RANGE)) {
        parse_note(p, e->start, e->end, "%s modifier is experimental and not enabled", name);
    } else if (e->kind == NODE_SUBQUERY) {
        parse_note(p, e->start, e->end, "%s modifier is not supported for subqueries", name);
    } else if (e->kind == NODE_MATRIX && s->kind != NODE_SELECTOR) {
        if (!p->notes.n) {
            parse_note(p, e->start, e->end, "ranges only allowed for vector selectors");
        }
    } else if (s->kind != NODE_SELECTOR) {
        parse_note(p, e->start, e->end, "%s modifier not implemented", name);
    } else if (anchored ? s->selector.smoothed : s->selector.anchored) {
        parse_note(p, e->start, e->end, "anchored and smoothed modifiers cannot be used together");
    } else if (anchored) {
        s->selector.anchored = true;
    } else {
        s->selector.smoothed = true;
    }
}

static struct node *parse_postfix(struct parse *p, struct node *e)
{
    struct token t;
    while (!p->dead) {
        if (parse_accept(p, TOK_LBRACKET, &t)) {
            e = parse_brackets(p, e, t.start);
        } else if (parse_accept(p, TOK_OFFSET, NULL)) {
            parse_offset(p, e);
        } else if (parse_accept(p, TOK_AT, NULL)) {
            parse_at(p, e);
        } else if (parse_accept(p, TOK_ANCHORED, NULL)) {
            set_extended(p, e, true);
        } else if (parse_accept(p, TOK_SMOOTHED, NULL)) {
            set_extended(p, e, false);
        } else {
            break;
        }
    }
    return e;
}

/* ---- operators ---- */

static struct node *parse_paren(struct parse *p)
{
    struct token open = parse_take(p), close = open;
    struct node *n = parse_node(p, NODE_PAREN, open.start, open.start);
    n->inner = parse_expr(p);
    if (!p->dead) (void)parse_expect(p, TOK_RPAREN, NULL, NULL, &close);
    n->type = n->inner->type;
    n->end = close.start + 1;
    deepen(n, n->inner);
    return n;
}

/* Words that are a call or an aggregation only when what follows says so. */
static struct node *parse_word(struct parse *p)
{
    enum token_kind k = parse_peek(p);
    bool aggregate = token_is_aggregator(k);
    if (!aggregate && k != TOK_IDENT && k < TOK_START) return parse_vector_selector(p, NULL);
    struct token word = parse_take(p);
    enum token_kind after = parse_peek(p);
    if (aggregate && (after == TOK_LPAREN || after == TOK_BY || after == TOK_WITHOUT)) {
        return parse_aggregate(p, &word);
    }
    if (!aggregate && after == TOK_LPAREN) return parse_call(p, &word);
    return parse_vector_selector(p, &word);
}

static struct node *parse_primary(struct parse *p)
{
    enum token_kind k = parse_peek(p);
    if (k == TOK_NUMBER || k == TOK_DURATION || k == TOK_STRING) return parse_literal(p);
    if (k == TOK_LPAREN) return parse_paren(p);
    if (k == TOK_LBRACE) return parse_vector_selector(p, NULL);
    if (parse_is_metric_word(k)) return parse_word(p);
    parse_unexpected(p, NULL, NULL);
    return parse_node(p, NODE_NUMBER, p->tok.start, p->tok.start);
}

enum precedence { PREC_NONE, PREC_OR, PREC_AND, PREC_COMPARE, PREC_ADD, PREC_MUL, PREC_POW };

static enum precedence precedence_of(enum token_kind op)
{
    switch (op) {
    case TOK_OR: return PREC_OR;
    case TOK_AND:
    case TOK_UNLESS: return PREC_AND;
    case TOK_ADD:
    case TOK_SUB: return PREC_ADD;
    case TOK_MUL:
    case TOK_DIV:
    case TOK_MOD:
    case TOK_ATAN2: return PREC_MUL;
    case TOK_POW: return PREC_POW;
    case TOK_TRIM_LOWER:
    case TOK_TRIM_UPPER: return PREC_COMPARE;
    default: return op_is_comparison(op) ? PREC_COMPARE : PREC_NONE;
    }
}

static struct node *parse_binary(struct parse *p, enum precedence least);

/* A sign binds as multiplication does: -2^2 is -(2^2). A signed number is a number. */
static struct node *parse_unary(struct parse *p)
{
    enum token_kind k = parse_peek(p);
    if (k != TOK_ADD && k != TOK_SUB) return parse_postfix(p, parse_primary(p));
    if (++p->depth > NEST_MAX) {
        parse_too_deep(p);
        return parse_node(p, NODE_NUMBER, p->tok.start, p->tok.start);
    }
    struct token sign = parse_take(p);
    struct node *e = parse_binary(p, PREC_POW);
    p->depth--;
    if (e->kind == NODE_NUMBER) {
        if (k == TOK_SUB) e->number.v = -e->number.v;
        e->start = sign.start;
        return e;
    }
    struct node *n = parse_node(p, NODE_UNARY, sign.start, e->end);
    n->type = e->type;
    n->unary.op = k;
    n->unary.inner = e;
    deepen(n, e);
    return n;
}

static void parse_fill(struct parse *p, struct matching *m)
{
    enum token_kind which = parse_take(p).kind;
    if (!parse_expect(p, TOK_LPAREN, NULL, NULL, NULL)) return;
    bool minus = parse_peek(p) == TOK_SUB;
    if (minus || p->tok.kind == TOK_ADD) (void)parse_take(p);
    if (parse_peek(p) != TOK_NUMBER && p->tok.kind != TOK_DURATION) {
        parse_unexpected(p, NULL, NULL);
        return;
    }
    struct token t = parse_take(p);
    double v = parse_seconds(p, &t);
    if (minus) v = -v;
    (void)parse_expect(p, TOK_RPAREN, NULL, NULL, NULL);
    if (which != TOK_FILL_RIGHT) {
        m->has_fill_left = true;
        m->fill_left = v;
    }
    if (which != TOK_FILL_LEFT) {
        m->has_fill_right = true;
        m->fill_right = v;
    }
}

/* bool, on/ignoring, group_left/group_right, fill: what stands between operator and right side. */
static void parse_matching(struct parse *p, struct node *n)
{
    struct matching *m = &n->binary.m;
    n->binary.to_bool = parse_accept(p, TOK_BOOL, NULL);
    enum token_kind k = parse_peek(p);
    if (k == TOK_ON || k == TOK_IGNORING) {
        (void)parse_take(p);
        m->on = k == TOK_ON;
        m->labels = parse_names(p);
        k = p->dead ? TOK_EOF : parse_peek(p);
        if (k == TOK_GROUP_LEFT || k == TOK_GROUP_RIGHT) {
            (void)parse_take(p);
            m->card = k == TOK_GROUP_LEFT ? CARD_MANY_TO_ONE : CARD_ONE_TO_MANY;
            if (parse_peek(p) == TOK_LPAREN) m->include = parse_names(p);
        }
    }
    for (int i = 0; i < 2 && !p->dead; i++) {
        k = parse_peek(p);
        bool fill = k == TOK_FILL || k == TOK_FILL_LEFT || k == TOK_FILL_RIGHT;
        if (!fill) break;
        parse_fill(p, m);
        if (k == TOK_FILL) break;
    }
}

static struct node *parse_right_side(struct parse *p, struct node *lhs, enum precedence prec)
{
    struct token op = parse_take(p);
    struct node *n = parse_node(p, NODE_BINARY, lhs->start, lhs->end);
    n->binary.op = op.kind;
    n->binary.lhs = lhs;
    parse_matching(p, n);
    if (p->dead) return lhs;
    if (++p->depth > NEST_MAX) parse_too_deep(p); /* a ^ b ^ c ^ ... */
    if (!p->dead) n->binary.rhs = parse_binary(p, prec == PREC_POW ? prec : prec + 1);
    p->depth--;
    if (p->dead) return lhs;
    const struct node *rhs = n->binary.rhs;
    n->end = rhs->end;
    bool scalars = lhs->type == VALUE_SCALAR && rhs->type == VALUE_SCALAR;
    n->type = scalars ? VALUE_SCALAR : VALUE_VECTOR;
    deepen(n, lhs);
    deepen(n, rhs);
    const struct matching *m = &n->binary.m;
    if ((m->has_fill_left || m->has_fill_right) && !parse_has(p, PROMQL_BINOP_FILL)) {
        parse_note(p, n->start, n->end, "binop fill modifiers are experimental and not enabled");
    }
    return n;
}

static struct node *parse_binary(struct parse *p, enum precedence least)
{
    struct node *lhs = parse_unary(p);
    while (!p->dead) {
        enum precedence prec = precedence_of(parse_peek(p));
        if (prec == PREC_NONE || prec < least) break;
        lhs = parse_right_side(p, lhs, prec);
    }
    return lhs;
}

void parse_too_deep(struct parse *p)
{
    if (p->dead) return;
    p->dead = true;
    parse_note_token(p, &p->tok, "expression is nested more than %d levels deep", NEST_MAX);
}

struct node *parse_expr(struct parse *p)
{
    (void)parse_peek(p);
    if (++p->depth > NEST_MAX) parse_too_deep(p);
    struct node *n = p->dead ? parse_node(p, NODE_NUMBER, p->tok.start, p->tok.start)
                             : parse_binary(p, PREC_OR);
    p->depth--;
    return n;
}

/* ---- entry ---- */

static void start(struct parse *p, struct arena *a, struct str text, uint32_t features)
{
    *p = (struct parse){ .a = a, .text = text, .features = features };
    lexer_init(&p->lex, a, text);
}

static void place_of(struct str text, size_t at, unsigned *line, unsigned *col)
{
    size_t begin = 0;
    *line = 1;
    for (size_t i = 0; i < at && i < text.n; i++) {
        if (text.p[i] != '\n') continue;
        (*line)++;
        begin = i + 1;
    }
    *col = (unsigned)(at - begin) + 1;
}

struct str parse_place(struct arena *a, struct str text, size_t at)
{
    unsigned line, col;
    place_of(text, at, &line, &col);
    return arena_fmt(a, "%u:%u", line, col);
}

static enum err finish(struct parse *p, struct node *n, struct node **out, struct diag *d)
{
    ASSERT(n || p->notes.n);
    if (!p->notes.n && n->depth > DEPTH_MAX) {
        parse_note(p, n->start, n->end, "expression is nested more than %d levels deep", DEPTH_MAX);
    }
    if (!p->notes.n) {
        *out = n;
        return OK;
    }
    const struct parse_note *first = &p->notes.v[0];
    struct str place = STR("unknown position");
    if (p->text.n) place = parse_place(p->a, p->text, first->start);
    if (d && p->text.n) place_of(p->text, first->start, &d->line, &d->col);
    return diag_set(d, ERR_SYNTAX, STR_FMT ": parse error: " STR_FMT, STR_ARG(place),
                    STR_ARG(first->text));
}

enum err parse_expression(struct parse *p, struct arena *a, struct str text, uint32_t features,
                          struct node **out, struct diag *d)
{
    start(p, a, text, features);
    struct node *n = NULL;
    if (parse_peek(p) == TOK_EOF) {
        parse_note(p, 0, 0, "no expression found in input");
    } else {
        n = parse_expr(p);
        if (!p->dead && parse_peek(p) != TOK_EOF) parse_unexpected(p, NULL, NULL);
        if (!p->notes.n) parse_check(p, n);
    }
    return finish(p, n, out, d);
}

enum err parse_selector(struct parse *p, struct arena *a, struct str text, struct node **out,
                        struct diag *d)
{
    start(p, a, text, 0);
    struct node *n = NULL;
    enum token_kind k = parse_peek(p);
    if (k == TOK_LBRACE || parse_is_metric_word(k)) {
        n = parse_vector_selector(p, NULL);
        if (!p->dead && parse_peek(p) != TOK_EOF) parse_unexpected(p, NULL, NULL);
    } else {
        parse_unexpected(p, NULL, NULL);
    }
    return finish(p, n, out, d);
}

void parse_done(struct parse *p)
{
    VEC_FOR(m, &p->matchers) {
        matcher_done(*m);
    }
    p->matchers.n = 0;
}
