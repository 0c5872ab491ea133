/* SPDX-License-Identifier: Apache-2.0 */
#include "commands/doctor/dead.h"

#include "codec/goquote.h"
#include "promql/functions.h"

#include <ctype.h>

#define VARIABLE_MARK "vigieanyvalue"

static bool never_empty(const struct node *call)
{
    const struct function *fn = call->call.fn;
    return !fn || fn->id == FN_ABSENT || fn->id == FN_ABSENT_OVER_TIME || fn->id == FN_SCALAR ||
           fn->id == FN_VECTOR;
}

static const struct node *dead_binary(const struct node *n, lives_fn *lives, void *ctx)
{
    const struct node *l = dead_selector(n->binary.lhs, lives, ctx);
    if (n->binary.op == TOK_UNLESS) return l;
    const struct node *r = dead_selector(n->binary.rhs, lives, ctx);
    bool either = n->binary.op == TOK_OR || n->binary.m.has_fill_left || n->binary.m.has_fill_right;
    if (either) return l && r ? l : NULL;
    return l ? l : r;
}

static const struct node *dead_call(const struct node *n, lives_fn *lives, void *ctx)
{
    if (never_empty(n)) return NULL;
    for (size_t i = 0; i < n->call.n; i++) {
        const struct node *dead = dead_selector(n->call.args[i], lives, ctx);
        if (dead) return dead;
    }
    return NULL;
}

/* NOLINTNEXTLINE(misc-no-recursion): the parser limits the depth */
const struct node *dead_selector(const struct node *n, lives_fn *lives, void *ctx)
{
    switch (n->kind) {
    case NODE_NUMBER:
    case NODE_STRING:
    case NODE_DURATION: return NULL;
    case NODE_PAREN: return dead_selector(n->inner, lives, ctx);
    case NODE_UNARY: return dead_selector(n->unary.inner, lives, ctx);
    case NODE_SUBQUERY: return dead_selector(n->subquery.inner, lives, ctx);
    case NODE_AGGREGATE: return dead_selector(n->aggregate.inner, lives, ctx);
    case NODE_MATRIX: return dead_selector(n->matrix.selector, lives, ctx);
    case NODE_SELECTOR: return lives(ctx, n) ? NULL : n;
    case NODE_CALL: return dead_call(n, lives, ctx);
    case NODE_BINARY: return dead_binary(n, lives, ctx);
    }
    return NULL;
}

struct str selector_name(const struct node *s)
{
    for (size_t i = 0; i < s->selector.n; i++) {
        const struct matcher *m = &s->selector.matchers[i];
        if (m->op == MATCH_EQ && str_eq(m->name, METRIC_NAME)) return m->value;
    }
    return STR("");
}

bool matcher_is_variable(const struct matcher *m)
{
    return str_find(m->value, STR(VARIABLE_MARK)) != STR_NONE;
}

void selector_write(struct buf *b, const struct node *s, uint64_t without)
{
    bool comma = false;
    buf_char(b, '{');
    for (size_t i = 0; i < s->selector.n; i++) {
        const struct matcher *m = &s->selector.matchers[i];
        if (matcher_is_variable(m) || (i < 64 && (without >> i & 1))) continue;
        buf_fmt(b, "%s" STR_FMT "%s", comma ? "," : "", STR_ARG(m->name), match_op_text(m->op));
        go_quote(b, m->value);
        comma = true;
    }
    buf_char(b, '}');
}

/* --- dashboards' variables --- */

static bool word_char(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* Length of a variable at the front: $x, ${x}, ${x:regex}, [[x]]; 0: there is none. */
static size_t variable_at(struct str s, struct str *name)
{
    size_t n = 0;
    if (str_starts(s, STR("${")) || str_starts(s, STR("[["))) {
        struct str end = s.p[0] == '$' ? STR("}") : STR("]]");
        n = str_find(s, end);
        if (n == STR_NONE) return 0;
        *name = str_first(str_from(s, 2), n - 2);
        size_t colon = str_find_char(*name, ':');
        if (colon != STR_NONE) *name = str_first(*name, colon);
        return n + end.n;
    }
    /* $1 is label_replace's. */
    if (s.n < 2 || s.p[0] != '$' || isdigit((unsigned char)s.p[1])) return 0;
    for (n = 1; n < s.n && word_char(s.p[n]); n++) {
    }
    *name = str_make(s.p + 1, n - 1);
    return n > 1 ? n : 0;
}

/* Where a variable stands tells what it must be: a range, a text, else a number. */
static void put_value(struct buf *b, struct str before, struct str name, bool quoted)
{
    bool range = before.n && (before.p[before.n - 1] == '[' || before.p[before.n - 1] == ':');
    bool length = str_ends(name, STR("interval")) || str_ends(name, STR("range")) ||
                  str_ends(name, STR("_ms")) || str_ends(name, STR("_s"));
    if (quoted) {
        buf_putc(b, VARIABLE_MARK);
    } else if (str_ends(name, STR("_ms")) || str_ends(name, STR("_s"))) {
        buf_putc(b, "300");
    } else if (range || length) {
        buf_putc(b, "5m");
    } else {
        buf_putc(b, "1");
    }
}

struct str query_of_template(struct arena *a, struct str text)
{
    BUF(b, 0);
    char quote = '\0';
    struct str name;
    for (size_t i = 0; i < text.n;) {
        char c = text.p[i];
        size_t n = variable_at(str_from(text, i), &name);
        if (n) {
            put_value(&b, str_trim(buf_str(&b)), name, quote != '\0');
            i += n;
            continue;
        }
        if (quote && c == '\\' && i + 1 < text.n) {
            buf_char(&b, text.p[i++]);
            c = text.p[i];
        } else if (c == quote) {
            quote = '\0';
        } else if (!quote && (c == '"' || c == '\'' || c == '`')) {
            quote = c;
        }
        buf_char(&b, c);
        i++;
    }
    return arena_dup(a, buf_str(&b));
}
