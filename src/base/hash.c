/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t hash_seed;

uint64_t hash_bytes(struct str s) { return XXH3_64bits_withSeed(s.p ? s.p : "", s.n, hash_seed); }

uint64_t hash_fnv1a(uint64_t h, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        h ^= (unsigned char)s.p[i];
        h *= UINT64_C(1099511628211);
    }
    return h;
}

uint64_t hash_xxh64(struct str s) { return XXH64(s.p ? s.p : "", s.n, 0); }
