/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - promtool's subcommands: one row each, with its flags
 */
#include "commands/promtool/main.h"

#include "commands/promtool/promtool.h"
#include "io/file.h"
#include "io/http_config.h"
#include "promql/promql.h"

#include <stdarg.h>
#include <stdio.h>

#define AT(member) offsetof(struct promtool_options, member)

/* In every table. */
#define GLOBAL_FLAGS                                                                               \
    { .name = "version",                                                                           \
      .type = FLAG_BOOL,                                                                           \
      .offset = AT(version),                                                                       \
      .help = "Show application version." },                                                       \
        { .name = "experimental",                                                                  \
          .type = FLAG_BOOL,                                                                       \
          .offset = AT(experimental),                                                              \
          .help = "Enable experimental commands." },                                               \
    {                                                                                              \
        .name = "enable-feature", .type = FLAG_STR, .offset = AT(features),                        \
        .help = "Comma separated feature names to enable. Only those of PromQL have a meaning."    \
    }
#define IGNORE_UNKNOWN                                                                             \
    {                                                                                              \
        .name = "ignore-unknown-fields", .type = FLAG_BOOL, .offset = AT(ignore_unknown),          \
        .help = "Ignore unknown fields in rule files."                                             \
    }
#define OUTPUT                                                                                     \
    {                                                                                              \
        .name = "format", .short_name = 'o', .type = FLAG_ENUM, .offset = AT(output),              \
        .deflt = "promql", .choices = "promql|json", .help = "Output format of the query."         \
    }
#define URL                                                                                        \
    {                                                                                              \
        .name = "url", .type = FLAG_STR, .offset = AT(url), .deflt = "http://localhost:9090",      \
        .help = "The URL for the Prometheus server."                                               \
    }
#define HEADER                                                                                     \
    {                                                                                              \
        .name = "header", .type = FLAG_STRS, .offset = AT(headers),                                \
        .help = "Extra headers to send to server."                                                 \
    }
#define HTTP_CONFIG                                                                                \
    {                                                                                              \
        .name = "http.config.file", .type = FLAG_STR, .offset = AT(http_config),                   \
        .help = "HTTP client configuration file for promtool to connect to Prometheus."            \
    }
#define START_END                                                                                  \
    { .name = "start",                                                                             \
      .type = FLAG_STR,                                                                            \
      .offset = AT(start),                                                                         \
      .help = "Start time (RFC3339 or Unix timestamp)." },                                         \
    {                                                                                              \
        .name = "end", .type = FLAG_STR, .offset = AT(end),                                        \
        .help = "End time (RFC3339 or Unix timestamp)."                                            \
    }
#define END                                                                                        \
    {                                                                                              \
        .name = NULL                                                                               \
    }

static const struct flag PLAIN[] = { GLOBAL_FLAGS, END };
static const struct flag CONFIG[] = {
    GLOBAL_FLAGS,
    { .name = "syntax-only",
      .type = FLAG_BOOL,
      .offset = AT(syntax_only),
      .help = "Only check the config file syntax, ignoring file and content validation referenced "
              "in the config." },
    { .name = "lint",
      .type = FLAG_STR,
      .offset = AT(lint),
      .deflt = "duplicate-rules",
      .help = "Linting checks to apply to the rules/scrape configs specified in the config. "
              "Available options are: all, duplicate-rules, none, too-long-scrape-interval." },
    { .name = "lint-fatal",
      .type = FLAG_BOOL,
      .offset = AT(lint_fatal),
      .help = "Make lint errors exit with exit code 3." },
    { .name = "query.lookback-delta",
      .type = FLAG_DURATION,
      .offset = AT(lookback_ms),
      .deflt = "5m",
      .help = "The server's maximum query lookback duration." },
    { .name = "agent",
      .type = FLAG_BOOL,
      .offset = AT(agent),
      .help = "Check config file for Prometheus in Agent mode.",
      .unsupported = true },
    IGNORE_UNKNOWN,
    END
};
static const struct flag RULES[] = {
    GLOBAL_FLAGS,
    { .name = "lint",
      .type = FLAG_STR,
      .offset = AT(lint),
      .deflt = "duplicate-rules",
      .help = "Linting checks to apply. Available options are: all, duplicate-rules, none." },
    { .name = "lint-fatal",
      .type = FLAG_BOOL,
      .offset = AT(lint_fatal),
      .help = "Make lint errors exit with exit code 3." },
    IGNORE_UNKNOWN,
    END
};
static const struct flag METRICS[] = {
    GLOBAL_FLAGS,
    { .name = "extended",
      .type = FLAG_BOOL,
      .offset = AT(extended),
      .help = "Print extended information related to the cardinality of the metrics." },
    { .name = "lint",
      .type = FLAG_STR,
      .offset = AT(lint),
      .deflt = "all",
      .help = "Linting checks to apply for metrics. Available options are: all, none." },
    END
};
static const struct flag SERVER[] = { GLOBAL_FLAGS, URL, HTTP_CONFIG, END };
static const struct flag INSTANT[] = {
    GLOBAL_FLAGS,
    OUTPUT,
    HEADER,
    HTTP_CONFIG,
    { .name = "time",
      .type = FLAG_STR,
      .offset = AT(time),
      .help = "Query evaluation time (RFC3339 or Unix timestamp)." },
    END
};
static const struct flag RANGE[] = { GLOBAL_FLAGS,
                                     OUTPUT,
                                     HEADER,
                                     HTTP_CONFIG,
                                     START_END,
                                     { .name = "step",
                                       .type = FLAG_DURATION,
                                       .offset = AT(step_ms),
                                       .help = "Query step size (duration)." },
                                     END };
static const struct flag SERIES[] = {
    GLOBAL_FLAGS,
    OUTPUT,
    HEADER,
    HTTP_CONFIG,
    START_END,
    { .name = "match",
      .type = FLAG_STRS,
      .offset = AT(match),
      .help = "Series selector. Can be specified multiple times." },
    END
};
static const struct flag TEST[] = {
    GLOBAL_FLAGS,
    { .name = "run",
      .type = FLAG_STRS,
      .offset = AT(run),
      .help = "If set, will only run test groups whose names match the regular expression. Can be "
              "specified multiple times." },
    { .name = "debug",
      .type = FLAG_BOOL,
      .offset = AT(debug),
      .help = "Enable unit test debugging." },
    { .name = "diff",
      .type = FLAG_BOOL,
      .offset = AT(diff),
      .help = "Print the difference between expected and received output line by line." },
    { .name = "junit",
      .type = FLAG_STR,
      .offset = AT(junit),
      .help = "File path to store JUnit XML test results." },
    IGNORE_UNKNOWN,
    END
};

#define HUMAN                                                                                      \
    {                                                                                              \
        .name = "human-readable", .short_name = 'r', .type = FLAG_BOOL,                            \
        .offset = AT(human_readable), .help = "Print human readable values."                       \
    }
static const struct flag LIST[] = { GLOBAL_FLAGS, HUMAN, END };
static const struct flag ANALYZE[] = { GLOBAL_FLAGS,
                                       { .name = "limit",
                                         .type = FLAG_INT,
                                         .offset = AT(limit),
                                         .deflt = "20",
                                         .help = "How many items to show in each list." },
                                       { .name = "extended",
                                         .type = FLAG_BOOL,
                                         .offset = AT(extended),
                                         .help = "Run extended analysis." },
                                       END };
static const struct flag DUMP[] = {
    GLOBAL_FLAGS,
    { .name = "min-time",
      .type = FLAG_INT,
      .offset = AT(min_time),
      .deflt = "-9223372036854775808",
      .help = "Minimum timestamp to dump, in milliseconds since the Unix epoch." },
    { .name = "max-time",
      .type = FLAG_INT,
      .offset = AT(max_time),
      .deflt = "9223372036854775807",
      .help = "Maximum timestamp to dump, in milliseconds since the Unix epoch." },
    { .name = "match",
      .type = FLAG_STRS,
      .offset = AT(match),
      .help = "Series selector. Can be specified multiple times." },
    END
};
static const struct flag CREATE[] = { GLOBAL_FLAGS,
                                      HUMAN,
                                      { .name = "quiet",
                                        .short_name = 'q',
                                        .type = FLAG_BOOL,
                                        .offset = AT(quiet),
                                        .help = "Do not print created blocks." },
                                      END };

enum files { NO_FILES, SOME_FILES, FILES_OR_STDIN };

static const struct subcommand {
    const char *group, *name;
    int (*run)(const struct promtool_options *o);
    const struct flag *flags;
    const char *args, *help;
    size_t args_min, args_max;
    enum files files; /* whether the arguments are files that must be there */
    bool experimental;
} SUBCOMMANDS[] = {
    { "check", "config", promtool_check_config, CONFIG, "<config-files>...",
      "Check if the config files are valid or not.", 1, SIZE_MAX, SOME_FILES, false },
    { "check", "web-config", promtool_check_web, PLAIN, "<web-config-files>...",
      "Check if the web config files are valid or not.", 1, SIZE_MAX, SOME_FILES, false },
    { "check", "healthy", promtool_check_healthy, SERVER, "",
      "Check if the Prometheus server is healthy.", 0, 0, NO_FILES, false },
    { "check", "ready", promtool_check_ready, SERVER, "",
      "Check if the Prometheus server is ready.", 0, 0, NO_FILES, false },
    { "check", "rules", promtool_check_rules, RULES, "[<rule-files>...]",
      "Check if the rule files are valid or not.", 0, SIZE_MAX, FILES_OR_STDIN, false },
    { "check", "metrics", promtool_check_metrics, METRICS, "",
      "Pass Prometheus metrics over stdin to lint them for consistency and correctness.", 0, 0,
      NO_FILES, false },
    { "query", "instant", promtool_query_instant, INSTANT, "<server> <expr>", "Run instant query.",
      2, 2, NO_FILES, false },
    { "query", "range", promtool_query_range, RANGE, "<server> <expr>", "Run range query.", 2, 2,
      NO_FILES, false },
    { "query", "series", promtool_query_series, SERIES, "<server>", "Run series query.", 1, 1,
      NO_FILES, false },
    { "query", "labels", promtool_query_labels, SERIES, "<server> <name>", "Run labels query.", 2,
      2, NO_FILES, false },
    { "test", "rules", promtool_test_rules, TEST, "<test-rule-file>...", "Unit tests for rules.", 1,
      SIZE_MAX, SOME_FILES, false },
    { "tsdb", "list", promtool_tsdb_list, LIST, "[<db path>]", "List tsdb blocks.", 0, 1, NO_FILES,
      false },
    { "tsdb", "analyze", promtool_tsdb_analyze, ANALYZE, "[<db path>] [<block id>]",
      "Analyze churn, label pair cardinality and compaction efficiency.", 0, 2, NO_FILES, false },
    { "tsdb", "dump", promtool_tsdb_dump, DUMP, "[<db path>]",
      "Dump data (series+samples) from a TSDB.", 0, 1, NO_FILES, false },
    { "tsdb", "create-blocks-from openmetrics", promtool_create_blocks, CREATE,
      "<input file> [<output directory>]",
      "Import samples from OpenMetrics input and produce TSDB blocks.", 1, 2, NO_FILES, false },
    { "promql", "format", promtool_format, PLAIN, "<query>",
      "Format PromQL query to pretty printed form.", 1, 1, NO_FILES, true },
    { .group = NULL },
};

/* --- answers --- */

int promtool_usage(const char *fmt, ...)
{
    char text[2048];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    (void)fprintf(stderr, "promtool: error: %s, try --help\n", text);
    return PROMTOOL_FAILED;
}

int promtool_existing(const struct flag_strs *paths)
{
    for (size_t i = 0; i < paths->n; i++) {
        if (file_exists(paths->v[i])) continue;
        return promtool_usage("path '" STR_FMT "' does not exist", STR_ARG(paths->v[i]));
    }
    return PROMTOOL_OK;
}

void promtool_flush(struct buf *out)
{
    (void)fwrite(out->p, 1, out->n, stdout);
    (void)fflush(stdout);
    buf_reset(out);
}

enum err promtool_http_config(const struct promtool_options *o, const struct http_config **out,
                              struct diag *d)
{
    enum { CONFIG_MAX = 1 << 20 };
    struct str text;
    struct yaml_node *root = NULL;
    struct http_config *c = arena_new(o->a, struct http_config);
    if (!o->http_config.n) return OK;
    TRY(file_read(o->a, o->http_config, CONFIG_MAX, &text, d));
    struct diag why = { 0 };
    enum err e = yaml_parse(o->a, text, YAML_V2, &root, NULL, &why);
    if (e == OK) e = yaml_decode(o->a, root, &HTTP_CONFIG_TABLE, YAML_V2, c, &why);
    if (e != OK) {
        return diag_set(d, e, STR_FMT ":%u:%u: %s", STR_ARG(o->http_config), why.line, why.col,
                        why.text);
    }
    http_config_resolve(o->a, path_dir(o->a, o->http_config), c);
    *out = c;
    return OK;
}

uint32_t promtool_features(const struct promtool_options *o)
{
    static const struct {
        const char *name;
        uint32_t bit;
    } FEATURES[] = {
        { "promql-experimental-functions", PROMQL_EXPERIMENTAL_FUNCTIONS },
        { "promql-duration-expr", PROMQL_DURATION_EXPR },
        { "promql-extended-range-selectors", PROMQL_EXTENDED_RANGE },
        { "promql-binop-fill-modifiers", PROMQL_BINOP_FILL },
        { "promql-delayed-name-removal", PROMQL_DELAYED_NAME_REMOVAL },
    };
    uint32_t bits = 0;
    struct str rest = o->features, one;
    while (rest.n) {
        (void)str_cut(rest, ',', &one, &rest);
        for (size_t i = 0; i < ARRAY_LEN(FEATURES); i++) {
            if (str_eqc(one, FEATURES[i].name)) bits |= FEATURES[i].bit;
        }
    }
    return bits;
}

static int overview(FILE *to)
{
    (void)fprintf(to, "usage: promtool [<flags>] <command> [<args> ...]\n\n"
                      "Tooling for the Prometheus monitoring system.\n\nCommands:\n");
    for (const struct subcommand *s = SUBCOMMANDS; s->group; s++) {
        (void)fprintf(to, "%s %s %s%s%s\n    %s\n\n", s->group, s->name,
                      s->flags != PLAIN ? "[<flags>]" : "", s->flags != PLAIN ? " " : "", s->args,
                      s->help);
    }
    return PROMTOOL_OK;
}

static int help_of(const struct subcommand *s, struct arena *a)
{
    BUF(b, 0);
    struct str usage = arena_fmt(a, "promtool %s %s [<flags>] %s", s->group, s->name, s->args);
    flags_help(&b, usage.p, s->help, s->flags);
    promtool_flush(&b);
    return PROMTOOL_OK;
}

static const struct subcommand *subcommand_named(const char *group, const char *name)
{
    for (const struct subcommand *s = SUBCOMMANDS; s->group; s++) {
        if (strcmp(s->group, group) == 0 && (!name || strcmp(s->name, name) == 0)) return s;
    }
    return NULL;
}

static int run(const struct subcommand *s, int argc, char **argv, struct arena *a)
{
    struct promtool_options o = { .a = a };
    struct diag d = { 0 };
    enum err e = flags_parse(s->flags, NULL, argc, argv, a, &o, &o.args, &d);
    if (e == ERR_CANCELED) return help_of(s, a);
    if (e != OK) return promtool_usage("%s", d.text);
    if (o.args.n < s->args_min) {
        struct str first = STR(""), rest;
        (void)str_cut(str_from(str_c(s->args), 1), '>', &first, &rest);
        if (o.args.n == 1) { /* <server> is there */
            (void)str_cut(str_from(rest, 2), '>', &first, &rest);
        }
        return promtool_usage("required argument '" STR_FMT "' not provided", STR_ARG(first));
    }
    if (o.args.n > s->args_max) {
        return promtool_usage("unexpected " STR_FMT, STR_ARG(o.args.v[s->args_max]));
    }
    if (s->experimental && !o.experimental) {
        (void)fprintf(stderr, "This command is experimental and requires the --experimental flag "
                              "to be set.\n");
        return PROMTOOL_FAILED;
    }
    if (s->files != NO_FILES && promtool_existing(&o.args) != PROMTOOL_OK) return PROMTOOL_FAILED;
    return s->run(&o);
}

/* Index of the next word that is no flag, or argc. */
static int next_word(int argc, char **argv, int from)
{
    int i = from;
    while (i < argc && argv[i][0] == '-') {
        i += strcmp(argv[i], "--enable-feature") == 0 ? 2 : 1;
    }
    return i < argc ? i : argc;
}

static bool has(int argc, char **argv, const char *flag, const char *other)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], flag) == 0 || strcmp(argv[i], other) == 0) return true;
    }
    return false;
}

static int version(void)
{
    /* The version that clients branch on; `vigie version` says who we are. */
    (void)printf("promtool, version 3.14.0 (vigie)\n");
    return PROMTOOL_OK;
}

int promtool_main(int argc, char **argv)
{
    ARENA(a, 0);
    int group = next_word(argc, argv, 1), name = next_word(argc, argv, group + 1);
    if (has(argc, argv, "--version", "--version")) return version();
    if (group >= argc && (argc == 1 || has(argc, argv, "--help", "-h"))) return overview(stdout);
    if (group < argc && strcmp(argv[group], "help") == 0) return overview(stdout);
    if (group >= argc) return promtool_usage("command not specified");
    if (!subcommand_named(argv[group], NULL)) {
        return promtool_usage("expected command but got \"%s\"", argv[group]);
    }
    if (name >= argc) {
        if (has(argc, argv, "--help", "-h")) return overview(stdout);
        return promtool_usage("must select a subcommand of '%s'", argv[group]);
    }
    int more = next_word(argc, argv, name + 1); /* of a name in two words */
    struct str two = arena_fmt(&a, "%s %s", argv[name], more < argc ? argv[more] : "");
    const struct subcommand *s = subcommand_named(argv[group], two.p);
    if (!s) {
        more = -1;
        s = subcommand_named(argv[group], argv[name]);
    }
    if (!s) return promtool_usage("expected command but got \"%s\"", argv[name]);
    /* The words go; what is left are flags and arguments. */
    char **rest = arena_array(&a, (size_t)argc + 1, sizeof(*rest));
    int n = 0;
    for (int i = 0; i < argc; i++) {
        if (i != group && i != name && i != more) rest[n++] = argv[i];
    }
    return run(s, n, rest, &a);
}
