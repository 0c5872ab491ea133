/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/walpage.h"

#include "base/bits.h"
#include "codec/crc32c.h"
#include "codec/snap.h"

#include <zstd.h>

enum { TYPE_REST = 0, TYPE_FULL, TYPE_FIRST, TYPE_MIDDLE, TYPE_LAST, TYPE_MASK = 7 };

/* Zeros to the end of a page that has no room for a fragment with at least one byte of data, else 0. */
static size_t filling(uint64_t at)
{
    size_t left = WALPAGE_SIZE - at % WALPAGE_SIZE;
    return left <= WALPAGE_FRAGMENT ? left : 0;
}

uint64_t walpage_cost(uint64_t at, size_t n)
{
    uint64_t end = at;
    do {
        end += filling(end);
        size_t room = WALPAGE_SIZE - end % WALPAGE_SIZE - WALPAGE_FRAGMENT;
        size_t part = n < room ? n : room;
        end += WALPAGE_FRAGMENT + part;
        n -= part;
    } while (n);
    return end - at;
}

static void put_zeros(struct buf *b, size_t n)
{
    char *to = buf_room(b, n);
    if (!to) return;
    memset(to, 0, n);
    buf_add(b, n);
}

static void put_fragment(struct buf *b, int type, struct str data)
{
    char *to = buf_room(b, WALPAGE_FRAGMENT + data.n);
    if (!to) return;
    to[0] = (char)type;
    store_be16(to + 1, (uint16_t)data.n);
    store_be32(to + 3, crc32c(0, data));
    if (data.n) memcpy(to + WALPAGE_FRAGMENT, data.p, data.n);
    buf_add(b, WALPAGE_FRAGMENT + data.n);
}

void walpage_put(struct buf *b, uint64_t at, struct str record, enum walpage_packing packing)
{
    bool first = true, last;
    do {
        size_t fill = filling(at);
        put_zeros(b, fill);
        at += fill;
        struct str part = str_first(record, WALPAGE_SIZE - at % WALPAGE_SIZE - WALPAGE_FRAGMENT);
        record = str_from(record, part.n);
        last = record.n == 0;
        int type = first ? (last ? TYPE_FULL : TYPE_FIRST) : (last ? TYPE_LAST : TYPE_MIDDLE);
        put_fragment(b, type | (int)packing, part);
        at += WALPAGE_FRAGMENT + part.n;
        first = false;
    } while (!last);
}

void walpage_reader_init(struct walpage_reader *r, struct str seg)
{
    *r = (struct walpage_reader){ .seg = seg };
}

void walpage_reader_done(struct walpage_reader *r) { buf_done(&r->join); }

static bool zeros(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i]) return false;
    }
    return true;
}

struct fragment {
    int type;
    enum walpage_packing packing;
    struct str data;
};

static enum err read_fragment(struct walpage_reader *r, struct fragment *out)
{
    for (;;) {
        size_t left = WALPAGE_SIZE - r->at % WALPAGE_SIZE;
        struct str page = str_first(str_from(r->seg, r->at), left);
        if (!page.n) return ERR_EOF;
        if ((page.p[0] & TYPE_MASK) == TYPE_REST) {
            if (page.p[0] || !zeros(page)) return ERR_CORRUPT;
            r->at += page.n;
            continue;
        }
        if (left < WALPAGE_FRAGMENT) return ERR_CORRUPT;
        if (page.n < WALPAGE_FRAGMENT) return ERR_SHORT;
        size_t n = load_be16(page.p + 1);
        if (n > left - WALPAGE_FRAGMENT) return ERR_CORRUPT;
        if (n > page.n - WALPAGE_FRAGMENT) return ERR_SHORT;
        out->type = page.p[0] & TYPE_MASK;
        out->packing = (enum walpage_packing)(page.p[0] & (WALPAGE_SNAPPY | WALPAGE_ZSTD));
        out->data = str_make(page.p + WALPAGE_FRAGMENT, n);
        if (page.p[0] & ~(TYPE_MASK | WALPAGE_SNAPPY | WALPAGE_ZSTD)) return ERR_CORRUPT;
        if (crc32c(0, out->data) != load_be32(page.p + 3)) return ERR_CORRUPT;
        r->at += WALPAGE_FRAGMENT + n;
        return OK;
    }
}

enum err walpage_next(struct walpage_reader *r, struct str *record, enum walpage_packing *packing)
{
    buf_reset(&r->join);
    for (bool begun = false;; begun = true) {
        struct fragment f;
        enum err e = read_fragment(r, &f);
        if (e == ERR_EOF && begun) return ERR_SHORT;
        TRY(e);
        bool opens = f.type == TYPE_FULL || f.type == TYPE_FIRST;
        if (f.type > TYPE_LAST || opens == begun) return ERR_CORRUPT;
        bool closes = f.type == TYPE_FULL || f.type == TYPE_LAST;
        if (f.type != TYPE_FULL) buf_put(&r->join, f.data);
        if (!closes) continue;
        TRY(buf_ok(&r->join));
        *record = f.type == TYPE_FULL ? f.data : buf_str(&r->join);
        *packing = f.packing;
        r->good = r->at;
        return OK;
    }
}

static enum err unpack_zstd(struct str in, size_t max, struct buf *b)
{
    unsigned long long n = ZSTD_getFrameContentSize(in.p, in.n);
    if (n == ZSTD_CONTENTSIZE_UNKNOWN || n == ZSTD_CONTENTSIZE_ERROR) return ERR_CORRUPT;
    char *to = n > max ? NULL : buf_room(b, (size_t)n);
    if (!to) return ERR_LIMIT;
    size_t got = ZSTD_decompress(to, (size_t)n, in.p, in.n);
    if (ZSTD_isError(got)) return ERR_CORRUPT;
    buf_add(b, got);
    return OK;
}

enum err walpage_unpack(struct str record, enum walpage_packing packing, size_t max,
                        struct buf *room, struct str *out)
{
    buf_reset(room);
    switch (packing) {
    case WALPAGE_PLAIN: *out = record; return OK;
    case WALPAGE_SNAPPY: {
        enum err e = snap_unpack(record, max, room);
        if (e != OK) return e == ERR_SYNTAX ? ERR_CORRUPT : e;
        break;
    }
    case WALPAGE_ZSTD: TRY(unpack_zstd(record, max, room)); break;
    default: return ERR_UNSUPPORTED;
    }
    *out = buf_str(room);
    return OK;
}
