/* SPDX-License-Identifier: Apache-2.0 */
#include "scrape/target.h"

#include "base/hash.h"
#include "base/map.h"
#include "base/vec.h"
#include "codec/goquote.h"
#include "codec/gotime.h"

struct lists {
    VEC(struct target) targets;
    VEC(struct labels) dropped;
    VEC(struct bad_target) bad;
    struct map64 by_hash;
};

/* --- URL --- */

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

static void put_escaped(struct buf *b, struct str s, const char *also_plain, bool query)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (is_unreserved(c) || (c && strchr(also_plain, c))) {
            buf_char(b, c);
        } else if (query && c == ' ') {
            buf_char(b, '+');
        } else {
            buf_fmt(b, "%%%02X", (unsigned char)c);
        }
    }
}

/* The value a parameter has after relabelling: __param_NAME replaces the first of the configured ones. */
static void put_param(struct buf *b, struct str name, struct str value)
{
    buf_char(b, b->n && memchr(b->p, '?', b->n) ? '&' : '?');
    put_escaped(b, name, "", true);
    buf_char(b, '=');
    put_escaped(b, value, "", true);
}

static const struct query_param *configured(const struct scrape_config *c, struct str name)
{
    for (size_t i = 0; i < c->params.n; i++) {
        if (str_eq(c->params.v[i].name, name)) return &c->params.v[i];
    }
    return NULL;
}

/* Sorted by name, as the labels are that carry the first values. */
static void put_params(struct buf *b, const struct scrape_config *c, struct labels lb)
{
    for (size_t i = 0; i < lb.n; i++) {
        if (!str_starts(lb.v[i].name, STR("__param_"))) continue;
        struct str name = str_from(lb.v[i].name, sizeof("__param_") - 1);
        const struct query_param *p = configured(c, name);
        put_param(b, name, lb.v[i].value);
        for (size_t j = 1; p && j < p->values.n; j++) {
            put_param(b, name, p->values.v[j]);
        }
    }
}

static struct str url_of(struct arena *a, const struct scrape_config *c, struct labels lb)
{
    BUF(b, 0);
    struct str path = labels_get(lb, STR("__metrics_path__"));
    buf_put(&b, labels_get(lb, STR("__scheme__")));
    buf_putc(&b, "://");
    buf_put(&b, labels_get(lb, STR("__address__")));
    if (path.n && path.p[0] != '/') buf_char(&b, '/');
    put_escaped(&b, path, "/$&+,:;=@%", false);
    put_params(&b, c, lb);
    return arena_dup(a, buf_str(&b));
}

/* --- labels --- */

static struct str duration_text(struct arena *a, int64_t ms)
{
    BUF(b, 64);
    duration_write(&b, ms);
    return arena_dup(a, buf_str(&b));
}

static void set_absent(struct labels_builder *b, struct str name, struct str value)
{
    if (!labels_builder_get(b, name).n) labels_set(b, name, value);
}

/* What a target is before its relabel rules: its own labels, then the group's, then the job's where neither says anything. */
static struct labels discovered(struct arena *a, const struct scrape_config *c, struct labels group,
                                struct labels own)
{
    struct labels_builder b;
    labels_builder_init(&b, a, (struct labels){ 0 });
    for (size_t i = 0; i < group.n; i++) {
        labels_set(&b, group.v[i].name, group.v[i].value);
    }
    for (size_t i = 0; i < own.n; i++) {
        labels_set(&b, own.v[i].name, own.v[i].value);
    }
    set_absent(&b, STR("job"), c->job_name);
    set_absent(&b, STR("__scrape_interval__"), duration_text(a, c->interval_ms));
    set_absent(&b, STR("__scrape_timeout__"), duration_text(a, c->timeout_ms));
    set_absent(&b, STR("__metrics_path__"), c->metrics_path);
    set_absent(&b, STR("__scheme__"), c->scheme);
    for (size_t i = 0; i < c->params.n; i++) {
        const struct query_param *p = &c->params.v[i];
        if (!p->values.n) continue;
        set_absent(&b, arena_fmt(a, "__param_" STR_FMT, STR_ARG(p->name)), p->values.v[0]);
    }
    return labels_dup(a, labels_build(&b));
}

struct str target_shown(struct str address)
{
    size_t at = address.n;
    while (at > 0 && address.p[at - 1] != '@') at--;
    return str_from(address, at);
}

static enum err check_address(struct str address, struct diag *d)
{
    if (!address.n) return diag_set(d, ERR_SYNTAX, "no address");
    if (str_find_char(address, '/') == STR_NONE) return OK;
    return diag_quoted(d, ERR_SYNTAX, "", target_shown(address), " is not a valid hostname");
}

static enum err read_interval(struct labels lb, const char *label, const char *what, int64_t *ms,
                              struct diag *d)
{
    struct diag why = { 0 };
    enum err e = duration_parse(labels_get(lb, str_c(label)), ms, &why);
    if (e != OK) return diag_set(d, e, "error parsing scrape %s: %s", what, why.text);
    if (*ms == 0) return diag_set(d, ERR_SYNTAX, "scrape %s cannot be 0", what);
    return OK;
}

static enum err check_intervals(struct labels lb, struct target *t, struct diag *d)
{
    TRY(read_interval(lb, "__scrape_interval__", "interval", &t->interval_ms, d));
    TRY(read_interval(lb, "__scrape_timeout__", "timeout", &t->timeout_ms, d));
    if (t->timeout_ms <= t->interval_ms) return OK;
    struct str interval = labels_get(lb, STR("__scrape_interval__"));
    struct str timeout = labels_get(lb, STR("__scrape_timeout__"));
    return diag_set(d, ERR_SYNTAX,
                    "scrape timeout cannot be greater than scrape interval (\"" STR_FMT
                    "\" > \"" STR_FMT "\")",
                    STR_ARG(timeout), STR_ARG(interval));
}

/* Names that begin with __ served the relabelling; the instance is the address unless somebody said otherwise. */
static struct labels public_labels(struct arena *a, struct labels lb)
{
    struct labels_builder b;
    labels_builder_init(&b, a, lb);
    set_absent(&b, STR("instance"), labels_get(lb, STR("__address__")));
    for (size_t i = 0; i < lb.n; i++) {
        if (str_starts(lb.v[i].name, STR("__"))) labels_del(&b, lb.v[i].name);
    }
    return labels_dup(a, labels_build(&b));
}

/* FNV-1a over a decimal label hash and the URL. Source: scrape/target.go hash. */
static uint64_t hash_of(struct labels lb, struct str url)
{
    BUF(b, 0);
    for (size_t i = 0; i < lb.n; i++) {
        buf_put(&b, lb.v[i].name);
        buf_char(&b, '\xff');
        buf_put(&b, lb.v[i].value);
        buf_char(&b, '\xff');
    }
    uint64_t h = hash_xxh64(buf_str(&b));
    buf_reset(&b);
    buf_fmt(&b, "%016llu", (unsigned long long)h);
    return hash_fnv1a(hash_fnv1a(FNV1A_INIT, buf_str(&b)), url);
}

static enum err finish(struct arena *a, const struct scrape_config *c, struct labels lb,
                       struct target *t, struct diag *d)
{
    TRY(check_address(labels_get(lb, STR("__address__")), d));
    TRY(check_intervals(lb, t, d));
    t->labels = public_labels(a, lb);
    t->url = url_of(a, c, lb);
    t->hash = hash_of(t->labels, t->url);
    return OK;
}

static bool known(struct lists *l, const struct target *t)
{
    size_t at = (size_t)(uintptr_t)map64_get(&l->by_hash, t->hash); /* its place + 1 */
    if (!at) return false;
    return str_eq(l->targets.v[at - 1].url, t->url);
}

static void add_target(struct arena *a, const struct scrape_config *c, struct labels group,
                       struct labels own, struct lists *l)
{
    struct target t = { .discovered = discovered(a, c, group, own) };
    struct labels_builder b;
    struct diag d = { 0 };
    labels_builder_init(&b, a, t.discovered);
    if (!relabel_apply(&b, c->relabel.v, c->relabel.n)) {
        *vec_push(a, &l->dropped) = t.discovered;
        return;
    }
    if (finish(a, c, labels_dup(a, labels_build(&b)), &t, &d) != OK) {
        *vec_push(a, &l->bad) = (struct bad_target){ t.discovered, arena_fmt(a, "%s", d.text) };
    } else if (!known(l, &t)) {
        *vec_push(a, &l->targets) = t;
        (void)map64_put(&l->by_hash, t.hash, (void *)(uintptr_t)l->targets.n);
    }
}

void targets_of(struct arena *a, const struct scrape_config *c, struct sd_groups found,
                struct target_list *out)
{
    struct lists l = { 0 };
    for (size_t i = 0; i < c->static_configs.n; i++) {
        const struct target_group *g = &c->static_configs.v[i];
        for (size_t j = 0; j < g->targets.n; j++) {
            struct label address = { STR("__address__"), g->targets.v[j] };
            add_target(a, c, g->labels, (struct labels){ &address, 1 }, &l);
        }
    }
    for (size_t i = 0; i < found.n; i++) {
        for (size_t j = 0; j < found.v[i].n; j++) {
            add_target(a, c, found.v[i].labels, found.v[i].targets[j], &l);
        }
    }
    map64_done(&l.by_hash);
    *out = (struct target_list){ l.targets.v, l.dropped.v, l.bad.v,
                                 l.targets.n, l.dropped.n, l.bad.n };
}
