/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.c - the file's shape, and the order in which its parts are checked
 */
#include "alert/config_priv.h"
#include "alert/data.h"
#include "codec/goquote.h"
#include "io/file.h"

#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define TEMPLATE_MAX ((size_t)4 << 20)

/* ---- tables ---- */
#define AT(type, field) offsetof(struct type, field)

static void route_defaults(void *out)
{
    struct raw_route *r = out;
    r->wait_ms = r->interval_ms = r->repeat_ms = -1;
}

static const struct yaml_table route_table;
static const struct yaml_field route_fields[] = {
    { .key = YAML_SELF, .type = YT_NODE, .offset = AT(raw_route, self) },
    { .key = "receiver", .type = YT_STR, .offset = AT(raw_route, receiver) },
    { .key = "group_by", .type = YT_NODE, .offset = AT(raw_route, group_by_node) },
    { .key = "match", .type = YT_MAP, .offset = AT(raw_route, match) },
    { .key = "match_re", .type = YT_NODE, .offset = AT(raw_route, match_re) },
    { .key = "matchers", .type = YT_STRS, .offset = AT(raw_route, matchers) },
    { .key = "mute_time_intervals", .type = YT_STRS, .offset = AT(raw_route, mute) },
    { .key = "active_time_intervals", .type = YT_STRS, .offset = AT(raw_route, active) },
    { .key = "continue", .type = YT_BOOL, .offset = AT(raw_route, follow) },
    { .key = "routes", .type = YT_STRUCTS, .offset = AT(raw_route, routes), .sub = &route_table },
    { .key = "group_wait", .type = YT_DURATION, .offset = AT(raw_route, wait_ms) },
    { .key = "group_interval", .type = YT_DURATION, .offset = AT(raw_route, interval_ms) },
    { .key = "repeat_interval", .type = YT_DURATION, .offset = AT(raw_route, repeat_ms) },
    { .key = "labels", .type = YT_MAP, .offset = AT(raw_route, labels) },
    { .key = NULL },
};

/* group_by takes a list, or null; [...] is one text. */
static enum err route_check(struct arena *a, const struct yaml_node *at, void *out, struct diag *d)
{
    struct raw_route *r = out;
    const struct yaml_node *by = r->group_by_node;
    (void)at;
    if (by && !yaml_is_null(by)) {
        if (by->kind != YAML_SEQ) return yaml_mismatch(by, "[]string", d);
        struct str *list = arena_array(a, by->n, sizeof(*list));
        for (size_t i = 0; i < by->n; i++) {
            const struct yaml_node *item = by->items[i];
            if (item->kind != YAML_SCALAR) return yaml_mismatch(item, "string", d);
            list[i] = item->text;
            for (size_t k = 0; k < i; k++) {
                if (!str_eq(list[k], list[i])) continue;
                (void)diag_quoted(d, ERR_EXISTS, "duplicated label ", list[i], " in group_by");
                d->line = item->line;
                d->col = item->col;
                return ERR_EXISTS;
            }
        }
        r->group_by = (struct yaml_strs){ list, by->n };
    }
    if (r->interval_ms == 0) return diag_set(d, ERR_RANGE, "group_interval cannot be zero");
    if (r->repeat_ms == 0) return diag_set(d, ERR_RANGE, "repeat_interval cannot be zero");
    return OK;
}
static const struct yaml_table route_table = { .go_type = "config.plain",
                                               .size = sizeof(struct raw_route),
                                               .fields = route_fields,
                                               .defaults = route_defaults,
                                               .check = route_check };

static const struct yaml_field rule_fields[] = {
    { .key = YAML_SELF, .type = YT_NODE, .offset = AT(raw_rule, self) },
    { .key = "name", .type = YT_STR, .offset = AT(raw_rule, name) },
    { .key = "source_match", .type = YT_MAP, .offset = AT(raw_rule, source) },
    { .key = "source_match_re", .type = YT_NODE, .offset = AT(raw_rule, source_re) },
    { .key = "source_matchers", .type = YT_STRS, .offset = AT(raw_rule, source_matchers) },
    { .key = "target_match", .type = YT_MAP, .offset = AT(raw_rule, target) },
    { .key = "target_match_re", .type = YT_NODE, .offset = AT(raw_rule, target_re) },
    { .key = "target_matchers", .type = YT_STRS, .offset = AT(raw_rule, target_matchers) },
    { .key = "equal", .type = YT_STRS, .offset = AT(raw_rule, equal) },
    { .key = NULL },
};
static const struct yaml_table rule_table = { .go_type = "common.plain",
                                              .size = sizeof(struct raw_rule),
                                              .fields = rule_fields };

#define SECTION(i, name)                                                                           \
    {                                                                                              \
        .key = name "_configs", .type = YT_NODE, .offset = AT(raw_receiver, sections[i])           \
    }
static const struct yaml_field receiver_fields[] = {
    { .key = YAML_SELF, .type = YT_NODE, .offset = AT(raw_receiver, self) },
    { .key = "name", .type = YT_STR, .offset = AT(raw_receiver, name) },
    { .key = "labels", .type = YT_MAP, .offset = AT(raw_receiver, labels) },
    SECTION(0, "webhook"),
    SECTION(1, "email"),
    SECTION(2, "pagerduty"),
    SECTION(3, "opsgenie"),
    SECTION(4, "wechat"),
    SECTION(5, "slack"),
    SECTION(6, "victorops"),
    SECTION(7, "pushover"),
    SECTION(8, "sns"),
    SECTION(9, "telegram"),
    SECTION(10, "discord"),
    SECTION(11, "webex"),
    SECTION(12, "msteams"),
    SECTION(13, "msteamsv2"),
    SECTION(14, "jira"),
    SECTION(15, "incidentio"),
    SECTION(16, "rocketchat"),
    SECTION(17, "mattermost"),
    { .key = NULL },
};
static enum err receiver_check(struct arena *a, const struct yaml_node *at, void *out,
                               struct diag *d)
{
    struct raw_receiver *r = out;
    (void)a;
    (void)at;
    return r->name.n ? OK : diag_set(d, ERR_MISSING, "missing name in receiver");
}
static const struct yaml_table receiver_table = { .go_type = "config.plain",
                                                  .size = sizeof(struct raw_receiver),
                                                  .fields = receiver_fields,
                                                  .check = receiver_check };

static const struct yaml_field named_fields[] = {
    { .key = YAML_SELF, .type = YT_NODE, .offset = AT(raw_interval, self) },
    { .key = "name", .type = YT_STR, .offset = AT(raw_interval, name) },
    { .key = "time_intervals",
      .type = YT_STRUCTS,
      .offset = AT(raw_interval, intervals),
      .sub = &interval_table },
    { .key = NULL },
};
static enum err named_check(struct arena *a, const struct yaml_node *at, void *out, struct diag *d)
{
    struct raw_interval *r = out;
    (void)a;
    (void)at;
    return r->name.n ? OK : diag_set(d, ERR_MISSING, "missing name in time interval");
}
static const struct yaml_table named_table = { .go_type = "config.plain",
                                               .size = sizeof(struct raw_interval),
                                               .fields = named_fields,
                                               .check = named_check };

static const struct yaml_field config_fields[] = {
    { .key = "global", .type = YT_NODE, .offset = AT(raw_config, global) },
    { .key = "route", .type = YT_STRUCT_PTR, .offset = AT(raw_config, route), .sub = &route_table },
    { .key = "inhibit_rules",
      .type = YT_STRUCTS,
      .offset = AT(raw_config, rules),
      .sub = &rule_table },
    { .key = "receivers",
      .type = YT_STRUCTS,
      .offset = AT(raw_config, receivers),
      .sub = &receiver_table },
    { .key = "templates", .type = YT_STRS, .offset = AT(raw_config, templates) },
    { .key = "mute_time_intervals",
      .type = YT_STRUCTS,
      .offset = AT(raw_config, mute_intervals),
      .sub = &named_table },
    { .key = "time_intervals",
      .type = YT_STRUCTS,
      .offset = AT(raw_config, intervals),
      .sub = &named_table },
    { .key = "tracing", .type = YT_NODE, .offset = AT(raw_config, tracing) },
    { .key = "event_recorder", .type = YT_NODE, .offset = AT(raw_config, event_recorder) },
    { .key = NULL },
};
const struct yaml_table raw_config_table = { .go_type = "config.plain",
                                             .size = sizeof(struct raw_config),
                                             .fields = config_fields };

/* ---- loading ---- */
void config_warn(struct loading *l, const struct yaml_node *at, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    size_t size = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
    *vec_push(l->a,
              &l->warnings) = (struct config_warning){ at ? at->line : 0, at ? at->col : 0,
                                                       arena_dup(l->a, str_make(text, size)) };
}

static enum err build_intervals(struct loading *l, struct diag *d)
{
    struct alert_config *c = l->c;
    const struct yaml_list *lists[] = { &l->raw.mute_intervals, &l->raw.intervals };
    c->intervals = arena_array(l->a, lists[0]->n + lists[1]->n, sizeof(*c->intervals));
    for (size_t k = 0; k < 2; k++) {
        const struct raw_interval *v = lists[k]->v;
        for (size_t i = 0; i < lists[k]->n; i++) {
            if (config_interval(c, v[i].name)) {
                (void)diag_quoted(d, ERR_EXISTS, k ? "time interval " : "mute time interval ",
                                  v[i].name, " is not unique");
                d->line = v[i].self->line;
                d->col = v[i].self->col;
                return ERR_EXISTS;
            }
            c->intervals[c->intervals_n++] = (struct interval_set){ v[i].name, v[i].intervals.v,
                                                                    v[i].intervals.n };
        }
    }
    return OK;
}

static struct str base_name(struct str path)
{
    size_t at = path.n;
    while (at && path.p[at - 1] != '/') at--;
    return str_from(path, at);
}

static enum err load_templates(struct loading *l, struct diag *d)
{
    struct alert_config *c = l->c;
    for (size_t i = 0; i < l->raw.templates.n; i++) {
        struct str *files, text;
        size_t n;
        TRY(file_glob(l->a, path_join(l->a, l->o->dir, l->raw.templates.v[i]), &files, &n, d));
        for (size_t k = 0; k < n; k++) {
            TRY(file_read(l->a, files[k], TEMPLATE_MAX, &text, d));
            enum err e = tmpl_parse(c->templates, base_name(files[k]), text, d);
            if (e != OK) d->line = d->col = 0; /* the text names the template's line, not ours */
            if (e != OK) return e;
        }
    }
    return OK;
}

/* First six bytes of the MD5, little-endian. */
static uint64_t config_hash(struct str text)
{
    unsigned char md[EVP_MAX_MD_SIZE] = { 0 };
    unsigned n = 0;
    uint64_t v = 0;
    if (EVP_Digest(text.p, text.n, md, &n, EVP_md5(), NULL) != 1) return 0;
    for (unsigned i = 6; i-- > 0;) v = v << 8 | md[i];
    return v;
}

static enum err load(struct loading *l, struct diag *d)
{
    struct yaml_node *root;
    TRY(yaml_parse(l->a, l->o->text, YAML_V2, &root, NULL, d));
    if (yaml_is_null(root)) return diag_set(d, ERR_MISSING, "no route provided in config");
    TRY(yaml_decode(l->a, root, &raw_config_table, YAML_V2, &l->raw, d));
    TRY(load_templates(l, d));
    TRY(config_build_global(l, d));
    TRY(config_build_receivers(l, d));
    TRY(build_intervals(l, d));
    TRY(config_build_routes(l, d));
    TRY(config_build_rules(l, d));
    if (l->raw.tracing) config_warn(l, l->raw.tracing, "tracing is accepted and not done");
    if (l->raw.event_recorder) {
        config_warn(l, l->raw.event_recorder, "event_recorder is accepted and not done");
    }
    return OK;
}

enum err alert_config_load(const struct config_options *o, struct alert_config **out,
                           struct diag *d)
{
    struct alert_config *c = calloc(1, sizeof(*c));
    if (!c) abort();
    struct diag own = { 0 };
    arena_init(&c->arena, 0);
    atomic_init(&c->refs, 1);
    c->resolve_timeout_ms = 300000;
    c->templates = tmpl_set_new(&c->arena, alert_tmpl_tables, ARRAY_LEN(alert_tmpl_tables));
    c->hash = config_hash(o->text);
    struct loading l = { .c = c, .a = &c->arena, .o = o };
    enum err e = alert_default_templates(c->templates, &own);
    if (e == OK) e = load(&l, &own);
    if (e != OK) {
        if (d) *d = own;
        alert_config_unref(c);
        return e;
    }
    BUF(b, 0);
    config_print(&l, &b);
    c->printed = arena_dup(l.a, buf_str(&b));
    c->warnings = l.warnings.v;
    c->warnings_n = l.warnings.n;
    *out = c;
    return OK;
}

struct alert_config *alert_config_ref(struct alert_config *c)
{
    c->refs++;
    return c;
}

static void route_done(struct route *r)
{
    for (size_t i = 0; i < r->routes_n; i++) route_done(&r->routes[i]);
    matchers_done(&r->matchers);
}

void alert_config_unref(struct alert_config *c)
{
    if (!c || --c->refs > 0) return;
    if (c->root) route_done(c->root);
    for (size_t i = 0; i < c->rules_n; i++) {
        matchers_done(&c->rules[i].source);
        matchers_done(&c->rules[i].target);
    }
    arena_done(&c->arena);
    free(c);
}

const struct receiver *config_receiver(const struct alert_config *c, struct str name)
{
    for (size_t i = 0; i < c->receivers_n; i++) {
        if (str_eq(c->receivers[i].name, name)) return &c->receivers[i];
    }
    return NULL;
}

const struct interval_set *config_interval(const struct alert_config *c, struct str name)
{
    for (size_t i = 0; i < c->intervals_n; i++) {
        if (str_eq(c->intervals[i].name, name)) return &c->intervals[i];
    }
    return NULL;
}
