/* SPDX-License-Identifier: Apache-2.0 */
#include "app/manual.h"

#include "app/roles.h"
#include "base/buf.h"
#include "codec/num.h"
#include "io/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* --- roff --- */

/* Text as text: no backslash escapes, no leading dot or quote commands, and minus signs that can be pasted into a shell. */
static void put_text(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if ((c == '.' || c == '\'') && (b->n == 0 || b->p[b->n - 1] == '\n')) {
            buf_put(b, STR("\\&"));
        }
        switch (c) {
        case '\\': buf_put(b, STR("\\e")); break;
        case '-': buf_put(b, STR("\\-")); break;
        case '\'': buf_put(b, STR("\\(aq")); break;
        case '`': buf_put(b, STR("\\(ga")); break;
        case '^': buf_put(b, STR("\\(ha")); break;
        case '~': buf_put(b, STR("\\(ti")); break;
        default: buf_char(b, c);
        }
    }
}

static void put_textc(struct buf *b, const char *z) { put_text(b, str_c(z)); }

static void put_section(struct buf *b, const char *name) { buf_fmt(b, ".SH %s\n", name); }

static void put_line(struct buf *b, const char *z)
{
    put_textc(b, z);
    buf_char(b, '\n');
}

static void put_head(struct buf *b, const char *page, const char *summary)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
    struct str given = str_c(getenv("SOURCE_DATE_EPOCH"));
    uint64_t epoch;
    struct tm tm;
    if (num_parse_u64(given, &epoch) != OK) epoch = (uint64_t)(clock_now_ms() / 1000);
    (void)gmtime_r(&(time_t){ (time_t)epoch }, &tm);
    buf_put(b, STR(".\\\" generated from the tables of flags\n.TH "));
    for (const char *c = page; *c; c++) buf_char(b, *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c);
    buf_fmt(b, " 1 %04d-%02d-%02d \"Vigie %s\" \"Vigie\"\n", tm.tm_year + 1900, tm.tm_mon + 1,
            tm.tm_mday, VIGIE_VERSION);
    put_section(b, "NAME");
    put_textc(b, page);
    buf_put(b, STR(" \\- "));
    put_line(b, summary);
}

/* --- flags --- */

static void put_default(struct buf *b, const struct flag *f)
{
    if (f->choices && f->choices[0]) {
        buf_put(b, STR(" One of: "));
        put_textc(b, f->choices[0] == '|' ? f->choices + 1 : f->choices);
        buf_char(b, '.');
    }
    if (f->deflt && f->deflt[0]) {
        buf_put(b, STR(" Default: "));
        put_textc(b, f->deflt);
        buf_char(b, '.');
    }
    if (f->type == FLAG_STRS) buf_put(b, STR(" May be given several times."));
    if (f->env) buf_fmt(b, " Environment: %s.", f->env);
    if (f->unsupported) buf_put(b, STR(" Known, but not supported by this build."));
}

static void put_flag(struct buf *b, const struct flag *f)
{
    static const char *const VALUES[] = {
        [FLAG_BOOL] = NULL,    [FLAG_STR] = "TEXT",     [FLAG_STRS] = "TEXT",
        [FLAG_INT] = "NUMBER", [FLAG_FLOAT] = "NUMBER", [FLAG_DURATION] = "DURATION",
        [FLAG_SIZE] = "SIZE",  [FLAG_ENUM] = "WORD",
    };
    struct str help = str_c(f->help ? f->help : "");
    buf_put(b, STR(".TP\n\\fB"));
    if (f->short_name) buf_fmt(b, "\\-%c\\fR, \\fB", f->short_name);
    buf_put(b, f->type == FLAG_BOOL ? STR("\\-\\-[no\\-]") : STR("\\-\\-"));
    put_textc(b, f->name);
    buf_put(b, STR("\\fR"));
    if (VALUES[f->type]) buf_fmt(b, "=\\fI%s\\fR", VALUES[f->type]);
    buf_char(b, '\n');
    put_text(b, help);
    if (help.n && help.p[help.n - 1] != '.') buf_char(b, '.');
    put_default(b, f);
    buf_char(b, '\n');
}

static void put_flags(struct buf *b, const struct flag *flags)
{
    put_section(b, "OPTIONS");
    buf_put(b, STR(".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nShow the flags.\n"));
    for (const struct flag *f = flags; f->name; f++) {
        if (!f->hidden) put_flag(b, f);
    }
}

static void put_see_also(struct buf *b, const struct command *commands, const char *page)
{
    put_section(b, "SEE ALSO");
    const char *comma = "";
    if (strcmp(page, "vigie") != 0) {
        buf_put(b, STR("\\fBvigie\\fR(1)"));
        comma = ",\n";
    }
    for (const struct command *c = commands; c->name; c++) {
        if (!c->flags || strcmp(page, c->name) == 0) continue;
        buf_fmt(b, "%s\\fBvigie\\-", comma);
        put_textc(b, c->name);
        buf_put(b, STR("\\fR(1)"));
        comma = ",\n";
    }
    for (const struct role *const *r = ROLES; *r; r++) {
        if (strcmp(page, (*r)->name) == 0) continue;
        buf_fmt(b, "%s\\fBvigie\\-", comma);
        put_textc(b, (*r)->name);
        buf_put(b, STR("\\fR(1)"));
        comma = ",\n";
    }
    buf_char(b, '\n');
}

/* --- pages --- */

static void put_item(struct buf *b, const char *name, const char *text)
{
    buf_put(b, STR(".TP\n\\fB"));
    put_textc(b, name);
    buf_put(b, STR("\\fR\n"));
    put_line(b, text);
}

static void page_overview(struct buf *b, const struct command *commands)
{
    static const char *const FILES[][2] = {
        { "/etc/vigie",
          "prometheus.yml, rules, alertmanager.yml, kafka-jmx-config.yml, grafana: what the service runs with." },
        { "/etc/default/vigie", "Flags of the service: which brokers it watches." },
        { "/etc/vigie/secrets.env",
          "SMTP_PASSWORD, SLACK_WEBHOOK_URL and what else the files name as ${VARIABLE}." },
        { "/var/lib/vigie", "Samples, silences, accounts." },
    };
    put_head(b, "vigie",
             "watches Kafka: exporters, storage, queries, alerts and dashboards in one program");
    put_section(b, "SYNOPSIS");
    buf_put(b, STR("\\fBvigie\\fR \\fICOMMAND\\fR [\\fIflags\\fR]\n"));
    put_section(b, "DESCRIPTION");
    put_line(
        b,
        "One program in the place of kafka_exporter, jmx_exporter, Prometheus, Alertmanager and Grafana, on their ports, with their flags, "
        "files, HTTP API and metric names.");
    put_section(b, "COMMANDS");
    for (const struct command *c = commands; c->name; c++) {
        if (c->summary) put_item(b, c->name, c->summary);
    }
    put_section(b, "ROLES");
    put_line(
        b,
        "A role runs alone, with the flags of the program it replaces; also by a link of that name.");
    for (const struct role *const *r = ROLES; *r; r++) put_item(b, (*r)->name, (*r)->summary);
    put_section(b, "FILES");
    for (size_t i = 0; i < ARRAY_LEN(FILES); i++) put_item(b, FILES[i][0], FILES[i][1]);
    put_section(b, "SIGNALS");
    put_line(b, "SIGHUP reads the configuration anew; SIGTERM and SIGINT end.");
    put_see_also(b, commands, "vigie");
}

static void page_flags(struct buf *b, const struct command *commands, const char *name,
                       const char *summary, const char *usage, const char *description,
                       const struct flag *flags)
{
    ARENA(a, 0);
    put_head(b, arena_fmt(&a, "vigie-%s", name).p, summary);
    put_section(b, "SYNOPSIS");
    put_line(b, usage);
    if (description) {
        put_section(b, "DESCRIPTION");
        put_line(b, description);
    }
    put_flags(b, flags);
    put_see_also(b, commands, name);
}

static void page_role(struct buf *b, const struct command *commands, const struct role *r)
{
    ARENA(a, 0);
    BUF(about, 0);
    buf_fmt(&about, "Listens on port %u.", r->port);
    for (const char *const *link = r->argv0; link && *link; link++) {
        buf_fmt(&about, "%s%s",
                link == r->argv0 ? " A link of one of these names runs it, too: " : ", ", *link);
    }
    buf_char(&about, '\0');
    page_flags(b, commands, r->name, r->summary, arena_fmt(&a, "vigie %s [flags]", r->name).p,
               about.p, r->flags);
}

/* "vigie-prometheus" or "prometheus"; false: there is no such page. */
static bool put_page(struct buf *b, const struct command *commands, struct str page)
{
    if (str_eq(page, STR("vigie"))) {
        page_overview(b, commands);
        return true;
    }
    if (str_starts(page, STR("vigie-"))) page = str_from(page, 6);
    for (const struct command *c = commands; c->name; c++) {
        if (!c->flags || !str_eqc(page, c->name)) continue;
        page_flags(b, commands, c->name, c->summary, c->usage, c->description, c->flags);
        return true;
    }
    const struct role *r = role_named(page);
    if (r) page_role(b, commands, r);
    return r != NULL;
}

static void list_pages(const struct command *commands)
{
    (void)printf("vigie\n");
    for (const struct command *c = commands; c->name; c++) {
        if (c->flags) (void)printf("vigie-%s\n", c->name);
    }
    for (const struct role *const *r = ROLES; *r; r++) (void)printf("vigie-%s\n", (*r)->name);
}

int manual_run(const struct command *commands, int argc, char **argv)
{
    BUF(b, 0);
    if (argc < 2) {
        list_pages(commands);
        return EXIT_SUCCESS;
    }
    if (!put_page(&b, commands, str_c(argv[1]))) {
        (void)fprintf(stderr, "vigie: there is no page %s; \"vigie man\" lists them\n", argv[1]);
        return EXIT_FAILURE;
    }
    (void)fwrite(b.p, 1, b.n, stdout);
    return EXIT_SUCCESS;
}
