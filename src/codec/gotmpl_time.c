/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gotmpl_time.c - Go's reference-time layouts: Time.Format and time.Parse; methods of times and durations
 *
 * A layout is text with pieces of "Mon Jan 2 15:04:05 MST 2006" in it; one table of pieces serves both ways.
 */
#include "codec/gotime.h"
#include "codec/gotmpl_priv.h"
#include "codec/num.h"

enum piece {
    P_LONG_MONTH,
    P_MONTH,
    P_NUM_MONTH,
    P_ZERO_MONTH,
    P_LONG_WEEKDAY,
    P_WEEKDAY,
    P_DAY,
    P_UNDER_DAY,
    P_ZERO_DAY,
    P_UNDER_YEARDAY,
    P_ZERO_YEARDAY,
    P_HOUR,
    P_HOUR12,
    P_ZERO_HOUR12,
    P_MINUTE,
    P_ZERO_MINUTE,
    P_SECOND,
    P_ZERO_SECOND,
    P_LONG_YEAR,
    P_YEAR,
    P_PM,
    P_pm,
    P_TZ,
    P_ISO_TZ,        /* Z0700 */
    P_ISO_SECONDS,   /* Z070000 */
    P_ISO_SHORT,     /* Z07 */
    P_ISO_COLON,     /* Z07:00 */
    P_ISO_COLON_SEC, /* Z07:00:00 */
    P_NUM_TZ,        /* -0700 */
    P_NUM_SECONDS,
    P_NUM_SHORT,
    P_NUM_COLON,
    P_NUM_COLON_SEC,
    P_FRACTION, /* .000 or .999, any length */
    P_NONE,
};

/* Longer spellings before their prefixes. */
static const struct {
    const char *text;
    enum piece piece;
} pieces[] = {
    { "January", P_LONG_MONTH },
    { "Jan", P_MONTH },
    { "Monday", P_LONG_WEEKDAY },
    { "Mon", P_WEEKDAY },
    { "MST", P_TZ },
    { "2006", P_LONG_YEAR },
    { "_2006", P_NONE },
    { "__2", P_UNDER_YEARDAY },
    { "_2", P_UNDER_DAY },
    { "002", P_ZERO_YEARDAY },
    { "01", P_ZERO_MONTH },
    { "02", P_ZERO_DAY },
    { "03", P_ZERO_HOUR12 },
    { "04", P_ZERO_MINUTE },
    { "05", P_ZERO_SECOND },
    { "06", P_YEAR },
    { "15", P_HOUR },
    { "1", P_NUM_MONTH },
    { "2", P_DAY },
    { "3", P_HOUR12 },
    { "4", P_MINUTE },
    { "5", P_SECOND },
    { "PM", P_PM },
    { "pm", P_pm },
    { "-07:00:00", P_NUM_COLON_SEC },
    { "-07:00", P_NUM_COLON },
    { "-070000", P_NUM_SECONDS },
    { "-0700", P_NUM_TZ },
    { "-07", P_NUM_SHORT },
    { "Z07:00:00", P_ISO_COLON_SEC },
    { "Z07:00", P_ISO_COLON },
    { "Z070000", P_ISO_SECONDS },
    { "Z0700", P_ISO_TZ },
    { "Z07", P_ISO_SHORT },
};

static const char *const months[] = { "January",   "February", "March",    "April",
                                      "May",       "June",     "July",     "August",
                                      "September", "October",  "November", "December" };
static const char *const days[] = { "Sunday",   "Monday", "Tuesday", "Wednesday",
                                    "Thursday", "Friday", "Saturday" };

static bool digit(char c) { return c >= '0' && c <= '9'; }

/* Length of .000 or ,999 at the front that is not followed by a digit, else 0. */
static size_t fraction(struct str s)
{
    if (s.n < 2 || (s.p[0] != '.' && s.p[0] != ',') || (s.p[1] != '0' && s.p[1] != '9')) return 0;
    size_t n = 1;
    while (n < s.n && s.p[n] == s.p[1]) n++;
    return n < s.n && digit(s.p[n]) ? 0 : n;
}

/* The piece at the front of the layout (P_NONE: none) and its length. */
static enum piece piece_at(struct str s, size_t *n)
{
    *n = fraction(s);
    if (*n) return P_FRACTION;
    if (str_starts(s, STR("_2006"))) return P_NONE;
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        struct str text = str_c(pieces[i].text);
        if (!str_starts(s, text)) continue;
        /* "Jan" in "January" is long; "Mon" in "Month" is no piece. */
        if (text.n == 3 && (text.p[0] == 'M' || text.p[0] == 'J') && text.p[1] != 'S' && s.n > 3 &&
            s.p[3] >= 'a' && s.p[3] <= 'z') {
            continue;
        }
        *n = text.n;
        return pieces[i].piece;
    }
    return P_NONE;
}

static void put_name(struct buf *b, const char *name, size_t n)
{
    struct str s = str_c(name);
    buf_put(b, n ? str_first(s, n) : s);
}

static void put_zone(struct buf *b, const struct tmpl_time *t, enum piece p)
{
    bool iso = p >= P_ISO_TZ && p <= P_ISO_COLON_SEC;
    if (iso && t->offset_s == 0) {
        buf_char(b, 'Z');
        return;
    }
    int offset = t->offset_s < 0 ? -t->offset_s : t->offset_s;
    bool colon = p == P_ISO_COLON || p == P_ISO_COLON_SEC || p == P_NUM_COLON ||
                 p == P_NUM_COLON_SEC;
    bool seconds = p == P_ISO_SECONDS || p == P_ISO_COLON_SEC || p == P_NUM_SECONDS ||
                   p == P_NUM_COLON_SEC;
    buf_fmt(b, "%c%02d", t->offset_s < 0 ? '-' : '+', offset / 3600);
    if (p != P_ISO_SHORT && p != P_NUM_SHORT) {
        buf_fmt(b, "%s%02d", colon ? ":" : "", offset / 60 % 60);
    }
    if (seconds) buf_fmt(b, "%s%02d", colon ? ":" : "", offset % 60);
}

static void put_fraction(struct buf *b, int32_t ns, struct str piece)
{
    char digits[16];
    int n = 0;
    for (int32_t scale = 100000000; scale; scale /= 10) digits[n++] = (char)('0' + ns / scale % 10);
    size_t width = piece.n - 1 < 9 ? piece.n - 1 : 9;
    if (piece.p[1] == '9') {
        while (width && digits[width - 1] == '0') width--;
        if (!width) return;
    }
    buf_char(b, piece.p[0]);
    buf_put(b, str_make(digits, width));
}

static void put_tz(struct buf *b, const struct tmpl_time *t)
{
    if (t->zone.n) {
        buf_put(b, t->zone);
    } else {
        put_zone(b, t, t->offset_s % 3600 ? P_NUM_TZ : P_NUM_SHORT);
    }
}

static void put_year(struct buf *b, int64_t year)
{
    if (year < 0) buf_char(b, '-');
    buf_fmt(b, "%04lld", (long long)(year < 0 ? -year : year));
}

static void put_piece(struct buf *b, enum piece p, const struct civil *c, const struct tmpl_time *t,
                      struct str text)
{
    int hour12 = c->hour % 12 ? c->hour % 12 : 12;
    switch (p) {
    case P_LONG_MONTH: put_name(b, months[c->month - 1], 0); return;
    case P_MONTH: put_name(b, months[c->month - 1], 3); return;
    case P_NUM_MONTH: buf_fmt(b, "%d", c->month); return;
    case P_ZERO_MONTH: buf_fmt(b, "%02d", c->month); return;
    case P_LONG_WEEKDAY: put_name(b, days[c->weekday], 0); return;
    case P_WEEKDAY: put_name(b, days[c->weekday], 3); return;
    case P_DAY: buf_fmt(b, "%d", c->day); return;
    case P_UNDER_DAY: buf_fmt(b, "%2d", c->day); return;
    case P_ZERO_DAY: buf_fmt(b, "%02d", c->day); return;
    case P_UNDER_YEARDAY: buf_fmt(b, "%3d", c->yearday); return;
    case P_ZERO_YEARDAY: buf_fmt(b, "%03d", c->yearday); return;
    case P_HOUR: buf_fmt(b, "%02d", c->hour); return;
    case P_HOUR12: buf_fmt(b, "%d", hour12); return;
    case P_ZERO_HOUR12: buf_fmt(b, "%02d", hour12); return;
    case P_MINUTE: buf_fmt(b, "%d", c->minute); return;
    case P_ZERO_MINUTE: buf_fmt(b, "%02d", c->minute); return;
    case P_SECOND: buf_fmt(b, "%d", c->second); return;
    case P_ZERO_SECOND: buf_fmt(b, "%02d", c->second); return;
    case P_LONG_YEAR: put_year(b, c->year); return;
    case P_YEAR: buf_fmt(b, "%02d", (int)(c->year % 100)); return;
    case P_PM: buf_putc(b, c->hour >= 12 ? "PM" : "AM"); return;
    case P_pm: buf_putc(b, c->hour >= 12 ? "pm" : "am"); return;
    case P_TZ: put_tz(b, t); return;
    case P_FRACTION: put_fraction(b, t->ns, text); return;
    case P_ISO_TZ:
    case P_ISO_SECONDS:
    case P_ISO_SHORT:
    case P_ISO_COLON:
    case P_ISO_COLON_SEC:
    case P_NUM_TZ:
    case P_NUM_SECONDS:
    case P_NUM_SHORT:
    case P_NUM_COLON:
    case P_NUM_COLON_SEC: put_zone(b, t, p); return;
    case P_NONE: return;
    }
}

void tmpl_time_format(struct buf *b, const struct tmpl_time *t, struct str layout)
{
    struct civil c = civil_of_ms((t->s + t->offset_s) * 1000);
    while (layout.n) {
        size_t n = 0;
        enum piece p = piece_at(layout, &n);
        if (p == P_NONE) {
            n = 1;
            buf_char(b, layout.p[0]);
        } else {
            put_piece(b, p, &c, t, str_first(layout, n));
        }
        layout = str_from(layout, n);
    }
}

/* ---- parsing ---- */
struct parsing {
    struct civil c;
    int32_t ns, offset_s;
    bool pm, pm_set;
    struct str zone, value; /* what is left */
    const char *range;      /* "month" out of range */
};

static bool take_digits(struct str *s, size_t min, size_t max, int64_t *out)
{
    size_t n = 0;
    int64_t v = 0;
    while (n < s->n && n < max && digit(s->p[n])) v = v * 10 + (s->p[n++] - '0');
    if (n < min) return false;
    *s = str_from(*s, n);
    *out = v;
    return true;
}

static bool take_int(struct parsing *p, size_t min, size_t max, int64_t low, int64_t high, int *out,
                     const char *what)
{
    int64_t v;
    if (!take_digits(&p->value, min, max, &v)) return false;
    if (v < low || v > high) p->range = what;
    *out = (int)v;
    return true;
}

static bool take_name(struct parsing *p, const char *const *names, int count, size_t n, int *out)
{
    for (int i = 0; i < count; i++) {
        struct str name = n ? str_first(str_c(names[i]), n) : str_c(names[i]);
        if (!str_ieq(str_first(p->value, name.n), name)) continue;
        p->value = str_from(p->value, name.n);
        *out = i;
        return true;
    }
    return false;
}

static bool take_zone(struct parsing *p, enum piece piece)
{
    bool iso = piece >= P_ISO_TZ && piece <= P_ISO_COLON_SEC;
    if (iso && p->value.n && p->value.p[0] == 'Z') {
        p->value = str_from(p->value, 1);
        p->zone = STR("UTC");
        return true;
    }
    if (!p->value.n || (p->value.p[0] != '+' && p->value.p[0] != '-')) return false;
    int sign = p->value.p[0] == '-' ? -1 : 1;
    struct str s = str_from(p->value, 1);
    bool colon = piece == P_ISO_COLON || piece == P_ISO_COLON_SEC || piece == P_NUM_COLON ||
                 piece == P_NUM_COLON_SEC;
    bool seconds = piece == P_ISO_SECONDS || piece == P_ISO_COLON_SEC || piece == P_NUM_SECONDS ||
                   piece == P_NUM_COLON_SEC;
    int parts = piece == P_ISO_SHORT || piece == P_NUM_SHORT ? 1 : seconds ? 3 : 2;
    int offset = 0, scale = 3600;
    for (int i = 0; i < parts; i++, scale /= 60) {
        int64_t v;
        if (i && colon) {
            if (!s.n || s.p[0] != ':') return false;
            s = str_from(s, 1);
        }
        if (!take_digits(&s, 2, 2, &v)) return false;
        offset += (int)v * scale;
    }
    p->offset_s = sign * offset;
    p->zone = offset ? STR("") : STR("UTC");
    p->value = s;
    return true;
}

static bool take_tz(struct parsing *p)
{
    size_t n = 0;
    while (n < p->value.n && n < 5 && p->value.p[n] >= 'A' && p->value.p[n] <= 'Z') n++;
    if (n < 3) return false;
    p->zone = str_first(p->value, n);
    p->value = str_from(p->value, n);
    return true;
}

static bool take_fraction(struct parsing *p, struct str piece)
{
    bool optional = piece.p[1] == '9';
    if (p->value.n < 2 || (p->value.p[0] != '.' && p->value.p[0] != ',') || !digit(p->value.p[1])) {
        return optional;
    }
    size_t n = 1;
    int64_t ns = 0, scale = 100000000;
    for (; n < p->value.n && digit(p->value.p[n]); n++, scale /= 10) {
        ns += (p->value.p[n] - '0') * scale;
    }
    if (!optional && n != piece.n) return false;
    p->ns = (int32_t)ns;
    p->value = str_from(p->value, n);
    return true;
}

static bool take_pm(struct parsing *p, bool upper)
{
    struct str two = str_first(p->value, 2);
    p->pm = str_eqc(two, upper ? "PM" : "pm");
    if (!p->pm && !str_eqc(two, upper ? "AM" : "am")) return false;
    p->pm_set = true;
    p->value = str_from(p->value, 2);
    return true;
}

static bool take_year(struct parsing *p, bool full)
{
    int64_t v;
    if (!take_digits(&p->value, full ? 4 : 2, full ? 4 : 2, &v)) return false;
    p->c.year = full ? v : v + (v >= 69 ? 1900 : 2000);
    return true;
}

static bool take_piece(struct parsing *p, enum piece piece, struct str text)
{
    struct civil *c = &p->c;
    int ignored;
    bool two = false;
    switch (piece) {
    case P_LONG_MONTH:
    case P_MONTH:
        if (!take_name(p, months, 12, piece == P_MONTH ? 3 : 0, &c->month)) return false;
        c->month++;
        return true;
    case P_ZERO_MONTH: two = true; FALLTHROUGH;
    case P_NUM_MONTH: return take_int(p, two ? 2 : 1, 2, 1, 12, &c->month, "month");
    case P_LONG_WEEKDAY: return take_name(p, days, 7, 0, &ignored);
    case P_WEEKDAY: return take_name(p, days, 7, 3, &ignored);
    case P_UNDER_DAY:
        if (p->value.n && p->value.p[0] == ' ') p->value = str_from(p->value, 1);
        return take_int(p, 1, 2, 1, 31, &c->day, "day");
    case P_ZERO_DAY: two = true; FALLTHROUGH;
    case P_DAY: return take_int(p, two ? 2 : 1, 2, 1, 31, &c->day, "day");
    case P_UNDER_YEARDAY:
    case P_ZERO_YEARDAY: return take_int(p, 3, 3, 1, 366, &c->yearday, "day-of-year");
    case P_HOUR: return take_int(p, 1, 2, 0, 23, &c->hour, "hour");
    case P_ZERO_HOUR12: two = true; FALLTHROUGH;
    case P_HOUR12: return take_int(p, two ? 2 : 1, 2, 0, 12, &c->hour, "hour");
    case P_ZERO_MINUTE: two = true; FALLTHROUGH;
    case P_MINUTE: return take_int(p, two ? 2 : 1, 2, 0, 59, &c->minute, "minute");
    case P_ZERO_SECOND: two = true; FALLTHROUGH;
    case P_SECOND:
        if (!take_int(p, two ? 2 : 1, 2, 0, 59, &c->second, "second")) return false;
        /* A fraction may follow where the layout has none. */
        return take_fraction(p, STR(".9"));
    case P_LONG_YEAR: return take_year(p, true);
    case P_YEAR: return take_year(p, false);
    case P_PM: return take_pm(p, true);
    case P_pm: return take_pm(p, false);
    case P_TZ: return take_tz(p);
    case P_FRACTION: return take_fraction(p, text);
    case P_NONE: return false;
    default: return take_zone(p, piece);
    }
}

static enum err parse_fail(struct diag *d, struct str value, struct str layout, struct str left,
                           struct str piece)
{
    BUF(b, 0);
    buf_putc(&b, "parsing time ");
    go_quote(&b, value);
    buf_putc(&b, " as ");
    go_quote(&b, layout);
    buf_putc(&b, ": cannot parse ");
    go_quote(&b, left);
    buf_putc(&b, " as ");
    go_quote(&b, piece);
    return diag_set(d, ERR_SYNTAX, STR_FMT, STR_ARG(buf_str(&b)));
}

static enum err parse_odd(struct diag *d, struct str value, const char *what, struct str more)
{
    BUF(b, 0);
    buf_putc(&b, "parsing time ");
    go_quote(&b, value);
    buf_putc(&b, what);
    if (more.n) go_quote(&b, more);
    return diag_set(d, ERR_SYNTAX, STR_FMT, STR_ARG(buf_str(&b)));
}

static int month_days(int64_t year, int month)
{
    static const int n[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return n[month - 1] + (month == 2 && leap);
}

enum err tmpl_time_parse(struct str layout, struct str s, struct tmpl_time *out, struct diag *d)
{
    struct parsing p = { .c = { .month = 1, .day = 1 }, .zone = STR("UTC"), .value = s };
    struct str whole = layout;
    while (layout.n) {
        size_t n = 0;
        enum piece piece = piece_at(layout, &n);
        struct str text = str_first(layout, n ? n : 1), left = p.value;
        if (piece == P_NONE) {
            size_t plain = 0;
            while (plain < layout.n && piece_at(str_from(layout, plain), &n) == P_NONE) plain++;
            text = str_first(layout, plain);
            if (!str_starts(p.value, text)) return parse_fail(d, s, whole, left, text);
            p.value = str_from(p.value, plain);
        } else if (!take_piece(&p, piece, text)) {
            return parse_fail(d, s, whole, left, text);
        }
        if (p.range) {
            return parse_odd(d, s,
                             p.range[0] == 'm' && p.range[1] == 'o' ? ": month out of range"
                             : p.range[0] == 'd'                    ? ": day out of range"
                             : p.range[0] == 'h'                    ? ": hour out of range"
                             : p.range[0] == 's'                    ? ": second out of range"
                                                                    : ": minute out of range",
                             STR(""));
        }
        layout = str_from(layout, text.n);
    }
    if (p.value.n) return parse_odd(d, s, ": extra text: ", p.value);
    if (p.c.day > month_days(p.c.year, p.c.month)) {
        return parse_odd(d, s, ": day out of range", STR(""));
    }
    if (p.pm && p.c.hour < 12) p.c.hour += 12;
    if (p.pm_set && !p.pm && p.c.hour == 12) p.c.hour = 0;
    out->s = ms_of_civil(&p.c, 0) / 1000 - p.offset_s;
    out->ns = p.ns;
    out->offset_s = p.offset_s;
    out->zone = p.zone;
    return OK;
}

/* ---- methods ---- */
static enum err m_format(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
                         struct tmpl_value *out)
{
    (void)n;
    BUF(b, 1 << 16);
    tmpl_time_format(&b, v[0].time, v[1].s);
    *out = tmpl_str(arena_dup(tmpl_arena(r), buf_str(&b)));
    return OK;
}
static enum err m_string(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
                         struct tmpl_value *out)
{
    (void)n;
    BUF(b, 1 << 16);
    tmpl_print(&b, &v[0]);
    *out = tmpl_str(arena_dup(tmpl_arena(r), buf_str(&b)));
    return OK;
}
static enum err m_unix(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
                       struct tmpl_value *out)
{
    (void)r;
    (void)n;
    *out = tmpl_int(v[0].time->s);
    return OK;
}
static enum err m_unix_milli(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
                             struct tmpl_value *out)
{
    (void)r;
    (void)n;
    *out = tmpl_int(v[0].time->s * 1000 + v[0].time->ns / 1000000);
    return OK;
}

static struct tmpl_time plus(struct tmpl_time t, int64_t ns)
{
    int64_t whole = ns / 1000000000, rest = t.ns + ns % 1000000000;
    if (rest < 0) {
        rest += 1000000000;
        whole--;
    } else if (rest >= 1000000000) {
        rest -= 1000000000;
        whole++;
    }
    t.s += whole;
    t.ns = (int32_t)rest;
    return t;
}
static enum err m_add(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
                      struct tmpl_value *out)
{
    (void)n;
    *out = tmpl_time_value(tmpl_arena(r), plus(*v[0].time, v[1].i));
    return OK;
}
static enum err m_add_date(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
                           struct tmpl_value *out)
{
    (void)n;
    struct tmpl_time t = *v[0].time;
    struct civil c = civil_of_ms((t.s + t.offset_s) * 1000);
    int64_t month = c.month - 1 + v[2].i % 100000;
    int64_t year = c.year + v[1].i % 100000 + (month >= 0 ? month / 12 : -((11 - month) / 12));
    c.year = year;
    c.month = (int)((month % 12 + 12) % 12) + 1;
    int64_t day = c.day - 1 + v[3].i % 1000000;
    c.day = 1;
    t.s = ms_of_civil(&c, 0) / 1000 + day * 86400 - t.offset_s;
    *out = tmpl_time_value(tmpl_arena(r), t);
    return OK;
}
static enum err m_sub(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
                      struct tmpl_value *out)
{
    (void)r;
    (void)n;
    int64_t ns;
    int64_t s = v[0].time->s - v[1].time->s;
    if (__builtin_mul_overflow(s, INT64_C(1000000000), &ns) ||
        __builtin_add_overflow(ns, (int64_t)(v[0].time->ns - v[1].time->ns), &ns)) {
        ns = s < 0 ? INT64_MIN : INT64_MAX;
    }
    *out = tmpl_duration(ns);
    return OK;
}
static int order(const struct tmpl_value *v)
{
    const struct tmpl_time *x = v[0].time, *y = v[1].time;
    if (x->s != y->s) return x->s < y->s ? -1 : 1;
    return (x->ns > y->ns) - (x->ns < y->ns);
}
#define TIME_BOOL(name, expression)                                                                \
    static enum err name(struct tmpl_run *r, const struct tmpl_value *v, size_t n,                 \
                         struct tmpl_value *out)                                                   \
    {                                                                                              \
        (void)r;                                                                                   \
        (void)n;                                                                                   \
        *out = tmpl_bool(expression);                                                              \
        return OK;                                                                                 \
    }
TIME_BOOL(m_before, order(v) < 0)
TIME_BOOL(m_after, order(v) > 0)
TIME_BOOL(m_equal, order(v) == 0)
TIME_BOOL(m_is_zero, v[0].time->s == TMPL_TIME_ZERO && v[0].time->ns == 0)

static enum err m_utc(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
                      struct tmpl_value *out)
{
    (void)n;
    *out = tmpl_time_value(tmpl_arena(r),
                           (struct tmpl_time){ v[0].time->s, v[0].time->ns, 0, STR("UTC") });
    return OK;
}
#define TIME_PART(name, expression)                                                                \
    static enum err name(struct tmpl_run *r, const struct tmpl_value *v, size_t n,                 \
                         struct tmpl_value *out)                                                   \
    {                                                                                              \
        (void)r;                                                                                   \
        (void)n;                                                                                   \
        struct civil c = civil_of_ms((v[0].time->s + v[0].time->offset_s) * 1000);                 \
        *out = expression;                                                                         \
        return OK;                                                                                 \
    }
TIME_PART(m_year, tmpl_int(c.year))
TIME_PART(m_month, tmpl_str(str_c(months[c.month - 1])))
TIME_PART(m_day, tmpl_int(c.day))
TIME_PART(m_weekday, tmpl_str(str_c(days[c.weekday])))
TIME_PART(m_hour, tmpl_int(c.hour))
TIME_PART(m_minute, tmpl_int(c.minute))
TIME_PART(m_second, tmpl_int(c.second))
TIME_PART(m_year_day, tmpl_int(c.yearday))

const struct tmpl_func tmpl_time_methods[] = {
    { "Format", "s", m_format },   { "String", "", m_string },
    { "Unix", "", m_unix },        { "UnixMilli", "", m_unix_milli },
    { "Add", "D", m_add },         { "AddDate", "iii", m_add_date },
    { "Sub", "T", m_sub },         { "Before", "T", m_before },
    { "After", "T", m_after },     { "Equal", "T", m_equal },
    { "IsZero", "", m_is_zero },   { "UTC", "", m_utc },
    { "Local", "", m_utc },        { "Year", "", m_year },
    { "Month", "", m_month },      { "Day", "", m_day },
    { "Weekday", "", m_weekday },  { "Hour", "", m_hour },
    { "Minute", "", m_minute },    { "Second", "", m_second },
    { "YearDay", "", m_year_day }, { NULL, NULL, NULL },
};

#define DURATION_FLOAT(name, unit)                                                                 \
    static enum err name(struct tmpl_run *r, const struct tmpl_value *v, size_t n,                 \
                         struct tmpl_value *out)                                                   \
    {                                                                                              \
        (void)r;                                                                                   \
        (void)n;                                                                                   \
        int64_t whole = v[0].i / (unit), rest = v[0].i % (unit);                                   \
        *out = tmpl_float((double)whole + (double)rest / (double)(unit));                          \
        return OK;                                                                                 \
    }
DURATION_FLOAT(m_seconds, INT64_C(1000000000))
DURATION_FLOAT(m_minutes, INT64_C(60000000000))
DURATION_FLOAT(m_hours, INT64_C(3600000000000))

static enum err m_milliseconds(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
                               struct tmpl_value *out)
{
    (void)r;
    (void)n;
    *out = tmpl_int(v[0].i / 1000000);
    return OK;
}
static enum err m_truncate(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
                           struct tmpl_value *out)
{
    (void)r;
    (void)n;
    *out = tmpl_duration(v[1].i > 0 ? v[0].i - v[0].i % v[1].i : v[0].i);
    return OK;
}
/* To the nearest, halves away from zero. */
static enum err m_round(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
                        struct tmpl_value *out)
{
    (void)r;
    (void)n;
    int64_t d = v[0].i, m = v[1].i;
    if (m > 0) {
        int64_t rest = d % m, down = d - rest;
        bool away = rest < 0 ? -rest >= m + rest : rest >= m - rest;
        if (!away || __builtin_add_overflow(down, rest < 0 ? -m : m, &d)) d = down;
    }
    *out = tmpl_duration(d);
    return OK;
}

const struct tmpl_func tmpl_duration_methods[] = {
    { "String", "", m_string },
    { "Seconds", "", m_seconds },
    { "Minutes", "", m_minutes },
    { "Hours", "", m_hours },
    { "Milliseconds", "", m_milliseconds },
    { "Truncate", "D", m_truncate },
    { "Round", "D", m_round },
    { NULL, NULL, NULL },
};
