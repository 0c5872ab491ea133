/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml_scalar.c - what a plain scalar means: go-yaml's resolution of YAML 1.1
 *
 * Source: go-yaml v2 and v3, resolve.go (facts: spellings of booleans, integers, floats).
 */
#include "codec/num.h"
#include "codec/yaml.h"
#include "codec/yaml_priv.h"

#include <math.h>

static bool among(struct str s, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eqc(s, words[i])) return true;
    }
    return false;
}

static bool is_plain(const struct yaml_node *v)
{
    return v && v->kind == YAML_SCALAR && !v->quoted;
}

bool yaml_bool_of(const struct yaml_node *v, bool *out)
{
    static const char *const YES[] = { "true", "True", "TRUE", "yes", "Yes", "YES",
                                       "on",   "On",   "ON",   "y",   "Y" };
    static const char *const NO[] = { "false", "False", "FALSE", "no", "No", "NO",
                                      "off",   "Off",   "OFF",   "n",  "N" };
    if (!is_plain(v)) return false;
    bool yes = among(v->text, YES, ARRAY_LEN(YES));
    if (!yes && !among(v->text, NO, ARRAY_LEN(NO))) return false;
    *out = yes;
    return true;
}

/* Digits of a base, underscores between them ignored. */
static bool digits_of(struct str s, unsigned base, uint64_t *out)
{
    uint64_t v = 0;
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '_') continue;
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                                : 99;
        if (digit >= base) return false;
        if (__builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, digit, &v)) {
            return false;
        }
        n++;
    }
    *out = v;
    return n > 0;
}

static bool magnitude_of(struct str s, uint64_t *out)
{
    if (s.n > 2 && s.p[0] == '0') {
        char c = s.p[1];
        if (c == 'x' || c == 'X') return digits_of(str_from(s, 2), 16, out);
        if (c == 'o' || c == 'O') return digits_of(str_from(s, 2), 8, out);
        if (c == 'b' || c == 'B') return digits_of(str_from(s, 2), 2, out);
    }
    if (s.n > 1 && s.p[0] == '0') return digits_of(str_from(s, 1), 8, out);
    if (!s.n || s.p[0] < '0' || s.p[0] > '9') return false;
    return digits_of(s, 10, out);
}

static bool cut_sign(struct str *s)
{
    if (!s->n || (s->p[0] != '-' && s->p[0] != '+')) return false;
    bool minus = s->p[0] == '-';
    *s = str_from(*s, 1);
    return minus;
}

bool yaml_int_of(const struct yaml_node *v, int64_t *out)
{
    if (!is_plain(v)) return false;
    struct str s = v->text;
    bool minus = cut_sign(&s);
    uint64_t m;
    if (magnitude_of(s, &m)) {
        if (m > (uint64_t)INT64_MAX + (minus ? 1 : 0)) return false;
        *out = minus ? (int64_t)(0 - m) : (int64_t)m;
        return true;
    }
    /* 1e3 and 4.0 are integers where one is wanted; 4.5 is not. */
    double f;
    if (!yaml_float_of(v, &f) || !(fabs(f) < 0x1p63) || f != floor(f)) return false;
    *out = (int64_t)f;
    return true;
}

static bool special_of(struct str s, double *out)
{
    static const char *const INF[] = { ".inf", ".Inf", ".INF" };
    static const char *const NOT[] = { ".nan", ".NaN", ".NAN" };
    if (among(s, NOT, ARRAY_LEN(NOT))) {
        *out = (double)NAN;
        return true;
    }
    bool minus = cut_sign(&s);
    if (!among(s, INF, ARRAY_LEN(INF))) return false;
    *out = minus ? -(double)INFINITY : (double)INFINITY;
    return true;
}

bool yaml_float_of(const struct yaml_node *v, double *out)
{
    if (!is_plain(v) || !v->text.n) return false;
    if (special_of(v->text, out)) return true;
    struct str s = v->text;
    bool minus = cut_sign(&s);
    uint64_t m;
    if (magnitude_of(s, &m)) {
        *out = minus ? -(double)m : (double)m;
        return true;
    }
    /* Go's ParseFloat takes inf and nan as words; YAML does not. */
    if (!s.n || (s.p[0] != '.' && (s.p[0] < '0' || s.p[0] > '9'))) return false;
    double f;
    if (num_parse_f64(v->text, &f) != OK) return false;
    *out = f;
    return true;
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool yaml_base64(struct arena *a, struct str in, struct str *out)
{
    char *to = arena_raw(a, in.n + 1);
    size_t n = 0, digits = 0, pads = 0;
    uint32_t acc = 0;
    for (size_t i = 0; i < in.n; i++) {
        char c = in.p[i];
        if (c == '\n' || c == '\r' || c == ' ' || c == '\t') continue;
        if (c == '=') {
            pads++;
            continue;
        }
        int digit = base64_digit(c);
        if (digit < 0 || pads) return false;
        acc = acc << 6 | (uint32_t)digit;
        if (++digits % 4) {
            if (digits % 4 >= 2) to[n++] = (char)(acc >> (digits % 4 == 2 ? 4 : 2));
        } else {
            to[n++] = (char)acc;
        }
    }
    if ((digits + pads) % 4 || pads > 2) return false;
    to[n] = '\0';
    *out = str_make(to, n);
    return true;
}
