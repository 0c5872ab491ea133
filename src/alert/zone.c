/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zone.c - time zones from the system's TZif files
 *
 * Version 2 data: transition times, the type each one begins, and a POSIX rule for what comes after the last. Only rules of
 * the form Mm.w.d are evaluated; Julian ones do not occur in the database today and fall back to the last type.
 */
#include "alert/intervals.h"
#include "base/bits.h"
#include "codec/gotime.h"
#include "io/file.h"

#include <stdlib.h>

#define FILE_MAX ((size_t)1 << 20)

struct zone_type {
    int32_t offset;
    struct str name;
};

/* One half of a POSIX rule: Mm.w.d/time. */
struct zone_rule {
    int month, week, day;
    int32_t at;
};

struct zone {
    const int64_t *times;
    const unsigned char *kinds;
    size_t n;
    struct zone_type *types;
    size_t types_n;
    bool has_rule, has_dst;
    struct zone_type standard, summer;
    struct zone_rule begin, end;
};

struct header {
    uint32_t isut, isstd, leap, times, types, chars;
};

static bool read_header(struct str s, struct header *h)
{
    if (s.n < 44 || memcmp(s.p, "TZif", 4) != 0) return false;
    h->isut = load_be32(s.p + 20);
    h->isstd = load_be32(s.p + 24);
    h->leap = load_be32(s.p + 28);
    h->times = load_be32(s.p + 32);
    h->types = load_be32(s.p + 36);
    h->chars = load_be32(s.p + 40);
    return h->isut < 1000 && h->isstd < 1000 && h->leap < 10000 && h->times < 100000 &&
           h->types < 1000 && h->chars < 100000;
}
static size_t body_size(const struct header *h, size_t time_size)
{
    return h->times * (time_size + 1) + h->types * 6 + h->chars + h->leap * (time_size + 4) +
           h->isstd + h->isut;
}

/* ---- the POSIX rule: CET-1CEST,M3.5.0,M10.5.0/3 ---- */
static bool take_int(struct str *s, int32_t *out)
{
    int32_t v = 0;
    size_t n = 0;
    while (n < s->n && n < 6 && s->p[n] >= '0' && s->p[n] <= '9') v = v * 10 + (s->p[n++] - '0');
    *s = str_from(*s, n);
    *out = v;
    return n > 0;
}
/* [+-]h[:mm[:ss]] in seconds. */
static bool take_time(struct str *s, int32_t *out)
{
    int32_t sign = 1, part, total = 0;
    if (s->n && (s->p[0] == '-' || s->p[0] == '+')) {
        sign = s->p[0] == '-' ? -1 : 1;
        *s = str_from(*s, 1);
    }
    for (int32_t scale = 3600; scale; scale /= 60) {
        if (!take_int(s, &part)) return false;
        total += part * scale;
        if (!s->n || s->p[0] != ':' || scale == 1) break;
        *s = str_from(*s, 1);
    }
    *out = sign * total;
    return true;
}
static bool take_name(struct str *s, struct str *out)
{
    if (s->n && s->p[0] == '<') return str_cut(str_from(*s, 1), '>', out, s);
    size_t n = 0;
    while (n < s->n && ((s->p[n] | 32) >= 'a' && (s->p[n] | 32) <= 'z')) n++;
    *out = str_first(*s, n);
    *s = str_from(*s, n);
    return n >= 3;
}
static bool take_rule(struct str *s, struct zone_rule *out)
{
    int32_t m, w, d;
    if (!str_starts(*s, STR(",M"))) return false;
    *s = str_from(*s, 2);
    if (!take_int(s, &m) || !s->n) return false;
    *s = str_from(*s, 1);
    if (!take_int(s, &w) || !s->n) return false;
    *s = str_from(*s, 1);
    if (!take_int(s, &d) || m < 1 || m > 12 || w < 1 || w > 5 || d > 6) return false;
    *out = (struct zone_rule){ m, w, d, 7200 };
    if (!s->n || s->p[0] != '/') return true;
    *s = str_from(*s, 1);
    return take_time(s, &out->at);
}

static void read_rule(struct zone *z, struct str s)
{
    int32_t west;
    if (!take_name(&s, &z->standard.name) || !take_time(&s, &west)) return;
    z->standard.offset = -west;
    z->has_rule = true;
    if (!s.n) return;
    if (!take_name(&s, &z->summer.name)) return;
    z->summer.offset = z->standard.offset + 3600;
    if (s.n && s.p[0] != ',') {
        if (!take_time(&s, &west)) return;
        z->summer.offset = -west;
    }
    z->has_dst = take_rule(&s, &z->begin) && take_rule(&s, &z->end);
}

/* Seconds since 1970, local clock, of the rule's instant in a year. */
static int64_t rule_time(const struct zone_rule *r, int64_t year)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    struct civil first = { .year = year, .month = r->month, .day = 1 };
    int64_t start = ms_of_civil(&first, 0);
    int weekday = civil_of_ms(start).weekday;
    int day = (r->day - weekday + 7) % 7 + (r->week - 1) * 7;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    int month_days = days[r->month - 1] + (r->month == 2 && leap);
    while (day >= month_days) day -= 7;
    return start / 1000 + (int64_t)day * 86400 + r->at;
}

static const struct zone_type *by_rule(const struct zone *z, int64_t s)
{
    if (!z->has_dst) return &z->standard;
    int64_t year = civil_of_ms((s + z->standard.offset) * 1000).year;
    int64_t begin = rule_time(&z->begin, year) - z->standard.offset;
    int64_t end = rule_time(&z->end, year) - z->summer.offset;
    bool summer = begin < end ? s >= begin && s < end : s >= begin || s < end;
    return summer ? &z->summer : &z->standard;
}

int zone_offset(const struct zone *z, int64_t s, struct str *abbreviation)
{
    size_t low = 0, high = z->n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (z->times[mid] <= s) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    const struct zone_type *t = &z->types[low ? z->kinds[low - 1] : 0];
    if (low == z->n && z->has_rule) t = by_rule(z, s);
    if (abbreviation) *abbreviation = t->name;
    return t->offset;
}

static enum err read_body(struct arena *a, struct str s, const struct header *h, struct zone *z)
{
    int64_t *times = arena_array(a, h->times + 1, sizeof(*times));
    unsigned char *kinds = arena_alloc(a, h->times + 1);
    struct zone_type *types = arena_array(a, h->types, sizeof(*types));
    const char *type_at = s.p + h->times * 9;
    struct str chars = str_make(type_at + h->types * 6, h->chars);
    for (size_t i = 0; i < h->times; i++) {
        times[i] = (int64_t)load_be64(s.p + i * 8);
        kinds[i] = (unsigned char)s.p[h->times * 8 + i];
        if (kinds[i] >= h->types) return ERR_SYNTAX;
    }
    for (size_t i = 0; i < h->types; i++) {
        types[i].offset = (int32_t)load_be32(type_at + i * 6);
        struct str name = str_from(chars, (unsigned char)type_at[i * 6 + 5]), rest;
        (void)str_cut(name, 0, &types[i].name, &rest);
    }
    *z = (struct zone){
        .times = times, .kinds = kinds, .n = h->times, .types = types, .types_n = h->types
    };
    return OK;
}

enum err zone_parse(struct arena *a, struct str bytes, struct zone **out)
{
    struct header h;
    struct str s = arena_dup(a, bytes);
    if (!read_header(s, &h) || s.p[4] < '2') return ERR_SYNTAX;
    size_t skip = 44 + body_size(&h, 4);
    if (s.n < skip) return ERR_SHORT;
    s = str_from(s, skip);
    if (!read_header(s, &h) || !h.types) return ERR_SYNTAX;
    s = str_from(s, 44);
    size_t size = body_size(&h, 8);
    if (s.n < size) return ERR_SHORT;
    struct zone *z = arena_new(a, struct zone);
    TRY(read_body(a, s, &h, z));
    struct str footer = str_from(s, size), rule, rest;
    if (footer.n && footer.p[0] == '\n' && str_cut(str_from(footer, 1), '\n', &rule, &rest)) {
        read_rule(z, rule);
    }
    *out = z;
    return OK;
}

static bool name_ok(struct str name)
{
    return name.n && name.n < 64 && name.p[0] != '/' && str_find(name, STR("..")) == STR_NONE &&
           str_find_char(name, 0) == STR_NONE;
}

enum err zone_open(struct arena *a, struct str name, struct zone **out, struct diag *d)
{
    const char *dir = getenv("ZONEINFO"); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
    struct str path = path_join(a, str_c(dir && dir[0] == '/' ? dir : "/usr/share/zoneinfo"), name),
               bytes;
    if (!name_ok(name) || file_read(a, path, FILE_MAX, &bytes, NULL) != OK ||
        zone_parse(a, bytes, out) != OK) {
        return diag_set(d, ERR_MISSING, "unknown time zone " STR_FMT, STR_ARG(name));
    }
    return OK;
}
