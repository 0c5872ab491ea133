/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/num.h"

#include "base/assert.h"
#include "base/bits.h"
#include "codec/num_shim.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>

/* --- integers --- */

static const char PAIRS[] = "00010203040506070809101112131415161718192021222324"
                            "25262728293031323334353637383940414243444546474849"
                            "50515253545556575859606162636465666768697071727374"
                            "75767778798081828384858687888990919293949596979899";

enum { U64_DIGITS = 20 };

/* Writes v so that it ends at end; returns where it begins. */
static char *digits_back(char *end, uint64_t v)
{
    for (; v >= 100; v /= 100) {
        end -= 2;
        memcpy(end, PAIRS + 2 * (v % 100), 2);
    }
    if (v >= 10) {
        end -= 2;
        memcpy(end, PAIRS + 2 * v, 2);
    } else {
        *--end = (char)('0' + v);
    }
    return end;
}

void num_write_u64(struct buf *b, uint64_t v)
{
    char room[U64_DIGITS];
    char *at = digits_back(room + sizeof(room), v);
    buf_put(b, str_make(at, (size_t)(room + sizeof(room) - at)));
}

void num_write_i64(struct buf *b, int64_t v)
{
    char room[U64_DIGITS + 1];
    char *at = digits_back(room + sizeof(room), v < 0 ? -(uint64_t)v : (uint64_t)v);
    if (v < 0) *--at = '-';
    buf_put(b, str_make(at, (size_t)(room + sizeof(room) - at)));
}

enum err num_parse_u64(struct str s, uint64_t *out)
{
    uint64_t v = 0;
    bool over = false;
    if (!s.n) return ERR_SYNTAX;
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned char)s.p[i] - (unsigned)'0';
        if (digit > 9) return ERR_SYNTAX;
        over |= __builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, digit, &v);
    }
    if (over) return ERR_RANGE;
    *out = v;
    return OK;
}

enum err num_parse_i64(struct str s, int64_t *out)
{
    bool minus = s.n && s.p[0] == '-';
    if (minus || (s.n && s.p[0] == '+')) s = str_from(s, 1);
    uint64_t v;
    TRY(num_parse_u64(s, &v));
    if (v > (uint64_t)INT64_MAX + minus) return ERR_RANGE;
    *out = minus ? (int64_t)(0 - v) : (int64_t)v;
    return OK;
}

/* --- reading floats --- */

static bool special(struct str s, bool minus, bool sign, double *out)
{
    if (str_ieq(s, STR("inf")) || str_ieq(s, STR("infinity"))) {
        *out = minus ? -HUGE_VAL : HUGE_VAL;
        return true;
    }
    if (!sign && str_ieq(s, STR("nan"))) {
        *out = double_of_bits(UINT64_C(0x7ff8000000000001)); /* Go's NaN */
        return true;
    }
    return false;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* mantissa * 2^exp, its lowest bit sticky, as the nearest double; ties go to even. */
static double scale(uint64_t mantissa, int64_t exp)
{
    if (!mantissa) return 0;
    int lead = __builtin_clzll(mantissa);
    mantissa <<= lead;
    exp -= lead;
    int64_t top = exp + 63; /* value is in [2^top, 2^(top+1)) */
    if (top > 1023) return HUGE_VAL;
    int64_t shift = top < -1022 ? 11 + (-1022 - top) : 11;
    if (shift > 64) return 0;
    uint64_t kept = shift == 64 ? 0 : mantissa >> shift;
    uint64_t half = UINT64_C(1) << (shift - 1);
    uint64_t rest = mantissa & (half | (half - 1));
    if (rest > half || (rest == half && (kept & 1))) kept++;
    return ldexp((double)kept, (int)(exp + shift));
}

/* The exponent behind p or e: optional sign and digits, held within what a double can tell apart. */
static enum err read_exponent(struct str s, int64_t *out)
{
    bool minus = s.n && s.p[0] == '-';
    if (minus || (s.n && s.p[0] == '+')) s = str_from(s, 1);
    if (!s.n) return ERR_SYNTAX;
    int64_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') return ERR_SYNTAX;
        if (v < 1000000) v = v * 10 + (s.p[i] - '0');
    }
    *out = minus ? -v : v;
    return OK;
}

/* s stands behind 0x: hexadecimal digits with at most one point, then p and a decimal exponent. */
static enum err parse_hex(struct str s, double *out)
{
    uint64_t mantissa = 0;
    int64_t exp = 0;
    bool digits = false, point = false;
    size_t i = 0;
    for (; i < s.n; i++) {
        if (s.p[i] == '.' && !point) {
            point = true;
            continue;
        }
        int v = hex_digit(s.p[i]);
        if (v < 0) break;
        digits = true;
        if (mantissa >> 60) {
            mantissa |= v != 0; /* sticky: below the last bit that can matter */
            exp += point ? 0 : 4;
        } else {
            mantissa = mantissa << 4 | (uint64_t)v;
            exp -= point ? 4 : 0;
        }
    }
    int64_t power;
    if (!digits || i == s.n || (s.p[i] | 0x20) != 'p') return ERR_SYNTAX;
    TRY(read_exponent(str_from(s, i + 1), &power));
    *out = scale(mantissa, exp + power);
    return isinf(*out) ? ERR_RANGE : OK;
}

/* fast_float takes no plus, and names that special() already knows: only digits and points reach it. */
static enum err parse_decimal(struct str s, double *out)
{
    if (!s.n || !((s.p[0] >= '0' && s.p[0] <= '9') || s.p[0] == '.')) return ERR_SYNTAX;
    const char *end = num_shim_parse(s.p, s.p + s.n, out);
    if (end != s.p + s.n) return ERR_SYNTAX;
    return isinf(*out) ? ERR_RANGE : OK;
}

static enum err parse_plain(struct str s, double *out)
{
    struct str whole = s;
    bool minus = s.n && s.p[0] == '-';
    if (minus || (s.n && s.p[0] == '+')) s = str_from(s, 1);
    double v = 0;
    if (special(s, minus, s.n != whole.n, out)) return OK;
    bool hex = s.n > 1 && s.p[0] == '0' && (s.p[1] | 0x20) == 'x';
    enum err e = hex ? parse_hex(str_from(s, 2), &v) : parse_decimal(s, &v);
    if (e == OK || e == ERR_RANGE) *out = minus ? -v : v;
    return e;
}

/* Go lets an underscore stand between two digits, or between the prefix 0x and a digit. */
static bool underscores_ok(struct str s)
{
    bool hex = str_find(s, STR("0x")) <= 1 || str_find(s, STR("0X")) <= 1;
    bool before = false; /* the last character was a digit or the prefix */
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool digit = (c >= '0' && c <= '9') || (hex && hex_digit(c) >= 0) ||
                     (hex && i <= 2 && (c | 0x20) == 'x');
        if (c == '_' && !before) return false;
        if (!digit && c != '_' && i && s.p[i - 1] == '_') return false;
        before = digit;
    }
    return s.p[s.n - 1] != '_';
}

enum err num_parse_f64(struct str s, double *out)
{
    if (str_find_char(s, '_') == STR_NONE) return parse_plain(s, out);
    BUF(b, 4096);
    if (!underscores_ok(s)) return ERR_SYNTAX;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '_') buf_char(&b, s.p[i]);
    }
    return b.over ? ERR_SYNTAX : parse_plain(buf_str(&b), out);
}

/* --- writing floats --- */

/* Decimal digits d[0..nd) with the point before d[dp]: 0.ddd * 10^dp, as Go's decimalSlice. */
struct digits {
    char d[800]; /* exact expansions: no double has more than 767 significant digits */
    int nd, dp;
};

static void shortest(double v, struct digits *out)
{
    out->nd = out->dp = 0;
    if (v == 0) return;
    uint64_t m;
    int exp;
    num_shim_digits(v, &m, &exp);
    char room[U64_DIGITS];
    char *at = digits_back(room + sizeof(room), m);
    out->nd = (int)(room + sizeof(room) - at);
    out->dp = out->nd + exp;
    memcpy(out->d, at, (size_t)out->nd);
    while (out->nd && out->d[out->nd - 1] == '0') out->nd--;
}

/* nd >= 1 correctly rounded digits. libc's %e is exact; only its digits are taken, so no locale shows. */
static void rounded(double v, int nd, struct digits *out)
{
    char room[840];
    if (nd > 767) nd = 767;
    int len = snprintf(room, sizeof(room), "%.*e", nd - 1, v);
    out->nd = 0;
    int i = 0;
    for (; i < len && room[i] != 'e'; i++) {
        if (room[i] >= '0' && room[i] <= '9') out->d[out->nd++] = room[i];
    }
    int exp = 0;
    for (int j = i + 2; j < len; j++) exp = exp * 10 + (room[j] - '0');
    out->dp = (room[i + 1] == '-' ? -exp : exp) + 1;
    if (v == 0) out->nd = out->dp = 0;
}

static char digit_at(const struct digits *g, int i) { return i >= 0 && i < g->nd ? g->d[i] : '0'; }

/* d.ddde+dd with `decimals` digits behind the point. */
static void put_e(struct buf *b, const struct digits *g, int decimals)
{
    buf_char(b, digit_at(g, 0));
    if (decimals > 0) buf_char(b, '.');
    for (int i = 1; i <= decimals; i++) buf_char(b, digit_at(g, i));
    int exp = g->nd ? g->dp - 1 : 0;
    buf_char(b, 'e');
    buf_char(b, exp < 0 ? '-' : '+');
    exp = exp < 0 ? -exp : exp;
    if (exp < 10) buf_char(b, '0');
    num_write_u64(b, (uint64_t)exp);
}

/* ddd.ddd with `decimals` digits behind the point. */
static void put_f(struct buf *b, const struct digits *g, int decimals)
{
    if (g->dp <= 0) buf_char(b, '0');
    for (int i = 0; i < g->dp; i++) buf_char(b, digit_at(g, i));
    if (decimals > 0) buf_char(b, '.');
    for (int i = 0; i < decimals; i++) buf_char(b, digit_at(g, g->dp + i));
}

static int above(int a, int b) { return a > b ? a : b; }

/* NaN and the infinities; otherwise the sign is written and *v is made positive. */
static bool put_special(struct buf *b, double *v)
{
    if (isnan(*v)) {
        buf_put(b, STR("NaN"));
        return true;
    }
    if (isinf(*v)) {
        buf_put(b, *v > 0 ? STR("+Inf") : STR("-Inf"));
        return true;
    }
    if (signbit(*v)) {
        buf_char(b, '-');
        *v = -*v;
    }
    return false;
}

/* Most values of a monitoring system are whole numbers: no digit generator for them. */
static bool put_whole(struct buf *b, double v, double below)
{
    if (v >= below || v != (double)(uint64_t)v) return false;
    num_write_u64(b, (uint64_t)v);
    return true;
}

#define WHOLE_BELOW 9007199254740992.0 /* 2^53 */

void num_write_f(struct buf *b, double v)
{
    if (put_special(b, &v) || put_whole(b, v, WHOLE_BELOW)) return;
    struct digits g;
    shortest(v, &g);
    put_f(b, &g, above(g.nd - g.dp, 0));
}

void num_write_e(struct buf *b, double v)
{
    if (put_special(b, &v)) return;
    struct digits g;
    shortest(v, &g);
    put_e(b, &g, g.nd - 1);
}

void num_write_g(struct buf *b, double v)
{
    if (put_special(b, &v) || put_whole(b, v, 1e6)) return;
    struct digits g;
    shortest(v, &g);
    if (g.dp - 1 < -4 || g.dp - 1 >= 6) {
        put_e(b, &g, g.nd - 1);
    } else {
        put_f(b, &g, above(g.nd - g.dp, 0));
    }
}

void num_write_expo(struct buf *b, double v) { num_write_g(b, v); }

void num_write_json(struct buf *b, double v)
{
    double size = fabs(v);
    if (v != 0 && (size < 1e-6 || size >= 1e21)) {
        num_write_e(b, v);
    } else {
        num_write_f(b, v);
    }
}

static void put_g(struct buf *b, double v, int prec)
{
    struct digits g;
    prec = prec ? prec : 1;
    rounded(v, prec, &g);
    while (g.nd && g.d[g.nd - 1] == '0') g.nd--;
    int eprec = prec > g.nd && g.nd >= g.dp ? g.nd : prec;
    int exp = g.dp - 1;
    if (exp < -4 || exp >= eprec) {
        put_e(b, &g, (prec < g.nd ? prec : g.nd) - 1);
    } else {
        put_f(b, &g, above(g.nd - g.dp, 0));
    }
}

void num_write_fixed(struct buf *b, double v, int decimals)
{
    if (put_special(b, &v)) return;
    char room[400 + 340];
    decimals = decimals < 0 ? 0 : decimals > 400 ? 400 : decimals;
    int len = snprintf(room, sizeof(room), "%.*f", decimals, v);
    for (int i = 0; i < len; i++) {
        bool digit = room[i] >= '0' && room[i] <= '9';
        if (digit || i == len - decimals - 1) buf_char(b, digit ? room[i] : '.');
    }
}

void num_write_go(struct buf *b, double v, char verb, int prec)
{
    if (prec > 400) prec = 400;
    if (prec < 0) {
        (verb == 'e' ? num_write_e : verb == 'f' ? num_write_f : num_write_g)(b, v);
        return;
    }
    if (verb == 'f') {
        num_write_fixed(b, v, prec);
        return;
    }
    if (put_special(b, &v)) return;
    if (verb == 'g') {
        put_g(b, v, prec);
        return;
    }
    struct digits g;
    rounded(v, prec + 1, &g);
    put_e(b, &g, prec);
}

void num_write_ms(struct buf *b, int64_t ms)
{
    uint64_t t = ms < 0 ? -(uint64_t)ms : (uint64_t)ms;
    if (ms < 0) buf_char(b, '-');
    num_write_u64(b, t / 1000);
    unsigned rest = (unsigned)(t % 1000);
    if (!rest) return;
    char room[4] = { '.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10),
                     (char)('0' + rest % 10) };
    buf_put(b, str_make(room, sizeof(room)));
}
