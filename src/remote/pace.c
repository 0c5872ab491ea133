/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/pace.h"

#include <math.h>

#define WEIGHT    0.2
#define TOLERANCE 0.3
#define CATCH_UP  0.05 /* of the backlog, a second */
#define LATE_S    10

static void smooth(double *rate, double now, bool begun)
{
    *rate = begun ? *rate + WEIGHT * (now - *rate) : now;
}

int64_t pace_tick(struct pace *p, const struct pace_tick *t, int64_t shards, int64_t min,
                  int64_t max, double *wish)
{
    smooth(&p->in, (double)t->in / t->seconds, p->begun);
    smooth(&p->out, (double)t->out / t->seconds, p->begun);
    smooth(&p->dropped, (double)t->dropped / t->seconds, p->begun);
    smooth(&p->took_s, (double)t->took_ms / 1000 / t->seconds, p->begun);
    p->begun = true;
    if (p->out <= 0) return shards;
    double kept = p->out / (p->dropped + p->out);
    double backlog = t->behind_s * p->in * kept;
    double want = p->took_s / p->out * (p->in * kept + CATCH_UP * backlog);
    *wish = want;
    want = ceil(want);
    double now = (double)shards;
    if (now * (1 - TOLERANCE) <= want && want <= now * (1 + TOLERANCE)) return shards;
    if (want < now && t->behind_s > LATE_S) return shards;
    if (want > (double)max) return max;
    return want < (double)min ? min : (int64_t)want;
}
