/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml_write.c - a text as go-yaml v2 writes it: plain where that reads back as the same text, else quoted
 *
 * Source: go-yaml v2 encode.go (stringv) and emitterc.go (yaml_emitter_analyze_scalar).
 */
#include "base/utf8.h"
#include "codec/yaml.h"

static bool resolves_to_text(struct str s)
{
    struct yaml_node v = { .kind = YAML_SCALAR, .text = s };
    bool b;
    int64_t i;
    double f;
    return !yaml_is_null(&v) && !str_eq(s, STR("<<")) && !yaml_bool_of(&v, &b) &&
           !yaml_int_of(&v, &i) && !yaml_float_of(&v, &f);
}

static bool blank_at(struct str s, size_t i) { return i >= s.n || s.p[i] == ' ' || s.p[i] == '\t'; }

static bool among(char c, const char *set) { return c && strchr(set, c); }

/* A character that makes the text something else than a plain scalar. */
static bool indicates(struct str s, size_t i, bool flow)
{
    char c = s.p[i];
    if (i == 0) {
        if (among(c, "#,[]{}&*!|>'\"%@`")) return true;
        if (among(c, "?:")) return flow || blank_at(s, 1);
        return c == '-' && blank_at(s, 1);
    }
    if (among(c, ",?[]{}")) return flow;
    if (c == ':') return flow || blank_at(s, i + 1);
    return c == '#' && (s.p[i - 1] == ' ' || s.p[i - 1] == '\t');
}

static bool plain_allowed(struct str s, bool flow)
{
    if (!s.n || blank_at(s, 0) || blank_at(s, s.n - 1)) return false;
    if (str_starts(s, STR("---")) || str_starts(s, STR("..."))) return false;
    for (size_t i = 0; i < s.n; i++) {
        if (indicates(s, i, flow)) return false;
    }
    return true;
}

static bool printable(uint32_t r)
{
    return r == '\t' || (r >= 0x20 && r < 0x7f) || r == 0x85 || (r >= 0xa0 && r != 0xfeff);
}

static bool all_printable(struct str s)
{
    while (s.n) {
        if (!printable(utf8_next(&s))) return false;
    }
    return true;
}

static void write_single(struct buf *b, struct str s)
{
    buf_char(b, '\'');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\'') buf_char(b, '\'');
        buf_char(b, s.p[i]);
    }
    buf_char(b, '\'');
}

static void write_double(struct buf *b, struct str s)
{
    buf_char(b, '"');
    while (s.n) {
        uint32_t r = utf8_next(&s);
        if (r == '"' || r == '\\') {
            buf_char(b, '\\');
            buf_char(b, (char)r);
        } else if (r == '\n') {
            buf_putc(b, "\\n");
        } else if (r == '\t') {
            buf_putc(b, "\\t");
        } else if (r == '\r') {
            buf_putc(b, "\\r");
        } else if (printable(r)) {
            utf8_put(b, r);
        } else {
            buf_fmt(b, r < 0x100 ? "\\x%02X" : r < 0x10000 ? "\\u%04X" : "\\U%08X", r);
        }
    }
    buf_char(b, '"');
}

void yaml_write_str(struct buf *b, struct str s, bool in_flow)
{
    if (!resolves_to_text(s) || !all_printable(s)) {
        write_double(b, s);
    } else if (plain_allowed(s, in_flow)) {
        buf_put(b, s);
    } else {
        write_single(b, s);
    }
}
