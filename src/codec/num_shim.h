/* SPDX-License-Identifier: Apache-2.0 */
/*
 * num_shim.h - the two C++ libraries behind num.h, as C functions
 *
 * Compiled without exceptions and RTTI, so that the binary needs no libstdc++.
 */
#ifndef CODEC_NUM_SHIM_H
#define CODEC_NUM_SHIM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Reads the longest decimal number at first; returns where it ended, NULL when there is none. */
const char *num_shim_parse(const char *first, const char *last, double *out);

/* v is finite and above zero: v reads back from digits * 10^exponent, and no fewer digits do. */
void num_shim_digits(double v, uint64_t *digits, int *exponent);

#ifdef __cplusplus
}
#endif

#endif
