/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/crc32c.h"

#include "base/bits.h"

#if defined(__x86_64__)
#include <nmmintrin.h>

/* Eight bytes an instruction. Every x86-64-v2 machine has it; asked at run time because the build is baseline. */
__attribute__((target("sse4.2"))) static uint32_t crc_hardware(uint32_t crc, struct str s)
{
    uint64_t wide = crc;
    size_t i = 0;
    for (; i + 8 <= s.n; i += 8) wide = _mm_crc32_u64(wide, load_le64(s.p + i));
    crc = (uint32_t)wide;
    for (; i < s.n; i++) crc = _mm_crc32_u8(crc, (unsigned char)s.p[i]);
    return crc;
}

static bool has_hardware(void) { return __builtin_cpu_supports("sse4.2") != 0; }
#else
static uint32_t crc_hardware(uint32_t crc, struct str s)
{
    (void)s;
    return crc;
}
static bool has_hardware(void) { return false; }
#endif

/* One bit at a time over a nibble table: 16 entries, for machines without the instruction. */
static const uint32_t NIBBLE[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

static uint32_t crc_table(uint32_t crc, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        crc ^= (unsigned char)s.p[i];
        crc = (crc >> 4) ^ NIBBLE[crc & 15];
        crc = (crc >> 4) ^ NIBBLE[crc & 15];
    }
    return crc;
}

uint32_t crc32c(uint32_t crc, struct str s)
{
    return ~(has_hardware() ? crc_hardware(~crc, s) : crc_table(~crc, s));
}
