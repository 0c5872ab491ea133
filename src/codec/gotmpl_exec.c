/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gotmpl_exec.c - walking a template's statements
 *
 * Expressions are gotmpl_eval.c's. Variables live on one stack; a template's call begins a new one above it by hiding
 * what is below. break and continue travel as a signal next to the error.
 */
#include "codec/gotmpl_priv.h"

#include <stdarg.h>
#include <stdio.h>

#define DEPTH_MAX   200 /* templates within templates; Go's own limit suits its growing stacks */
#define STEPS_MAX   1000000
#define OUTPUT_MAX  ((size_t)1 << 20)
#define FAILURE_MAX ((size_t)1 << 16)

enum flow { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE };

static enum err walk_list(struct tmpl_run *r, struct tmpl_value dot, const struct node *n,
                          enum flow *flow);

/* ---- failing ---- */
static void place(struct buf *b, const struct node *n)
{
    struct str before = str_first(n->src->text, n->pos);
    unsigned line = 1;
    size_t col = n->pos;
    for (size_t i = 0; i < before.n; i++) {
        if (before.p[i] != '\n') continue;
        line++;
        col = n->pos - i - 1;
    }
    buf_put(b, n->src->name);
    buf_fmt(b, ":%u:%zu: ", line, col);
}

static void fail_text(struct tmpl_run *r, struct str text)
{
    BUF(b, FAILURE_MAX);
    buf_putc(&b, "template: ");
    if (r->at) {
        place(&b, r->at);
        buf_putc(&b, "executing ");
        go_quote(&b, r->name);
        buf_putc(&b, " at <");
        tmpl_node_write(&b, r->at);
        buf_putc(&b, ">: ");
    } else {
        buf_put(&b, r->name);
        buf_putc(&b, ": ");
    }
    buf_put(&b, text);
    r->x->error = arena_dup(r->a, buf_str(&b));
    r->failed = true;
}

static PRINTF(2, 0) struct str formatted(struct arena *a, const char *fmt, va_list ap)
{
    char text[4096];
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    size_t size = n < 0 ? 0 : (size_t)n;
    return arena_dup(a, str_make(text, size < sizeof(text) ? size : sizeof(text) - 1));
}

enum err tmpl_run_fail(struct tmpl_run *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fail_text(r, formatted(r->a, fmt, ap));
    va_end(ap);
    return ERR_SYNTAX;
}

enum err tmpl_fail(struct tmpl_run *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    r->failure = formatted(r->a, fmt, ap);
    va_end(ap);
    return ERR_SYNTAX;
}

struct arena *tmpl_arena(struct tmpl_run *r) { return r->a; }
void *tmpl_ctx(struct tmpl_run *r) { return r->x->ctx; }

static enum err step(struct tmpl_run *r)
{
    unsigned max = r->x->steps_max ? r->x->steps_max : STEPS_MAX;
    size_t room = r->x->output_max ? r->x->output_max : OUTPUT_MAX;
    if (++r->steps > max) {
        fail_text(r, STR("template takes too many steps"));
        return ERR_LIMIT;
    }
    if (r->out->n > room || r->out->over || arena_over(r->a)) {
        fail_text(r, STR("template output too large"));
        return ERR_LIMIT;
    }
    return OK;
}

/* ---- statements ---- */
static void push(struct tmpl_run *r, struct str name, struct tmpl_value v)
{
    *vec_push(r->a, &r->vars) = (struct tmpl_var){ name, v };
}

static void write_text(struct tmpl_run *r, struct str text)
{
    if (r->html) {
        tmpl_html_text(r->html, r->out, text);
    } else {
        buf_put(r->out, text);
    }
}

static enum err walk_action(struct tmpl_run *r, struct tmpl_value dot, const struct node *n)
{
    struct tmpl_value v;
    TRY(tmpl_eval_pipe(r, dot, n->pipe, &v));
    if (n->pipe->names_n) return OK;
    r->at = n;
    if (v.kind == TV_FUNC) {
        BUF(b, FAILURE_MAX);
        tmpl_node_write(&b, n);
        return tmpl_run_fail(r, "can't print " STR_FMT " of type func()", STR_ARG(buf_str(&b)));
    }
    if (r->html) {
        tmpl_html_value(r->html, r->out, &v);
    } else {
        tmpl_print(r->out, &v);
    }
    return OK;
}

static enum err walk_branch(struct tmpl_run *r, struct tmpl_value dot, const struct node *n,
                            enum flow *flow)
{
    struct tmpl_value v;
    size_t mark = r->vars.n;
    TRY(tmpl_eval_pipe(r, dot, n->pipe, &v));
    if (!tmpl_truth(&v)) {
        TRY(walk_list(r, dot, n->otherwise, flow));
    } else {
        TRY(walk_list(r, n->kind == NODE_WITH ? v : dot, n->first, flow));
    }
    r->vars.n = mark;
    return OK;
}

static void assign(struct tmpl_run *r, struct str name, struct tmpl_value v)
{
    for (size_t i = r->vars.n; i-- > 0;) {
        if (!str_eq(r->vars.v[i].name, name)) continue;
        r->vars.v[i].value = v;
        return;
    }
}

/* One turn of a range: names_n 1 gets the element, 2 the key first. */
static enum err turn(struct tmpl_run *r, const struct node *n, struct tmpl_value key,
                     struct tmpl_value element, bool *stop)
{
    const struct node *pipe = n->pipe;
    size_t mark = r->vars.n;
    for (size_t i = 0; i < pipe->names_n; i++) {
        struct tmpl_value v = i + 1 == pipe->names_n ? element : key;
        if (pipe->assign) {
            assign(r, pipe->names[i], v);
        } else {
            push(r, pipe->names[i], v);
        }
    }
    enum flow flow = FLOW_ON;
    TRY(step(r));
    TRY(walk_list(r, element, n->first, &flow));
    r->vars.n = mark;
    *stop = flow == FLOW_BREAK;
    return OK;
}

static size_t length(const struct tmpl_value *v)
{
    if (v->kind == TV_LIST) return v->list.n;
    if (v->kind == TV_MAP) return v->map.n;
    return v->i > 0 ? (size_t)v->i : 0;
}

static enum err walk_range(struct tmpl_run *r, struct tmpl_value dot, const struct node *n,
                           enum flow *flow)
{
    struct tmpl_value v;
    size_t mark = r->vars.n;
    r->at = n;
    TRY(tmpl_eval_pipe(r, dot, n->pipe, &v));
    r->vars.n = mark;
    if (v.kind != TV_LIST && v.kind != TV_MAP && v.kind != TV_INT && v.kind != TV_NIL) {
        BUF(b, FAILURE_MAX);
        tmpl_print(&b, &v);
        return tmpl_run_fail(r, "range can't iterate over " STR_FMT, STR_ARG(buf_str(&b)));
    }
    size_t count = v.kind == TV_NIL ? 0 : length(&v);
    if (!count) return walk_list(r, dot, n->otherwise, flow);
    bool stop = false;
    for (size_t i = 0; i < count && !stop; i++) {
        struct tmpl_value at = tmpl_int((int64_t)i);
        if (v.kind == TV_MAP) {
            TRY(turn(r, n, tmpl_str(v.map.v[i].key), *v.map.v[i].value, &stop));
        } else {
            TRY(turn(r, n, at, v.kind == TV_LIST ? v.list.v[i] : at, &stop));
        }
    }
    return OK;
}

static enum err call_def(struct tmpl_run *r, const struct tmpl_def *def, struct tmpl_value dot)
{
    __typeof__(r->vars) outer = r->vars;
    struct str name = r->name;
    memset(&r->vars, 0, sizeof(r->vars));
    push(r, STR("$"), dot);
    r->name = def->name;
    enum flow flow = FLOW_ON;
    TRY(walk_list(r, dot, def->body, &flow));
    r->vars = outer;
    r->name = name;
    return OK;
}

static enum err walk_template(struct tmpl_run *r, struct tmpl_value dot, const struct node *n)
{
    r->at = n;
    const struct tmpl_def *def = tmpl_find(r->set, n->text);
    if (!def) {
        BUF(b, FAILURE_MAX);
        go_quote(&b, n->text);
        return tmpl_run_fail(r, "template " STR_FMT " not defined", STR_ARG(buf_str(&b)));
    }
    if (r->depth >= DEPTH_MAX) {
        return tmpl_run_fail(r, "exceeded maximum template depth (%d)", DEPTH_MAX);
    }
    struct tmpl_value arg = tmpl_nil();
    if (n->pipe) TRY(tmpl_eval_pipe(r, dot, n->pipe, &arg));
    r->depth++;
    TRY(call_def(r, def, arg));
    r->depth--;
    return OK;
}

static enum err walk(struct tmpl_run *r, struct tmpl_value dot, const struct node *n,
                     enum flow *flow)
{
    TRY(step(r));
    r->at = n;
    switch (n->kind) {
    case NODE_TEXT: write_text(r, n->text); return OK;
    case NODE_ACTION: return walk_action(r, dot, n);
    case NODE_IF:
    case NODE_WITH: return walk_branch(r, dot, n, flow);
    case NODE_RANGE: return walk_range(r, dot, n, flow);
    case NODE_TEMPLATE: return walk_template(r, dot, n);
    case NODE_BREAK: *flow = FLOW_BREAK; return OK;
    case NODE_CONTINUE: *flow = FLOW_CONTINUE; return OK;
    default: return tmpl_run_fail(r, "unknown node");
    }
}

static enum err walk_list(struct tmpl_run *r, struct tmpl_value dot, const struct node *n,
                          enum flow *flow)
{
    for (; n && *flow == FLOW_ON; n = n->next) TRY(walk(r, dot, n, flow));
    return OK;
}

/* ---- from outside ---- */
static enum err run_def(struct tmpl_run *r, struct str name, struct tmpl_value dot)
{
    const struct tmpl_def *def = tmpl_find(r->set, name);
    r->name = name;
    if (def) return call_def(r, def, dot);
    BUF(b, FAILURE_MAX);
    buf_putc(&b, "template: no template ");
    go_quote(&b, name);
    buf_putc(&b, " associated with template");
    r->x->error = arena_dup(r->a, buf_str(&b));
    r->failed = true;
    return ERR_MISSING;
}

enum err tmpl_execute(const struct tmpl_set *set, struct str name, struct tmpl_value dot,
                      struct tmpl_exec *x, struct buf *out, struct diag *d)
{
    struct tmpl_run r = { .set = set, .x = x, .a = x->arena, .out = out };
    if (x->mode == TMPL_HTML) r.html = tmpl_html_new(r.a);
    enum err e = run_def(&r, name, dot);
    if (e == OK) e = step(&r);
    if (e != OK) return diag_set(d, e, STR_FMT, STR_ARG(x->error));
    return OK;
}

/* A run inside a run: output of its own, the same limits; its failure is the calling function's. */
static enum err run_inside(struct tmpl_run *r, const struct tmpl_set *set, struct str name,
                           struct tmpl_value dot, struct str *out)
{
    if (r->depth >= DEPTH_MAX) {
        return tmpl_fail(r, "exceeded maximum template depth (%d)", DEPTH_MAX);
    }
    struct tmpl_exec x = *r->x;
    BUF(b, (x.output_max ? x.output_max : OUTPUT_MAX) + 1);
    struct tmpl_run inner = {
        .set = set, .x = &x, .a = r->a, .out = &b, .depth = r->depth + 1, .steps = r->steps
    };
    if (r->html) inner.html = tmpl_html_new(r->a);
    enum err e = run_def(&inner, name, dot);
    r->steps = inner.steps;
    if (e != OK) {
        r->failure = x.error;
        return e;
    }
    *out = arena_dup(r->a, buf_str(&b));
    return OK;
}

enum err tmpl_run_named(struct tmpl_run *r, struct str name, struct tmpl_value dot, struct str *out)
{
    return run_inside(r, r->set, name, dot, out);
}

enum err tmpl_run_text(struct tmpl_run *r, struct str text, struct tmpl_value dot, struct str *out)
{
    struct tmpl_set *child = tmpl_set_child(r->a, r->set);
    struct diag d = { 0 };
    if (tmpl_parse(child, STR(""), text, &d) != OK) return tmpl_fail(r, "%s", d.text);
    return run_inside(r, child, STR(""), dot, out);
}
