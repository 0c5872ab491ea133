/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h - the only source of time: wall milliseconds and monotonic nanoseconds
 *
 * Engines never ask: they take `now`. Roles pass clock_now_ms().
 */
#ifndef IO_CLOCK_H
#define IO_CLOCK_H

#include <stdint.h>

int64_t clock_now_ms(void); /* wall, since 1970 */
int64_t clock_mono_ns(void);
int64_t clock_mono_ms(void);

#endif
