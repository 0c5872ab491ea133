/* SPDX-License-Identifier: Apache-2.0 */
#include "jmx/javanum.h"

#include "codec/num.h"

#include <math.h>

/* A positive number as digits d1 d2 ... and an exponent: d1.d2... * 10^exponent. */
struct decimal {
    char digits[24];
    size_t n;
    int exponent;
};

/* From num_write_e's "1.234e+05". */
static void split(double v, struct decimal *out)
{
    BUF(b, 64);
    num_write_e(&b, v);
    struct str mantissa, exponent;
    int64_t e = 0;
    (void)str_cut(buf_str(&b), 'e', &mantissa, &exponent);
    out->n = 0;
    for (size_t i = 0; i < mantissa.n && out->n < sizeof(out->digits); i++) {
        if (mantissa.p[i] != '.') out->digits[out->n++] = mantissa.p[i];
    }
    if (num_parse_i64(exponent, &e) != OK) e = 0;
    out->exponent = (int)e;
}

/* Plain between 1e-3 and 1e7, else one digit before the point; at least one after it either way. */
static void lay_out(struct buf *b, const struct decimal *x)
{
    int e = x->exponent, point = e >= -3 && e < 7 ? e + 1 : 1;
    if (point <= 0) {
        buf_put(b, STR("0."));
        for (int i = point; i < 0; i++) buf_char(b, '0');
        buf_put(b, str_make(x->digits, x->n));
        return;
    }
    for (size_t i = 0; i < (size_t)point; i++) buf_char(b, i < x->n ? x->digits[i] : '0');
    buf_char(b, '.');
    if (x->n <= (size_t)point) {
        buf_char(b, '0');
    } else {
        buf_put(b, str_make(x->digits + point, x->n - (size_t)point));
    }
    if (point == e + 1) return;
    buf_char(b, 'E');
    num_write_i64(b, e);
}

static bool special(struct buf *b, double v)
{
    if (isnan(v)) {
        buf_put(b, STR("NaN"));
    } else if (isinf(v)) {
        buf_put(b, v < 0 ? STR("-Infinity") : STR("Infinity"));
    } else if (v == 0) {
        buf_put(b, signbit(v) ? STR("-0.0") : STR("0.0"));
    } else {
        return false;
    }
    return true;
}

void javanum_write_double(struct buf *b, double v)
{
    struct decimal x;
    if (special(b, v)) return;
    if (v < 0) buf_char(b, '-');
    split(fabs(v), &x);
    lay_out(b, &x);
}

void javanum_write_sample(struct buf *b, double v)
{
    if (isinf(v)) {
        buf_put(b, v < 0 ? STR("-Inf") : STR("+Inf"));
    } else {
        javanum_write_double(b, v);
    }
}

/* Half up on the decimal digits; a carry out of the first one raises the exponent. */
static void round_to(struct decimal *x, size_t n)
{
    if (n >= x->n) return;
    bool up = x->digits[n] >= '5';
    x->n = n;
    for (size_t i = n; up && i-- > 0;) {
        up = x->digits[i] == '9';
        x->digits[i] = up ? '0' : (char)(x->digits[i] + 1);
    }
    if (up) {
        x->digits[0] = '1';
        x->exponent++;
    }
    while (x->n > 1 && x->digits[x->n - 1] == '0') x->n--;
}

static float float_of(const struct decimal *x)
{
    BUF(b, 64);
    double v = 0;
    buf_char(&b, x->digits[0]);
    buf_char(&b, '.');
    buf_put(&b, str_make(x->digits + 1, x->n - 1));
    buf_char(&b, '0');
    buf_char(&b, 'e');
    num_write_i64(&b, x->exponent);
    if (num_parse_f64(buf_str(&b), &v) != OK) v = 0;
    return (float)v;
}

/* The fewest digits, at most 9, that read back as the same float. */
void javanum_write_float(struct buf *b, float v)
{
    struct decimal whole;
    if (special(b, (double)v)) return;
    if (v < 0) buf_char(b, '-');
    float f = fabsf(v);
    split((double)f, &whole);
    for (size_t n = 1; n <= 9; n++) {
        struct decimal x = whole;
        round_to(&x, n);
        if (n == 9 || float_of(&x) == f) {
            lay_out(b, &x);
            return;
        }
    }
}

static bool hexadecimal(struct str s)
{
    if (s.n && (s.p[0] == '+' || s.p[0] == '-')) s = str_from(s, 1);
    return s.n > 2 && s.p[0] == '0' && (s.p[1] | 0x20) == 'x';
}

/* Java spells these words in one way only, and knows no others. */
static bool word(struct str s, double *out)
{
    bool negative = s.n && s.p[0] == '-';
    if (s.n && (s.p[0] == '+' || negative)) s = str_from(s, 1);
    if (str_eqc(s, "NaN")) {
        *out = (double)NAN;
    } else if (str_eqc(s, "Infinity")) {
        *out = negative ? -(double)INFINITY : (double)INFINITY;
    } else {
        return false;
    }
    return true;
}

enum err javanum_parse_double(struct str s, double *out)
{
    double v;
    while (s.n && (unsigned char)s.p[0] <= ' ') s = str_from(s, 1);
    while (s.n && (unsigned char)s.p[s.n - 1] <= ' ') s.n--;
    if (word(s, out)) return OK;
    bool hex = hexadecimal(s);
    if (hex && str_find_char(s, 'p') == STR_NONE && str_find_char(s, 'P') == STR_NONE) {
        return ERR_SYNTAX;
    }
    if (s.n > 1 && strchr("dDfF", s.p[s.n - 1])) s.n--;
    for (size_t i = 0; i < s.n && !hex; i++) {
        if (!strchr("0123456789+-.eE", s.p[i])) return ERR_SYNTAX;
    }
    enum err e = num_parse_f64(s, &v);
    if (e != OK && e != ERR_RANGE) return ERR_SYNTAX;
    *out = v;
    return OK;
}
