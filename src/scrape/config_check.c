/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_check.c - what holds between keys: addresses, intervals, protocols, inheritance
 *
 * Source: config/config.go (GlobalConfig.UnmarshalYAML, ScrapeConfig.Validate).
 */
#include "codec/goquote.h"
#include "scrape/config_priv.h"
#include "scrape/target.h"

static const char *const PROTOCOLS[] = {
    [PROTOCOL_NONE] = "",
    [PROTOCOL_OM_0_0_1] = "OpenMetricsText0.0.1",
    [PROTOCOL_OM_1_0_0] = "OpenMetricsText1.0.0",
    [PROTOCOL_PROTO] = "PrometheusProto",
    [PROTOCOL_TEXT_0_0_4] = "PrometheusText0.0.4",
    [PROTOCOL_TEXT_1_0_0] = "PrometheusText1.0.0",
};
static const char SUPPORTED[] = "[OpenMetricsText0.0.1 OpenMetricsText1.0.0 PrometheusProto "
                                "PrometheusText0.0.4 PrometheusText1.0.0]";

struct str scrape_protocol_name(enum scrape_protocol p) { return str_c(PROTOCOLS[p]); }

enum scrape_protocol scrape_protocol_of(struct str name)
{
    for (size_t i = PROTOCOL_NONE + 1; i < PROTOCOL_MAX_; i++) {
        if (str_eqc(name, PROTOCOLS[i])) return (enum scrape_protocol)i;
    }
    return PROTOCOL_NONE;
}

/* --- targets --- */

/* A path in an address is a mistake, unless relabelling may be meant to take it apart. */
enum err target_groups_check(const struct target_groups *groups, bool relabelled, struct diag *d)
{
    if (relabelled) return OK;
    for (size_t i = 0; i < groups->n; i++) {
        const struct target_group *g = &groups->v[i];
        const struct yaml_node *at = yaml_get(g->at, "targets");
        for (size_t j = 0; j < g->targets.n; j++) {
            if (str_find_char(g->targets.v[j], '/') == STR_NONE) continue;
            enum err e = diag_quoted(d, ERR_SYNTAX, "", target_shown(g->targets.v[j]),
                                     " is not a valid hostname");
            if (d) {
                d->line = at->items[j]->line;
                d->col = at->items[j]->col;
            }
            return e;
        }
    }
    return OK;
}

/* --- protocols --- */

static enum err protocol_of(const struct yaml_node *v, const char *before, const char *after,
                            enum scrape_protocol *out, struct diag *d)
{
    struct str name = yaml_str(v, STR(""));
    enum scrape_protocol p = scrape_protocol_of(name);
    if (p == PROTOCOL_NONE) {
        return yaml_error(v, d, ERR_SYNTAX,
                          "%sunknown scrape protocol " STR_FMT ", supported: %s%s", before,
                          STR_ARG(name), SUPPORTED, after);
    }
    *out = p;
    return OK;
}

static enum err duplicated(const struct yaml_node *v, const char *where, struct diag *d)
{
    BUF(b, 4096);
    for (size_t i = 0; i < v->n; i++) {
        buf_fmt(&b, "%s" STR_FMT, i ? " " : "", STR_ARG(yaml_str(v->items[i], STR(""))));
    }
    return yaml_error(v, d, ERR_SYNTAX,
                      "duplicated protocol in scrape_protocols, got [" STR_FMT "]%s",
                      STR_ARG(buf_str(&b)), where);
}

static enum err protocols_of(const struct yaml_node *v, const char *where, struct protocols *out,
                             struct diag *d)
{
    struct protocols p = { 0 };
    if (yaml_is_null(v)) return OK;
    if (v->kind != YAML_SEQ) return yaml_mismatch(v, "[]config.ScrapeProtocol", d);
    if (!v->n) return yaml_error(v, d, ERR_SYNTAX, "scrape_protocols cannot be empty%s", where);
    for (size_t i = 0; i < v->n; i++) {
        enum scrape_protocol it = PROTOCOL_NONE;
        TRY(protocol_of(v->items[i], "scrape_protocols: ", where, &it, d));
        for (size_t j = 0; j < p.n; j++) {
            if (p.v[j] == it) return duplicated(v, where, d);
        }
        p.v[p.n++] = it;
    }
    *out = p;
    return OK;
}

/* --- global --- */

enum err global_config_finish(struct global_config *g, struct diag *d)
{
    TRY(protocols_of(g->at_protocols, " for global config", &g->protocols, d));
    if (g->scrape_interval_ms == 0) g->scrape_interval_ms = DURATION_DEFAULT_INTERVAL;
    if (g->scrape_timeout_ms > g->scrape_interval_ms) {
        return diag_set(d, ERR_SYNTAX, "global scrape timeout greater than scrape interval");
    }
    if (g->scrape_timeout_ms == 0) {
        bool shorter = DURATION_DEFAULT_TIMEOUT > g->scrape_interval_ms;
        g->scrape_timeout_ms = shorter ? g->scrape_interval_ms : DURATION_DEFAULT_TIMEOUT;
    }
    if (g->evaluation_interval_ms == 0) g->evaluation_interval_ms = DURATION_DEFAULT_INTERVAL;
    if (g->names == NAMES_UNSET) g->names = NAMES_UTF8;
    return OK;
}

/* --- one job --- */

static void inherit_limit(int64_t *job, int64_t global)
{
    if (*job == 0) *job = global;
}

static void inherit_tri(enum tri *job, enum tri global)
{
    if (*job == TRI_UNSET) *job = global == TRI_ON ? TRI_ON : TRI_OFF;
}

static void inherit(struct scrape_config *c, const struct global_config *g)
{
    inherit_limit(&c->limits.body_size, g->limits.body_size);
    inherit_limit(&c->limits.samples, g->limits.samples);
    inherit_limit(&c->limits.targets, g->limits.targets);
    inherit_limit(&c->limits.labels, g->limits.labels);
    inherit_limit(&c->limits.label_name_length, g->limits.label_name_length);
    inherit_limit(&c->limits.label_value_length, g->limits.label_value_length);
    inherit_limit(&c->limits.keep_dropped_targets, g->limits.keep_dropped_targets);
    inherit_tri(&c->histograms.native, g->histograms.native);
    inherit_tri(&c->histograms.always_classic, g->histograms.always_classic);
    inherit_tri(&c->histograms.to_nhcb, g->histograms.to_nhcb);
    inherit_tri(&c->histograms.extra_metrics, g->histograms.extra_metrics);
}

/* A job without protocols takes global's; without those, the built-in order, protobuf first for native histograms. */
static void inherit_protocols(struct scrape_config *c, const struct global_config *g)
{
    static const enum scrape_protocol BUILT_IN[] = { PROTOCOL_PROTO, PROTOCOL_OM_1_0_0,
                                                     PROTOCOL_OM_0_0_1, PROTOCOL_TEXT_1_0_0,
                                                     PROTOCOL_TEXT_0_0_4 };
    if (c->protocols.n) return;
    if (g->protocols.n) {
        c->protocols = g->protocols;
        return;
    }
    for (size_t i = c->histograms.native == TRI_ON ? 0 : 1; i < ARRAY_LEN(BUILT_IN); i++) {
        c->protocols.v[c->protocols.n++] = BUILT_IN[i];
    }
}

static enum err finish_names(struct scrape_config *c, const struct global_config *g,
                             const char *where, struct diag *d)
{
    if (c->names == NAMES_UNSET) c->names = g->names;
    bool legacy = c->names == NAMES_LEGACY;
    if (c->escaping == ESCAPING_UNSET) {
        bool usable = g->escaping != ESCAPING_UNSET &&
                      !(legacy && g->escaping == ESCAPING_ALLOW_UTF8);
        c->escaping = usable ? g->escaping : legacy ? ESCAPING_UNDERSCORES : ESCAPING_ALLOW_UTF8;
    }
    if (legacy && c->escaping == ESCAPING_ALLOW_UTF8) {
        return diag_set(d, ERR_SYNTAX,
                        "utf8 metric names requested but validation scheme is not set to UTF8%s",
                        where);
    }
    return OK;
}

static enum err finish_intervals(struct scrape_config *c, const struct global_config *g,
                                 const char *where, struct diag *d)
{
    if (c->interval_ms == 0) c->interval_ms = g->scrape_interval_ms;
    if (c->timeout_ms > c->interval_ms) {
        const struct yaml_node *v = yaml_get(c->at, "scrape_timeout");
        return yaml_error(v ? v : c->at, d, ERR_SYNTAX,
                          "scrape timeout greater than scrape interval%s", where);
    }
    if (c->timeout_ms == 0) {
        bool shorter = g->scrape_timeout_ms > c->interval_ms;
        c->timeout_ms = shorter ? c->interval_ms : g->scrape_timeout_ms;
    }
    return OK;
}

enum err scrape_config_finish(struct arena *a, struct scrape_config *c,
                              const struct global_config *g, struct diag *d)
{
    struct diag quoted;
    (void)diag_quoted(&quoted, ERR_SYNTAX, " for scrape config with job name ", c->job_name, "");
    const char *where = quoted.text;
    TRY(finish_intervals(c, g, where, d));
    inherit(c, g);
    TRY(protocols_of(c->at_protocols, where, &c->protocols, d));
    inherit_protocols(c, g);
    if (!yaml_is_null(c->at_fallback)) {
        struct str before = arena_fmt(a, "invalid fallback_scrape_protocol%s: ", where);
        TRY(protocol_of(c->at_fallback, before.p, "", &c->fallback_protocol, d));
    }
    return finish_names(c, g, where, d);
}
