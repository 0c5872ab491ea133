/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bits.h - integers of the wire and the disk, whatever their alignment
 */
#ifndef BASE_BITS_H
#define BASE_BITS_H

#include <stdint.h>
#include <string.h>

#define BITS_DEFINE(type, n, big, little)                                                          \
    static inline type load_be##n(const void *p)                                                   \
    {                                                                                              \
        type v;                                                                                    \
        memcpy(&v, p, sizeof(v));                                                                  \
        return big(v);                                                                             \
    }                                                                                              \
    static inline type load_le##n(const void *p)                                                   \
    {                                                                                              \
        type v;                                                                                    \
        memcpy(&v, p, sizeof(v));                                                                  \
        return little(v);                                                                          \
    }                                                                                              \
    static inline void store_be##n(void *p, type v)                                                \
    {                                                                                              \
        v = big(v);                                                                                \
        memcpy(p, &v, sizeof(v));                                                                  \
    }                                                                                              \
    static inline void store_le##n(void *p, type v)                                                \
    {                                                                                              \
        v = little(v);                                                                             \
        memcpy(p, &v, sizeof(v));                                                                  \
    }

#define BITS_SAME(v) (v)
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
BITS_DEFINE(uint16_t, 16, __builtin_bswap16, BITS_SAME)
BITS_DEFINE(uint32_t, 32, __builtin_bswap32, BITS_SAME)
BITS_DEFINE(uint64_t, 64, __builtin_bswap64, BITS_SAME)
#else
BITS_DEFINE(uint16_t, 16, BITS_SAME, __builtin_bswap16)
BITS_DEFINE(uint32_t, 32, BITS_SAME, __builtin_bswap32)
BITS_DEFINE(uint64_t, 64, BITS_SAME, __builtin_bswap64)
#endif

/* A double as its bits, and back: NaN payloads (the staleness marker) survive only this way. */
static inline uint64_t bits_of_double(double v)
{
    uint64_t u;
    memcpy(&u, &v, sizeof(u));
    return u;
}
static inline double double_of_bits(uint64_t u)
{
    double v;
    memcpy(&v, &u, sizeof(v));
    return v;
}

#endif
