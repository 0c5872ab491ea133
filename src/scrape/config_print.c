/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_print.c - a configuration back to YAML, key by key in the original's order
 *
 * Source: the yaml tags of config/config.go (order, omitempty); sections that this build does not read
 * (storage's out-of-order window, otlp) are printed with the original's defaults.
 */
#include "codec/yaml_printer.h"
#include "scrape/config_priv.h"

static void put_labels(struct yaml_printer *p, const char *name, struct labels lb)
{
    if (!lb.n) return;
    yp_open(p, name);
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

static void put_protocols(struct yaml_printer *p, const struct protocols *list)
{
    if (!list->n) return;
    yp_open(p, "scrape_protocols");
    for (size_t i = 0; i < list->n; i++) {
        yp_list_item(p, scrape_protocol_name(list->v[i]));
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

static void put_limits(struct yaml_printer *p, const struct scrape_limits *l)
{
    yp_size(p, "body_size_limit", l->body_size);
    yp_int(p, "sample_limit", l->samples);
    yp_int(p, "target_limit", l->targets);
    yp_int(p, "label_limit", l->labels);
    yp_int(p, "label_name_length_limit", l->label_name_length);
    yp_int(p, "label_value_length_limit", l->label_value_length);
}

/* --- rules --- */

static void put_source_labels(struct yaml_printer *p, const struct relabel_rule *r)
{
    if (!r->source_n) return;
    yp_key(p, "source_labels");
    buf_putc(p->b, " [");
    for (size_t i = 0; i < r->source_n; i++) {
        if (i) buf_putc(p->b, ", ");
        yaml_write_str(p->b, r->source_labels[i], true);
    }
    buf_putc(p->b, "]\n");
}

static void put_rule(struct yaml_printer *p, const struct relabel_rule *r)
{
    yp_item(p);
    put_source_labels(p, r);
    yp_str(p, "separator", r->separator);
    if (!relabel_regex_is_default(r)) {
        yp_key(p, "regex");
        buf_char(p->b, ' ');
        yaml_write_str(p->b, r->regex_text, false);
        buf_char(p->b, '\n');
    }
    yp_int(p, "modulus", (int64_t)r->modulus);
    yp_str(p, "target_label", r->target_label);
    yp_str(p, "replacement", r->replacement);
    yp_c(p, "action", relabel_action_name(r->action));
    yp_item_end(p);
}

void relabel_rules_print(struct yaml_printer *p, const char *name, struct relabel_rules rules)
{
    if (!rules.n) return;
    yp_open(p, name);
    for (size_t i = 0; i < rules.n; i++) {
        put_rule(p, &rules.v[i]);
    }
}

/* --- HTTP, targets --- */

static void put_groups(struct yaml_printer *p, const struct target_groups *groups)
{
    if (!groups->n) return;
    yp_open(p, "static_configs");
    for (size_t i = 0; i < groups->n; i++) {
        const struct target_group *g = &groups->v[i];
        yp_item(p);
        if (g->targets.n) {
            yp_strs(p, "targets", g->targets);
        } else {
            yp_key(p, "targets");
            buf_putc(p->b, " []\n");
        }
        put_labels(p, "labels", g->labels);
        yp_item_end(p);
    }
}

/* --- sections --- */

static void put_global(struct yaml_printer *p, const struct global_config *g)
{
    yp_open(p, "global");
    p->depth++;
    yp_duration(p, "scrape_interval", g->scrape_interval_ms);
    yp_duration(p, "scrape_timeout", g->scrape_timeout_ms);
    put_protocols(p, &g->protocols);
    yp_duration(p, "evaluation_interval", g->evaluation_interval_ms);
    yp_duration(p, "rule_query_offset", g->rule_query_offset_ms);
    put_labels(p, "external_labels", g->external_labels);
    put_limits(p, &g->limits);
    yp_int(p, "keep_dropped_targets", g->limits.keep_dropped_targets);
    yp_c(p, "metric_name_validation_scheme", names_text(g->names));
    yp_c(p, "metric_name_escaping_scheme", escaping_text(g->escaping));
    yp_bool(p, "scrape_native_histograms", g->histograms.native == TRI_ON);
    yp_true(p, "convert_classic_histograms_to_nhcb", g->histograms.to_nhcb == TRI_ON);
    yp_true(p, "always_scrape_classic_histograms", g->histograms.always_classic == TRI_ON);
    yp_bool(p, "extra_scrape_metrics", g->histograms.extra_metrics == TRI_ON);
    p->depth--;
}

static void put_params(struct yaml_printer *p, const struct query_params *params)
{
    if (!params->n) return;
    yp_open(p, "params");
    p->depth++;
    for (size_t i = 0; i < params->n; i++) {
        for (unsigned j = 0; j < p->depth; j++) {
            buf_putc(p->b, "  ");
        }
        yaml_write_str(p->b, params->v[i].name, false);
        buf_putc(p->b, params->v[i].values.n ? ":\n" : ": []\n");
        for (size_t j = 0; j < params->v[i].values.n; j++) {
            yp_list_item(p, params->v[i].values.v[j]);
        }
    }
    p->depth--;
}

static void put_job(struct yaml_printer *p, const struct scrape_config *c)
{
    yp_item(p);
    yp_str(p, "job_name", c->job_name);
    yp_true(p, "honor_labels", c->honor_labels);
    yp_bool(p, "honor_timestamps", c->honor_timestamps);
    yp_bool(p, "track_timestamps_staleness", c->track_timestamps_staleness);
    put_params(p, &c->params);
    yp_duration(p, "scrape_interval", c->interval_ms);
    yp_duration(p, "scrape_timeout", c->timeout_ms);
    put_protocols(p, &c->protocols);
    yp_str(p, "fallback_scrape_protocol", scrape_protocol_name(c->fallback_protocol));
    yp_bool(p, "scrape_native_histograms", c->histograms.native == TRI_ON);
    yp_bool(p, "always_scrape_classic_histograms", c->histograms.always_classic == TRI_ON);
    yp_bool(p, "convert_classic_histograms_to_nhcb", c->histograms.to_nhcb == TRI_ON);
    yp_str(p, "metrics_path", c->metrics_path);
    yp_str(p, "scheme", c->scheme);
    yp_bool(p, "enable_compression", c->enable_compression);
    put_limits(p, &c->limits);
    yp_int(p, "native_histogram_bucket_limit", c->native_bucket_limit);
    yp_float(p, "native_histogram_min_bucket_factor", c->native_min_bucket_factor);
    yp_int(p, "keep_dropped_targets", c->limits.keep_dropped_targets);
    yp_c(p, "metric_name_validation_scheme", names_text(c->names));
    yp_c(p, "metric_name_escaping_scheme", escaping_text(c->escaping));
    yp_bool(p, "extra_scrape_metrics", c->histograms.extra_metrics == TRI_ON);
    http_config_print(p, &c->http);
    relabel_rules_print(p, "relabel_configs", c->relabel);
    relabel_rules_print(p, "metric_relabel_configs", c->metric_relabel);
    sd_configs_print(p, c->sd);
    put_groups(p, &c->static_configs);
    yp_item_end(p);
}

static void put_alertmanager(struct yaml_printer *p, const struct alertmanager_config *c)
{
    yp_item(p);
    http_config_print(p, &c->http);
    yp_str(p, "scheme", c->scheme);
    yp_str(p, "path_prefix", c->path_prefix);
    yp_duration(p, "timeout", c->timeout_ms);
    yp_str(p, "api_version", c->api_version);
    relabel_rules_print(p, "relabel_configs", c->relabel);
    relabel_rules_print(p, "alert_relabel_configs", c->alert_relabel);
    sd_configs_print(p, c->sd);
    put_groups(p, &c->static_configs);
    yp_item_end(p);
}

static void put_alerting(struct yaml_printer *p, const struct prom_config *c)
{
    if (!c->alert_relabel.n && !c->alertmanagers.n) return;
    yp_open(p, "alerting");
    p->depth++;
    relabel_rules_print(p, "alert_relabel_configs", c->alert_relabel);
    if (c->alertmanagers.n) yp_open(p, "alertmanagers");
    for (size_t i = 0; i < c->alertmanagers.n; i++) {
        put_alertmanager(p, &c->alertmanagers.v[i]);
    }
    p->depth--;
}

static void put_storage(struct yaml_printer *p, const struct tsdb_config *t)
{
    buf_putc(p->b, "storage:\n  tsdb:\n    outofordertimewindow: 0\n");
    p->depth += 2;
    if (t->chunk_encoding.n) {
        yp_open(p, "chunk_encoding");
        p->depth++;
        yp_str(p, "floats", t->chunk_encoding);
        p->depth--;
    }
    if (t->retention_ms || t->retention_size || t->retention_percentage != 0.0) {
        yp_open(p, "retention");
        p->depth++;
        yp_duration(p, "time", t->retention_ms);
        yp_size(p, "size", t->retention_size);
        yp_float(p, "percentage", t->retention_percentage);
        p->depth--;
    } else {
        buf_putc(p->b, "    retention: {}\n");
    }
    p->depth -= 2;
}

void remote_write_config_write(struct buf *b, const struct remote_write_config *c)
{
    struct yaml_printer p = { .b = b };
    remote_write_config_print(&p, c);
}

void prom_config_print(struct buf *b, const struct prom_config *c)
{
    struct yaml_printer p = { .b = b };
    put_global(&p, &c->global);
    buf_putc(b, "runtime:\n");
    p.depth = 1;
    yp_int(&p, "gogc", c->gogc);
    p.depth = 0;
    put_alerting(&p, c);
    yp_strs(&p, "rule_files", c->rule_files);
    yp_strs(&p, "scrape_config_files", c->scrape_config_files);
    if (c->main_configs.n) yp_open(&p, "scrape_configs");
    for (size_t i = 0; i < c->main_configs.n; i++) {
        put_job(&p, &c->main_configs.v[i]);
    }
    put_storage(&p, &c->tsdb);
    if (c->remote_writes.n) yp_open(&p, "remote_write");
    for (size_t i = 0; i < c->remote_writes.n; i++) {
        remote_write_config_print(&p, &c->remote_writes.v[i]);
    }
    if (c->remote_reads.n) yp_open(&p, "remote_read");
    for (size_t i = 0; i < c->remote_reads.n; i++) {
        remote_read_config_print(&p, &c->remote_reads.v[i]);
    }
    buf_putc(b, "otlp:\n  translation_strategy: UnderscoreEscapingWithSuffixes\n"
                "  label_name_underscore_sanitization: true\n"
                "  label_name_preserve_multiple_underscores: true\n");
}
