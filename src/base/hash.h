/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash.h - hashes of bytes that live no longer than the process
 *
 * Seeded at start, so that a peer cannot choose names that collide. What goes to disk or wire has its
 * hash fixed by its format (XXH64, FNV-1a, MD5, CRC-32C) and is not from here.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/str.h"

extern uint64_t hash_seed; /* set once by app before threads start */

uint64_t hash_bytes(struct str s);

/* For integers as keys (refs, ids): a full-avalanche mix. */
static inline uint64_t hash_u64(uint64_t x)
{
    x ^= hash_seed;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93U;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93U;
    return x ^ (x >> 32);
}

/* FNV-1a 64 bits, as Alertmanager's and Prometheus' fingerprints want it. Begin with FNV1A_INIT. */
#define FNV1A_INIT UINT64_C(14695981039346656037)
uint64_t hash_fnv1a(uint64_t h, struct str s);

/* XXH64 with seed 0, as Prometheus hashes label sets. */
uint64_t hash_xxh64(struct str s);

#endif
