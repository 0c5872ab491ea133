/* SPDX-License-Identifier: Apache-2.0 */
#include "app/stamp.h"

#include "base/hash.h"
#include "base/log.h"
#include "io/clock.h"

#include <stdio.h>
#include <sys/random.h>
#include <time.h>

/* 2026-11-24T03:12:04.123Z, as the originals' slog writes it. */
static size_t stamp(char *to, size_t room)
{
    int64_t ms = clock_now_ms();
    time_t s = (time_t)(ms / 1000);
    struct tm tm;
    (void)gmtime_r(&s, &tm);
    int n = snprintf(to, room, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
                     tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(ms % 1000));
    return n > 0 && (size_t)n < room ? (size_t)n : 0;
}

void stamp_install(void)
{
    log_stamp = stamp;
    (void)!getrandom(&hash_seed, sizeof(hash_seed),
                     0); /* a zero seed only makes collisions guessable */
}
