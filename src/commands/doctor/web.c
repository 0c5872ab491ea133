/* SPDX-License-Identifier: Apache-2.0 */
#include "commands/doctor/web.h"

#include "codec/base64.h"
#include "codec/gotime.h"
#include "codec/num.h"
#include "commands/doctor/exam.h"
#include "io/dial.h"

#include <ctype.h>

bool url_split(struct arena *a, struct str text, struct url *out)
{
    struct url u = { .path = STR("/") };
    if (str_starts(text, STR("https://"))) {
        u.tls = true;
    } else if (!str_starts(text, STR("http://"))) {
        return false;
    }
    text = str_from(text, u.tls ? 8 : 7);
    size_t end = 0;
    while (end < text.n && !strchr("/?#", text.p[end])) end++;
    struct str authority = str_first(text, end), rest = str_from(text, end), left, right;
    while (str_cut(authority, '@', &left, &right)) authority = right;
    if (!split_address(authority, u.tls ? 443 : 80, &u.host, &u.port)) return false;
    size_t hash = str_find_char(rest, '#');
    if (hash != STR_NONE) rest = str_first(rest, hash);
    if (rest.n) {
        u.path = rest.p[0] == '/' ? rest : arena_fmt(a, "/" STR_FMT, STR_ARG(rest));
    }
    *out = u;
    return true;
}

/* --- the answer --- */

enum err web_date_parse(struct str text, int64_t *ms)
{
    static const struct str MONTHS = { "JanFebMarAprMayJunJulAugSepOctNovDec", 36 };
    uint64_t day, year, hour, minute, second;
    if (text.n != 29 || !str_ends(text, STR(" GMT")) || text.p[3] != ',') return ERR_SYNTAX;
    if (num_parse_u64(str_make(text.p + 5, 2), &day) != OK ||
        num_parse_u64(str_make(text.p + 12, 4), &year) != OK ||
        num_parse_u64(str_make(text.p + 17, 2), &hour) != OK ||
        num_parse_u64(str_make(text.p + 20, 2), &minute) != OK ||
        num_parse_u64(str_make(text.p + 23, 2), &second) != OK) {
        return ERR_SYNTAX;
    }
    size_t at = str_find(MONTHS, str_make(text.p + 8, 3));
    bool good = at != STR_NONE && at % 3 == 0 && day >= 1 && day <= 31 && hour < 24 &&
                minute < 60 && second <= 60;
    if (!good) return ERR_SYNTAX;
    const struct civil c = { .year = (int64_t)year,
                             .month = (int)(at / 3) + 1,
                             .day = (int)day,
                             .hour = (int)hour,
                             .minute = (int)minute,
                             .second = (int)second };
    *ms = ms_of_civil(&c, 0);
    return OK;
}

static struct str take_line(struct str *in)
{
    struct str line;
    (void)str_cut(*in, '\n', &line, in);
    return str_ends(line, STR("\r")) ? str_first(line, line.n - 1) : line;
}

/* "HTTP/1.1 200 OK" */
static enum err status_parse(struct str line, int *out)
{
    uint64_t status;
    if (!str_starts(line, STR("HTTP/"))) return ERR_SYNTAX;
    size_t space = str_find_char(line, ' ');
    if (space == STR_NONE ||
        num_parse_u64(str_first(str_from(line, space + 1), 3), &status) != OK || status < 100 ||
        status > 999) {
        return ERR_SYNTAX;
    }
    *out = (int)status;
    return OK;
}

static bool ends_head(struct str bytes)
{
    return str_find(bytes, STR("\r\n\r\n")) != STR_NONE || str_find(bytes, STR("\n\n")) != STR_NONE;
}

enum err web_reply_parse(struct str bytes, struct web_reply *out)
{
    struct web_reply r = { .content_type = STR("") };
    struct str start = STR("HTTP/"), name, value;
    size_t n = bytes.n < start.n ? bytes.n : start.n;
    if (!str_eq(str_first(bytes, n), str_first(start, n))) return ERR_SYNTAX;
    if (!ends_head(bytes)) return ERR_SHORT;
    TRY(status_parse(take_line(&bytes), &r.status));
    for (;;) {
        struct str line = take_line(&bytes);
        if (!line.n) break;
        if (!str_cut(line, ':', &name, &value)) continue;
        value = str_trim(value);
        if (str_ieq(name, STR("Content-Type"))) r.content_type = value;
        if (str_ieq(name, STR("Date")) && web_date_parse(value, &r.date_ms) != OK) r.date_ms = 0;
    }
    r.body = bytes;
    *out = r;
    return OK;
}

bool looks_like_metrics(struct str body)
{
    while (body.n) {
        struct str line = str_trim(take_line(&body)), head, value;
        if (!line.n || line.p[0] == '#') continue;
        char first = line.p[0];
        if (!isalpha((unsigned char)first) && first != '_' && first != ':' && first != '{') {
            return false;
        }
        size_t close = line.n;
        while (close && line.p[close - 1] != '}') close--;
        double v;
        struct str rest = close ? str_trim(str_from(line, close)) : STR("");
        if (!close && !str_cut(line, ' ', &head, &rest)) return false;
        (void)str_cut(str_trim(rest), ' ', &value, &rest);
        enum err e = num_parse_f64(value, &v);
        return e == OK || e == ERR_RANGE;
    }
    return false;
}

/* --- asking --- */

static void put_request(struct buf *b, const struct url *u, const struct web_login *login)
{
    bool v6 = str_find_char(u->host, ':') != STR_NONE;
    buf_fmt(b, "GET " STR_FMT " HTTP/1.0\r\nHost: %s" STR_FMT "%s:%u\r\n", STR_ARG(u->path),
            v6 ? "[" : "", STR_ARG(u->host), v6 ? "]" : "", u->port);
    buf_putc(b, "User-Agent: vigie-doctor\r\nAccept: text/plain;version=0.0.4;q=0.9,*/*;q=0.1\r\n");
    if (login && login->bearer.n) {
        buf_fmt(b, "Authorization: Bearer " STR_FMT "\r\n", STR_ARG(login->bearer));
    } else if (login && login->user.n) {
        BUF(pair, 0);
        buf_fmt(&pair, STR_FMT ":" STR_FMT, STR_ARG(login->user), STR_ARG(login->password));
        buf_putc(b, "Authorization: Basic ");
        base64_write(b, buf_str(&pair));
        buf_putc(b, "\r\n");
    }
    buf_putc(b, "Connection: close\r\n\r\n");
}

/* The first bytes of something that is no HTTP, for a sentence. */
static enum err stranger(struct str bytes, struct diag *d)
{
    if (bytes.n && ((unsigned char)bytes.p[0] == 0x15 || (unsigned char)bytes.p[0] == 0x16)) {
        return diag_set(d, ERR_SYNTAX, "it answers with TLS");
    }
    char seen[49];
    size_t n = bytes.n < sizeof(seen) - 1 ? bytes.n : sizeof(seen) - 1;
    for (size_t i = 0; i < n; i++) {
        seen[i] = (char)(isprint((unsigned char)bytes.p[i]) ? bytes.p[i] : '.');
    }
    seen[n] = '\0';
    return diag_set(d, ERR_SYNTAX, "it answers with \"%s\"", seen);
}

/* Reads until the peer ends, or there is enough. */
static enum err read_reply(struct dial *c, struct arena *a, int64_t step_ms, struct web_reply *out,
                           struct diag *d)
{
    BUF(in, (2 * WEB_BODY_MAX));
    enum err e = OK;
    while (e == OK && in.n < WEB_BODY_MAX) {
        e = dial_read(c, &in, step_ms, d);
        struct web_reply r;
        if (web_reply_parse(buf_str(&in), &r) == ERR_SYNTAX) return stranger(buf_str(&in), d);
    }
    struct str whole = arena_dup(a, buf_str(&in));
    enum err read = web_reply_parse(whole, out);
    if (read == OK) return OK; /* a body that is cut is good enough */
    if (in.n && read == ERR_SYNTAX) return stranger(buf_str(&in), d);
    return e == OK ? diag_set(d, ERR_SYNTAX, "its answer has no end of head") : e;
}

enum err web_get(struct arena *a, const struct url *u, const struct web_login *login,
                 int64_t step_ms, struct web_reply *out, enum web_stage *stage, struct diag *d)
{
    struct dial *c = NULL;
    *stage = WEB_CONNECT;
    TRY(dial_open(&(struct dial_options){ .host = u->host, .port = u->port, .timeout_ms = step_ms },
                  &c, d));
    enum err e = OK;
    if (u->tls) {
        *stage = WEB_TLS;
        e = dial_start_tls(c, &(struct dial_tls){ .server_name = u->host }, step_ms, d);
    }
    if (e == OK) {
        BUF(request, 0);
        *stage = WEB_HTTP;
        put_request(&request, u, login);
        e = dial_write(c, buf_str(&request), step_ms, d);
        if (e == OK) e = read_reply(c, a, step_ms, out, d);
        if (e == OK) *stage = WEB_DONE;
    }
    dial_close(c);
    return e;
}

/* --- why not --- */

struct saying unreached_why(struct arena *a, enum err e, struct str host, int64_t timeout_ms)
{
    switch (e) {
    case ERR_MISSING: return SAY(W_NAME_UNKNOWN, host);
    case ERR_DENIED: return SAY(W_REFUSED, STR(""));
    case ERR_TIMEOUT:
        return SAY(W_SILENT, arena_fmt(a, "%lld.%lld", (long long)timeout_ms / 1000,
                                       (long long)timeout_ms % 1000 / 100));
    default: return SAY(W_NO_ROUTE, STR(""));
    }
}

struct saying unreached_fix(struct arena *a, enum err e, struct str host, uint16_t port)
{
    struct str p = arena_fmt(a, "%u", port);
    switch (e) {
    case ERR_MISSING: return SAY(W_FIX_HOSTS, host);
    case ERR_DENIED: return SAY(W_FIX_LISTENING, host, p);
    default: return SAY(W_FIX_WAY, host, p);
    }
}
