/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pace.h - how many shards a queue should have
 *
 * Source: Prometheus storage/remote/queue_manager.go calculateDesiredShards, ewma.go
 */
#ifndef REMOTE_PACE_H
#define REMOTE_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* What happened since the last call; rates are smoothed over calls, ten seconds apart. */
struct pace {
    double in, out, dropped, took_s; /* a second, smoothed */
    bool begun;
};

struct pace_tick {
    uint64_t in, out, dropped;
    int64_t took_ms;
    double seconds;
    double behind_s; /* newest sample seen less the newest one sent */
};

/* Takes the tick in. The wish is the exact figure for the metric; the result is the number to have, `shards` when it should stay. */
int64_t pace_tick(struct pace *p, const struct pace_tick *t, int64_t shards, int64_t min,
                  int64_t max, double *wish);

#endif
