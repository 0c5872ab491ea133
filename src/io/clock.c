/* SPDX-License-Identifier: Apache-2.0 */
#include "io/clock.h"

#include <time.h>

static int64_t nanoseconds(clockid_t id)
{
    struct timespec ts;
    (void)clock_gettime(id, &ts); /* cannot fail for these clocks */
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t clock_now_ms(void) { return nanoseconds(CLOCK_REALTIME) / 1000000; }
int64_t clock_mono_ns(void) { return nanoseconds(CLOCK_MONOTONIC); }
int64_t clock_mono_ms(void) { return nanoseconds(CLOCK_MONOTONIC) / 1000000; }
