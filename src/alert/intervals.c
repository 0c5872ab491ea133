/* SPDX-License-Identifier: Apache-2.0 */
#include "alert/intervals.h"

#include "codec/goquote.h"
#include "codec/gotime.h"
#include "codec/num.h"

#include <stddef.h>

static const char *const weekdays[] = { "sunday",   "monday", "tuesday", "wednesday",
                                        "thursday", "friday", "saturday" };
static const char *const months[] = { "january",   "february", "march",    "april",
                                      "may",       "june",     "july",     "august",
                                      "september", "october",  "november", "december" };

typedef enum err part_fn(struct str s, int *out, struct diag *d);

static bool named(struct str s, const char *const *names, int n, int *out)
{
    for (int i = 0; i < n; i++) {
        if (!str_ieq(s, str_c(names[i]))) continue;
        *out = i;
        return true;
    }
    return false;
}
static bool number(struct str s, int *out)
{
    int64_t v;
    if (num_parse_i64(s, &v) != OK || v < -100000 || v > 100000) return false;
    *out = (int)v;
    return true;
}

static enum err weekday_of(struct str s, int *out, struct diag *d)
{
    if (named(s, weekdays, 7, out)) return OK;
    return diag_set(d, ERR_SYNTAX, STR_FMT " is not a valid weekday", STR_ARG(s));
}
static enum err month_of(struct str s, int *out, struct diag *d)
{
    if (named(s, months, 12, out)) {
        ++*out;
        return OK;
    }
    if (number(s, out) && *out >= 1 && *out <= 12) return OK;
    return diag_set(d, ERR_SYNTAX, STR_FMT " is not a valid month", STR_ARG(s));
}
static enum err day_of(struct str s, int *out, struct diag *d)
{
    if (!number(s, out)) {
        return diag_quoted(d, ERR_SYNTAX, "strconv.Atoi: parsing ", s, ": invalid syntax");
    }
    if (*out == 0 || *out < -31 || *out > 31) {
        return diag_set(d, ERR_RANGE, STR_FMT " is not a valid day of the month: out of range",
                        STR_ARG(s));
    }
    return OK;
}
static enum err year_of(struct str s, int *out, struct diag *d)
{
    if (number(s, out)) return OK;
    return diag_quoted(d, ERR_SYNTAX, "strconv.Atoi: parsing ", s, ": invalid syntax");
}

static enum err range_of(struct str s, part_fn *part, struct interval_range *out, struct diag *d)
{
    struct str begin, end;
    if (!str_cut(s, ':', &begin, &end)) end = begin;
    TRY(part(begin, &out->begin, d));
    return part(end, &out->end, d);
}

static enum err check_days(const struct interval_range *r, struct diag *d)
{
    if (r->begin < 0 && r->end > 0) {
        return diag_set(d, ERR_RANGE, "end day must be negative if start day is negative");
    }
    /* A positive day may be followed by one counted from the end; whether it comes later is asked of each month. */
    bool mixed = r->begin > 0 && r->end < 0;
    bool backwards = mixed ? 31 + r->end + 1 < r->begin : r->begin > r->end;
    if (backwards) {
        return diag_set(d, ERR_RANGE, "end day %d is always before start day %d", r->end, r->begin);
    }
    return OK;
}

static enum err ranges(struct arena *a, const struct yaml_node *v, part_fn *part, const char *what,
                       struct interval_ranges *out, struct diag *d)
{
    if (v->kind != YAML_SEQ) {
        return yaml_error(v, d, ERR_SYNTAX,
                          "cannot unmarshal into []timeinterval range; expected a list");
    }
    struct interval_range *list = arena_array(a, v->n, sizeof(*list));
    for (size_t i = 0; i < v->n; i++) {
        struct diag why = { 0 };
        struct interval_range *r = &list[i];
        enum err e = range_of(v->items[i]->text, part, r, &why);
        if (e == OK && part == day_of) e = check_days(r, &why);
        if (e == OK && part == weekday_of && r->begin > r->end) {
            e = diag_set(&why, ERR_RANGE, "start day cannot be before end day");
        } else if (e == OK && part != day_of && r->begin > r->end) {
            struct str begin, end;
            (void)str_cut(v->items[i]->text, ':', &begin, &end);
            e = diag_set(&why, ERR_RANGE, "end %s " STR_FMT " is before start %s " STR_FMT, what,
                         STR_ARG(end), what, STR_ARG(begin));
        }
        if (e != OK) return yaml_error(v->items[i], d, e, "%s", why.text);
    }
    *out = (struct interval_ranges){ list, v->n };
    return OK;
}

#define RANGES(name, part, what)                                                                   \
    static enum err name(struct arena *a, const struct yaml_node *v, void *field, struct diag *d)  \
    {                                                                                              \
        return ranges(a, v, part, what, field, d);                                                 \
    }
RANGES(decode_weekdays, weekday_of, "day")
RANGES(decode_days, day_of, "day")
RANGES(decode_months, month_of, "month")
RANGES(decode_years, year_of, "year")

/* HH:MM, 24:00 allowed. */
static bool minutes(struct str s, int *out)
{
    if (s.n != 5 || s.p[2] != ':') return false;
    for (size_t i = 0; i < 5; i++) {
        if (i != 2 && (s.p[i] < '0' || s.p[i] > '9')) return false;
    }
    int hour = (s.p[0] - '0') * 10 + s.p[1] - '0', minute = (s.p[3] - '0') * 10 + s.p[4] - '0';
    *out = hour * 60 + minute;
    return (hour < 24 && minute < 60) || *out == 1440;
}

struct raw_times {
    struct str start, end;
};
static const struct yaml_field times_fields[] = {
    { .key = "start_time", .type = YT_STR, .offset = offsetof(struct raw_times, start) },
    { .key = "end_time", .type = YT_STR, .offset = offsetof(struct raw_times, end) },
    { .key = NULL },
};
static const struct yaml_table times_table = { .go_type = "timeinterval.yamlTimeRange",
                                               .size = sizeof(struct raw_times),
                                               .fields = times_fields };

static enum err decode_times(struct arena *a, const struct yaml_node *v, void *field,
                             struct diag *d)
{
    if (v->kind != YAML_SEQ) {
        return yaml_error(v, d, ERR_SYNTAX,
                          "cannot unmarshal into []timeinterval.TimeRange; expected a list");
    }
    struct interval_range *list = arena_array(a, v->n, sizeof(*list));
    for (size_t i = 0; i < v->n; i++) {
        const struct yaml_node *at = v->items[i];
        struct raw_times raw;
        TRY(yaml_decode(a, at, &times_table, YAML_V2, &raw, d));
        if (!raw.start.n || !raw.end.n) {
            return yaml_error(at, d, ERR_SYNTAX, "both start and end times must be provided");
        }
        struct str bad = !minutes(raw.start, &list[i].begin) ? raw.start
                         : !minutes(raw.end, &list[i].end)   ? raw.end
                                                             : STR("");
        if (bad.n) {
            return yaml_error(at, d, ERR_SYNTAX,
                              "couldn't parse timestamp " STR_FMT ", invalid format", STR_ARG(bad));
        }
        if (list[i].begin >= list[i].end) {
            return yaml_error(at, d, ERR_RANGE,
                              "start time cannot be equal or greater than end time");
        }
    }
    *(struct interval_ranges *)field = (struct interval_ranges){ list, v->n };
    return OK;
}

static enum err decode_zone(struct arena *a, const struct yaml_node *v, void *field, struct diag *d)
{
    struct zone *z = NULL;
    struct str name = yaml_str(v, STR(""));
    if (!str_eqc(name, "UTC")) {
        TRY(zone_open(a, str_eqc(name, "Local") ? STR("localtime") : name, &z, d));
    }
    *(const struct zone **)field = z;
    return OK;
}

static const struct yaml_field interval_fields[] = {
    { .key = "times",
      .type = YT_CUSTOM,
      .offset = offsetof(struct interval, times),
      .custom = decode_times },
    { .key = "weekdays",
      .type = YT_CUSTOM,
      .offset = offsetof(struct interval, weekdays),
      .custom = decode_weekdays },
    { .key = "days_of_month",
      .type = YT_CUSTOM,
      .offset = offsetof(struct interval, days),
      .custom = decode_days },
    { .key = "months",
      .type = YT_CUSTOM,
      .offset = offsetof(struct interval, months),
      .custom = decode_months },
    { .key = "years",
      .type = YT_CUSTOM,
      .offset = offsetof(struct interval, years),
      .custom = decode_years },
    { .key = "location",
      .type = YT_CUSTOM,
      .offset = offsetof(struct interval, zone),
      .custom = decode_zone },
    { .key = NULL },
};
const struct yaml_table interval_table = { .go_type = "timeinterval.TimeInterval",
                                           .size = sizeof(struct interval),
                                           .fields = interval_fields };

/* ---- asking ---- */
static bool within(const struct interval_ranges *r, int v, bool end_exclusive)
{
    for (size_t i = 0; i < r->n; i++) {
        if (v >= r->v[i].begin && (end_exclusive ? v < r->v[i].end : v <= r->v[i].end)) return true;
    }
    return r->n == 0;
}

static int month_days(const struct civil *c)
{
    static const int n[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = c->year % 4 == 0 && (c->year % 100 != 0 || c->year % 400 == 0);
    return n[c->month - 1] + (c->month == 2 && leap);
}

static bool day_within(const struct interval_ranges *r, const struct civil *c)
{
    int last = month_days(c);
    for (size_t i = 0; i < r->n; i++) {
        int begin = r->v[i].begin < 0 ? last + r->v[i].begin + 1 : r->v[i].begin;
        int end = r->v[i].end < 0 ? last + r->v[i].end + 1 : r->v[i].end;
        if (begin > last) continue; /* the 31st of a shorter month */
        if (c->day >= (begin < 1 ? 1 : begin) && c->day <= (end > last ? last : end)) return true;
    }
    return r->n == 0;
}

bool interval_contains(const struct interval *v, int64_t now_ms)
{
    int64_t s = now_ms / 1000 - (now_ms % 1000 < 0);
    if (v->zone) s += zone_offset(v->zone, s, NULL);
    struct civil c = civil_of_ms(s * 1000);
    return within(&v->times, c.hour * 60 + c.minute, true) &&
           within(&v->weekdays, c.weekday, false) && day_within(&v->days, &c) &&
           within(&v->months, c.month, false) && within(&v->years, (int)c.year, false);
}

bool interval_set_contains(const struct interval_set *set, int64_t now_ms)
{
    for (size_t i = 0; i < set->n; i++) {
        if (interval_contains(&set->v[i], now_ms)) return true;
    }
    return false;
}
