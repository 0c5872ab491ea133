/* SPDX-License-Identifier: Apache-2.0 */
#include "commands/doctor/peers.h"

#include "base/bits.h"
#include "codec/num.h"

enum { SASL_HANDSHAKE_KEY = 17, NAME_MAX_BYTES = 200 };

/* --- Kafka's SaslHandshake --- */

static void put_be16(struct buf *b, unsigned v)
{
    buf_char(b, (char)(v >> 8));
    buf_char(b, (char)v);
}

static void put_short_str(struct buf *b, struct str s)
{
    put_be16(b, (unsigned)s.n);
    buf_put(b, s);
}

void sasl_handshake_write(struct buf *b)
{
    BUF(body, 0);
    put_be16(&body, SASL_HANDSHAKE_KEY);
    put_be16(&body, 1);
    buf_put(&body, STR("\0\0\0\1")); /* correlation */
    put_short_str(&body, STR("vigie-doctor"));
    put_short_str(&body, STR("WHICH"));
    put_be16(b, (unsigned)(body.n >> 16));
    put_be16(b, (unsigned)body.n & 0xffff);
    buf_put(b, buf_str(&body));
}

enum err sasl_mechanisms_read(struct str frame, struct arena *a, struct str *out)
{
    enum { HEAD = 4 + 2 + 4, UNSUPPORTED_MECHANISM = 33 };
    BUF(names, 0);
    if (frame.n < HEAD) return ERR_SHORT;
    unsigned error = load_be16(frame.p + 4);
    uint32_t count = load_be32(frame.p + 6);
    struct str rest = str_from(frame, HEAD);
    if (error != 0 && error != UNSUPPORTED_MECHANISM) count = 0;
    if (count > rest.n / 2) return ERR_SYNTAX;
    for (uint32_t i = 0; i < count; i++) {
        if (rest.n < 2 || rest.n < 2U + load_be16(rest.p)) return ERR_SHORT;
        struct str name = str_make(rest.p + 2, load_be16(rest.p));
        for (size_t k = 0; k < name.n; k++) {
            if (name.p[k] < ' ' || name.p[k] > '~') return ERR_SYNTAX;
        }
        buf_fmt(&names, "%s" STR_FMT, i ? ", " : "", STR_ARG(name));
        rest = str_from(rest, 2 + name.n);
    }
    *out = arena_dup(a, buf_str(&names));
    return OK;
}

/* --- SMTP --- */

enum err smtp_reply_take(struct str *in, struct smtp_reply *out)
{
    struct str rest = *in;
    uint64_t code = 0, first = 0;
    for (size_t lines = 0;; lines++) {
        size_t end = str_find_char(rest, '\n');
        if (rest.n >= 3 && (num_parse_u64(str_first(rest, 3), &code) != OK || code < 200)) {
            return ERR_SYNTAX;
        }
        if (end == STR_NONE) return ERR_SHORT;
        if (end < 3) return ERR_SYNTAX;
        if (!lines) first = code;
        if (code != first) return ERR_SYNTAX;
        bool last = rest.p[3] != '-';
        rest = str_from(rest, end + 1);
        if (last) break;
    }
    *out = (struct smtp_reply){ (int)first, str_trim(str_first(*in, in->n - rest.n)) };
    *in = rest;
    return OK;
}

bool smtp_offers(const struct smtp_reply *r, struct str keyword, struct str *rest)
{
    struct str left = r->text, line;
    while (left.n) {
        (void)str_cut(left, '\n', &line, &left);
        line = str_trim(str_from(line, 4));
        if (!str_ieq(str_first(line, keyword.n), keyword)) continue;
        if (line.n > keyword.n && line.p[keyword.n] != ' ' && line.p[keyword.n] != '=') continue;
        *rest = str_trim(str_from(line, keyword.n));
        return true;
    }
    return false;
}

/* --- texts --- */

struct str bytes_text(struct arena *a, int64_t bytes, enum lang l)
{
    static const char *const PREFIXES[] = { "", "Ki", "Mi", "Gi", "Ti", "Pi" };
    double v = (double)bytes;
    size_t unit = 0;
    while (v >= 1024 && unit + 1 < ARRAY_LEN(PREFIXES)) {
        v /= 1024;
        unit++;
    }
    BUF(b, 0);
    num_write_fixed(&b, v, unit && v < 10 ? 1 : 0);
    for (size_t i = 0; l == LANG_FR && i < b.n; i++) {
        if (b.p[i] == '.') b.p[i] = ',';
    }
    buf_fmt(&b, "\xc2\xa0%s%s", PREFIXES[unit], l == LANG_FR ? "o" : "B");
    return arena_dup(a, buf_str(&b));
}

size_t edit_distance(struct str x, struct str y, size_t max)
{
    size_t row[NAME_MAX_BYTES + 1];
    if (x.n > NAME_MAX_BYTES || y.n > NAME_MAX_BYTES) return max;
    size_t gap = x.n > y.n ? x.n - y.n : y.n - x.n;
    if (gap >= max) return max;
    for (size_t k = 0; k <= y.n; k++) row[k] = k;
    for (size_t i = 0; i < x.n; i++) {
        size_t corner = row[0], least = row[0] = i + 1;
        for (size_t k = 0; k < y.n; k++) {
            size_t replace = corner + (x.p[i] != y.p[k]), best = replace;
            corner = row[k + 1];
            if (corner + 1 < best) best = corner + 1;
            if (row[k] + 1 < best) best = row[k] + 1;
            row[k + 1] = best;
            if (best < least) least = best;
        }
        if (least >= max) return max;
    }
    return row[y.n] < max ? row[y.n] : max;
}

struct str nearest(struct str name, const struct str *v, size_t n)
{
    size_t best = name.n / 3 + 2; /* farther away is another word */
    struct str found = STR("");
    for (size_t i = 0; i < n; i++) {
        size_t d = edit_distance(name, v[i], best);
        if (d >= best) continue;
        best = d;
        found = v[i];
    }
    return found;
}
