/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/gotime.h"

#include "codec/num.h"

#include <math.h>

#define MS_PER_DAY INT64_C(86400000)

/* --- the calendar: days since 1970-01-01 and back, in eras of 400 years that begin on 1 March --- */

enum { DAYS_PER_ERA = 146097, DAYS_TO_1970 = 719468 };

static int64_t days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * DAYS_PER_ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - DAYS_TO_1970;
}

struct civil civil_of_ms(int64_t ms)
{
    int64_t days = ms / MS_PER_DAY - (ms % MS_PER_DAY < 0);
    int64_t rest = (ms - days * MS_PER_DAY) / 1000;
    int64_t z = days + DAYS_TO_1970;
    int64_t era = (z >= 0 ? z : z - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
    int64_t doe = z - era * DAYS_PER_ERA;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    struct civil c = { 0 };
    c.day = (int)(doy - (153 * mp + 2) / 5 + 1);
    c.month = (int)(mp < 10 ? mp + 3 : mp - 9);
    c.year = yoe + era * 400 + (c.month <= 2);
    c.hour = (int)(rest / 3600);
    c.minute = (int)(rest / 60 % 60);
    c.second = (int)(rest % 60);
    c.weekday = (int)(((days + 4) % 7 + 7) % 7);
    c.yearday = (int)(days - days_of(c.year, 1, 1)) + 1;
    return c;
}

int64_t ms_of_civil(const struct civil *c, int ms)
{
    int64_t days = days_of(c->year, c->month, c->day);
    return ((days * 24 + c->hour) * 60 + c->minute) * 60000 + c->second * INT64_C(1000) + ms;
}

/* --- RFC 3339 --- */

static void put_padded(struct buf *b, int64_t v, int width)
{
    char room[24];
    int n = 0;
    uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;
    if (v < 0) buf_char(b, '-');
    for (; u || n < width; u /= 10) room[n++] = (char)('0' + u % 10);
    while (n) buf_char(b, room[--n]);
}

static int fraction_of(int64_t ms) { return (int)(((ms % 1000) + 1000) % 1000); }

void rfc3339_write(struct buf *b, int64_t ms)
{
    go_time_format(b, ms, STR("2006-01-02T15:04:05.999999999Z07:00"));
}

/* Exactly n digits. */
static bool take_digits(struct str *s, size_t n, int *out)
{
    int v = 0;
    if (s->n < n) return false;
    for (size_t i = 0; i < n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9') return false;
        v = v * 10 + (s->p[i] - '0');
    }
    *s = str_from(*s, n);
    *out = v;
    return true;
}

static bool take_char(struct str *s, char c)
{
    if (!s->n || s->p[0] != c) return false;
    *s = str_from(*s, 1);
    return true;
}

/* ".123456": milliseconds, further digits cut. */
static bool take_fraction(struct str *s, int *ms)
{
    *ms = 0;
    if (!take_char(s, '.') && !take_char(s, ',')) return true;
    int scale = 100;
    size_t n = 0;
    for (; s->n && s->p[0] >= '0' && s->p[0] <= '9'; n++, scale /= 10) {
        *ms += (s->p[0] - '0') * scale;
        *s = str_from(*s, 1);
    }
    return n > 0;
}

static bool take_zone(struct str *s, int *minutes)
{
    int h, m;
    *minutes = 0;
    if (take_char(s, 'Z')) return true;
    bool minus = s->n && s->p[0] == '-';
    if (!take_char(s, '+') && !take_char(s, '-')) return false;
    if (!take_digits(s, 2, &h) || !take_char(s, ':') || !take_digits(s, 2, &m)) return false;
    *minutes = minus ? -(h * 60 + m) : h * 60 + m;
    return h < 24 && m < 60;
}

static int month_days(int year, int month)
{
    static const char DAYS[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return DAYS[month - 1] + (month == 2 && leap);
}

enum err rfc3339_parse(struct str s, int64_t *ms)
{
    struct civil c = { 0 };
    int year, fraction, zone;
    bool good = take_digits(&s, 4, &year) && take_char(&s, '-') && take_digits(&s, 2, &c.month) &&
                take_char(&s, '-') && take_digits(&s, 2, &c.day) && take_char(&s, 'T') &&
                take_digits(&s, 2, &c.hour) && take_char(&s, ':') &&
                take_digits(&s, 2, &c.minute) && take_char(&s, ':') &&
                take_digits(&s, 2, &c.second) && take_fraction(&s, &fraction) &&
                take_zone(&s, &zone) && !s.n;
    if (!good || c.month < 1 || c.month > 12 || c.day < 1 || c.day > month_days(year, c.month) ||
        c.hour > 23 || c.minute > 59 || c.second > 59) {
        return ERR_SYNTAX;
    }
    c.year = year;
    *ms = ms_of_civil(&c, fraction) - zone * INT64_C(60000);
    return OK;
}

enum err api_time_parse(struct str s, int64_t *ms)
{
    double v;
    if (num_parse_f64(s, &v) != OK) return rfc3339_parse(s, ms);
    if (!isfinite(v) || fabs(v) > 9e15) return ERR_RANGE;
    double whole;
    double fraction = modf(v, &whole);
    *ms = (int64_t)whole * 1000 + (int64_t)round(fraction * 1000);
    return OK;
}

/* --- Go's reference layout: Mon Jan 2 15:04:05 MST 2006 --- */

static const char *const MONTHS[] = { "January",   "February", "March",    "April",
                                      "May",       "June",     "July",     "August",
                                      "September", "October",  "November", "December" };
static const char *const DAYS[] = { "Sunday",   "Monday", "Tuesday", "Wednesday",
                                    "Thursday", "Friday", "Saturday" };

enum part {
    LONG_MONTH,
    MONTH,
    NUM_MONTH,
    ZERO_MONTH,
    LONG_DAY,
    DAY_NAME,
    DAY,
    UNDER_DAY,
    ZERO_DAY,
    UNDER_YDAY,
    ZERO_YDAY,
    HOUR24,
    HOUR12,
    ZERO_HOUR12,
    MINUTE,
    ZERO_MINUTE,
    SECOND,
    ZERO_SECOND,
    YEAR,
    SHORT_YEAR,
    PM,
    LOWER_PM,
    ZONE_NAME,
    ZONE_Z,
    ZONE_COLON_SECONDS,
    ZONE_COLON,
    ZONE_SECONDS,
    ZONE_PLAIN,
    ZONE_HOURS,
};

/* Longer ones first where one begins another. */
static const struct layout {
    struct str text;
    enum part part;
} LAYOUTS[] = {
#define ROW(text, part)                                                                            \
    {                                                                                              \
        { text, sizeof(text) - 1 }, part                                                           \
    }
    ROW("January", LONG_MONTH),
    ROW("Jan", MONTH),
    ROW("Monday", LONG_DAY),
    ROW("Mon", DAY_NAME),
    ROW("MST", ZONE_NAME),
    ROW("002", ZERO_YDAY),
    ROW("01", ZERO_MONTH),
    ROW("02", ZERO_DAY),
    ROW("03", ZERO_HOUR12),
    ROW("04", ZERO_MINUTE),
    ROW("05", ZERO_SECOND),
    ROW("06", SHORT_YEAR),
    ROW("2006", YEAR),
    ROW("15", HOUR24),
    ROW("__2", UNDER_YDAY),
    ROW("_2006", YEAR),
    ROW("_2", UNDER_DAY),
    ROW("1", NUM_MONTH),
    ROW("2", DAY),
    ROW("3", HOUR12),
    ROW("4", MINUTE),
    ROW("5", SECOND),
    ROW("PM", PM),
    ROW("pm", LOWER_PM),
    ROW("Z07:00:00", ZONE_Z),
    ROW("Z07:00", ZONE_Z),
    ROW("Z070000", ZONE_Z),
    ROW("Z0700", ZONE_Z),
    ROW("Z07", ZONE_Z),
    ROW("-07:00:00", ZONE_COLON_SECONDS),
    ROW("-07:00", ZONE_COLON),
    ROW("-070000", ZONE_SECONDS),
    ROW("-0700", ZONE_PLAIN),
    ROW("-07", ZONE_HOURS),
#undef ROW
};

static int hour12(int h) { return h % 12 ? h % 12 : 12; }

static void put_part(struct buf *b, const struct civil *c, enum part part)
{
    switch (part) {
    case LONG_MONTH: buf_putc(b, MONTHS[c->month - 1]); break;
    case MONTH: buf_put(b, str_make(MONTHS[c->month - 1], 3)); break;
    case NUM_MONTH: put_padded(b, c->month, 1); break;
    case ZERO_MONTH: put_padded(b, c->month, 2); break;
    case LONG_DAY: buf_putc(b, DAYS[c->weekday]); break;
    case DAY_NAME: buf_put(b, str_make(DAYS[c->weekday], 3)); break;
    case DAY: put_padded(b, c->day, 1); break;
    case UNDER_DAY:
        if (c->day < 10) buf_char(b, ' ');
        put_padded(b, c->day, 1);
        break;
    case ZERO_DAY: put_padded(b, c->day, 2); break;
    case UNDER_YDAY:
        for (int limit = 100; limit > 1 && c->yearday < limit; limit /= 10) buf_char(b, ' ');
        put_padded(b, c->yearday, 1);
        break;
    case ZERO_YDAY: put_padded(b, c->yearday, 3); break;
    case HOUR24: put_padded(b, c->hour, 2); break;
    case HOUR12: put_padded(b, hour12(c->hour), 1); break;
    case ZERO_HOUR12: put_padded(b, hour12(c->hour), 2); break;
    case MINUTE: put_padded(b, c->minute, 1); break;
    case ZERO_MINUTE: put_padded(b, c->minute, 2); break;
    case SECOND: put_padded(b, c->second, 1); break;
    case ZERO_SECOND: put_padded(b, c->second, 2); break;
    case YEAR: put_padded(b, c->year, 4); break;
    case SHORT_YEAR: put_padded(b, c->year % 100, 2); break;
    case PM: buf_putc(b, c->hour >= 12 ? "PM" : "AM"); break;
    case LOWER_PM: buf_putc(b, c->hour >= 12 ? "pm" : "am"); break;
    case ZONE_NAME: buf_putc(b, "UTC"); break;
    case ZONE_Z: buf_char(b, 'Z'); break;
    case ZONE_COLON_SECONDS: buf_putc(b, "+00:00:00"); break;
    case ZONE_COLON: buf_putc(b, "+00:00"); break;
    case ZONE_SECONDS: buf_putc(b, "+000000"); break;
    case ZONE_PLAIN: buf_putc(b, "+0000"); break;
    case ZONE_HOURS: buf_putc(b, "+00"); break;
    }
}

/* ".000" keeps its digits, ".999" drops trailing zeros and, all zero, the point. Returns what it took of the layout. */
static size_t put_layout_fraction(struct buf *b, struct str s, int ms)
{
    size_t n = 1;
    if (s.n < 2 || (s.p[0] != '.' && s.p[0] != ',') || (s.p[1] != '0' && s.p[1] != '9')) return 0;
    while (n < s.n && s.p[n] == s.p[1]) n++;
    if (n < s.n && s.p[n] >= '0' && s.p[n] <= '9') return 0;
    char digits[9] = { (char)('0' + ms / 100),
                       (char)('0' + ms / 10 % 10),
                       (char)('0' + ms % 10),
                       '0',
                       '0',
                       '0',
                       '0',
                       '0',
                       '0' };
    size_t width = n - 1 < sizeof(digits) ? n - 1 : sizeof(digits);
    while (s.p[1] == '9' && width && digits[width - 1] == '0') width--;
    if (width || s.p[1] == '0') buf_char(b, s.p[0]);
    buf_put(b, str_make(digits, width));
    return n;
}

static const struct layout *layout_at(struct str s)
{
    for (size_t i = 0; i < ARRAY_LEN(LAYOUTS); i++) {
        if (str_starts(s, LAYOUTS[i].text)) return &LAYOUTS[i];
    }
    return NULL;
}

/* "Jan" inside a longer lower-case word is no month. */
static bool inside_word(const struct layout *l, struct str s)
{
    bool name = l->part == MONTH;
    return name && s.n > l->text.n && s.p[l->text.n] >= 'a' && s.p[l->text.n] <= 'z';
}

void go_time_format(struct buf *b, int64_t ms, struct str layout)
{
    struct civil c = civil_of_ms(ms);
    while (layout.n) {
        size_t took = put_layout_fraction(b, layout, fraction_of(ms));
        const struct layout *l = took ? NULL : layout_at(layout);
        if (l && !inside_word(l, layout)) {
            if (str_starts(l->text, STR("_2006"))) buf_char(b, '_');
            put_part(b, &c, l->part);
            took = l->text.n;
        }
        if (!took) {
            buf_char(b, layout.p[0]);
            took = 1;
        }
        layout = str_from(layout, took);
    }
}
