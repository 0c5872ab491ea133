/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_route.c - the route tree and the inhibition rules
 */
#include "alert/config_priv.h"
#include "codec/goquote.h"

#define DEPTH_MAX 64

struct gather {
    struct loading *l;
    struct {
        struct matcher *v;
        size_t n, cap;
    } list;
};

static enum err placed(const struct yaml_node *at, struct diag *d, enum err e)
{
    if (at && !d->line) {
        d->line = at->line;
        d->col = at->col;
    }
    return e;
}

static enum err quoted_at(const struct yaml_node *at, struct diag *d, enum err e,
                          const char *before, struct str s, const char *after)
{
    d->line = 0;
    (void)diag_quoted(d, e, before, s, after);
    return placed(at, d, e);
}

static enum err add(struct gather *g, enum match_op op, struct str name, struct str value,
                    const struct yaml_node *at, struct diag *d)
{
    struct matcher m;
    d->line = 0;
    enum err e = alert_matcher_init(g->l->a, &m, op, name, value, d);
    if (e != OK) return placed(at, d, e);
    *vec_push(g->l->a, &g->list) = m;
    return OK;
}

static enum err add_pairs(struct gather *g, const struct yaml_pairs *p,
                          const struct yaml_node *self, struct diag *d)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct yaml_node *at = p->v[i].at ? p->v[i].at : self;
        if (!alert_label_name_ok(p->v[i].key, g->l->o->mode)) {
            return quoted_at(at, d, ERR_SYNTAX, "invalid label name ", p->v[i].key, "");
        }
        TRY(add(g, MATCH_EQ, p->v[i].key, p->v[i].value, at, d));
    }
    return OK;
}

/* match_re: values are whole expressions, anchored, and printed so. */
static enum err add_regexps(struct gather *g, const struct yaml_node *v, struct diag *d)
{
    if (!v || yaml_is_null(v)) return OK;
    if (v->kind != YAML_MAP) return yaml_mismatch(v, "map[string]string", d);
    for (size_t i = 0; i < v->n; i++) {
        const struct yaml_node *key = v->items[2 * i], *value = v->items[2 * i + 1];
        if (!alert_label_name_ok(key->text, g->l->o->mode)) {
            return quoted_at(key, d, ERR_SYNTAX, "invalid label name ", key->text, "");
        }
        if (value->kind != YAML_SCALAR) return yaml_mismatch(value, "string", d);
        if (yaml_is_null(value)) {
            return quoted_at(value, d, ERR_SYNTAX, "invalid regexp value for ", key->text, "");
        }
        struct str whole = arena_fmt(g->l->a, "^(?:" STR_FMT ")$", STR_ARG(value->text));
        TRY(add(g, MATCH_RE, key->text, whole, value, d));
    }
    return OK;
}

static enum err add_texts(struct gather *g, const struct yaml_strs *texts,
                          const struct yaml_node *self, struct diag *d)
{
    const struct yaml_node *list = yaml_get(self, "matchers");
    for (size_t i = 0; i < texts->n; i++) {
        struct matchers m = { 0 };
        struct str warning = { 0 };
        d->line = 0;
        enum err e = matchers_parse(g->l->a, texts->v[i], g->l->o->mode, &m, &warning, d);
        if (e != OK) return placed(list && i < list->n ? list->items[i] : self, d, e);
        if (warning.n) {
            config_warn(g->l, list && i < list->n ? list->items[i] : self, STR_FMT,
                        STR_ARG(warning));
        }
        for (size_t k = 0; k < m.n; k++) *vec_push(g->l->a, &g->list) = m.v[k];
    }
    return OK;
}

static void finish(struct gather *g, struct matchers *out)
{
    *out = (struct matchers){ g->list.v, g->list.n };
    matchers_sort(out);
}

/* ---- routes ---- */
static enum err check_group_by(struct loading *l, const struct raw_route *raw, struct route *r,
                               struct diag *d)
{
    bool all = false;
    for (size_t i = 0; i < raw->group_by.n; i++) {
        struct str name = raw->group_by.v[i];
        const struct yaml_node *at = raw->group_by_node->items[i];
        if (str_eqc(name, "...")) {
            all = true;
        } else if (!alert_label_name_ok(name, l->o->mode)) {
            return quoted_at(at, d, ERR_SYNTAX, "invalid label name ", name, " in group_by list");
        }
    }
    if (all && raw->group_by.n > 1) {
        return yaml_error(
            raw->group_by_node, d, ERR_SYNTAX,
            "cannot have wildcard group_by (`...`) and other labels at the same time");
    }
    if (raw->group_by_node && !yaml_is_null(raw->group_by_node)) {
        r->group_by = raw->group_by.v;
        r->group_by_n = all ? 0 : raw->group_by.n;
        r->group_by_all = all;
    }
    return OK;
}

static enum err check_names(struct loading *l, const struct yaml_strs *names,
                            const struct yaml_node *at, struct diag *d)
{
    for (size_t i = 0; i < names->n; i++) {
        if (!config_interval(l->c, names->v[i])) {
            return quoted_at(at, d, ERR_MISSING, "undefined time interval ", names->v[i],
                             " used in route");
        }
    }
    return OK;
}

/* Own labels over the parent's. */
static enum err merge_labels(struct loading *l, const struct raw_route *raw, struct route *r,
                             struct diag *d)
{
    struct yaml_pair *v = arena_array(l->a, r->labels.n + raw->labels.n, sizeof(*v));
    size_t n = 0;
    for (size_t i = 0; i < raw->labels.n; i++) {
        struct str key = raw->labels.v[i].key;
        if (!alert_label_name_ok(key, l->o->mode)) {
            return quoted_at(raw->labels.v[i].at, d, ERR_SYNTAX, "invalid label name ", key,
                             " in route labels");
        }
        v[n++] = raw->labels.v[i];
    }
    for (size_t i = 0; i < r->labels.n; i++) {
        bool hidden = false;
        for (size_t k = 0; k < raw->labels.n; k++) {
            hidden = hidden || str_eq(raw->labels.v[k].key, r->labels.v[i].key);
        }
        if (!hidden) v[n++] = r->labels.v[i];
    }
    r->labels = (struct yaml_pairs){ v, n };
    return OK;
}

static void name_route(struct loading *l, struct route *r, size_t position)
{
    BUF(b, 0);
    if (r->parent) {
        buf_put(&b, r->parent->key);
        buf_char(&b, '/');
    }
    matchers_write(&b, &r->matchers);
    r->key = arena_dup(l->a, buf_str(&b));
    r->id = r->key;
    if (r->parent) {
        buf_reset(&b);
        buf_put(&b, r->parent->id);
        buf_char(&b, '/');
        matchers_write(&b, &r->matchers);
        buf_fmt(&b, "/%zu", position);
        r->id = arena_dup(l->a, buf_str(&b));
    }
}

static enum err build_route(struct loading *l, const struct raw_route *raw,
                            const struct route *parent, size_t position, unsigned depth,
                            struct route *r, struct diag *d)
{
    if (depth > DEPTH_MAX) return yaml_error(raw->self, d, ERR_LIMIT, "routes nested too deeply");
    if (parent) *r = *parent;
    r->matchers = (struct matchers){ 0 };
    r->mute = raw->mute.v;
    r->mute_n = raw->mute.n;
    r->active = raw->active.v;
    r->active_n = raw->active.n;
    r->follow = raw->follow;
    r->parent = parent;
    r->routes_n = 0;
    r->raw = raw;
    if (raw->receiver.n) r->receiver = raw->receiver;
    if (raw->wait_ms >= 0) r->group_wait_ms = raw->wait_ms;
    if (raw->interval_ms >= 0) r->group_interval_ms = raw->interval_ms;
    if (raw->repeat_ms >= 0) r->repeat_ms = raw->repeat_ms;
    TRY(check_group_by(l, raw, r, d));
    TRY(merge_labels(l, raw, r, d));
    struct gather g = { .l = l };
    enum err e = add_pairs(&g, &raw->match, raw->self, d);
    if (e == OK) e = add_regexps(&g, raw->match_re, d);
    if (e == OK) e = add_texts(&g, &raw->matchers, raw->self, d);
    finish(&g, &r->matchers);
    TRY(e);
    if (!config_receiver(l->c, r->receiver)) {
        return quoted_at(raw->self, d, ERR_MISSING, "undefined receiver ", r->receiver,
                         " used in route");
    }
    TRY(check_names(l, &raw->mute, raw->self, d));
    TRY(check_names(l, &raw->active, raw->self, d));
    name_route(l, r, position);
    r->routes = arena_array(l->a, raw->routes.n, sizeof(*r->routes));
    const struct raw_route *children = raw->routes.v;
    for (size_t i = 0; i < raw->routes.n; i++) {
        r->routes_n = i + 1; /* what is half built is ended, too */
        TRY(build_route(l, &children[i], r, i, depth + 1, &r->routes[i], d));
    }
    r->index = l->c->routes_n++;
    return OK;
}

enum err config_build_routes(struct loading *l, struct diag *d)
{
    const struct raw_route *raw = l->raw.route;
    if (!raw) return diag_set(d, ERR_MISSING, "no routes provided");
    const struct yaml_node *at = raw->self;
    if (!raw->receiver.n) {
        (void)diag_set(d, ERR_MISSING, "root route must specify a default receiver");
        return placed(at, d, ERR_MISSING);
    }
    if (raw->match.n || (raw->match_re && raw->match_re->n) || raw->matchers.n) {
        return yaml_error(at, d, ERR_SYNTAX, "root route must not have any matchers");
    }
    if (raw->mute.n) {
        return yaml_error(at, d, ERR_SYNTAX, "root route must not have any mute time intervals");
    }
    if (raw->active.n) {
        return yaml_error(at, d, ERR_SYNTAX, "root route must not have any active time intervals");
    }
    if (raw->follow) return yaml_error(at, d, ERR_SYNTAX, "cannot have continue in root route");
    struct route *root = arena_new(l->a, struct route);
    root->group_wait_ms = 30000;
    root->group_interval_ms = 300000;
    root->repeat_ms = 14400000;
    l->c->root = root;
    return build_route(l, raw, NULL, 0, 0, root, d);
}

static size_t match_into(const struct route *r, struct labels lb, const struct route **out)
{
    if (!matchers_match(r->matchers.v, r->matchers.n, lb)) return 0;
    size_t n = 0;
    for (size_t i = 0; i < r->routes_n; i++) {
        size_t found = match_into(&r->routes[i], lb, out + n);
        n += found;
        if (found && !r->routes[i].follow) break;
    }
    if (!n) out[n++] = r;
    return n;
}

size_t config_routes(const struct alert_config *c, struct labels lb, const struct route **out)
{
    return match_into(c->root, lb, out);
}

/* ---- inhibition ---- */
static enum err one_side(struct loading *l, const struct yaml_pairs *match,
                         const struct yaml_node *re, const struct yaml_strs *texts,
                         const struct yaml_node *self, struct matchers *out, struct diag *d)
{
    struct gather g = { .l = l };
    enum err e = add_pairs(&g, match, self, d);
    if (e == OK) e = add_regexps(&g, re, d);
    if (e == OK) e = add_texts(&g, texts, self, d);
    finish(&g, out);
    return e;
}

enum err config_build_rules(struct loading *l, struct diag *d)
{
    const struct raw_rule *raw = l->raw.rules.v;
    struct alert_config *c = l->c;
    c->rules = arena_array(l->a, l->raw.rules.n, sizeof(*c->rules));
    for (size_t i = 0; i < l->raw.rules.n; i++, raw++) {
        struct inhibit_rule *r = &c->rules[c->rules_n++];
        r->name = raw->name;
        r->equal = raw->equal.v;
        r->equal_n = raw->equal.n;
        for (size_t k = 0; k < raw->equal.n; k++) {
            if (!alert_label_name_ok(raw->equal.v[k], l->o->mode)) {
                return quoted_at(raw->self, d, ERR_SYNTAX, "invalid label name ", raw->equal.v[k],
                                 " in equal list");
            }
        }
        TRY(one_side(l, &raw->source, raw->source_re, &raw->source_matchers, raw->self, &r->source,
                     d));
        TRY(one_side(l, &raw->target, raw->target_re, &raw->target_matchers, raw->self, &r->target,
                     d));
    }
    return OK;
}
