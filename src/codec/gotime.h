/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gotime.h - durations and times in the originals' spellings
 *
 * Source: prometheus/common model.ParseDuration (1y2w3d4h5m6s7ms), Go time.ParseDuration (1h2m3.5s), RFC 3339.
 */
#ifndef CODEC_GOTIME_H
#define CODEC_GOTIME_H

#include "base/buf.h"
#include "base/err.h"

/* Prometheus: "0" or units in order, each once. Texts of the original in d. */
enum err duration_parse(struct str s, int64_t *ms, struct diag *d);
enum err duration_parse_signed(struct str s, int64_t *ms,
                               struct diag *d); /* a minus may stand in front */
void duration_write(struct buf *b, int64_t ms); /* 1d, 1h30m, 0s */

/* Go: sign, fractions, ns us ms s m h. */
enum err go_duration_parse(struct str s, int64_t *ns, struct diag *d);
void go_duration_write(struct buf *b, int64_t ns); /* 1h30m0s, 1.5s, 0s */

/* Bytes: 512MB, 1GiB, 10KB (units of 1024, as units.Base2Bytes). */
enum err size_parse(struct str s, int64_t *bytes, struct diag *d);
void size_write(struct buf *b, int64_t bytes);

struct civil {
    int64_t year;
    int month, day, hour, minute, second; /* month and day from 1 */
    int weekday;                          /* 0 is Sunday */
    int yearday;                          /* 1 is 1 January */
};
struct civil civil_of_ms(int64_t ms); /* UTC */
int64_t ms_of_civil(const struct civil *c, int ms);

/* 2006-01-02T15:04:05.999Z07:00; fraction of any length. Errors: ERR_SYNTAX. */
enum err rfc3339_parse(struct str s, int64_t *ms);
void rfc3339_write(
    struct buf *b,
    int64_t
        ms); /* UTC, 2026-11-24T03:12:04.123Z, trailing zeros of the fraction cut as Go's RFC3339Nano */

/* Time parameter of the query API: seconds with fraction, or RFC 3339. */
enum err api_time_parse(struct str s, int64_t *ms);

/* Go's Time.Format for the reference layout (templates). UTC. */
void go_time_format(struct buf *b, int64_t ms, struct str layout);

#endif
