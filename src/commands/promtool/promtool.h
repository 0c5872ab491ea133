/* SPDX-License-Identifier: Apache-2.0 */
/*
 * promtool.h - what the subcommands of promtool share
 *
 * Exit codes: 0 all is well, 1 failed, 3 only the linter had something to say.
 * Source:     promtool 2.42 as it answers, cmd/promtool of Prometheus 3.14 (newer subcommands and flags).
 */
#ifndef COMMANDS_PROMTOOL_PROMTOOL_H
#define COMMANDS_PROMTOOL_PROMTOOL_H

#include "codec/flags.h"
#include "model/labels.h"

enum { PROMTOOL_OK = 0, PROMTOOL_FAILED = 1, PROMTOOL_LINT = 3 };

struct promtool_options {
    struct arena *a;
    struct flag_strs args; /* behind the subcommand, flags taken out */
    bool version, experimental, syntax_only, lint_fatal, ignore_unknown, extended, diff, debug,
        agent;
    struct str features, lint, output, url, start, end, time, junit, http_config;
    struct flag_strs run, match, headers;
    int64_t step_ms, lookback_ms, limit, min_time, max_time;
    bool human_readable, quiet;
};

/* --http.config.file as the client's settings; NULL without it. Errors: of the file, with its name. */
struct http_config;
enum err promtool_http_config(const struct promtool_options *o, const struct http_config **out,
                              struct diag *d);

int promtool_check_config(const struct promtool_options *o);
int promtool_check_rules(const struct promtool_options *o);
int promtool_check_web(const struct promtool_options *o);
int promtool_check_metrics(const struct promtool_options *o);
int promtool_check_healthy(const struct promtool_options *o);
int promtool_check_ready(const struct promtool_options *o);
int promtool_query_instant(const struct promtool_options *o);
int promtool_query_range(const struct promtool_options *o);
int promtool_query_series(const struct promtool_options *o);
int promtool_query_labels(const struct promtool_options *o);
int promtool_test_rules(const struct promtool_options *o);
int promtool_tsdb_list(const struct promtool_options *o);
int promtool_tsdb_analyze(const struct promtool_options *o);
int promtool_tsdb_dump(const struct promtool_options *o);
int promtool_create_blocks(const struct promtool_options *o);
int promtool_format(const struct promtool_options *o);

/* "promtool: error: ..., try --help" on standard error; PROMTOOL_FAILED. */
int promtool_usage(const char *fmt, ...) PRINTF(1, 2);

/* Every path must be there: kingpin's ExistingFiles. PROMTOOL_OK, or the answer was given. */
int promtool_existing(const struct flag_strs *paths);

/* PromQL features of --enable-feature. */
uint32_t promtool_features(const struct promtool_options *o);

/* What is in out goes to standard output; so it and standard error stay in order. */
void promtool_flush(struct buf *out);

#endif
