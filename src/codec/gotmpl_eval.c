/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gotmpl_eval.c - expressions: pipelines, fields, variables, calls
 *
 * r->at moves as Go's executor moves its own, so that an error names the same piece of the template.
 */
#include "codec/gotmpl_priv.h"

/* The value piped into a command; absent for its first. */
struct final {
    bool set;
    struct tmpl_value v;
};
static const struct final none;

static enum err eval_arg(struct tmpl_run *r, struct tmpl_value dot, char type, const struct node *n,
                         struct tmpl_value *out);

static const struct {
    char letter;
    const char *name;   /* Go's type */
    const char *wanted; /* what a constant of another kind is told */
    enum tmpl_kind kind;
} types[] = {
    { 's', "string", "string", TV_STR },   { 'i', "int", "integer", TV_INT },
    { 'f', "float64", "float", TV_FLOAT }, { 'b', "bool", "bool", TV_BOOL },
    { 'l', "[]string", NULL, TV_LIST },    { 'm', "map[string]interface {}", NULL, TV_MAP },
    { 'T', "time.Time", NULL, TV_TIME },   { 'D', "time.Duration", "integer", TV_DURATION },
    { 'S', "struct", NULL, TV_STRUCT },    { 'a', "interface {}", NULL, TV_NIL },
};

static size_t type_row(char letter)
{
    size_t i = 0;
    while (i + 1 < ARRAY_LEN(types) && types[i].letter != letter) i++;
    return i;
}

/* A computed value given for a parameter. */
static enum err check_type(struct tmpl_run *r, char letter, struct tmpl_value v,
                           struct tmpl_value *out)
{
    size_t row = type_row(letter);
    if (letter == 'a') {
        *out = v;
        return OK;
    }
    if (v.kind == TV_NIL) {
        /* Slices and maps may be nil. */
        if (letter == 'l' || letter == 'm') {
            *out = (struct tmpl_value){ .kind = types[row].kind };
            return OK;
        }
        return tmpl_run_fail(r, "invalid value; expected %s", types[row].name);
    }
    if (v.kind != types[row].kind) {
        return tmpl_run_fail(r, "wrong type for value; expected %s; got %s", types[row].name,
                             tmpl_type_name(&v));
    }
    *out = v;
    return OK;
}

static enum err fail_node(struct tmpl_run *r, const char *before, const struct node *n)
{
    BUF(b, 0);
    tmpl_node_write(&b, n);
    return tmpl_run_fail(r, "%s" STR_FMT, before, STR_ARG(buf_str(&b)));
}

/* A constant given for a parameter takes the parameter's type if it can. */
static enum err constant_arg(struct tmpl_run *r, char letter, const struct node *n,
                             struct tmpl_value *out)
{
    size_t row = type_row(letter);
    if (letter == 'a') {
        *out = n->value;
        return OK;
    }
    if (n->kind == NODE_NUMBER && letter == 'f' && n->is_float) {
        *out = tmpl_float(n->f);
        return OK;
    }
    if (n->kind == NODE_NUMBER && (letter == 'i' || letter == 'D') && n->is_int) {
        *out = letter == 'i' ? tmpl_int(n->i) : tmpl_duration(n->i);
        return OK;
    }
    if (n->value.kind == types[row].kind && n->kind != NODE_NUMBER) {
        *out = n->value;
        return OK;
    }
    BUF(b, 0);
    tmpl_node_write(&b, n);
    if (!types[row].wanted) {
        return tmpl_run_fail(r, "can't handle " STR_FMT " for arg of type %s", STR_ARG(buf_str(&b)),
                             types[row].name);
    }
    return tmpl_run_fail(r, "expected %s; found " STR_FMT, types[row].wanted, STR_ARG(buf_str(&b)));
}

/* ---- calls ---- */
static size_t count_args(const struct node *n)
{
    size_t count = 0;
    for (; n; n = n->next) count++;
    return count;
}

/* and, or: arguments are evaluated up to the one that decides. */
static enum err short_circuit(struct tmpl_run *r, struct tmpl_value dot, bool is_or,
                              const struct node *args, struct final final, struct tmpl_value *out)
{
    struct tmpl_value v = tmpl_nil();
    for (; args; args = args->next) {
        TRY(eval_arg(r, dot, 'a', args, &v));
        if (tmpl_truth(&v) == is_or) {
            *out = v;
            return OK;
        }
    }
    *out = final.set ? final.v : v;
    return OK;
}

static enum err count_fail(struct tmpl_run *r, struct str name, bool variadic, size_t want,
                           size_t got)
{
    return tmpl_run_fail(r, "wrong number of args for " STR_FMT ": want %s%zu got %zu",
                         STR_ARG(name), variadic ? "at least " : "", want, got);
}

/*
 * Calls f with self (may be NULL) before the arguments. `where` is what an error of the function is shown at.
 */
static enum err call(struct tmpl_run *r, struct tmpl_value dot, const struct tmpl_func *f,
                     const struct tmpl_value *self, const struct node *where, struct str name,
                     const struct node *args, struct final final, struct tmpl_value *out)
{
    size_t params = strlen(f->params);
    bool variadic = params && f->params[params - 1] == '.';
    size_t fixed = variadic ? params - 2 : params;
    size_t written = count_args(args), total = written + final.set;
    if (variadic ? total < fixed : total != fixed) {
        return count_fail(r, name, variadic, fixed, variadic ? written : total);
    }
    if (f->fn == NULL) return short_circuit(r, dot, str_eqc(name, "or"), args, final, out);
    size_t n = 0;
    struct tmpl_value *v = arena_array(r->a, total + 1, sizeof(*v));
    if (self) v[n++] = *self;
    size_t i = 0;
    for (; args; args = args->next, i++, n++) {
        TRY(eval_arg(r, dot, f->params[i < fixed ? i : params - 2], args, &v[n]));
    }
    if (final.set) {
        TRY(check_type(r, f->params[i < fixed ? i : params - 2], final.v, &v[n]));
        n++;
    }
    struct tmpl_value result = tmpl_nil();
    enum err e = f->fn(r, v, n, &result);
    if (e != OK) {
        r->at = where;
        (void)tmpl_run_fail(r, "error calling " STR_FMT ": " STR_FMT, STR_ARG(name),
                            STR_ARG(r->failure));
        return e;
    }
    *out = result;
    return OK;
}

static enum err no_args(struct tmpl_run *r, const struct node *args, struct final final)
{
    if (!args || (!args->next && !final.set)) return OK;
    return fail_node(r, "can't give argument to non-function ", args);
}

/* ---- fields ---- */
const struct tmpl_func *tmpl_method(const struct tmpl_value *v, struct str name)
{
    const struct tmpl_func *m = v->type ? v->type->methods : NULL;
    if (!m && v->kind == TV_TIME) m = tmpl_time_methods;
    if (!m && v->kind == TV_DURATION) m = tmpl_duration_methods;
    for (; m && m->name; m++) {
        if (str_eqc(name, m->name)) return m;
    }
    return NULL;
}

static enum err missing_key(struct tmpl_run *r, const struct tmpl_value *map, struct str name,
                            struct tmpl_value *out)
{
    if (r->x->missing == TMPL_MISSING_ERROR) {
        BUF(b, 0);
        go_quote(&b, name);
        return tmpl_run_fail(r, "map has no entry for key " STR_FMT, STR_ARG(buf_str(&b)));
    }
    *out = tmpl_nil();
    if (r->x->missing == TMPL_MISSING_ZERO) {
        out->type = &tmpl_type_interface;
        if (map->type && map->type->elem == TV_STR) *out = tmpl_str(STR(""));
    }
    return OK;
}

static enum err nil_field(struct tmpl_run *r, const struct tmpl_value *on, struct str name,
                          struct tmpl_value *out)
{
    if (on->type) {
        return tmpl_run_fail(r, "nil pointer evaluating interface {}." STR_FMT, STR_ARG(name));
    }
    if (r->x->missing == TMPL_MISSING_ERROR) {
        BUF(b, 0);
        go_quote(&b, name);
        return tmpl_run_fail(r, "nil data; no entry for key " STR_FMT, STR_ARG(buf_str(&b)));
    }
    *out = tmpl_nil();
    return OK;
}

static enum err eval_field(struct tmpl_run *r, struct tmpl_value dot, const struct node *node,
                           struct str name, const struct node *args, struct final final,
                           struct tmpl_value on, struct tmpl_value *out)
{
    if (on.kind == TV_NIL) return nil_field(r, &on, name, out);
    const struct tmpl_func *m = tmpl_method(&on, name);
    if (m) return call(r, dot, m, &on, node, name, args ? args->next : NULL, final, out);
    bool has_args = (args && args->next) || final.set;
    const struct tmpl_value *v = tmpl_field(&on, name);
    if (v && has_args) {
        return tmpl_run_fail(r, STR_FMT " has arguments but cannot be invoked as function",
                             STR_ARG(name));
    }
    if (!v && on.kind == TV_MAP) {
        if (has_args) {
            return tmpl_run_fail(r, STR_FMT " is not a method but has arguments", STR_ARG(name));
        }
        v = tmpl_map_get(&on, name);
        if (!v) return missing_key(r, &on, name, out);
    }
    if (!v) {
        return tmpl_run_fail(r, "can't evaluate field " STR_FMT " in type %s", STR_ARG(name),
                             tmpl_type_name(&on));
    }
    *out = *v;
    if (v->kind == TV_NIL) out->type = &tmpl_type_interface;
    return OK;
}

static enum err eval_fields(struct tmpl_run *r, struct tmpl_value dot, const struct node *node,
                            size_t from, const struct node *args, struct final final,
                            struct tmpl_value on, struct tmpl_value *out)
{
    for (size_t i = from; i < node->names_n; i++) {
        bool last = i + 1 == node->names_n;
        TRY(eval_field(r, dot, node, node->names[i], last ? args : NULL, last ? final : none, on,
                       &on));
    }
    *out = on;
    return OK;
}

static enum err eval_variable(struct tmpl_run *r, struct tmpl_value dot, const struct node *n,
                              const struct node *args, struct final final, struct tmpl_value *out)
{
    r->at = n;
    for (size_t i = r->vars.n; i-- > 0;) {
        if (!str_eq(r->vars.v[i].name, n->names[0])) continue;
        struct tmpl_value v = r->vars.v[i].value;
        if (n->names_n > 1) return eval_fields(r, dot, n, 1, args, final, v, out);
        TRY(no_args(r, args, final));
        *out = v;
        return OK;
    }
    return fail_node(r, "undefined variable: ", n);
}

static enum err eval_chain(struct tmpl_run *r, struct tmpl_value dot, const struct node *n,
                           const struct node *args, struct final final, struct tmpl_value *out)
{
    struct tmpl_value on;
    r->at = n;
    TRY(eval_arg(r, dot, 'a', n->pipe, &on));
    return eval_fields(r, dot, n, 0, args, final, on, out);
}

/* ---- commands and arguments ---- */
static enum err eval_command(struct tmpl_run *r, struct tmpl_value dot, const struct node *cmd,
                             struct final final, struct tmpl_value *out)
{
    const struct node *first = cmd->first;
    switch (first->kind) {
    case NODE_FIELD: r->at = first; return eval_fields(r, dot, first, 0, first, final, dot, out);
    case NODE_CHAIN: return eval_chain(r, dot, first, first, final, out);
    case NODE_VARIABLE: return eval_variable(r, dot, first, first, final, out);
    case NODE_IDENT:
        r->at = first;
        return call(r, dot, first->func, NULL, cmd, first->text, first->next, final, out);
    case NODE_PIPE: TRY(no_args(r, first, final)); return tmpl_eval_pipe(r, dot, first, out);
    default: break;
    }
    r->at = first;
    TRY(no_args(r, first, final));
    if (first->kind == NODE_NIL) return tmpl_run_fail(r, "nil is not a command");
    *out = first->kind == NODE_DOT ? dot : first->value;
    return OK;
}

static enum err eval_arg(struct tmpl_run *r, struct tmpl_value dot, char type, const struct node *n,
                         struct tmpl_value *out)
{
    struct tmpl_value v;
    r->at = n;
    switch (n->kind) {
    case NODE_DOT: v = dot; break;
    case NODE_NIL:
        if (type != 'a' && type != 'l' && type != 'm') {
            return tmpl_run_fail(r, "cannot assign nil to %s", types[type_row(type)].name);
        }
        v = tmpl_nil();
        break;
    case NODE_FIELD: TRY(eval_fields(r, dot, n, 0, NULL, none, dot, &v)); break;
    case NODE_VARIABLE: TRY(eval_variable(r, dot, n, NULL, none, &v)); break;
    case NODE_PIPE: TRY(tmpl_eval_pipe(r, dot, n, &v)); break;
    case NODE_IDENT: TRY(call(r, dot, n->func, NULL, n, n->text, NULL, none, &v)); break;
    case NODE_CHAIN: TRY(eval_chain(r, dot, n, NULL, none, &v)); break;
    default: return constant_arg(r, type, n, out);
    }
    return check_type(r, type, v, out);
}

enum err tmpl_eval_pipe(struct tmpl_run *r, struct tmpl_value dot, const struct node *pipe,
                        struct tmpl_value *out)
{
    struct final final = none;
    r->at = pipe;
    for (const struct node *cmd = pipe->first; cmd; cmd = cmd->next) {
        TRY(eval_command(r, dot, cmd, final, &final.v));
        final.set = true;
        if (final.v.kind == TV_NIL) final.v.type = NULL;
    }
    for (size_t i = 0; i < pipe->names_n; i++) {
        if (!pipe->assign) {
            *vec_push(r->a, &r->vars) = (struct tmpl_var){ pipe->names[i], final.v };
            continue;
        }
        for (size_t k = r->vars.n; k-- > 0;) {
            if (!str_eq(r->vars.v[k].name, pipe->names[i])) continue;
            r->vars.v[k].value = final.v;
            break;
        }
    }
    *out = final.v;
    return OK;
}
