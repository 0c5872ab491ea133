/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crc32c.h - CRC-32C (Castagnoli), the checksum of Prometheus' log, head chunks and blocks
 *
 * Source: RFC 3720 appendix B.4; polynomial 0x1EDC6F41, reflected.
 */
#ifndef CODEC_CRC32C_H
#define CODEC_CRC32C_H

#include "base/str.h"

/* Goes on from `crc` (0 to begin), so that crc32c(crc32c(0, a), b) is the checksum of a followed by b. */
uint32_t crc32c(uint32_t crc, struct str s);

#endif
