/* SPDX-License-Identifier: Apache-2.0 */
#include "alert/data.h"

#include "alert/config.h"
#include "base/embedded.h"
#include "base/utf8.h"

#define TEXT_MAX ((size_t)1 << 20)

#define FUNC(name)                                                                                 \
    static enum err name(struct tmpl_run *r, const struct tmpl_value *v, size_t n,                 \
                         struct tmpl_value *out)

/* ---- pairs and maps ---- */
static const char *const pair_fields[] = { "Name", "Value", NULL };
static const struct tmpl_type pair_type = { .name = "template.Pair", .fields = pair_fields };

static void pairs_string(struct buf *b, const struct tmpl_value *v)
{
    for (size_t i = 0; i < v->list.n; i++) {
        if (i) buf_putc(b, ", ");
        buf_put(b, v->list.v[i].fields[0].s);
        buf_char(b, '=');
        buf_put(b, v->list.v[i].fields[1].s);
    }
}

static struct tmpl_value column(struct arena *a, const struct tmpl_value *pairs, size_t field)
{
    struct tmpl_builder b = { .a = a };
    for (size_t i = 0; i < pairs->list.n; i++) tmpl_add(&b, pairs->list.v[i].fields[field]);
    return tmpl_list_done(&b, &tmpl_type_strings);
}
FUNC(pairs_names)
{
    (void)n;
    *out = column(tmpl_arena(r), &v[0], 0);
    return OK;
}
FUNC(pairs_values)
{
    (void)n;
    *out = column(tmpl_arena(r), &v[0], 1);
    return OK;
}
FUNC(pairs_text)
{
    (void)n;
    BUF(b, TEXT_MAX);
    pairs_string(&b, &v[0]);
    *out = tmpl_str(arena_dup(tmpl_arena(r), buf_str(&b)));
    return OK;
}
static const struct tmpl_func pairs_methods[] = { { "Names", "", pairs_names },
                                                  { "Values", "", pairs_values },
                                                  { "String", "", pairs_text },
                                                  { NULL, NULL, NULL } };
static const struct tmpl_type pairs_type = {
    .name = "template.Pairs", .methods = pairs_methods, .elem = TV_STRUCT, .string = pairs_string
};

static void add_pair(struct tmpl_builder *b, const struct tmpl_pair *p)
{
    struct tmpl_value *fields = arena_array(b->a, 2, sizeof(*fields));
    fields[0] = tmpl_str(p->key);
    fields[1] = *p->value;
    tmpl_add(b, (struct tmpl_value){ .kind = TV_STRUCT, .type = &pair_type, .fields = fields });
}
/* alertname first, then by name. */
static struct tmpl_value sorted_pairs(struct arena *a, const struct tmpl_value *kv)
{
    struct tmpl_builder b = { .a = a };
    for (int turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < kv->map.n; i++) {
            if (str_eqc(kv->map.v[i].key, "alertname") == (turn == 0)) add_pair(&b, &kv->map.v[i]);
        }
    }
    return tmpl_list_done(&b, &pairs_type);
}
static void kv_string(struct buf *b, const struct tmpl_value *v)
{
    ARENA(a, 0);
    struct tmpl_value pairs = sorted_pairs(&a, v);
    pairs_string(b, &pairs);
}
FUNC(kv_pairs)
{
    (void)n;
    *out = sorted_pairs(tmpl_arena(r), &v[0]);
    return OK;
}
FUNC(kv_names)
{
    (void)n;
    struct tmpl_value pairs = sorted_pairs(tmpl_arena(r), &v[0]);
    *out = column(tmpl_arena(r), &pairs, 0);
    return OK;
}
FUNC(kv_values)
{
    (void)n;
    struct tmpl_value pairs = sorted_pairs(tmpl_arena(r), &v[0]);
    *out = column(tmpl_arena(r), &pairs, 1);
    return OK;
}
FUNC(kv_remove)
{
    (void)n;
    struct tmpl_builder b = { .a = tmpl_arena(r) };
    for (size_t i = 0; i < v[0].map.n; i++) {
        bool gone = false;
        for (size_t k = 0; k < v[1].list.n; k++) {
            gone = gone || str_eq(v[1].list.v[k].s, v[0].map.v[i].key);
        }
        if (!gone) tmpl_set_key(&b, v[0].map.v[i].key, *v[0].map.v[i].value);
    }
    *out = tmpl_map_done(&b, &kv_type);
    return OK;
}
FUNC(kv_text)
{
    (void)n;
    BUF(b, TEXT_MAX);
    kv_string(&b, &v[0]);
    *out = tmpl_str(arena_dup(tmpl_arena(r), buf_str(&b)));
    return OK;
}
static const struct tmpl_func kv_methods[] = {
    { "SortedPairs", "", kv_pairs }, { "Names", "", kv_names }, { "Values", "", kv_values },
    { "Remove", "l", kv_remove },    { "String", "", kv_text }, { NULL, NULL, NULL }
};
const struct tmpl_type kv_type = {
    .name = "template.KV", .methods = kv_methods, .elem = TV_STR, .string = kv_string
};

/* ---- alerts ---- */
static const char *const alert_fields[] = { "Status", "Labels",       "Annotations", "StartsAt",
                                            "EndsAt", "GeneratorURL", "Fingerprint", NULL };
static const char *const alert_json[] = { "status", "labels",       "annotations", "startsAt",
                                          "endsAt", "generatorURL", "fingerprint", NULL };
const struct tmpl_type alert_type = { .name = "template.Alert",
                                      .fields = alert_fields,
                                      .json = alert_json };

static struct tmpl_value by_status(struct arena *a, const struct tmpl_value *alerts,
                                   const char *status)
{
    struct tmpl_builder b = { .a = a };
    for (size_t i = 0; i < alerts->list.n; i++) {
        if (str_eqc(alerts->list.v[i].fields[ALERT_STATUS].s, status)) {
            tmpl_add(&b, alerts->list.v[i]);
        }
    }
    return tmpl_list_done(&b, &alerts_type);
}
FUNC(alerts_firing)
{
    (void)n;
    *out = by_status(tmpl_arena(r), &v[0], "firing");
    return OK;
}
FUNC(alerts_resolved)
{
    (void)n;
    *out = by_status(tmpl_arena(r), &v[0], "resolved");
    return OK;
}
static const struct tmpl_func alerts_methods[] = { { "Firing", "", alerts_firing },
                                                   { "Resolved", "", alerts_resolved },
                                                   { NULL, NULL, NULL } };
const struct tmpl_type alerts_type = { .name = "template.Alerts",
                                       .methods = alerts_methods,
                                       .elem = TV_STRUCT };

static const char *const data_fields[] = { "Receiver",
                                           "Status",
                                           "Alerts",
                                           "NotificationReason",
                                           "GroupLabels",
                                           "CommonLabels",
                                           "CommonAnnotations",
                                           "RouteLabels",
                                           "ExternalURL",
                                           NULL };
static const char *const data_json[] = { "receiver",
                                         "status",
                                         "alerts",
                                         "notification_reason",
                                         "groupLabels",
                                         "commonLabels",
                                         "commonAnnotations",
                                         "routeLabels",
                                         "externalURL",
                                         NULL };
const struct tmpl_type data_type = { .name = "*template.Data",
                                     .fields = data_fields,
                                     .json = data_json };

/* ---- building ---- */
static struct tmpl_value kv_of(struct arena *a, struct labels lb)
{
    struct tmpl_builder b = { .a = a };
    for (size_t i = 0; i < lb.n; i++) tmpl_set_key(&b, lb.v[i].name, tmpl_str(lb.v[i].value));
    return tmpl_map_done(&b, &kv_type);
}

/* Pairs that every alert has. */
static struct tmpl_value common(struct arena *a, const struct notification *nt, bool annotations)
{
    struct tmpl_builder b = { .a = a };
    struct labels first = { 0 };
    if (nt->n) first = annotations ? nt->v[0].alert->annotations : nt->v[0].alert->labels;
    for (size_t i = 0; i < first.n; i++) {
        bool everywhere = true;
        for (size_t k = 1; k < nt->n && everywhere; k++) {
            const struct alert *other = nt->v[k].alert;
            everywhere = str_eq(
                labels_get(annotations ? other->annotations : other->labels, first.v[i].name),
                first.v[i].value);
        }
        if (everywhere) tmpl_set_key(&b, first.v[i].name, tmpl_str(first.v[i].value));
    }
    return tmpl_map_done(&b, &kv_type);
}

static struct tmpl_value one_alert(struct arena *a, const struct notified *it)
{
    struct tmpl_value *f = arena_array(a, ALERT_MAX_, sizeof(*f));
    struct tmpl_time zero = { .s = TMPL_TIME_ZERO, .zone = STR("UTC") };
    f[ALERT_STATUS] = tmpl_str(it->resolved ? STR("resolved") : STR("firing"));
    f[ALERT_LABELS] = kv_of(a, it->alert->labels);
    f[ALERT_ANNOTATIONS] = kv_of(a, it->alert->annotations);
    f[ALERT_STARTS_AT] = tmpl_time_ms(a, it->alert->starts_at);
    f[ALERT_ENDS_AT] = it->resolved ? tmpl_time_ms(a, it->alert->ends_at)
                                    : tmpl_time_value(a, zero);
    f[ALERT_GENERATOR_URL] = tmpl_str(it->alert->generator_url);
    f[ALERT_FINGERPRINT] = tmpl_str(
        arena_fmt(a, "%016llx", (unsigned long long)it->alert->fingerprint));
    return (struct tmpl_value){ .kind = TV_STRUCT, .type = &alert_type, .fields = f };
}

/* regexp.QuoteMeta: the original passes the receiver's name through it. */
static struct str quote_meta(struct arena *a, struct str s)
{
    BUF(b, 0);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] && strchr("\\.+*?()|[]{}^$", s.p[i])) buf_char(&b, '\\');
        buf_char(&b, s.p[i]);
    }
    return arena_dup(a, buf_str(&b));
}

struct tmpl_value alert_data(struct arena *a, const struct notification *nt)
{
    struct tmpl_value *f = arena_array(a, DATA_MAX_, sizeof(*f));
    struct tmpl_builder alerts = { .a = a }, route_labels = { .a = a };
    bool firing = false;
    for (size_t i = 0; i < nt->n; i++) {
        tmpl_add(&alerts, one_alert(a, &nt->v[i]));
        firing = firing || !nt->v[i].resolved;
    }
    const struct yaml_pairs *lb = &nt->route->labels;
    for (size_t i = 0; i < lb->n; i++) {
        tmpl_set_key(&route_labels, lb->v[i].key, tmpl_str(lb->v[i].value));
    }
    f[DATA_RECEIVER] = tmpl_str(quote_meta(a, nt->integration->receiver->name));
    f[DATA_STATUS] = tmpl_str(firing ? STR("firing") : STR("resolved"));
    f[DATA_ALERTS] = tmpl_list_done(&alerts, &alerts_type);
    f[DATA_REASON] = tmpl_str(str_c(nt->reason));
    f[DATA_GROUP_LABELS] = kv_of(a, nt->group_labels);
    f[DATA_COMMON_LABELS] = common(a, nt, false);
    f[DATA_COMMON_ANNOTATIONS] = common(a, nt, true);
    f[DATA_ROUTE_LABELS] = tmpl_map_done(&route_labels, &kv_type);
    f[DATA_EXTERNAL_URL] = tmpl_str(nt->external_url);
    return (struct tmpl_value){ .kind = TV_STRUCT, .type = &data_type, .fields = f };
}

/* ---- functions ---- */
/* cases.Title: each word's first letter up, the rest down; an apostrophe does not end a word. */
FUNC(f_title)
{
    (void)n;
    struct tmpl_value upper, lower;
    const struct tmpl_func *up = tmpl_funcs_shared, *down = tmpl_funcs_shared;
    while (strcmp(up->name, "toUpper") != 0) up++;
    while (strcmp(down->name, "toLower") != 0) down++;
    TRY(down->fn(r, v, 1, &lower));
    TRY(up->fn(r, v, 1, &upper));
    /* Both keep the number of code points, so they are walked side by side. */
    BUF(b, TEXT_MAX);
    struct str u = upper.s, l = lower.s;
    bool inside = false;
    while (u.n && l.n) {
        uint32_t big = utf8_next(&u), little = utf8_next(&l);
        bool digit = big >= '0' && big <= '9';
        bool letter = big != little || digit || big == '_' || big > 0x7f;
        utf8_put(&b, inside ? little : big);
        inside = letter || (inside && big == '\'');
    }
    *out = tmpl_str(arena_dup(tmpl_arena(r), buf_str(&b)));
    return OK;
}
FUNC(f_now)
{
    (void)v;
    (void)n;
    const struct data_ctx *c = tmpl_ctx(r);
    *out = tmpl_time_ms(tmpl_arena(r), c->now_ms);
    return OK;
}
FUNC(f_since)
{
    (void)n;
    const struct data_ctx *c = tmpl_ctx(r);
    int64_t ns, ms = c->now_ms - v[0].time->s * 1000 - v[0].time->ns / 1000000;
    if (__builtin_mul_overflow(ms, INT64_C(1000000), &ns)) ns = ms < 0 ? INT64_MIN : INT64_MAX;
    *out = tmpl_duration(ns);
    return OK;
}
FUNC(f_tz)
{
    (void)n;
    struct zone *z = NULL;
    struct diag d = { 0 };
    struct tmpl_time t = *v[1].time;
    t.offset_s = 0;
    t.zone = STR("UTC");
    if (!str_eqc(v[0].s, "UTC") && v[0].s.n) {
        if (zone_open(tmpl_arena(r), v[0].s, &z, &d) != OK) return tmpl_fail(r, "%s", d.text);
        t.offset_s = zone_offset(z, t.s, &t.zone);
    }
    *out = tmpl_time_value(tmpl_arena(r), t);
    return OK;
}
/* A route label's text, run as a template of its own. */
FUNC(f_route_labels)
{
    (void)n;
    struct data_ctx *c = tmpl_ctx(r);
    const struct tmpl_value *text = tmpl_map_get(&c->data->fields[DATA_ROUTE_LABELS], v[0].s);
    *out = tmpl_str(STR(""));
    if (!text) return OK;
    for (size_t i = 0; i < c->labels_n; i++) {
        if (!str_eq(c->labels[i], v[0].s) && c->labels_n < ARRAY_LEN(c->labels)) continue;
        BUF(b, TEXT_MAX);
        for (size_t k = 0; k < c->labels_n; k++) buf_fmt(&b, STR_FMT " -> ", STR_ARG(c->labels[k]));
        return tmpl_fail(r, "route label cycle detected: " STR_FMT STR_FMT, STR_ARG(buf_str(&b)),
                         STR_ARG(v[0].s));
    }
    c->labels[c->labels_n++] = v[0].s;
    enum err e = tmpl_run_text(r, text->s, *c->data, &out->s);
    c->labels_n--;
    return e;
}

static const struct tmpl_func funcs[] = {
    { "title", "s", f_title },
    { "now", "", f_now },
    { "since", "T", f_since },
    { "tz", "sT", f_tz },
    { "routeLabels", "s", f_route_labels },
    { NULL, NULL, NULL },
};
const struct tmpl_func *const alert_tmpl_tables[2] = { tmpl_funcs_shared, funcs };

extern const struct embedded alert_templates[];

enum err alert_default_templates(struct tmpl_set *set, struct diag *d)
{
    for (const struct embedded *f = alert_templates; f->name; f++) {
        TRY(tmpl_parse(set, str_c(f->name), embedded_bytes(f), d));
    }
    return OK;
}

/* ---- rendering ---- */
static enum err run(const struct tmpl_set *set, enum tmpl_mode mode, struct arena *a,
                    struct data_ctx *ctx, struct str *out, struct diag *d)
{
    BUF(b, TEXT_MAX + 1);
    struct tmpl_exec x = { .mode = mode, .arena = a, .ctx = ctx };
    TRY(tmpl_execute(set, STR(""), *ctx->data, &x, &b, d));
    *out = arena_dup(a, buf_str(&b));
    return OK;
}

enum err setting_render(const struct setting *s, enum tmpl_mode mode, struct arena *a,
                        struct data_ctx *ctx, struct str *out, struct diag *d)
{
    if (s->tmpl) return run(s->tmpl, mode, a, ctx, out, d);
    *out = s->text;
    if (s->literal || !s->text.n) return OK;
    return diag_set(d, ERR_SYNTAX,
                    "the template does not parse: see the log of the configuration's load");
}

enum err text_render(const struct tmpl_set *set, struct str text, enum tmpl_mode mode,
                     struct arena *a, struct data_ctx *ctx, struct str *out, struct diag *d)
{
    if (str_find(text, STR("{{")) == STR_NONE) {
        *out = text;
        return OK;
    }
    struct tmpl_set *child = tmpl_set_child(a, set);
    TRY(tmpl_parse(child, STR(""), text, d));
    return run(child, mode, a, ctx, out, d);
}
