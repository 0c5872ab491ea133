/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gotmpl_parse.c - tokens into nodes; sets of named templates
 *
 * Recursive descent with a depth limit. Texts of errors are Go's.
 */
#include "base/utf8.h"
#include "codec/gotmpl_priv.h"
#include "codec/num.h"

#define DEPTH_MAX 200

struct parser {
    struct arena *a;
    struct tmpl_set *set;
    const struct tmpl_source *src;
    struct tokens toks;
    size_t at;
    struct {
        struct str *v;
        size_t n, cap;
    } vars;
    unsigned range_depth, depth, action_line;
    struct tmpl_def *defs;
    struct diag *d;
};

/* What ended a list. */
enum stop { STOP_EOF, STOP_END, STOP_ELSE };

struct list_tail {
    struct node *first, **last;
};

static enum err fail_at(struct parser *p, unsigned line, struct str text)
{
    if (p->d) p->d->line = line;
    return diag_set(p->d, ERR_SYNTAX, "template: " STR_FMT ":%u: " STR_FMT, STR_ARG(p->src->name),
                    line, STR_ARG(text));
}

static unsigned line_now(const struct parser *p) { return p->toks.v[p->at ? p->at - 1 : 0].line; }

#define FAIL(p, ...) fail_at((p), line_now(p), arena_fmt((p)->a, __VA_ARGS__))

static struct token *peek(struct parser *p) { return &p->toks.v[p->at]; }
static struct token *next(struct parser *p)
{
    struct token *t = &p->toks.v[p->at];
    if (p->at + 1 < p->toks.n) p->at++;
    return t;
}
static void back_to(struct parser *p, const struct token *t) { p->at = (size_t)(t - p->toks.v); }
static void skip_space(struct parser *p)
{
    while (peek(p)->kind == TOK_SPACE) (void)next(p);
}
static struct token *peek_dark(struct parser *p)
{
    skip_space(p);
    return peek(p);
}
static struct token *next_dark(struct parser *p)
{
    skip_space(p);
    return next(p);
}

/* A token as error texts show it. */
static struct str shown(struct parser *p, const struct token *t)
{
    if (t->kind == TOK_EOF) return STR("EOF");
    if (t->kind == TOK_ERROR) return t->text;
    if (t->kind >= TOK_DOT && t->kind != TOK_DOT) {
        return arena_fmt(p->a, "<" STR_FMT ">", STR_ARG(t->text));
    }
    BUF(b, 0);
    go_quote(&b, str_first(t->text, 10));
    if (t->text.n > 10) buf_putc(&b, "...");
    return arena_dup(p->a, buf_str(&b));
}

static enum err unexpected(struct parser *p, const struct token *t, const char *context)
{
    if (t->kind == TOK_ERROR) {
        struct str extra = STR("");
        if (p->action_line && p->action_line != t->line) {
            bool action = str_ends(t->text, STR(" action"));
            extra = arena_fmt(p->a, "%s started at " STR_FMT ":%u", action ? "" : " in action",
                              STR_ARG(p->src->name), p->action_line);
        }
        return fail_at(p, t->line,
                       arena_fmt(p->a, STR_FMT STR_FMT, STR_ARG(t->text), STR_ARG(extra)));
    }
    struct str what = shown(p, t);
    return fail_at(p, t->line,
                   arena_fmt(p->a, "unexpected " STR_FMT " in %s", STR_ARG(what), context));
}

static struct node *node_new(struct parser *p, enum node_kind kind, uint32_t pos)
{
    struct node *n = arena_new(p->a, struct node);
    n->kind = kind;
    n->pos = pos;
    n->src = p->src;
    return n;
}

static void append(struct list_tail *l, struct node *n)
{
    *l->last = n;
    l->last = &n->next;
}

/* ---- expressions ---- */
static enum err parse_pipe(struct parser *p, const char *context, enum token_kind end,
                           struct node **out);

static enum err variable_known(struct parser *p, struct str name)
{
    for (size_t i = 0; i < p->vars.n; i++) {
        if (str_eq(p->vars.v[i], name)) return OK;
    }
    BUF(b, 0);
    go_quote(&b, name);
    return FAIL(p, "undefined variable " STR_FMT, STR_ARG(buf_str(&b)));
}

/* Integer text with Go's prefixes and underscores. */
static bool integer(struct str s, bool *negative, uint64_t *out)
{
    *negative = s.n && s.p[0] == '-';
    if (s.n && (s.p[0] == '-' || s.p[0] == '+')) s = str_from(s, 1);
    unsigned base = 10;
    if (s.n > 1 && s.p[0] == '0') {
        char c = (char)(s.p[1] | 32);
        base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
        s = str_from(s, base != 8 || c == 'o' ? 2 : 1);
    }
    uint64_t v = 0;
    bool any = false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '_') continue;
        unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0')
                                              : (unsigned)((c | 32) - 'a' + 10);
        if (digit >= base) return false;
        if (__builtin_mul_overflow(v, (uint64_t)base, &v) ||
            __builtin_add_overflow(v, (uint64_t)digit, &v)) {
            return false;
        }
        any = true;
    }
    *out = v;
    return any;
}

static bool has_any(struct str s, const char *set)
{
    for (size_t i = 0; i < s.n; i++) {
        if (strchr(set, s.p[i])) return true;
    }
    return false;
}

static struct str without_underscores(struct arena *a, struct str s)
{
    BUF(b, 0);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '_') buf_char(&b, s.p[i]);
    }
    return arena_dup(a, buf_str(&b));
}

static enum err number_fail(struct parser *p, const char *what, struct str text)
{
    BUF(b, 0);
    go_quote(&b, text);
    return FAIL(p, "%s: " STR_FMT, what, STR_ARG(buf_str(&b)));
}

static enum err parse_number(struct parser *p, const struct token *t, struct node **out)
{
    struct node *n = node_new(p, NODE_NUMBER, t->pos);
    n->text = t->text;
    uint64_t u = 0;
    bool negative = false;
    bool hex = has_any(t->text, "xX");
    if (integer(t->text, &negative, &u)) {
        if (u > (uint64_t)INT64_MAX + negative) return number_fail(p, "integer overflow", t->text);
        n->i = negative ? (int64_t)(0 - u) : (int64_t)u;
        n->f = (double)n->i;
        n->is_int = n->is_float = true;
        n->value = tmpl_int(n->i);
    } else if (num_parse_f64(without_underscores(p->a, t->text), &n->f) == OK) {
        if (!has_any(t->text, hex ? ".pP" : ".eE")) {
            return number_fail(p, "integer overflow", t->text);
        }
        n->is_float = true;
        n->is_int = n->f >= -9e18 && n->f <= 9e18 && (double)(int64_t)n->f == n->f;
        if (n->is_int) n->i = (int64_t)n->f;
        n->value = tmpl_float(n->f);
    } else {
        return number_fail(p, "illegal number syntax", t->text);
    }
    *out = n;
    return OK;
}

static enum err parse_char(struct parser *p, const struct token *t, struct node **out)
{
    struct str s;
    if (!go_unquote(p->a, t->text, &s)) {
        return FAIL(p, "malformed character constant: " STR_FMT, STR_ARG(t->text));
    }
    struct node *n = node_new(p, NODE_NUMBER, t->pos);
    n->text = t->text;
    n->is_int = n->is_float = true;
    n->i = (int64_t)utf8_next(&s);
    n->f = (double)n->i;
    n->value = tmpl_int(n->i);
    *out = n;
    return OK;
}

static void add_name(struct parser *p, struct node *n, struct str name)
{
    struct str *v = arena_array(p->a, n->names_n + 1, sizeof(*v));
    if (n->names_n) memcpy(v, n->names, n->names_n * sizeof(*v));
    v[n->names_n++] = name;
    n->names = v;
}

static enum err parse_ident(struct parser *p, const struct token *t, struct node **out)
{
    struct node *n = node_new(p, NODE_IDENT, t->pos);
    n->text = t->text;
    n->func = tmpl_find_func(p->set, t->text);
    if (!n->func) {
        BUF(b, 0);
        go_quote(&b, t->text);
        return FAIL(p, "function " STR_FMT " not defined", STR_ARG(buf_str(&b)));
    }
    *out = n;
    return OK;
}

/* *out stays NULL when no term begins here; the token is left then. */
static enum err parse_term(struct parser *p, struct node **out)
{
    struct token *t = peek_dark(p);
    struct node *n = NULL;
    *out = NULL;
    (void)next(p);
    switch (t->kind) {
    case TOK_IDENT: return parse_ident(p, t, out);
    case TOK_DOT: n = node_new(p, NODE_DOT, t->pos); break;
    case TOK_NIL: n = node_new(p, NODE_NIL, t->pos); break;
    case TOK_VARIABLE:
        TRY(variable_known(p, t->text));
        n = node_new(p, NODE_VARIABLE, t->pos);
        add_name(p, n, t->text);
        break;
    case TOK_FIELD:
        n = node_new(p, NODE_FIELD, t->pos);
        add_name(p, n, str_from(t->text, 1));
        break;
    case TOK_BOOL:
        n = node_new(p, NODE_BOOL, t->pos);
        n->text = t->text;
        n->value = tmpl_bool(str_eqc(t->text, "true"));
        break;
    case TOK_CHAR_CONST: return parse_char(p, t, out);
    case TOK_NUMBER: return parse_number(p, t, out);
    case TOK_LPAREN: return parse_pipe(p, "parenthesized pipeline", TOK_RPAREN, out);
    case TOK_STRING:
    case TOK_RAW:
        n = node_new(p, NODE_STRING, t->pos);
        n->text = t->text;
        n->value = tmpl_str(STR(""));
        if (!go_unquote(p->a, t->text, &n->value.s)) return FAIL(p, "invalid syntax");
        break;
    default: back_to(p, t); return OK;
    }
    *out = n;
    return OK;
}

static enum err parse_operand(struct parser *p, struct node **out)
{
    struct node *n;
    TRY(parse_term(p, &n));
    *out = n;
    if (!n || peek(p)->kind != TOK_FIELD) return OK;
    uint32_t chain_pos = peek(p)->pos;
    bool plain = n->kind == NODE_FIELD || n->kind == NODE_VARIABLE;
    struct node *chain = n;
    if (plain) {
        n->pos = chain_pos; /* Go's column: the first dot behind the term */
    } else {
        chain = node_new(p, NODE_CHAIN, chain_pos);
        chain->pipe = n;
    }
    while (peek(p)->kind == TOK_FIELD) add_name(p, chain, str_from(next(p)->text, 1));
    bool constant = n->kind == NODE_BOOL || n->kind == NODE_STRING || n->kind == NODE_NUMBER ||
                    n->kind == NODE_NIL || n->kind == NODE_DOT;
    if (constant) {
        BUF(b, 0);
        tmpl_node_write(&b, n);
        return FAIL(p, "unexpected . after term \"" STR_FMT "\"", STR_ARG(buf_str(&b)));
    }
    *out = chain;
    return OK;
}

static enum err parse_command(struct parser *p, struct node **out)
{
    struct node *cmd = node_new(p, NODE_COMMAND, peek_dark(p)->pos);
    struct list_tail args = { NULL, &cmd->first };
    for (;;) {
        struct node *arg;
        (void)peek_dark(p);
        TRY(parse_operand(p, &arg));
        if (arg) append(&args, arg);
        struct token *t = next(p);
        if (t->kind == TOK_SPACE) continue;
        if (t->kind == TOK_RIGHT || t->kind == TOK_RPAREN) {
            back_to(p, t);
        } else if (t->kind != TOK_PIPE) {
            return unexpected(p, t, "operand");
        }
        break;
    }
    if (!cmd->first) return FAIL(p, "empty command");
    *out = cmd;
    return OK;
}

/* `$x :=`, `$x =`, `$k, $v :=` (range only). */
static enum err parse_decls(struct parser *p, const char *context, struct node *pipe)
{
    for (;;) {
        size_t mark = p->at;
        struct token *t = peek_dark(p);
        if (t->kind != TOK_VARIABLE) return OK;
        (void)next(p);
        struct token *after = peek_dark(p);
        if (after->kind == TOK_ASSIGN || after->kind == TOK_DECLARE) {
            pipe->assign = after->kind == TOK_ASSIGN;
            (void)next_dark(p);
            add_name(p, pipe, t->text);
            if (pipe->assign) return variable_known(p, t->text);
            *vec_push(p->a, &p->vars) = t->text;
            return OK;
        }
        bool comma = after->kind == TOK_CHAR && str_eqc(after->text, ",");
        if (!comma) {
            p->at = mark;
            return OK;
        }
        (void)next(p);
        add_name(p, pipe, t->text);
        *vec_push(p->a, &p->vars) = t->text;
        if (!str_eqc(str_c(context), "range") || pipe->names_n > 1) {
            return FAIL(p, "too many declarations in %s", context);
        }
        enum token_kind kind = peek_dark(p)->kind;
        if (kind != TOK_VARIABLE) return FAIL(p, "range can only initialize variables");
    }
}

static enum err check_pipe(struct parser *p, const struct node *pipe, const char *context)
{
    if (!pipe->first) return FAIL(p, "missing value for %s", context);
    int stage = 2;
    for (const struct node *c = pipe->first->next; c; c = c->next, stage++) {
        switch (c->first->kind) {
        case NODE_BOOL:
        case NODE_DOT:
        case NODE_NIL:
        case NODE_NUMBER:
        case NODE_STRING: return FAIL(p, "non executable command in pipeline stage %d", stage);
        default: break;
        }
    }
    return OK;
}

static enum err pipe_body(struct parser *p, const char *context, enum token_kind end,
                          struct node *pipe)
{
    TRY(parse_decls(p, context, pipe));
    struct list_tail cmds = { NULL, &pipe->first };
    for (;;) {
        struct token *t = next_dark(p);
        if (t->kind == end) return check_pipe(p, pipe, context);
        bool begins = t->kind == TOK_BOOL || t->kind == TOK_CHAR_CONST || t->kind == TOK_DOT ||
                      t->kind == TOK_FIELD || t->kind == TOK_IDENT || t->kind == TOK_NUMBER ||
                      t->kind == TOK_NIL || t->kind == TOK_RAW || t->kind == TOK_STRING ||
                      t->kind == TOK_VARIABLE || t->kind == TOK_LPAREN;
        if (!begins) return unexpected(p, t, context);
        back_to(p, t);
        struct node *cmd;
        TRY(parse_command(p, &cmd));
        append(&cmds, cmd);
    }
}

static enum err parse_pipe(struct parser *p, const char *context, enum token_kind end,
                           struct node **out)
{
    if (++p->depth > DEPTH_MAX) return FAIL(p, "nested too deeply");
    struct node *pipe = node_new(p, NODE_PIPE, peek_dark(p)->pos);
    TRY(pipe_body(p, context, end, pipe));
    p->depth--;
    *out = pipe;
    return OK;
}

/* ---- statements ---- */
static enum err parse_list(struct parser *p, bool top, struct list_tail *list, enum stop *stop);

static enum err expect(struct parser *p, enum token_kind kind, const char *context)
{
    struct token *t = next_dark(p);
    return t->kind == kind ? OK : unexpected(p, t, context);
}

static enum err template_name(struct parser *p, const char *context, struct str *out)
{
    struct token *t = next_dark(p);
    if (t->kind != TOK_STRING && t->kind != TOK_RAW) return unexpected(p, t, context);
    if (!go_unquote(p->a, t->text, out)) return FAIL(p, "invalid syntax");
    return OK;
}

static enum err parse_control(struct parser *p, enum node_kind kind, const char *context,
                              struct node **out);

/* Behind {{else: another control in its place (else if, else with), or a list up to {{end}}. */
static enum err parse_else(struct parser *p, struct node *n, const char *context)
{
    struct list_tail list = { NULL, &n->otherwise };
    struct token *t = peek_dark(p);
    enum token_kind again = n->kind == NODE_IF ? TOK_IF : n->kind == NODE_WITH ? TOK_WITH : TOK_EOF;
    if (t->kind == again) {
        (void)next(p);
        struct node *inner;
        TRY(parse_control(p, n->kind, context, &inner));
        append(&list, inner);
        return OK;
    }
    TRY(expect(p, TOK_RIGHT, "else"));
    enum stop stop;
    TRY(parse_list(p, false, &list, &stop));
    if (stop == STOP_ELSE) return FAIL(p, "expected end; found {{else}}");
    return OK;
}

static enum err parse_control(struct parser *p, enum node_kind kind, const char *context,
                              struct node **out)
{
    size_t vars = p->vars.n;
    struct node *n = node_new(p, kind, 0);
    TRY(parse_pipe(p, context, TOK_RIGHT, &n->pipe));
    n->pos = n->pipe->pos;
    struct list_tail list = { NULL, &n->first };
    enum stop stop;
    p->range_depth += kind == NODE_RANGE;
    TRY(parse_list(p, false, &list, &stop));
    p->range_depth -= kind == NODE_RANGE;
    if (stop == STOP_ELSE) TRY(parse_else(p, n, context));
    p->vars.n = vars;
    *out = n;
    return OK;
}

static void add_def(struct parser *p, struct str name, struct node *body, bool blank)
{
    struct tmpl_def *def = arena_new(p->a, struct tmpl_def);
    *def = (struct tmpl_def){ name, body, blank, p->defs };
    p->defs = def;
}

static bool blank(const struct node *n)
{
    for (; n; n = n->next) {
        if (n->kind != NODE_TEXT || str_trim(n->text).n) return false;
    }
    return true;
}

/* The body of {{define}} or {{block}}: variables of its own. */
static enum err parse_body(struct parser *p, struct str name, const char *context)
{
    __typeof__(p->vars) outer = p->vars;
    unsigned range_depth = p->range_depth;
    p->range_depth = 0;
    memset(&p->vars, 0, sizeof(p->vars));
    *vec_push(p->a, &p->vars) = STR("$");
    struct node *body = NULL;
    struct list_tail list = { NULL, &body };
    enum stop stop;
    TRY(parse_list(p, false, &list, &stop));
    if (stop != STOP_END) return FAIL(p, "unexpected {{else}} in %s", context);
    for (const struct tmpl_def *def = p->defs; def; def = def->next) {
        if (!str_eq(def->name, name) || def->blank || blank(body)) continue;
        BUF(b, 0);
        go_quote(&b, name);
        return FAIL(p, "multiple definition of template " STR_FMT, STR_ARG(buf_str(&b)));
    }
    add_def(p, name, body, blank(body));
    p->vars = outer;
    p->range_depth = range_depth;
    return OK;
}

static enum err parse_define(struct parser *p)
{
    struct str name;
    TRY(template_name(p, "define clause", &name));
    TRY(expect(p, TOK_RIGHT, "define clause"));
    return parse_body(p, name, "define clause");
}

static enum err parse_template(struct parser *p, bool is_block, struct node **out)
{
    const char *context = is_block ? "block clause" : "template clause";
    struct node *n = node_new(p, NODE_TEMPLATE, peek_dark(p)->pos);
    TRY(template_name(p, context, &n->text));
    struct token *t = next_dark(p);
    if (t->kind != TOK_RIGHT) {
        back_to(p, t);
        TRY(parse_pipe(p, context, TOK_RIGHT, &n->pipe));
    }
    if (is_block) TRY(parse_body(p, n->text, "block clause"));
    *out = n;
    return OK;
}

static enum err parse_loop_word(struct parser *p, enum node_kind kind, uint32_t pos,
                                struct node **out)
{
    const char *word = kind == NODE_BREAK ? "break" : "continue";
    struct token *t = next_dark(p);
    if (t->kind != TOK_RIGHT) {
        return unexpected(p, t, kind == NODE_BREAK ? "{{break}}" : "{{continue}}");
    }
    if (!p->range_depth) return FAIL(p, "{{%s}} outside {{range}}", word);
    *out = node_new(p, kind, pos);
    return OK;
}

static enum err parse_action(struct parser *p, struct node **out)
{
    struct token *t = next_dark(p);
    switch (t->kind) {
    case TOK_BLOCK: return parse_template(p, true, out);
    case TOK_BREAK: return parse_loop_word(p, NODE_BREAK, t->pos, out);
    case TOK_CONTINUE: return parse_loop_word(p, NODE_CONTINUE, t->pos, out);
    case TOK_IF: return parse_control(p, NODE_IF, "if", out);
    case TOK_RANGE: return parse_control(p, NODE_RANGE, "range", out);
    case TOK_WITH: return parse_control(p, NODE_WITH, "with", out);
    case TOK_TEMPLATE: return parse_template(p, false, out);
    default: break;
    }
    back_to(p, t);
    if (t->kind == TOK_ERROR) return unexpected(p, t, "command");
    struct node *n = node_new(p, NODE_ACTION, peek_dark(p)->pos);
    TRY(parse_pipe(p, "command", TOK_RIGHT, &n->pipe));
    *out = n;
    return OK;
}

/* Consumes {{end}} or {{else when the list ends here. */
static enum err list_end(struct parser *p, bool top, bool *ended, enum stop *stop)
{
    size_t mark = p->at;
    struct token *t = next_dark(p);
    *ended = t->kind == TOK_END || t->kind == TOK_ELSE;
    if (!*ended) {
        p->at = mark;
        return OK;
    }
    if (top) return FAIL(p, "unexpected {{" STR_FMT "}}", STR_ARG(t->text));
    *stop = t->kind == TOK_END ? STOP_END : STOP_ELSE;
    return t->kind == TOK_END ? expect(p, TOK_RIGHT, "end") : OK;
}

static enum err parse_list(struct parser *p, bool top, struct list_tail *list, enum stop *stop)
{
    if (++p->depth > DEPTH_MAX) return FAIL(p, "nested too deeply");
    for (;;) {
        struct token *t = next(p);
        struct node *n = NULL;
        if (t->kind == TOK_EOF) {
            if (!top) return FAIL(p, "unexpected EOF");
            *stop = STOP_EOF;
            break;
        }
        if (t->kind == TOK_TEXT) {
            n = node_new(p, NODE_TEXT, t->pos);
            n->text = t->text;
        } else if (t->kind == TOK_LEFT) {
            p->action_line = t->line;
            bool ended;
            TRY(list_end(p, top, &ended, stop));
            if (ended) break;
            if (top && peek_dark(p)->kind == TOK_DEFINE) {
                (void)next(p);
                TRY(parse_define(p));
            } else {
                TRY(parse_action(p, &n));
            }
            p->action_line = 0;
        } else {
            return unexpected(p, t, "input");
        }
        if (n) append(list, n);
    }
    p->depth--;
    return OK;
}

/* ---- sets ---- */
struct tmpl_set *tmpl_set_new(struct arena *a, const struct tmpl_func *const *tables, size_t n)
{
    struct tmpl_set *set = arena_new(a, struct tmpl_set);
    const struct tmpl_func **copy = arena_array(a, n, sizeof(*copy));
    for (size_t i = 0; i < n; i++) copy[i] = tables[i];
    *set = (struct tmpl_set){ .a = a, .tables = copy, .tables_n = n };
    return set;
}

struct tmpl_set *tmpl_set_child(struct arena *a, const struct tmpl_set *parent)
{
    struct tmpl_set *set = arena_new(a, struct tmpl_set);
    *set = (struct tmpl_set){ .a = a, .parent = parent };
    return set;
}

static struct tmpl_def *own_def(const struct tmpl_set *set, struct str name)
{
    for (struct tmpl_def *d = set->defs; d; d = d->next) {
        if (str_eq(d->name, name)) return d;
    }
    return NULL;
}

const struct tmpl_def *tmpl_find(const struct tmpl_set *set, struct str name)
{
    for (; set; set = set->parent) {
        const struct tmpl_def *d = own_def(set, name);
        if (d) return d;
    }
    return NULL;
}

bool tmpl_has(const struct tmpl_set *set, struct str name) { return tmpl_find(set, name) != NULL; }

static const struct tmpl_func *row(const struct tmpl_func *table, struct str name)
{
    for (; table->name; table++) {
        if (str_eqc(name, table->name)) return table;
    }
    return NULL;
}

const struct tmpl_func *tmpl_find_func(const struct tmpl_set *set, struct str name)
{
    for (; set; set = set->parent) {
        for (size_t i = set->tables_n; i-- > 0;) {
            const struct tmpl_func *f = row(set->tables[i], name);
            if (f) return f;
        }
    }
    return row(tmpl_builtins, name);
}

/* A later text replaces a template, but never by nothing. */
static void keep_def(struct tmpl_set *set, struct tmpl_def *def)
{
    if (def->blank && tmpl_find(set, def->name)) return;
    struct tmpl_def *old = own_def(set, def->name);
    if (old) {
        old->body = def->body;
        old->blank = def->blank;
        return;
    }
    def->next = set->defs;
    set->defs = def;
}

enum err tmpl_parse(struct tmpl_set *set, struct str name, struct str text, struct diag *d)
{
    struct tmpl_source *src = arena_new(set->a, struct tmpl_source);
    src->name = arena_dup(set->a, name);
    src->text = arena_dup(set->a, text);
    struct parser p = { .a = set->a, .set = set, .src = src, .d = d };
    if (text.n > UINT32_MAX) return diag_set(d, ERR_LIMIT, "template too large");
    tmpl_lex(p.a, src->text, &p.toks);
    *vec_push(p.a, &p.vars) = STR("$");
    struct node *body = NULL;
    struct list_tail list = { NULL, &body };
    enum stop stop;
    TRY(parse_list(&p, true, &list, &stop));
    add_def(&p, src->name, body, blank(body));
    for (struct tmpl_def *def = p.defs, *after; def; def = after) {
        after = def->next;
        keep_def(set, def);
    }
    return OK;
}

/* ---- nodes as text ---- */
static void write_all(struct buf *b, const struct node *n, const char *between)
{
    for (const struct node *it = n; it; it = it->next) {
        if (it != n) buf_putc(b, between);
        bool parens = it->kind == NODE_PIPE;
        if (parens) buf_char(b, '(');
        tmpl_node_write(b, it);
        if (parens) buf_char(b, ')');
    }
}

static void write_pipe(struct buf *b, const struct node *n)
{
    for (size_t i = 0; i < n->names_n; i++) {
        if (i) buf_putc(b, ", ");
        buf_put(b, n->names[i]);
    }
    if (n->names_n) buf_putc(b, n->assign ? " = " : " := ");
    write_all(b, n->first, " | ");
}

static void write_control(struct buf *b, const char *word, const struct node *n)
{
    buf_fmt(b, "{{%s ", word);
    tmpl_node_write(b, n->pipe);
    buf_putc(b, "}}");
}

void tmpl_node_write(struct buf *b, const struct node *n)
{
    switch (n->kind) {
    case NODE_TEXT: buf_put(b, n->text); return;
    case NODE_IF: write_control(b, "if", n); return;
    case NODE_RANGE: write_control(b, "range", n); return;
    case NODE_WITH: write_control(b, "with", n); return;
    case NODE_BREAK: buf_putc(b, "{{break}}"); return;
    case NODE_CONTINUE: buf_putc(b, "{{continue}}"); return;
    case NODE_ACTION:
        buf_putc(b, "{{");
        tmpl_node_write(b, n->pipe);
        buf_putc(b, "}}");
        return;
    case NODE_TEMPLATE:
        buf_putc(b, "{{template ");
        go_quote(b, n->text);
        if (n->pipe) {
            buf_char(b, ' ');
            tmpl_node_write(b, n->pipe);
        }
        buf_putc(b, "}}");
        return;
    case NODE_PIPE: write_pipe(b, n); return;
    case NODE_COMMAND: write_all(b, n->first, " "); return;
    case NODE_DOT: buf_char(b, '.'); return;
    case NODE_NIL: buf_putc(b, "nil"); return;
    case NODE_BOOL:
    case NODE_NUMBER:
    case NODE_STRING:
    case NODE_IDENT: buf_put(b, n->text); return;
    case NODE_CHAIN: write_all(b, n->pipe, ""); break;
    case NODE_FIELD:
    case NODE_VARIABLE: break;
    }
    for (size_t i = 0; i < n->names_n; i++) {
        if (i || n->kind != NODE_VARIABLE) buf_char(b, '.');
        buf_put(b, n->names[i]);
    }
}
