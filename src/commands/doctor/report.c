/* SPDX-License-Identifier: Apache-2.0 */
#include "commands/doctor/report.h"

#include "base/secret.h"
#include "codec/gotime.h"
#include "codec/json.h"
#include "codec/num.h"

#include <stdlib.h>

static const enum word NAMES[CHECK_MAX_] = {
    W_NAME_FILES,   W_NAME_KAFKA, W_NAME_LISTENERS, W_NAME_JMX,    W_NAME_ROLES,
    W_NAME_TARGETS, W_NAME_RULES, W_NAME_RECEIVERS, W_NAME_PANELS, W_NAME_MACHINE,
};
static const enum word WELL[CHECK_MAX_] = {
    W_OK_FILES,   W_OK_KAFKA, W_OK_LISTENERS, W_OK_JMX,    W_OK_ROLES,
    W_OK_TARGETS, W_OK_RULES, W_OK_RECEIVERS, W_OK_PANELS, W_OK_MACHINE,
};
static const enum word SEVERITIES[SEV_MAX_] = { W_SEV_OK, W_SEV_NOTE, W_SEV_WARNING, W_SEV_ERROR };

/* --- order --- */

static int by_severity(const void *l, const void *r)
{
    const struct finding *a = l, *b = r;
    if (a->severity != b->severity) return a->severity > b->severity ? -1 : 1;
    if (a->check != b->check) return a->check < b->check ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

void report_order(struct exam *x)
{
    if (x->findings.v.n) {
        qsort(x->findings.v.v, x->findings.v.n, sizeof(*x->findings.v.v), by_severity);
    }
}

int report_exit_code(const struct exam *x)
{
    switch (exam_worst(x, CHECK_MAX_)) {
    case SEV_ERROR: return DOCTOR_ERRORS;
    case SEV_WARNING: return DOCTOR_WARNINGS;
    default: return DOCTOR_WELL;
    }
}

/* --- texts --- */

static struct str text_of(struct arena *a, const struct saying *s, enum lang l)
{
    BUF(b, 0);
    say(&b, s, l);
    return arena_dup(a, buf_str(&b));
}

static struct str word_of(struct arena *a, enum word w, enum lang l)
{
    return text_of(a, &SAY(w, STR("")), l);
}

static bool examined(const struct exam *x, enum check c)
{
    return x->figures[c].word != W_NONE && !x->unsure[c];
}

static struct saying counted(struct arena *a, enum word w, size_t n)
{
    return SAY(w, arena_fmt(a, "%zu", n));
}

static struct str summary(struct arena *a, const struct exam *x)
{
    enum lang l = x->in->lang;
    size_t errors = 0, warnings = 0, passed = 0, open = 0;
    for (enum check c = 0; c < CHECK_MAX_; c++) {
        enum severity worst = exam_worst(x, c);
        errors += worst == SEV_ERROR;
        warnings += worst == SEV_WARNING;
        passed += worst < SEV_WARNING && examined(x, c);
        open += worst < SEV_WARNING && !examined(x, c);
    }
    const struct saying parts[] = { counted(a, W_N_CHECKS, CHECK_MAX_),
                                    counted(a, W_N_ERRORS, errors),
                                    counted(a, W_N_WARNINGS, warnings),
                                    counted(a, W_N_PASSED, passed), counted(a, W_N_OPEN, open) };
    struct saying whole = { .word = open ? W_SUMMARY_OPEN : W_SUMMARY };
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) whole.args[i] = text_of(a, &parts[i], l);
    return text_of(a, &whole, l);
}

static struct str seconds(struct arena *a, int64_t ms, enum lang l)
{
    BUF(b, 0);
    num_write_fixed(&b, (double)ms / 1000, 1);
    for (size_t i = 0; l == LANG_FR && i < b.n; i++) {
        if (b.p[i] == '.') b.p[i] = ',';
    }
    return arena_dup(a, buf_str(&b));
}

/* What a check came to. "Every panel finds its metrics" is no title beside a note that one does not. */
static struct str title_of_check(struct arena *a, const struct exam *x, enum check c)
{
    enum lang l = x->in->lang;
    struct str name = word_of(a, NAMES[c], l);
    if (!examined(x, c)) return text_of(a, &SAY(W_NOT_EXAMINED, name), l);
    if (exam_worst(x, c) > SEV_NOTE) return name;
    if (x->ok[c].word) return text_of(a, &x->ok[c], l);
    if (exam_worst(x, c) == SEV_NOTE) return text_of(a, &SAY(W_ONLY_NOTES, name), l);
    return word_of(a, WELL[c], l);
}

/* --- for a person --- */

static size_t columns(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

static void spaces(struct buf *b, size_t n)
{
    while (n--) buf_char(b, ' ');
}

void report_wrap(struct buf *b, struct str text, size_t indent, size_t width)
{
    size_t at = 0;
    struct str word;
    spaces(b, indent);
    while (text.n) {
        (void)str_cut(text, ' ', &word, &text);
        size_t n = columns(word);
        if (at && indent + at + 1 + n > width) {
            buf_char(b, '\n');
            spaces(b, indent);
            at = 0;
        }
        if (at) buf_char(b, ' ');
        buf_put(b, word);
        at += n + (at ? 1 : 0);
    }
    buf_char(b, '\n');
}

static const char *const COLOURS[SEV_MAX_] = { "\033[32m", "\033[36m", "\033[33m", "\033[1;31m" };

static void put_severity(struct buf *b, const struct report_style *style, enum severity s,
                         struct str word)
{
    enum { ROOM = 10 };
    if (style->colours) buf_putc(b, COLOURS[s]);
    buf_put(b, word);
    if (style->colours) buf_putc(b, "\033[0m");
    size_t n = columns(word);
    spaces(b, n < ROOM ? ROOM - n : 1);
}

static void put_fix(struct buf *b, struct str fix, size_t indent)
{
    struct str line;
    while (fix.n) {
        (void)str_cut(fix, '\n', &line, &fix);
        spaces(b, indent);
        buf_fmt(b, STR_FMT "\n", STR_ARG(line));
    }
}

static void put_more(struct buf *b, struct arena *a, size_t n, enum lang l)
{
    enum { INDENT = 10 };
    if (!n) return;
    const struct saying more = counted(a, W_MORE, n);
    report_wrap(b, text_of(a, &more, l), INDENT, SIZE_MAX);
}

static void put_finding(struct buf *b, const struct finding *f, const struct report_style *style,
                        enum lang l)
{
    enum { INDENT = 10 };
    ARENA(a, 0);
    const struct saying n = counted(&a, W_CHECK_N, (size_t)f->check + 1);
    put_severity(b, style, f->severity, word_of(&a, SEVERITIES[f->severity], l));
    if (style->colours) buf_putc(b, "\033[1m");
    buf_put(b, text_of(&a, &f->title, l));
    if (style->colours) buf_putc(b, "\033[0m");
    buf_fmt(b, "  (" STR_FMT ")\n", STR_ARG(text_of(&a, &n, l)));
    for (size_t i = 0; i < f->also_n; i++) {
        report_wrap(b, text_of(&a, &SAY(W_ALSO, text_of(&a, &f->also[i], l)), l), INDENT,
                    style->width);
    }
    put_more(b, &a, f->also_more, l);
    report_wrap(b, text_of(&a, &f->cause, l), INDENT, style->width);
    for (size_t i = 0; i < f->evidence_n; i++) {
        report_wrap(b, arena_fmt(&a, "> " STR_FMT, STR_ARG(f->evidence[i])), INDENT, SIZE_MAX);
    }
    put_more(b, &a, f->evidence_more, l);
    struct str fix = text_of(&a, &f->fix, l);
    if (fix.n) {
        report_wrap(b, word_of(&a, W_MEND, l), INDENT, style->width);
        put_fix(b, fix, INDENT + 4);
    }
    buf_char(b, '\n');
}

static void put_well(struct buf *b, const struct exam *x, enum check c,
                     const struct report_style *style)
{
    enum { ROOM = 66 };
    enum lang l = x->in->lang;
    ARENA(a, 0);
    struct str text = title_of_check(&a, x, c);
    if (!examined(x, c)) {
        put_severity(b, style, SEV_NOTE, STR("-"));
        buf_put(b, text);
        buf_char(b, '\n');
        return;
    }
    put_severity(b, style, SEV_OK, word_of(&a, W_SEV_OK, l));
    buf_put(b, text);
    size_t n = columns(text);
    spaces(b, n < ROOM ? ROOM - n : 2);
    buf_fmt(b, STR_FMT "\n", STR_ARG(text_of(&a, &x->figures[c], l)));
}

void report_text(struct buf *b, const struct exam *x, const struct report_style *style,
                 int64_t took_ms)
{
    ARENA(a, 0);
    BUF(clock, 0);
    enum lang l = x->in->lang;
    go_time_format(&clock, x->clock_ms, STR("15:04:05 UTC"));
    buf_fmt(b, STR_FMT "  (" STR_FMT ")\n\n", STR_ARG(summary(&a, x)),
            STR_ARG(text_of(&a, &SAY(W_TOOK, buf_str(&clock), seconds(&a, took_ms, l)), l)));
    VEC_FOR(f, &x->findings.v) put_finding(b, f, style, l);
    for (enum check c = 0; c < CHECK_MAX_; c++) {
        if (exam_worst(x, c) < SEV_WARNING) put_well(b, x, c, style);
    }
}

/* --- for programs --- */

static void key_str(struct json_writer *w, const char *key, struct str s)
{
    json_key(w, key);
    json_put_str(w, s);
}

static void key_i64(struct json_writer *w, const char *key, int64_t v)
{
    json_key(w, key);
    json_put_i64(w, v);
}

static void write_check(struct json_writer *w, const struct exam *x, enum check c)
{
    ARENA(a, 0);
    enum lang l = x->in->lang;
    enum severity worst = exam_worst(x, c);
    json_open(w, '{');
    key_i64(w, "n", (int64_t)c + 1);
    key_str(w, "id", str_c(word_name(NAMES[c])));
    key_str(w, "name", word_of(&a, NAMES[c], l));
    key_str(w, "severity", str_c(word_name(SEVERITIES[worst])));
    json_key(w, "examined");
    json_put_bool(w, examined(x, c));
    key_str(w, "title", title_of_check(&a, x, c));
    key_str(w, "figure", text_of(&a, &x->figures[c], l));
    json_close(w, '}');
}

static void write_finding(struct json_writer *w, const struct finding *f, enum lang l)
{
    ARENA(a, 0);
    json_open(w, '{');
    key_i64(w, "check", (int64_t)f->check + 1);
    key_str(w, "severity", str_c(word_name(SEVERITIES[f->severity])));
    key_str(w, "id", str_c(word_name(f->title.word)));
    key_str(w, "cause_id", str_c(word_name(f->cause.word)));
    key_str(w, "title", text_of(&a, &f->title, l));
    json_key(w, "also");
    json_open(w, '[');
    for (size_t i = 0; i < f->also_n; i++) json_put_str(w, text_of(&a, &f->also[i], l));
    json_close(w, ']');
    key_i64(w, "also_more", (int64_t)f->also_more);
    key_str(w, "cause", text_of(&a, &f->cause, l));
    json_key(w, "evidence");
    json_open(w, '[');
    for (size_t i = 0; i < f->evidence_n; i++) json_put_str(w, f->evidence[i]);
    json_close(w, ']');
    key_i64(w, "evidence_more", (int64_t)f->evidence_more);
    key_str(w, "fix", text_of(&a, &f->fix, l));
    key_str(w, "file", f->file);
    json_close(w, '}');
}

static void write_role(struct json_writer *w, const struct exam *x, size_t i)
{
    const struct doctor_role *r = &x->in->roles[i];
    const struct role_state *s = &x->roles[i];
    double lived = (double)x->clock_ms / 1000 - s->start_seconds;
    json_open(w, '{');
    key_str(w, "name", str_c(r->name));
    key_i64(w, "port", r->port);
    key_str(w, "state", s->up ? STR("up") : s->taken ? STR("taken") : STR("down"));
    key_i64(w, "memory_bytes", (int64_t)s->memory_bytes);
    json_key(w, "cpu_percent");
    json_put_f64(w, s->start_seconds > 0 && lived > 0 ? s->cpu_seconds / lived * 100 : 0);
    key_i64(w, "started_ms", (int64_t)(s->start_seconds * 1000));
    json_close(w, '}');
}

static size_t count_in_file(const struct exam *x, struct str file, enum severity s)
{
    size_t n = 0;
    VEC_FOR(f, &x->findings.v) {
        if (f->severity == s && str_eq(f->file, file)) n += 1 + f->also_n + f->also_more;
    }
    return n;
}

static void write_files(struct json_writer *w, const struct exam *x)
{
    json_key(w, "files");
    json_open(w, '[');
    VEC_FOR(f, &x->files.v) {
        json_open(w, '{');
        key_str(w, "path", f->shown);
        json_key(w, "builtin");
        json_put_bool(w, f->builtin);
        key_i64(w, "errors", (int64_t)count_in_file(x, f->shown, SEV_ERROR));
        key_i64(w, "warnings", (int64_t)count_in_file(x, f->shown, SEV_WARNING));
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void write_data(struct json_writer *w, const struct exam *x)
{
    json_key(w, "data");
    json_open(w, '{');
    key_str(w, "folder", x->in->data);
    key_i64(w, "free_bytes", x->disk_free_bytes);
    key_i64(w, "total_bytes", x->disk_total_bytes);
    json_key(w, "clock_apart_seconds");
    if (x->clock_known) {
        json_put_i64(w, x->clock_apart_ms / 1000); /* Date headers have whole seconds */
    } else {
        json_put_null(w);
    }
    json_close(w, '}');
}

void report_json(struct buf *b, const struct exam *x, int64_t took_ms)
{
    ARENA(a, 0);
    struct json_writer w = json_writer(b);
    enum severity worst = exam_worst(x, CHECK_MAX_);
    json_open(&w, '{');
    key_i64(&w, "version", 1);
    key_str(&w, "lang", x->in->lang == LANG_FR ? STR("fr") : STR("en"));
    key_i64(&w, "at_ms", x->clock_ms);
    key_i64(&w, "took_ms", took_ms);
    key_str(&w, "severity", str_c(word_name(SEVERITIES[worst])));
    key_i64(&w, "exit_code", report_exit_code(x));
    key_str(&w, "summary", summary(&a, x));
    json_key(&w, "checks");
    json_open(&w, '[');
    for (enum check c = 0; c < CHECK_MAX_; c++) write_check(&w, x, c);
    json_close(&w, ']');
    json_key(&w, "findings");
    json_open(&w, '[');
    VEC_FOR(f, &x->findings.v) write_finding(&w, f, x->in->lang);
    json_close(&w, ']');
    json_key(&w, "roles");
    json_open(&w, '[');
    for (size_t i = 0; i < DOCTOR_ROLES; i++) write_role(&w, x, i);
    json_close(&w, ']');
    write_files(&w, x);
    write_data(&w, x);
    key_str(&w, "command",
            arena_fmt(&a, "vigie doctor%s%s" STR_FMT, x->in->lang == LANG_FR ? " --lang fr" : "",
                      x->in->command.n ? " " : "", STR_ARG(x->in->command)));
    json_close(&w, '}');
    buf_char(b, '\n');
}

/* --- secrets --- */

void report_redact(struct buf *b, const struct str *secrets, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!secrets[i].n || str_find(buf_str(b), secrets[i]) == STR_NONE) continue;
        BUF(clean, b->max);
        struct str rest = buf_str(b);
        for (size_t at; (at = str_find(rest, secrets[i])) != STR_NONE;) {
            buf_put(&clean, str_first(rest, at));
            buf_put(&clean, SECRET_SHOWN);
            rest = str_from(rest, at + secrets[i].n);
        }
        buf_put(&clean, rest);
        buf_reset(b);
        buf_put(b, buf_str(&clean));
    }
}
