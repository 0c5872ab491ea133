/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/goquote.h"
#include "codec/gotime.h"
#include "codec/num.h"

#define NS_PER_MS INT64_C(1000000)

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* --- Prometheus --- */

struct unit {
    struct str name;
    int64_t ms;
    bool whole; /* printed only where nothing remains below it: 8d, not 1w1d */
};

/* In the order in which they may stand. */
static const struct unit UNITS[] = {
    { { "y", 1 }, INT64_C(365) * 86400000, true },
    { { "w", 1 }, 7 * 86400000, true },
    { { "d", 1 }, 86400000, false },
    { { "h", 1 }, 3600000, false },
    { { "m", 1 }, 60000, false },
    { { "s", 1 }, 1000, false },
    { { "ms", 2 }, 1, false },
};

static size_t unit_find(struct str name)
{
    size_t i = 0;
    while (i < ARRAY_LEN(UNITS) && !str_eq(UNITS[i].name, name)) i++;
    return i;
}

/* Takes the run of bytes for which is_digit is `digits` off the front. */
static struct str take_run(struct str *s, bool digits)
{
    size_t n = 0;
    while (n < s->n && is_digit(s->p[n]) == digits) n++;
    struct str run = str_first(*s, n);
    *s = str_from(*s, n);
    return run;
}

/* Takes one "15m"; *next is the first unit that may still come. The original counts in 63 bits of nanoseconds. */
static enum err take_part(struct str *s, struct str whole, size_t *next, int64_t *ns,
                          struct diag *d)
{
    static const char BAD[] = "not a valid duration string: ";
    uint64_t v, part;
    struct str digits = take_run(s, true);
    if (num_parse_u64(digits, &v) != OK) return diag_quoted(d, ERR_SYNTAX, BAD, whole, "");
    struct str name = take_run(s, false);
    if (!name.n) return diag_quoted(d, ERR_SYNTAX, BAD, whole, "");
    size_t unit = unit_find(name);
    if (unit == ARRAY_LEN(UNITS)) {
        BUF(q, 1024);
        go_quote(&q, str_first(whole, 200));
        buf_char(&q, '\0');
        BUF(before, 1024);
        buf_putc(&before, " in duration ");
        buf_put(&before, buf_str(&q));
        return diag_quoted(d, ERR_SYNTAX, "unknown unit ", name, before.p);
    }
    if (unit < *next) return diag_quoted(d, ERR_SYNTAX, BAD, whole, "");
    *next = unit + 1;
    if (__builtin_mul_overflow(v, (uint64_t)(UNITS[unit].ms * NS_PER_MS), &part) ||
        part > INT64_MAX || __builtin_add_overflow(*ns, (int64_t)part, ns)) {
        return diag_set(d, ERR_RANGE, "duration out of range");
    }
    return OK;
}

enum err duration_parse(struct str s, int64_t *ms, struct diag *d)
{
    struct str whole = s;
    size_t next = 0;
    int64_t ns = 0;
    if (!s.n) return diag_set(d, ERR_SYNTAX, "empty duration string");
    if (str_eq(s, STR("0"))) s.n = 0;
    while (s.n) TRY(take_part(&s, whole, &next, &ns, d));
    *ms = ns / NS_PER_MS;
    return OK;
}

enum err duration_parse_signed(struct str s, int64_t *ms, struct diag *d)
{
    bool minus = s.n && s.p[0] == '-';
    TRY(duration_parse(minus ? str_from(s, 1) : s, ms, d));
    if (minus) *ms = -*ms;
    return OK;
}

void duration_write(struct buf *b, int64_t ms)
{
    if (ms == 0) {
        buf_put(b, STR("0s"));
        return;
    }
    uint64_t rest = ms < 0 ? -(uint64_t)ms : (uint64_t)ms;
    if (ms < 0) buf_char(b, '-');
    for (size_t i = 0; i < ARRAY_LEN(UNITS); i++) {
        uint64_t unit = (uint64_t)UNITS[i].ms;
        if (rest < unit || (UNITS[i].whole && rest % unit)) continue;
        num_write_u64(b, rest / unit);
        buf_put(b, UNITS[i].name);
        rest %= unit;
    }
}

/* --- Go --- */

static const struct go_unit {
    struct str name;
    uint64_t ns;
} GO_UNITS[] = {
    { { "ns", 2 }, 1 },           { { "us", 2 }, 1000 },
    { { "\xc2\xb5s", 3 }, 1000 }, /* micro sign */
    { { "\xce\xbcs", 3 }, 1000 }, /* mu */
    { { "ms", 2 }, 1000000 },     { { "s", 1 }, 1000000000 },
    { { "m", 1 }, 60000000000 },  { { "h", 1 }, 3600000000000 },
};

/* The fraction of a unit, cut as Go cuts it: digits past what 63 bits hold count nothing. */
static uint64_t fraction_ns(struct str digits, uint64_t unit)
{
    uint64_t v = 0;
    double scale = 1;
    for (size_t i = 0; i < digits.n && v < INT64_MAX / 10; i++) {
        v = v * 10 + (uint64_t)(digits.p[i] - '0');
        scale *= 10;
    }
    return (uint64_t)((double)v * ((double)unit / scale));
}

static enum err take_go_part(struct str *s, struct str whole, uint64_t *ns, struct diag *d)
{
    static const char BAD[] = "time: invalid duration ";
    struct str digits = take_run(s, true), fraction = { "", 0 };
    if (s->n && s->p[0] == '.') {
        *s = str_from(*s, 1);
        fraction = take_run(s, true);
    }
    uint64_t v = 0, part;
    if (!digits.n && !fraction.n) return diag_quoted(d, ERR_SYNTAX, BAD, whole, "");
    if (digits.n && num_parse_u64(digits, &v) != OK) {
        return diag_quoted(d, ERR_RANGE, BAD, whole, "");
    }
    size_t n = 0;
    while (n < s->n && s->p[n] != '.' && !is_digit(s->p[n])) n++;
    struct str name = str_first(*s, n);
    if (!n) return diag_quoted(d, ERR_SYNTAX, "time: missing unit in duration ", whole, "");
    *s = str_from(*s, n);
    for (size_t i = 0; i < ARRAY_LEN(GO_UNITS); i++) {
        if (!str_eq(GO_UNITS[i].name, name)) continue;
        if (__builtin_mul_overflow(v, GO_UNITS[i].ns, &part) ||
            __builtin_add_overflow(*ns, part, ns) ||
            __builtin_add_overflow(*ns, fraction_ns(fraction, GO_UNITS[i].ns), ns) ||
            *ns > (uint64_t)INT64_MAX + 1) {
            return diag_quoted(d, ERR_RANGE, BAD, whole, "");
        }
        return OK;
    }
    BUF(after, 1024);
    buf_putc(&after, " in duration ");
    go_quote(&after, str_first(whole, 200));
    buf_char(&after, '\0');
    return diag_quoted(d, ERR_SYNTAX, "time: unknown unit ", name, after.p);
}

enum err go_duration_parse(struct str s, int64_t *ns, struct diag *d)
{
    static const char BAD[] = "time: invalid duration ";
    struct str whole = s;
    bool minus = s.n && s.p[0] == '-';
    if (minus || (s.n && s.p[0] == '+')) s = str_from(s, 1);
    uint64_t sum = 0;
    if (!s.n) return diag_quoted(d, ERR_SYNTAX, BAD, whole, "");
    if (str_eq(s, STR("0"))) s.n = 0;
    while (s.n) TRY(take_go_part(&s, whole, &sum, d));
    if (sum > (uint64_t)INT64_MAX + minus) return diag_quoted(d, ERR_RANGE, BAD, whole, "");
    *ns = minus ? (int64_t)(0 - sum) : (int64_t)sum;
    return OK;
}

/* v / unit with up to `digits` decimals, trailing zeros cut: exact, unlike a float. */
static void put_fraction(struct buf *b, uint64_t v, uint64_t unit, int digits)
{
    num_write_u64(b, v / unit);
    v %= unit;
    if (!v) return;
    char room[9];
    for (int i = digits - 1; i >= 0; i--, v /= 10) room[i] = (char)('0' + v % 10);
    while (room[digits - 1] == '0') digits--;
    buf_char(b, '.');
    buf_put(b, str_make(room, (size_t)digits));
}

void go_duration_write(struct buf *b, int64_t ns)
{
    uint64_t v = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    if (ns < 0) buf_char(b, '-');
    if (v == 0) {
        buf_put(b, STR("0s"));
    } else if (v < 1000) {
        num_write_u64(b, v);
        buf_put(b, STR("ns"));
    } else if (v < 1000000) {
        put_fraction(b, v, 1000, 3);
        buf_put(b, STR("\xc2\xb5s"));
    } else if (v < 1000000000) {
        put_fraction(b, v, 1000000, 6);
        buf_put(b, STR("ms"));
    } else {
        uint64_t minutes = v / 60000000000;
        if (minutes >= 60) {
            num_write_u64(b, minutes / 60);
            buf_char(b, 'h');
        }
        if (minutes) {
            num_write_u64(b, minutes % 60);
            buf_char(b, 'm');
        }
        put_fraction(b, v % 60000000000, 1000000000, 9);
        buf_char(b, 's');
    }
}

/* --- sizes --- */

static const char SIZE_LETTERS[] = "BKMGTPE";

enum err size_parse(struct str s, int64_t *bytes, struct diag *d)
{
    struct str rest = s;
    struct str digits = take_run(&rest, true), fraction = { "", 0 };
    if (rest.n && rest.p[0] == '.') {
        rest = str_from(rest, 1);
        fraction = take_run(&rest, true);
    }
    uint64_t v = 0, unit = 1;
    if (!digits.n && !fraction.n) {
        return diag_quoted(d, ERR_SYNTAX, "units: invalid ", s, "");
    }
    if (digits.n && num_parse_u64(digits, &v) != OK) {
        return diag_quoted(d, ERR_RANGE, "units: invalid ", s, "");
    }
    const char *letter = rest.n ? memchr(SIZE_LETTERS, rest.p[0], sizeof(SIZE_LETTERS) - 1) : NULL;
    bool bare = str_eq(s, STR("0"));
    if (!letter && !bare) {
        return diag_quoted(d, ERR_SYNTAX,
                           rest.n ? "units: unknown unit in " : "units: missing unit in ", s, "");
    }
    for (const char *at = SIZE_LETTERS; letter && at < letter; at++) unit *= 1024;
    if (letter && *letter != 'B') {
        struct str tail = str_from(rest, 1);
        if (!str_eq(tail, STR("B")) && !str_eq(tail, STR("iB")) && tail.n) letter = NULL;
    } else if (rest.n > 1) {
        letter = NULL;
    }
    if (!letter && !bare) return diag_quoted(d, ERR_SYNTAX, "units: unknown unit in ", s, "");
    if (__builtin_mul_overflow(v, unit, &v) ||
        __builtin_add_overflow(v, fraction_ns(fraction, unit), &v) || v > INT64_MAX) {
        return diag_quoted(d, ERR_RANGE, "units: invalid ", s, "");
    }
    *bytes = (int64_t)v;
    return OK;
}

void size_write(struct buf *b, int64_t bytes)
{
    uint64_t rest = bytes < 0 ? -(uint64_t)bytes : (uint64_t)bytes;
    if (bytes < 0) buf_char(b, '-');
    for (int i = 6; i >= 0; i--) {
        uint64_t unit = UINT64_C(1) << (10 * i);
        if (rest < unit) continue;
        num_write_u64(b, rest / unit);
        buf_char(b, SIZE_LETTERS[i]);
        if (i) buf_put(b, STR("iB"));
        rest %= unit;
    }
    if (bytes == 0) buf_put(b, STR("0B"));
}
