/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/javaser.h"

#include "base/assert.h"
#include "base/bits.h"
#include "base/utf8.h"

static void put_u16(struct buf *b, unsigned v)
{
    char bytes[2];
    store_be16(bytes, (uint16_t)v);
    buf_put(b, str_make(bytes, 2));
}

static void put_u32(struct buf *b, uint32_t v)
{
    char bytes[4];
    store_be32(bytes, v);
    buf_put(b, str_make(bytes, 4));
}

static void put_u64(struct buf *b, uint64_t v)
{
    char bytes[8];
    store_be64(bytes, v);
    buf_put(b, str_make(bytes, 8));
}

void javaser_put_header(struct buf *b) { buf_put(b, STR("\xac\xed\x00\x05")); }

void javaser_put_block(struct buf *b, struct str bytes)
{
    ASSERT(bytes.n <= 255);
    buf_char(b, 0x77);
    buf_char(b, (char)bytes.n);
    buf_put(b, bytes);
}

void javaser_put_null(struct buf *b) { buf_char(b, 0x70); }
void javaser_put_end(struct buf *b) { buf_char(b, 0x78); }

static void put_modified(struct buf *b, struct str s)
{
    while (s.n) {
        struct str at = s;
        uint32_t rune = utf8_next(&s);
        if (rune == 0) {
            buf_put(b, STR("\xc0\x80"));
        } else if (rune > 0xffff) {
            uint32_t high = 0xd800 + ((rune - 0x10000) >> 10), low = 0xdc00 + (rune & 0x3ff);
            const char pair[6] = {
                (char)0xed, (char)(0x80 | (high >> 6 & 0x3f)), (char)(0x80 | (high & 0x3f)),
                (char)0xed, (char)(0x80 | (low >> 6 & 0x3f)),  (char)(0x80 | (low & 0x3f)),
            };
            buf_put(b, str_make(pair, 6));
        } else if (rune == UTF8_BAD) {
            utf8_put(b, rune);
        } else {
            buf_put(b, str_first(at, at.n - s.n));
        }
    }
}

/* Bytes that the modified form takes: plain UTF-8 but for 0 and what is above U+FFFF. */
static size_t modified_size(struct str s)
{
    size_t n = 0;
    while (s.n) {
        uint32_t rune = utf8_next(&s);
        n += rune == 0 ? 2 : rune < 0x80 ? 1 : rune < 0x800 ? 2 : rune <= 0xffff ? 3 : 6;
    }
    return n;
}

void javaser_put_string(struct buf *b, struct str utf8)
{
    size_t n = modified_size(utf8);
    if (n <= 0xffff) {
        buf_char(b, 0x74);
        put_u16(b, (unsigned)n);
    } else {
        buf_char(b, 0x7c);
        put_u64(b, n);
    }
    put_modified(b, utf8);
}

static void put_class(struct buf *b, const char *class_name, uint64_t suid, unsigned flags)
{
    struct str name = str_c(class_name);
    buf_char(b, 0x72);
    put_u16(b, (unsigned)name.n);
    buf_put(b, name);
    put_u64(b, suid);
    buf_char(b, (char)flags);
    put_u16(b, 0);
    javaser_put_null(b); /* where the class could be loaded from: nowhere */
    javaser_put_end(b);
    javaser_put_null(b); /* no superclass that is serialised */
}

void javaser_put_object(struct buf *b, const char *class_name, uint64_t suid, unsigned flags)
{
    buf_char(b, 0x73);
    put_class(b, class_name, suid, flags);
}

void javaser_put_array(struct buf *b, const char *class_name, uint64_t suid, uint32_t n)
{
    buf_char(b, 0x75);
    put_class(b, class_name, suid, JAVASER_SERIALIZABLE);
    put_u32(b, n);
}
