/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gotmpl_funcs.c - template functions that Prometheus and Alertmanager have in common
 *
 * Source: prometheus template and prometheus/common helpers/templates, Alertmanager template (function lists of their
 *         documentation); shapes of numbers by their tests.
 */
#include "base/utf8.h"
#include "codec/gotime.h"
#include "codec/gotmpl_priv.h"
#include "codec/num.h"
#include "codec/regex.h"

#include <arpa/inet.h>
#include <math.h>

#define TEXT_MAX ((size_t)1 << 20)

#define FUNC(name)                                                                                 \
    static enum err name(struct tmpl_run *r, const struct tmpl_value *v, size_t n,                 \
                         struct tmpl_value *out)

static enum err give(struct tmpl_run *r, struct buf *b, struct tmpl_value *out)
{
    if (b->over) return tmpl_fail(r, "result too large");
    *out = tmpl_str(arena_dup(tmpl_arena(r), buf_str(b)));
    return OK;
}

/* ---- text ---- */
/* Simple case mapping of the alphabets that labels are written in: Latin, Greek, Cyrillic. */
static uint32_t fold(uint32_t c, bool up)
{
    if (c < 0x80) {
        if (up) return c >= 'a' && c <= 'z' ? c - 32 : c;
        return c >= 'A' && c <= 'Z' ? c + 32 : c;
    }
    bool latin_low = c >= 0xe0 && c <= 0xfe && c != 0xf7,
         latin_up = c >= 0xc0 && c <= 0xde && c != 0xd7;
    bool greek_low = c >= 0x3b1 && c <= 0x3c9 && c != 0x3c2,
         greek_up = c >= 0x391 && c <= 0x3a9 && c != 0x3a2;
    bool cyr_low = c >= 0x430 && c <= 0x44f, cyr_up = c >= 0x410 && c <= 0x42f;
    if (up && (latin_low || greek_low || cyr_low)) return c - 32;
    if (!up && (latin_up || greek_up || cyr_up)) return c + 32;
    if (up && c >= 0x450 && c <= 0x45f) return c - 80;
    if (!up && c >= 0x400 && c <= 0x40f) return c + 80;
    bool even_upper = (c >= 0x100 && c <= 0x137) || (c >= 0x14a && c <= 0x177);
    bool odd_upper = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e);
    if (even_upper) return up ? c & ~1U : c | 1U;
    if (odd_upper) return up ? (c % 2 ? c : c - 1) : (c % 2 ? c + 1 : c);
    return c;
}

static enum err change_case(struct tmpl_run *r, struct str s, bool up, struct tmpl_value *out)
{
    BUF(b, TEXT_MAX);
    while (s.n) utf8_put(&b, fold(utf8_next(&s), up));
    return give(r, &b, out);
}
FUNC(f_upper)
{
    (void)n;
    return change_case(r, v[0].s, true, out);
}
FUNC(f_lower)
{
    (void)n;
    return change_case(r, v[0].s, false, out);
}

static bool word_rune(uint32_t c)
{
    return c == '_' || (c >= '0' && c <= '9') || fold(c, true) != c || fold(c, false) != c ||
           c > 0x7f;
}
/* strings.Title: the first letter of each word; the rest as it is. */
FUNC(f_title)
{
    (void)n;
    BUF(b, TEXT_MAX);
    struct str s = v[0].s;
    bool inside = false;
    while (s.n) {
        uint32_t c = utf8_next(&s);
        utf8_put(&b, inside ? c : fold(c, true));
        inside = word_rune(c) && c != 0xa0;
    }
    return give(r, &b, out);
}

FUNC(f_trim)
{
    (void)r;
    (void)n;
    *out = tmpl_str(str_trim(v[0].s));
    return OK;
}
FUNC(f_join)
{
    (void)n;
    BUF(b, TEXT_MAX);
    for (size_t i = 0; i < v[1].list.n; i++) {
        if (i) buf_put(&b, v[0].s);
        tmpl_print(&b, &v[1].list.v[i]);
    }
    return give(r, &b, out);
}

/* ---- regular expressions: compiled per call, as the originals do; they stand in few templates ---- */
static void regex_done(struct regex **re) { regex_free(*re); }

FUNC(f_match)
{
    (void)n;
    CLEANUP(regex_done) struct regex *re = NULL;
    struct diag d = { 0 };
    if (regex_compile(v[0].s, REGEX_RE2_PART, &re, &d) != OK) return tmpl_fail(r, "%s", d.text);
    *out = tmpl_bool(regex_match(re, v[1].s));
    return OK;
}
FUNC(f_replace)
{
    (void)n;
    CLEANUP(regex_done) struct regex *re = NULL;
    struct diag d = { 0 };
    if (regex_compile(v[0].s, REGEX_RE2_PART, &re, &d) != OK) {
        return tmpl_fail(r, "regexp: Compile(`" STR_FMT "`): %s", STR_ARG(v[0].s), d.text);
    }
    BUF(b, TEXT_MAX);
    regex_replace_all(re, v[2].s, v[1].s, &b);
    return give(r, &b, out);
}

/* ---- numbers ---- */
enum err tmpl_number(struct tmpl_run *r, const struct tmpl_value *v, double *out)
{
    switch (v->kind) {
    case TV_FLOAT: *out = v->f; return OK;
    case TV_INT: *out = (double)v->i; return OK;
    case TV_UINT: *out = (double)v->u; return OK;
    case TV_DURATION: *out = (double)v->i / 1e9; return OK;
    case TV_STR: break;
    default: return tmpl_fail(r, "can't convert %s to float", tmpl_type_name(v));
    }
    enum err e = num_parse_f64(v->s, out);
    if (e == OK) return OK;
    BUF(q, TEXT_MAX);
    go_quote(&q, v->s);
    return tmpl_fail(r, "strconv.ParseFloat: parsing " STR_FMT ": %s", STR_ARG(buf_str(&q)),
                     e == ERR_RANGE ? "value out of range" : "invalid syntax");
}

static void put_4g(struct buf *b, double v) { num_write_go(b, v, 'g', 4); }

/* Scales v by steps of `by` through the prefixes while it is out of [1, by). */
static enum err scaled(struct tmpl_run *r, double v, const char *const *prefixes, double by,
                       bool up, const char *unit, struct tmpl_value *out)
{
    const char *prefix = "";
    for (; *prefixes && (up ? fabs(v) >= by : fabs(v) < 1); prefixes++) {
        prefix = *prefixes;
        v = up ? v / by : v * by;
    }
    BUF(b, 256);
    put_4g(&b, v);
    buf_putc(&b, prefix);
    buf_putc(&b, unit);
    return give(r, &b, out);
}

static const char *const none[] = { NULL };
static const char *const large[] = { "k", "M", "G", "T", "P", "E", "Z", "Y", NULL };
static const char *const small[] = { "m", "u", "n", "p", "f", "a", "z", "y", NULL };
static const char *const binary[] = { "ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi", NULL };

FUNC(f_humanize)
{
    (void)n;
    double x;
    TRY(tmpl_number(r, &v[0], &x));
    bool up = fabs(x) >= 1, plain = x == 0 || !isfinite(x);
    return scaled(r, x, plain ? none : up ? large : small, 1000, up, "", out);
}
FUNC(f_humanize1024)
{
    (void)n;
    double x;
    TRY(tmpl_number(r, &v[0], &x));
    bool plain = fabs(x) <= 1 || !isfinite(x);
    return scaled(r, x, plain ? none : binary, 1024, true, "", out);
}
FUNC(f_percentage)
{
    (void)n;
    double x;
    TRY(tmpl_number(r, &v[0], &x));
    BUF(b, 256);
    put_4g(&b, x * 100);
    buf_char(&b, '%');
    return give(r, &b, out);
}

/* As amd64 converts: what does not fit is the least integer. */
static int64_t truncated(double x)
{
    return x >= -9223372036854775808.0 && x < 9223372036854775808.0 ? (int64_t)x : INT64_MIN;
}

FUNC(f_duration)
{
    (void)n;
    double x;
    TRY(tmpl_number(r, &v[0], &x));
    BUF(b, 256);
    if (!isfinite(x)) {
        put_4g(&b, x);
        return give(r, &b, out);
    }
    if (x != 0 && fabs(x) < 1) return scaled(r, x, small, 1000, false, "s", out);
    if (x < 0) buf_char(&b, '-');
    x = fabs(x);
    int64_t s = truncated(x);
    long long part[] = { s / 86400, s / 3600 % 24, s / 60 % 60, s % 60 };
    if (part[0]) {
        buf_fmt(&b, "%lldd %lldh %lldm %llds", part[0], part[1], part[2], part[3]);
    } else if (part[1]) {
        buf_fmt(&b, "%lldh %lldm %llds", part[1], part[2], part[3]);
    } else if (part[2]) {
        buf_fmt(&b, "%lldm %llds", part[2], part[3]);
    } else {
        put_4g(&b, x);
        buf_char(&b, 's');
    }
    return give(r, &b, out);
}

/* Seconds as a time, to the millisecond. */
static enum err to_time(struct tmpl_run *r, double s, struct tmpl_value *out)
{
    double ns = s * 1e9;
    if (ns >= 9223372036854775808.0 || ns <= -9223372036854775808.0 || isnan(s)) {
        BUF(b, 64);
        num_write_g(&b, s);
        return tmpl_fail(
            r, STR_FMT " cannot be represented as a nanoseconds timestamp since it overflows int64",
            STR_ARG(buf_str(&b)));
    }
    *out = tmpl_time_ms(tmpl_arena(r), (int64_t)ns / 1000000);
    return OK;
}
FUNC(f_to_time)
{
    (void)n;
    double s;
    TRY(tmpl_number(r, &v[0], &s));
    return to_time(r, s, out);
}
FUNC(f_timestamp)
{
    (void)n;
    double s;
    TRY(tmpl_number(r, &v[0], &s));
    BUF(b, 256);
    if (!isfinite(s)) {
        put_4g(&b, s);
        return give(r, &b, out);
    }
    struct tmpl_value t;
    TRY(to_time(r, s, &t));
    tmpl_print(&b, &t);
    return give(r, &b, out);
}
FUNC(f_to_duration)
{
    (void)n;
    double s;
    TRY(tmpl_number(r, &v[0], &s));
    double ns = s * 1e9;
    if (!(fabs(ns) < 9223372036854775808.0)) {
        BUF(b, 64);
        num_write_g(&b, s);
        return tmpl_fail(
            r, STR_FMT " cannot be represented as a nanoseconds duration since it overflows int64",
            STR_ARG(buf_str(&b)));
    }
    *out = tmpl_duration((int64_t)ns);
    return OK;
}
FUNC(f_parse_duration)
{
    (void)n;
    struct str s = v[0].s;
    bool negative = s.n && s.p[0] == '-';
    int64_t ms;
    struct diag d = { 0 };
    if (duration_parse(negative ? str_from(s, 1) : s, &ms, &d) != OK) {
        return tmpl_fail(r, "%s", d.text);
    }
    *out = tmpl_float((double)(negative ? -ms : ms) / 1000);
    return OK;
}

/* ---- hosts ---- */
/* net.SplitHostPort; false where it fails. */
static bool split_host(struct str s, struct str *host, struct str *port)
{
    size_t colon = STR_NONE;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == ':') colon = i;
    }
    if (colon == STR_NONE) return false;
    size_t after = 0;
    if (s.p[0] == '[') {
        size_t end = str_find_char(s, ']');
        if (end == STR_NONE || end + 1 != colon) return false;
        *host = str_make(s.p + 1, end - 1);
        after = end + 1;
        if (str_find_char(*host, '[') != STR_NONE) return false;
    } else {
        *host = str_first(s, colon);
        if (str_find_char(*host, ':') != STR_NONE || str_find_char(s, '[') != STR_NONE) {
            return false;
        }
    }
    if (str_find_char(str_from(s, after), ']') != STR_NONE) return false;
    *port = str_from(s, colon + 1);
    return true;
}
FUNC(f_strip_port)
{
    (void)r;
    (void)n;
    struct str host, port;
    *out = tmpl_str(split_host(v[0].s, &host, &port) ? host : v[0].s);
    return OK;
}
FUNC(f_strip_domain)
{
    (void)n;
    struct str host, port = STR(""), rest;
    if (!split_host(v[0].s, &host, &port)) host = v[0].s;
    struct str z = arena_dup(tmpl_arena(r), host);
    unsigned char address[sizeof(struct in6_addr)];
    if (inet_pton(AF_INET, z.p, address) == 1 || inet_pton(AF_INET6, z.p, address) == 1) {
        *out = v[0];
        return OK;
    }
    (void)str_cut(host, '.', &host, &rest);
    *out = tmpl_str(host);
    if (port.n) {
        bool colon = str_find_char(host, ':') != STR_NONE;
        out->s = arena_fmt(tmpl_arena(r), "%s" STR_FMT "%s:" STR_FMT, colon ? "[" : "",
                           STR_ARG(host), colon ? "]" : "", STR_ARG(port));
    }
    return OK;
}

/* ---- encodings ---- */
FUNC(f_safe_html)
{
    (void)r;
    (void)n;
    *out = v[0];
    out->type = &tmpl_type_html;
    return OK;
}
FUNC(f_safe_url)
{
    (void)r;
    (void)n;
    *out = v[0];
    out->type = &tmpl_type_url;
    return OK;
}
static int hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    char l = (char)(c | 32);
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}
FUNC(f_url_unescape)
{
    (void)n;
    BUF(b, TEXT_MAX);
    struct str s = v[0].s;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '%') {
            buf_char(&b, s.p[i] == '+' ? ' ' : s.p[i]);
            continue;
        }
        if (i + 2 >= s.n || hex(s.p[i + 1]) < 0 || hex(s.p[i + 2]) < 0) {
            BUF(q, 256);
            go_quote(&q, str_first(str_from(s, i), 3));
            return tmpl_fail(r, "invalid URL escape " STR_FMT, STR_ARG(buf_str(&q)));
        }
        buf_char(&b, (char)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2])));
        i += 2;
    }
    return give(r, &b, out);
}
FUNC(f_to_json)
{
    (void)n;
    if (v[0].kind == TV_FLOAT && !isfinite(v[0].f)) {
        BUF(q, 64);
        num_write_g(&q, v[0].f);
        return tmpl_fail(r, "json: unsupported value: " STR_FMT, STR_ARG(buf_str(&q)));
    }
    BUF(b, TEXT_MAX);
    tmpl_json(&b, &v[0]);
    return give(r, &b, out);
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

FUNC(f_base64_encode)
{
    (void)n;
    BUF(b, TEXT_MAX);
    struct str s = v[0].s;
    for (size_t i = 0; i < s.n; i += 3) {
        size_t left = s.n - i;
        uint32_t three = (uint32_t)(unsigned char)s.p[i] << 16;
        if (left > 1) three |= (uint32_t)(unsigned char)s.p[i + 1] << 8;
        if (left > 2) three |= (unsigned char)s.p[i + 2];
        buf_char(&b, alphabet[three >> 18]);
        buf_char(&b, alphabet[three >> 12 & 63]);
        buf_char(&b, left > 1 ? alphabet[three >> 6 & 63] : '=');
        buf_char(&b, left > 2 ? alphabet[three & 63] : '=');
    }
    return give(r, &b, out);
}
FUNC(f_base64_decode)
{
    (void)n;
    BUF(b, TEXT_MAX);
    struct str s = v[0].s;
    uint32_t bits = 0;
    size_t have = 0, i = 0;
    for (; i < s.n && s.p[i] != '='; i++) {
        const char *at = s.p[i] ? strchr(alphabet, s.p[i]) : NULL;
        if (!at) return tmpl_fail(r, "illegal base64 data at input byte %zu", i);
        bits = bits << 6 | (uint32_t)(at - alphabet);
        if (++have % 4 == 0) {
            buf_char(&b, (char)(bits >> 16));
            buf_char(&b, (char)(bits >> 8));
            buf_char(&b, (char)bits);
        }
    }
    size_t rest = have % 4;
    if (rest == 1 || s.n - i != (4 - rest) % 4) {
        return tmpl_fail(r, "illegal base64 data at input byte %zu", i);
    }
    for (size_t k = i; k < s.n; k++) {
        if (s.p[k] != '=') return tmpl_fail(r, "illegal base64 data at input byte %zu", k);
    }
    if (rest >= 2) buf_char(&b, (char)(bits >> (rest == 2 ? 4 : 10)));
    if (rest == 3) buf_char(&b, (char)(bits >> 2));
    return give(r, &b, out);
}

/* ---- lists and maps ---- */
static void add_all(struct tmpl_builder *b, const struct tmpl_value *v, size_t n)
{
    for (size_t i = 0; i < n; i++) tmpl_add(b, v[i]);
}
FUNC(f_string_slice)
{
    struct tmpl_builder b = { .a = tmpl_arena(r) };
    add_all(&b, v, n);
    *out = tmpl_list_done(&b, &tmpl_type_strings);
    return OK;
}
FUNC(f_list)
{
    struct tmpl_builder b = { .a = tmpl_arena(r) };
    add_all(&b, v, n);
    *out = tmpl_list_done(&b, NULL);
    return OK;
}
FUNC(f_append)
{
    struct tmpl_builder b = { .a = tmpl_arena(r) };
    add_all(&b, v[0].list.v, v[0].list.n);
    add_all(&b, v + 1, n - 1);
    *out = tmpl_list_done(&b, NULL);
    return OK;
}
FUNC(f_dict)
{
    struct tmpl_builder b = { .a = tmpl_arena(r) };
    if (n % 2) return tmpl_fail(r, "dict requires an even number of arguments");
    for (size_t i = 0; i < n; i += 2) {
        if (v[i].kind != TV_STR) return tmpl_fail(r, "dict keys must be strings");
        tmpl_set_key(&b, v[i].s, v[i + 1]);
    }
    *out = tmpl_map_done(&b, NULL);
    return OK;
}
FUNC(f_args)
{
    struct tmpl_builder b = { .a = tmpl_arena(r) };
    for (size_t i = 0; i < n; i++) tmpl_set_key(&b, arena_fmt(b.a, "arg%zu", i), v[i]);
    *out = tmpl_map_done(&b, NULL);
    return OK;
}

/* ---- times ---- */
FUNC(f_date)
{
    (void)n;
    BUF(b, TEXT_MAX);
    tmpl_time_format(&b, v[1].time, v[0].s);
    return give(r, &b, out);
}
FUNC(f_to_date)
{
    (void)n;
    struct tmpl_time t;
    if (tmpl_time_parse(v[0].s, v[1].s, &t, NULL) != OK) {
        t = (struct tmpl_time){ .s = TMPL_TIME_ZERO, .zone = STR("UTC") };
    }
    *out = tmpl_time_value(tmpl_arena(r), t);
    return OK;
}
FUNC(f_must_to_date)
{
    (void)n;
    struct tmpl_time t;
    struct diag d = { 0 };
    if (tmpl_time_parse(v[0].s, v[1].s, &t, &d) != OK) return tmpl_fail(r, "%s", d.text);
    *out = tmpl_time_value(tmpl_arena(r), t);
    return OK;
}

const struct tmpl_func tmpl_funcs_shared[] = {
    { "toUpper", "s", f_upper },
    { "toLower", "s", f_lower },
    { "title", "s", f_title },
    { "trimSpace", "s", f_trim },
    { "join", "sl", f_join },
    { "match", "ss", f_match },
    { "reReplaceAll", "sss", f_replace },
    { "humanize", "a", f_humanize },
    { "humanize1024", "a", f_humanize1024 },
    { "humanizeDuration", "a", f_duration },
    { "humanizePercentage", "a", f_percentage },
    { "humanizeTimestamp", "a", f_timestamp },
    { "toTime", "a", f_to_time },
    { "toDuration", "a", f_to_duration },
    { "parseDuration", "s", f_parse_duration },
    { "stripPort", "s", f_strip_port },
    { "stripDomain", "s", f_strip_domain },
    { "safeHtml", "s", f_safe_html },
    { "safeUrl", "s", f_safe_url },
    { "urlUnescape", "s", f_url_unescape },
    { "toJson", "a", f_to_json },
    { "base64encode", "s", f_base64_encode },
    { "base64decode", "s", f_base64_decode },
    { "stringSlice", "s.", f_string_slice },
    { "list", "a.", f_list },
    { "append", "la.", f_append },
    { "dict", "a.", f_dict },
    { "args", "a.", f_args },
    { "date", "sT", f_date },
    { "toDate", "ss", f_to_date },
    { "mustToDate", "ss", f_must_to_date },
    { NULL, NULL, NULL },
};
