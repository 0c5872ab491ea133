/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_print.c - a configuration back to YAML, key by key in the original's order
 *
 * Source: the yaml tags of config/config.go (order, omitempty); sections that this build does not read
 * (storage's out-of-order window, otlp) are printed with the original's defaults.
 */
#include "codec/gotime.h"
#include "codec/num.h"
#include "scrape/config_priv.h"

/* Where a line begins: two blanks a level, and a "- " that takes the place of the last two for the first key of an item. */
struct printer {
    struct buf *b;
    unsigned depth;
    bool item; /* the next line is the first of a list item */
};

static void key(struct printer *p, const char *name)
{
    for (unsigned i = 0; i + (p->item ? 1 : 0) < p->depth; i++) {
        buf_putc(p->b, "  ");
    }
    if (p->item) buf_putc(p->b, "- ");
    p->item = false;
    buf_putc(p->b, name);
    buf_char(p->b, ':');
}

static void open_key(struct printer *p, const char *name)
{
    key(p, name);
    buf_char(p->b, '\n');
}

static void put_str(struct printer *p, const char *name, struct str s)
{
    if (!s.n) return;
    key(p, name);
    buf_char(p->b, ' ');
    yaml_write_str(p->b, s, false);
    buf_char(p->b, '\n');
}

static void put_c(struct printer *p, const char *name, const char *s)
{
    if (s) put_str(p, name, str_c(s));
}

static void put_secret(struct printer *p, const char *name, struct secret s)
{
    if (secret_set(s)) put_str(p, name, SECRET_SHOWN);
}

static void put_bool(struct printer *p, const char *name, bool v)
{
    key(p, name);
    buf_putc(p->b, v ? " true\n" : " false\n");
}

static void put_true(struct printer *p, const char *name, bool v)
{
    if (v) put_bool(p, name, v);
}

static void put_int(struct printer *p, const char *name, int64_t v)
{
    if (!v) return;
    key(p, name);
    buf_char(p->b, ' ');
    num_write_i64(p->b, v);
    buf_char(p->b, '\n');
}

static void put_size(struct printer *p, const char *name, int64_t v)
{
    if (!v) return;
    key(p, name);
    buf_char(p->b, ' ');
    size_write(p->b, v);
    buf_char(p->b, '\n');
}

static void put_float(struct printer *p, const char *name, double v)
{
    if (v == 0.0) return;
    key(p, name);
    buf_char(p->b, ' ');
    num_write_g(p->b, v);
    buf_char(p->b, '\n');
}

static void put_duration(struct printer *p, const char *name, int64_t ms)
{
    if (!ms) return;
    key(p, name);
    buf_char(p->b, ' ');
    duration_write(p->b, ms);
    buf_char(p->b, '\n');
}

/* A list stands at its key's own depth. */
static void list_item(struct printer *p, struct str s)
{
    for (unsigned i = 0; i < p->depth; i++) {
        buf_putc(p->b, "  ");
    }
    buf_putc(p->b, "- ");
    yaml_write_str(p->b, s, false);
    buf_char(p->b, '\n');
}

static void put_strs(struct printer *p, const char *name, struct yaml_strs list)
{
    if (!list.n) return;
    open_key(p, name);
    for (size_t i = 0; i < list.n; i++) {
        list_item(p, list.v[i]);
    }
}

static void put_labels(struct printer *p, const char *name, struct labels lb)
{
    if (!lb.n) return;
    open_key(p, name);
    p->depth++;
    for (size_t i = 0; i < lb.n; i++) {
        for (unsigned j = 0; j < p->depth; j++) {
            buf_putc(p->b, "  ");
        }
        yaml_write_str(p->b, lb.v[i].name, false);
        buf_putc(p->b, ": ");
        yaml_write_str(p->b, lb.v[i].value, false);
        buf_char(p->b, '\n');
    }
    p->depth--;
}

static void item(struct printer *p)
{
    p->depth++;
    p->item = true;
}

static void item_end(struct printer *p)
{
    p->depth--;
    p->item = false;
}

static void put_protocols(struct printer *p, const struct protocols *list)
{
    if (!list->n) return;
    open_key(p, "scrape_protocols");
    for (size_t i = 0; i < list->n; i++) {
        list_item(p, scrape_protocol_name(list->v[i]));
    }
}

static const char *names_text(enum name_scheme n)
{
    return n == NAMES_LEGACY ? "legacy" : n == NAMES_UTF8 ? "utf8" : NULL;
}

static const char *escaping_text(enum escaping e)
{
    static const char *const TEXTS[] = { NULL, "allow-utf-8", "underscores", "dots", "values" };
    return TEXTS[e];
}

static void put_limits(struct printer *p, const struct scrape_limits *l)
{
    put_size(p, "body_size_limit", l->body_size);
    put_int(p, "sample_limit", l->samples);
    put_int(p, "target_limit", l->targets);
    put_int(p, "label_limit", l->labels);
    put_int(p, "label_name_length_limit", l->label_name_length);
    put_int(p, "label_value_length_limit", l->label_value_length);
}

/* --- rules --- */

static void put_source_labels(struct printer *p, const struct relabel_rule *r)
{
    if (!r->source_n) return;
    key(p, "source_labels");
    buf_putc(p->b, " [");
    for (size_t i = 0; i < r->source_n; i++) {
        if (i) buf_putc(p->b, ", ");
        yaml_write_str(p->b, r->source_labels[i], true);
    }
    buf_putc(p->b, "]\n");
}

static void put_rule(struct printer *p, const struct relabel_rule *r)
{
    item(p);
    put_source_labels(p, r);
    put_str(p, "separator", r->separator);
    if (!relabel_regex_is_default(r)) {
        key(p, "regex");
        buf_char(p->b, ' ');
        yaml_write_str(p->b, r->regex_text, false);
        buf_char(p->b, '\n');
    }
    put_int(p, "modulus", (int64_t)r->modulus);
    put_str(p, "target_label", r->target_label);
    put_str(p, "replacement", r->replacement);
    put_c(p, "action", relabel_action_name(r->action));
    item_end(p);
}

static void put_rules(struct printer *p, const char *name, struct relabel_rules rules)
{
    if (!rules.n) return;
    open_key(p, name);
    for (size_t i = 0; i < rules.n; i++) {
        put_rule(p, &rules.v[i]);
    }
}

/* --- HTTP, targets --- */

static void put_http(struct printer *p, const struct http_config *c)
{
    if (c->basic) {
        open_key(p, "basic_auth");
        p->depth++;
        put_str(p, "username", c->basic->username);
        put_str(p, "username_file", c->basic->username_file);
        put_secret(p, "password", c->basic->password);
        put_str(p, "password_file", c->basic->password_file);
        p->depth--;
    }
    if (c->authorization) {
        open_key(p, "authorization");
        p->depth++;
        put_str(p, "type", c->authorization->type);
        put_secret(p, "credentials", c->authorization->credentials);
        put_str(p, "credentials_file", c->authorization->credentials_file);
        p->depth--;
    }
    put_bool(p, "follow_redirects", c->follow_redirects);
    put_bool(p, "enable_http2", c->enable_http2);
    put_str(p, "proxy_url", c->proxy_url);
    put_str(p, "no_proxy", c->no_proxy);
    put_true(p, "proxy_from_environment", c->proxy_from_environment);
}

static void put_groups(struct printer *p, const struct target_groups *groups)
{
    if (!groups->n) return;
    open_key(p, "static_configs");
    for (size_t i = 0; i < groups->n; i++) {
        const struct target_group *g = &groups->v[i];
        item(p);
        if (g->targets.n) {
            put_strs(p, "targets", g->targets);
        } else {
            key(p, "targets");
            buf_putc(p->b, " []\n");
        }
        put_labels(p, "labels", g->labels);
        item_end(p);
    }
}

/* --- sections --- */

static void put_global(struct printer *p, const struct global_config *g)
{
    open_key(p, "global");
    p->depth++;
    put_duration(p, "scrape_interval", g->scrape_interval_ms);
    put_duration(p, "scrape_timeout", g->scrape_timeout_ms);
    put_protocols(p, &g->protocols);
    put_duration(p, "evaluation_interval", g->evaluation_interval_ms);
    put_duration(p, "rule_query_offset", g->rule_query_offset_ms);
    put_labels(p, "external_labels", g->external_labels);
    put_limits(p, &g->limits);
    put_int(p, "keep_dropped_targets", g->limits.keep_dropped_targets);
    put_c(p, "metric_name_validation_scheme", names_text(g->names));
    put_c(p, "metric_name_escaping_scheme", escaping_text(g->escaping));
    put_bool(p, "scrape_native_histograms", g->histograms.native == TRI_ON);
    put_true(p, "convert_classic_histograms_to_nhcb", g->histograms.to_nhcb == TRI_ON);
    put_true(p, "always_scrape_classic_histograms", g->histograms.always_classic == TRI_ON);
    put_bool(p, "extra_scrape_metrics", g->histograms.extra_metrics == TRI_ON);
    p->depth--;
}

static void put_params(struct printer *p, const struct query_params *params)
{
    if (!params->n) return;
    open_key(p, "params");
    p->depth++;
    for (size_t i = 0; i < params->n; i++) {
        for (unsigned j = 0; j < p->depth; j++) {
            buf_putc(p->b, "  ");
        }
        yaml_write_str(p->b, params->v[i].name, false);
        buf_putc(p->b, params->v[i].values.n ? ":\n" : ": []\n");
        for (size_t j = 0; j < params->v[i].values.n; j++) {
            list_item(p, params->v[i].values.v[j]);
        }
    }
    p->depth--;
}

static void put_job(struct printer *p, const struct scrape_config *c)
{
    item(p);
    put_str(p, "job_name", c->job_name);
    put_true(p, "honor_labels", c->honor_labels);
    put_bool(p, "honor_timestamps", c->honor_timestamps);
    put_bool(p, "track_timestamps_staleness", c->track_timestamps_staleness);
    put_params(p, &c->params);
    put_duration(p, "scrape_interval", c->interval_ms);
    put_duration(p, "scrape_timeout", c->timeout_ms);
    put_protocols(p, &c->protocols);
    put_str(p, "fallback_scrape_protocol", scrape_protocol_name(c->fallback_protocol));
    put_bool(p, "scrape_native_histograms", c->histograms.native == TRI_ON);
    put_bool(p, "always_scrape_classic_histograms", c->histograms.always_classic == TRI_ON);
    put_bool(p, "convert_classic_histograms_to_nhcb", c->histograms.to_nhcb == TRI_ON);
    put_str(p, "metrics_path", c->metrics_path);
    put_str(p, "scheme", c->scheme);
    put_bool(p, "enable_compression", c->enable_compression);
    put_limits(p, &c->limits);
    put_int(p, "native_histogram_bucket_limit", c->native_bucket_limit);
    put_float(p, "native_histogram_min_bucket_factor", c->native_min_bucket_factor);
    put_int(p, "keep_dropped_targets", c->limits.keep_dropped_targets);
    put_c(p, "metric_name_validation_scheme", names_text(c->names));
    put_c(p, "metric_name_escaping_scheme", escaping_text(c->escaping));
    put_bool(p, "extra_scrape_metrics", c->histograms.extra_metrics == TRI_ON);
    put_http(p, &c->http);
    put_rules(p, "relabel_configs", c->relabel);
    put_rules(p, "metric_relabel_configs", c->metric_relabel);
    put_groups(p, &c->static_configs);
    item_end(p);
}

static void put_alertmanager(struct printer *p, const struct alertmanager_config *c)
{
    item(p);
    put_http(p, &c->http);
    put_str(p, "scheme", c->scheme);
    put_str(p, "path_prefix", c->path_prefix);
    put_duration(p, "timeout", c->timeout_ms);
    put_str(p, "api_version", c->api_version);
    put_rules(p, "relabel_configs", c->relabel);
    put_rules(p, "alert_relabel_configs", c->alert_relabel);
    put_groups(p, &c->static_configs);
    item_end(p);
}

static void put_alerting(struct printer *p, const struct prom_config *c)
{
    if (!c->alert_relabel.n && !c->alertmanagers.n) return;
    open_key(p, "alerting");
    p->depth++;
    put_rules(p, "alert_relabel_configs", c->alert_relabel);
    if (c->alertmanagers.n) open_key(p, "alertmanagers");
    for (size_t i = 0; i < c->alertmanagers.n; i++) {
        put_alertmanager(p, &c->alertmanagers.v[i]);
    }
    p->depth--;
}

static void put_storage(struct printer *p, const struct tsdb_config *t)
{
    buf_putc(p->b, "storage:\n  tsdb:\n    outofordertimewindow: 0\n");
    p->depth += 2;
    if (t->chunk_encoding.n) {
        open_key(p, "chunk_encoding");
        p->depth++;
        put_str(p, "floats", t->chunk_encoding);
        p->depth--;
    }
    if (t->retention_ms || t->retention_size || t->retention_percentage != 0.0) {
        open_key(p, "retention");
        p->depth++;
        put_duration(p, "time", t->retention_ms);
        put_size(p, "size", t->retention_size);
        put_float(p, "percentage", t->retention_percentage);
        p->depth--;
    } else {
        buf_putc(p->b, "    retention: {}\n");
    }
    p->depth -= 2;
}

void prom_config_print(struct buf *b, const struct prom_config *c)
{
    struct printer p = { .b = b };
    put_global(&p, &c->global);
    buf_putc(b, "runtime:\n");
    p.depth = 1;
    put_int(&p, "gogc", c->gogc);
    p.depth = 0;
    put_alerting(&p, c);
    put_strs(&p, "rule_files", c->rule_files);
    put_strs(&p, "scrape_config_files", c->scrape_config_files);
    if (c->main_configs.n) open_key(&p, "scrape_configs");
    for (size_t i = 0; i < c->main_configs.n; i++) {
        put_job(&p, &c->main_configs.v[i]);
    }
    put_storage(&p, &c->tsdb);
    buf_putc(b, "otlp:\n  translation_strategy: UnderscoreEscapingWithSuffixes\n"
                "  label_name_underscore_sanitization: true\n"
                "  label_name_preserve_multiple_underscores: true\n");
}
