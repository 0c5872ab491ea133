/* SPDX-License-Identifier: Apache-2.0 */
#include "commands/check/findings.h"

#include "base/buf.h"
#include "base/secret.h"

void finding_add(struct findings *f, enum severity s, struct str file, unsigned line, unsigned col,
                 struct str text)
{
    *vec_push(f->a, &f->v) = (struct finding){ s, file, line, col, arena_dup(f->a, text) };
    if (s == FINDING_ERROR) {
        f->errors++;
    } else {
        f->warnings++;
    }
}

void finding_of(struct findings *f, struct str file, const struct diag *d)
{
    finding_add(f, FINDING_ERROR, file, d->line, d->col, str_c(d->text));
}

static struct str line_of(struct str text, unsigned number)
{
    struct str line = STR(""), rest = text;
    for (unsigned i = 0; i < number; i++) {
        if (!rest.n) return STR("");
        (void)str_cut(rest, '\n', &line, &rest);
    }
    return line;
}

enum { SHOWN_MAX = 100, BEFORE = 60 };

static bool is_tail(char c) { return ((unsigned char)c & 0xc0) == 0x80; }

/* Bytes of the line from `from` on; a tab stays one column wide, so that the mark stands below its place. */
static void write_line(struct buf *b, struct str line)
{
    for (size_t i = 0; i < line.n; i++) {
        unsigned char c = (unsigned char)line.p[i];
        buf_char(b, c == '\t' ? ' ' : c < ' ' || c == 0x7f ? '.' : (char)c);
    }
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_quote(char c) { return c == '"' || c == '\''; }

/* Keys whose value is a secret, or may hold one: by their whole name or by its end. */
static const struct {
    const char *name;
    bool whole;
} SECRET_KEYS[] = {
    { "password", false },     { "secret", false },      { "token", false },
    { "_key", false },         { "apikey", false },      { "api_url", false },
    { "webhook_url", false },  { "credentials", false }, { "url", true },
    { "authorization", true },
};

static bool names_secret(struct str key)
{
    for (size_t i = 0; i < ARRAY_LEN(SECRET_KEYS); i++) {
        struct str name = str_c(SECRET_KEYS[i].name);
        if (key.n < name.n || (SECRET_KEYS[i].whole && key.n > name.n)) continue;
        if (str_ieq(str_from(key, key.n - name.n), name)) return true;
    }
    return false;
}

/* Is `text`, behind the :// of a URL, a name and password up to an @? */
static bool is_login(struct str text)
{
    for (size_t i = 0; i < text.n && text.p[i] != ' ' && text.p[i] != '/' && !is_quote(text.p[i]);
         i++) {
        if (text.p[i] == '@') return true;
    }
    return false;
}

/* Bytes of the line that anybody may see: none behind the colon of a secret's key, no login of a URL. */
static size_t open_part(struct str line)
{
    for (size_t i = 1; i < line.n; i++) {
        if (line.p[i] != ':') continue;
        if (str_starts(str_from(line, i), STR("://")) && is_login(str_from(line, i + 3)))
            return i + 3;
        size_t to = i;
        while (to && (line.p[to - 1] == ' ' || is_quote(line.p[to - 1]))) to--;
        size_t from = to;
        while (from && is_word(line.p[from - 1])) from--;
        if (names_secret(str_make(line.p + from, to - from))) return i + 1;
    }
    return line.n;
}

static void write_source(struct buf *b, struct str line, unsigned number, size_t col)
{
    size_t from = col > BEFORE ? col - BEFORE : 0;
    if (from > line.n) from = line.n;
    while (from && from < line.n && is_tail(line.p[from])) from--;
    size_t to = from + SHOWN_MAX < line.n ? from + SHOWN_MAX : line.n;
    while (to < line.n && is_tail(line.p[to])) to++;
    struct str part = str_make(line.p + from, to - from);
    buf_fmt(b, "%6u | %s", number, from ? "..." : "");
    write_line(b, part);
    buf_putc(b, to < line.n ? "...\n" : "\n");
    if (!col || col > line.n + 1) return;
    buf_fmt(b, "       | %s", from ? "   " : "");
    for (size_t i = from; i + 1 < col; i++) {
        if (!is_tail(line.p[i])) buf_char(b, ' ');
    }
    buf_putc(b, "^\n");
}

/* A newline within a sentence would end it for whoever reads line by line. */
static void write_sentence(struct buf *b, struct str text)
{
    for (size_t i = 0; i < text.n; i++) buf_char(b, text.p[i] == '\n' ? ' ' : text.p[i]);
}

void finding_write(struct buf *b, const struct finding *f, struct str text)
{
    buf_put(b, f->file);
    if (f->line) buf_fmt(b, ":%u", f->line);
    if (f->line && f->col) buf_fmt(b, ":%u", f->col);
    buf_fmt(b, ": %s: ", f->severity == FINDING_ERROR ? "error" : "warning");
    write_sentence(b, f->text);
    buf_char(b, '\n');
    struct str line = f->line ? line_of(text, f->line) : STR("");
    size_t open = open_part(line);
    BUF(shown, 0);
    buf_put(&shown, str_first(line, open));
    if (open < line.n) buf_fmt(&shown, " " STR_FMT, STR_ARG(SECRET_SHOWN));
    if (line.n) write_source(b, buf_str(&shown), f->line, f->col);
}
