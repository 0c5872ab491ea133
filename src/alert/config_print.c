/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_print.c - the configuration as GET /status shows it: defaults filled in, secrets hidden
 *
 * The tree is printed as the original's YAML encoder does: two spaces, lists not indented below their key, keys in the order of its
 * structs. amtool reads it back with its strict parser.
 */
#include "alert/config_priv.h"
#include "codec/gotime.h"

static void indent(struct buf *b, int n)
{
    for (; n > 0; n--) buf_char(b, ' ');
}
static void text_line(struct buf *b, int in, const char *key, struct str value)
{
    indent(b, in);
    buf_putc(b, key);
    buf_putc(b, ": ");
    yaml_write_str(b, value, false);
    buf_char(b, '\n');
}
static void raw_line(struct buf *b, int in, const char *key, struct str value)
{
    indent(b, in);
    buf_fmt(b, "%s: " STR_FMT "\n", key, STR_ARG(value));
}

static bool secret_key(struct str key)
{
    static const char *const keys[] = { "password",     "credentials", "client_secret",
                                        "bearer_token", "secret_key",  "key",
                                        "token" };
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (str_eqc(key, keys[i])) return true;
    }
    return false;
}

/* A node as it is, block style; texts below keys that name secrets are hidden. */
static void node_value(struct buf *b, int in, const struct yaml_node *v, bool hide)
{
    if (v->kind == YAML_SCALAR) {
        buf_char(b, ' ');
        if (hide && v->text.n) {
            buf_putc(b, "<secret>");
        } else if (v->quoted) {
            yaml_write_str(b, v->text, false);
        } else {
            buf_put(b, v->text.n ? v->text : STR("null"));
        }
        buf_char(b, '\n');
        return;
    }
    if (!v->n) {
        buf_putc(b, v->kind == YAML_SEQ ? " []\n" : " {}\n");
        return;
    }
    buf_char(b, '\n');
    for (size_t i = 0; i < v->n; i++) {
        if (v->kind == YAML_MAP) {
            indent(b, in);
            yaml_write_str(b, v->items[2 * i]->text, false);
            buf_char(b, ':');
            const struct yaml_node *value = v->items[2 * i + 1];
            node_value(b, value->kind == YAML_SEQ ? in : in + 2, value,
                       secret_key(v->items[2 * i]->text));
            continue;
        }
        const struct yaml_node *item = v->items[i];
        indent(b, in);
        buf_char(b, '-');
        if (item->kind == YAML_MAP && item->n) {
            BUF(sub, 0);
            node_value(&sub, in + 2, item, false);
            buf_char(b, ' ');
            buf_put(b, str_from(buf_str(&sub), (size_t)in + 3)); /* its newline and first indent */
        } else {
            node_value(b, in + 2, item, hide);
        }
    }
}
static void node_line(struct buf *b, int in, const char *key, const struct yaml_node *v)
{
    indent(b, in);
    buf_putc(b, key);
    buf_char(b, ':');
    node_value(b, v->kind == YAML_SEQ ? in : in + 2, v, false);
}

static void list_line(struct buf *b, int in, const char *key, const struct str *v, size_t n)
{
    if (!n) return;
    indent(b, in);
    buf_fmt(b, "%s:\n", key);
    for (size_t i = 0; i < n; i++) {
        indent(b, in);
        buf_putc(b, "- ");
        yaml_write_str(b, v[i], false);
        buf_char(b, '\n');
    }
}

/* Maps are printed sorted, as the encoder does with Go's. */
static void map_line(struct buf *b, int in, const char *key, const struct yaml_pairs *p)
{
    if (!p->n) return;
    indent(b, in);
    buf_fmt(b, "%s:\n", key);
    struct str last = { NULL, 0 };
    for (size_t i = 0; i < p->n; i++) {
        const struct yaml_pair *least = NULL;
        for (size_t k = 0; k < p->n; k++) {
            if (last.p && str_cmp(p->v[k].key, last) <= 0) continue;
            if (!least || str_cmp(p->v[k].key, least->key) < 0) least = &p->v[k];
        }
        if (!least) break;
        indent(b, in + 2);
        yaml_write_str(b, least->key, false);
        buf_putc(b, ": ");
        yaml_write_str(b, least->value, false);
        buf_char(b, '\n');
        last = least->key;
    }
}
static struct yaml_pairs pairs_of(struct arena *a, const struct yaml_node *v)
{
    struct yaml_pairs p = { 0 };
    if (!v || v->kind != YAML_MAP) return p;
    p.v = arena_array(a, v->n, sizeof(*p.v));
    for (; p.n < v->n; p.n++) {
        p.v[p.n] = (struct yaml_pair){ v->items[2 * p.n]->text, v->items[2 * p.n + 1]->text, NULL };
    }
    return p;
}

/* ---- settings ---- */
/* What the file said: variables stay names. It was decoded before, so that it decodes. */
static void print_http(struct loading *l, struct buf *b, int in, const struct yaml_node *v)
{
    struct http_config h;
    struct yaml_printer p = { .b = b, .depth = (unsigned)in / 2 };
    if (yaml_decode(l->a, v, &HTTP_CONFIG_TABLE, YAML_V2, &h, NULL) != OK) return;
    yp_in(&p, "http_config");
    http_config_print(&p, &h);
    yp_out(&p);
}

static void print_tls(struct buf *b, int in, const char *key, const struct yaml_node *v)
{
    indent(b, in);
    buf_fmt(b, "%s:\n", key);
    for (size_t i = 0; v && v->kind == YAML_MAP && i < v->n; i++) {
        if (str_eqc(v->items[2 * i]->text, "insecure_skip_verify")) continue;
        indent(b, in + 2);
        buf_fmt(b, STR_FMT ": ", STR_ARG(v->items[2 * i]->text));
        yaml_write_str(
            b, secret_key(v->items[2 * i]->text) ? STR("<secret>") : v->items[2 * i + 1]->text,
            false);
        buf_char(b, '\n');
    }
    bool skip = false;
    const struct yaml_node *at = yaml_get(v, "insecure_skip_verify");
    if (at) (void)yaml_bool_of(at, &skip);
    raw_line(b, in + 2, "insecure_skip_verify", skip ? STR("true") : STR("false"));
}

static void print_duration(struct buf *b, int in, const struct kind_field *f, struct str text)
{
    int64_t v;
    BUF(out, 64);
    if (f->type == FT_DURATION) {
        if (duration_parse(text, &v, NULL) != OK) return;
        duration_write(&out, v);
    } else {
        if (go_duration_parse(text, &v, NULL) != OK) return;
        go_duration_write(&out, v);
    }
    raw_line(b, in, f->key, buf_str(&out));
}

/* http: what stands for http_config where the integration has none. */
static void print_setting(struct loading *l, struct buf *b, int in, const struct kind_field *f,
                          const struct setting *s, const struct yaml_node *http)
{
    struct yaml_pairs p;
    if (f->flags & FF_NEW && !l->o->show_all && !s->node) return;
    /* What the file said, not what a variable holds. */
    struct str text = s->node && s->node->kind == YAML_SCALAR && f->type != FT_BOOL ? s->node->text
                                                                                    : s->text;
    switch (f->type) {
    case FT_HTTP: print_http(l, b, in, s->node && !yaml_is_null(s->node) ? s->node : http); return;
    case FT_TLS: print_tls(b, in, f->key, s->node); return;
    case FT_SECRET:
    case FT_SECRET_TEMPLATE:
    case FT_SECRET_URL:
        if (text.n) raw_line(b, in, f->key, STR("<secret>"));
        return;
    case FT_BOOL:
        if (text.n && (f->flags & FF_ALWAYS || s->set)) raw_line(b, in, f->key, text);
        return;
    case FT_INT:
        if (text.n) raw_line(b, in, f->key, text);
        return;
    case FT_DURATION:
    case FT_GO_DURATION:
        if (text.n) print_duration(b, in, f, text);
        return;
    case FT_STRINGS:
    case FT_NODE:
        if (s->node && !yaml_is_null(s->node)) node_line(b, in, f->key, s->node);
        return;
    case FT_MAP:
        p = pairs_of(l->a, s->node);
        map_line(b, in, f->key, &p);
        return;
    case FT_TEXT:
    case FT_ADDRESS:
    case FT_TEMPLATE:
    case FT_ADDRESS_TEMPLATE:
    case FT_URL:
        if (text.n) text_line(b, in, f->key, text);
        return;
    }
}

static void print_global(struct loading *l, struct buf *b)
{
    buf_putc(b, "global:\n");
    for (size_t i = 0; global_fields[i].key; i++) {
        print_setting(l, b, 2, &global_fields[i], &l->global[i], NULL);
    }
}

/* ---- routes, rules, receivers ---- */
static void print_matchers(struct loading *l, struct buf *b, int in, const char *key,
                           const struct yaml_strs *texts)
{
    if (!texts->n) return;
    indent(b, in);
    buf_fmt(b, "%s:\n", key);
    for (size_t i = 0; i < texts->n; i++) {
        struct matchers m = { 0 };
        if (matchers_parse(l->a, texts->v[i], l->o->mode, &m, NULL, NULL) != OK) continue;
        for (size_t k = 0; k < m.n; k++) {
            BUF(one, 0);
            matcher_write(&one, &m.v[k]);
            indent(b, in);
            buf_putc(b, "- ");
            yaml_write_str(b, buf_str(&one), false);
            buf_char(b, '\n');
        }
        matchers_done(&m);
    }
}

static void route_duration(struct buf *b, int in, const char *key, int64_t ms)
{
    if (ms < 0) return;
    indent(b, in);
    buf_fmt(b, "%s: ", key);
    duration_write(b, ms);
    buf_char(b, '\n');
}

static void print_route(struct loading *l, struct buf *b, int in, const struct raw_route *r,
                        bool first)
{
    BUF(own, 0);
    struct yaml_pairs re = pairs_of(l->a, r->match_re);
    if (r->receiver.n) text_line(&own, in, "receiver", r->receiver);
    list_line(&own, in, "group_by", r->group_by.v, r->group_by.n);
    map_line(&own, in, "match", &r->match);
    for (size_t i = 0; i < re.n; i++) re.v[i].value = r->match_re->items[2 * i + 1]->text;
    map_line(&own, in, "match_re", &re);
    print_matchers(l, &own, in, "matchers", &r->matchers);
    list_line(&own, in, "mute_time_intervals", r->mute.v, r->mute.n);
    list_line(&own, in, "active_time_intervals", r->active.v, r->active.n);
    raw_line(&own, in, "continue", r->follow ? STR("true") : STR("false"));
    if (r->routes.n) {
        indent(&own, in);
        buf_putc(&own, "routes:\n");
        const struct raw_route *v = r->routes.v;
        for (size_t i = 0; i < r->routes.n; i++) print_route(l, &own, in + 2, &v[i], false);
    }
    route_duration(&own, in, "group_wait", r->wait_ms);
    route_duration(&own, in, "group_interval", r->interval_ms);
    route_duration(&own, in, "repeat_interval", r->repeat_ms);
    map_line(&own, in, "labels", &r->labels);
    if (!first) {
        indent(b, in - 2);
        buf_putc(b, "- ");
        buf_put(b, str_from(buf_str(&own), (size_t)in));
        return;
    }
    buf_put(b, buf_str(&own));
}

static void print_side(struct loading *l, struct buf *b, const char *side,
                       const struct yaml_pairs *match, const struct yaml_node *re,
                       const struct yaml_strs *texts)
{
    struct yaml_pairs p = pairs_of(l->a, re);
    map_line(b, 2, arena_fmt(l->a, "%s_match", side).p, match);
    map_line(b, 2, arena_fmt(l->a, "%s_match_re", side).p, &p);
    print_matchers(l, b, 2, arena_fmt(l->a, "%s_matchers", side).p, texts);
}

static void print_rules(struct loading *l, struct buf *b)
{
    const struct raw_rule *r = l->raw.rules.v;
    if (l->raw.rules.n) buf_putc(b, "inhibit_rules:\n");
    for (size_t i = 0; i < l->raw.rules.n; i++, r++) {
        BUF(own, 0);
        if (r->name.n) text_line(&own, 2, "name", r->name);
        print_side(l, &own, "source", &r->source, r->source_re, &r->source_matchers);
        print_side(l, &own, "target", &r->target, r->target_re, &r->target_matchers);
        list_line(&own, 2, "equal", r->equal.v, r->equal.n);
        buf_putc(b, "- ");
        buf_put(b, own.n ? str_from(buf_str(&own), 2) : STR("{}\n"));
    }
}

static void print_integration(struct loading *l, struct buf *b, const struct integration *in)
{
    buf_fmt(b, "  - send_resolved: %s\n", in->send_resolved ? "true" : "false");
    for (size_t i = 0; in->kind->fields[i].key; i++) {
        print_setting(l, b, 4, &in->kind->fields[i], &in->settings[i], l->global_http_node);
    }
}

static void print_receivers(struct loading *l, struct buf *b)
{
    if (l->c->receivers_n) buf_putc(b, "receivers:\n");
    for (size_t i = 0; i < l->c->receivers_n; i++) {
        const struct receiver *r = &l->c->receivers[i];
        buf_putc(b, "- name: ");
        yaml_write_str(b, r->name, false);
        buf_char(b, '\n');
        const struct raw_receiver *raw = l->raw.receivers.v;
        if (l->o->show_all || raw[i].labels.n) map_line(b, 2, "labels", &r->labels);
        const struct kind *last = NULL;
        for (size_t k = 0; k < r->n; k++) {
            if (r->v[k].kind != last) buf_fmt(b, "  %s:\n", r->v[k].kind->section);
            last = r->v[k].kind;
            print_integration(l, b, &r->v[k]);
        }
    }
}

static void print_intervals(struct buf *b, const char *key, const struct yaml_list *list)
{
    const struct raw_interval *v = list->v;
    if (list->n) buf_fmt(b, "%s:\n", key);
    for (size_t i = 0; i < list->n; i++) {
        buf_putc(b, "- name: ");
        yaml_write_str(b, v[i].name, false);
        buf_char(b, '\n');
        const struct yaml_node *at = yaml_get(v[i].self, "time_intervals");
        if (at && !yaml_is_null(at)) node_line(b, 2, "time_intervals", at);
    }
}

void config_print(struct loading *l, struct buf *b)
{
    print_global(l, b);
    buf_putc(b, "route:\n");
    print_route(l, b, 2, l->raw.route, true);
    print_rules(l, b);
    print_receivers(l, b);
    print_intervals(b, "mute_time_intervals", &l->raw.mute_intervals);
    print_intervals(b, "time_intervals", &l->raw.intervals);
    if (l->raw.templates.n) {
        list_line(b, 0, "templates", l->raw.templates.v, l->raw.templates.n);
    } else {
        buf_putc(b, "templates: []\n");
    }
}
