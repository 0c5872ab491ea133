/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flags.h - command lines in kingpin's manner: --name=value, --name value, --[no-]bool, repeated flags
 *
 * Shape:  a table of rows; parsing fills a plain struct through offsets. One table feeds the parser, --help
 *         and the completeness tests. No abbreviations: a flag is written out, as the originals want it.
 * Errors: the originals' texts ("unknown long flag '--x'", "expected argument for flag '--x'").
 * Source: kingpin v2 behaviour, as prometheus 2.42 and alertmanager 0.25 print it.
 */
#ifndef CODEC_FLAGS_H
#define CODEC_FLAGS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>

enum flag_type {
    FLAG_BOOL,     /* bool */
    FLAG_STR,      /* struct str */
    FLAG_STRS,     /* struct flag_strs, repeatable */
    FLAG_INT,      /* int64_t */
    FLAG_FLOAT,    /* double */
    FLAG_DURATION, /* int64_t ms; Prometheus' spelling: 15d, 1h30m, 0 */
    FLAG_SIZE,     /* int64_t bytes; 512MB, 1GiB */
    FLAG_ENUM,     /* struct str, one of `choices` ("a|b|c") */
};

struct flag_strs {
    struct str *v;
    size_t n;
};

struct flag {
    const char *name; /* without dashes; NULL ends the table */
    enum flag_type type;
    size_t offset;       /* into the role's config struct */
    const char *deflt;   /* as typed; NULL: zero value */
    const char *choices; /* FLAG_ENUM */
    const char *help;
    const char *env; /* environment variable that sets it, or NULL */
    char short_name; /* 0: none */
    bool hidden;
    bool unsupported; /* accepted by the parser, refused with a sentence when set */
    bool valued;      /* FLAG_BOOL: --x=true and --x=false are taken, too, which kingpin refuses */
};

/* The two rows that every role's table has: T's log_level and log_format. */
#define FLAGS_LOG(T)                                                                               \
    { .name = "log.level",                                                                         \
      .type = FLAG_ENUM,                                                                           \
      .offset = offsetof(T, log_level),                                                            \
      .deflt = "info",                                                                             \
      .choices = "debug|info|warn|error",                                                          \
      .help = "Only log messages with the given severity or above." },                             \
    {                                                                                              \
        .name = "log.format", .type = FLAG_ENUM, .offset = offsetof(T, log_format),                \
        .deflt = "logfmt", .choices = "logfmt|json", .help = "Output format of log messages."      \
    }

/*
 * Fills *config from defaults, then environment, then argv (argv[0] is not read). `prefix` (may be NULL): only flags
 * "--PREFIX.name" are this table's, others are left in rest (for `vigie run`, where the role's name stands before them).
 * Positional arguments and, with a prefix, foreign flags go to *rest. --help and -h: ERR_CANCELED, the caller prints flags_help().
 */
enum err flags_parse(const struct flag *table, const char *prefix, int argc, char **argv,
                     struct arena *a, void *config, struct flag_strs *rest, struct diag *d);

/* The whole help text: usage line, summary, flags with defaults, wrapped to 80 columns. */
void flags_help(struct buf *b, const char *usage, const char *summary, const struct flag *table);

/* Every flag's present value as text, for /api/v1/status/flags: calls each(name, value) in table order. */
void flags_each(const struct flag *table, const void *config, struct arena *a,
                void (*each)(void *ctx, const char *name, struct str value), void *ctx);

#endif
