/* SPDX-License-Identifier: Apache-2.0 */
#include "tsdb/plan.h"

size_t plan_ranges(int64_t min, int64_t max, int64_t out[PLAN_LEVELS])
{
    size_t n = 0;
    out[n++] = min;
    while (n < PLAN_LEVELS && out[n - 1] <= max / 3) {
        out[n] = out[n - 1] * 3;
        n++;
    }
    return n;
}

/* Blocks that share time with one before them, and that one: the first such run. */
static size_t overlapping(const struct plan_block *v, size_t n, size_t *out)
{
    size_t count = 0;
    int64_t reached = n ? v[0].maxt : 0;
    for (size_t i = 1; i < n; i++) {
        if (v[i].mint < reached) {
            if (!count) out[count++] = i - 1;
            out[count++] = i;
        } else if (count) {
            break;
        }
        if (v[i].maxt > reached) reached = v[i].maxt;
    }
    return count;
}

static int64_t align_down(int64_t t, int64_t range)
{
    return (t / range - (t % range < 0)) * range;
}

/* The blocks from i on that lie in the stretch of `range` where v[i] begins; 0: it does not fit in. */
static size_t group_of(const struct plan_block *v, size_t n, size_t i, int64_t range)
{
    int64_t end = align_down(v[i].mint, range) + range;
    size_t count = 0;
    while (i + count < n && v[i + count].maxt <= end) count++;
    return count;
}

static bool any_failed(const struct plan_block *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (v[i].failed) return true;
    }
    return false;
}

/* A group that fills its stretch, or that nothing can be added to because newer blocks are there. */
static size_t level(const struct plan_block *v, size_t n, int64_t range, size_t *first)
{
    int64_t newest = v[n - 1].mint;
    for (size_t i = 0; i < n;) {
        size_t count = group_of(v, n, i, range);
        if (!count) {
            i++;
            continue;
        }
        int64_t span = v[i + count - 1].maxt - v[i].mint;
        bool ripe = span == range || v[i + count - 1].maxt <= newest;
        if (ripe && count > 1 && !any_failed(v + i, count)) {
            *first = i;
            return count;
        }
        i += count;
    }
    return 0;
}

size_t plan_compaction(const struct plan_block *v, size_t n, const int64_t *ranges, size_t ranges_n,
                       size_t *out)
{
    size_t count = overlapping(v, n, out);
    if (count) return any_failed(v, n) ? 0 : count;
    if (n < 2) return 0;
    n--; /* the newest one may still be needed for what comes beside it */
    for (size_t r = 1; r < ranges_n; r++) {
        size_t first;
        count = level(v, n, ranges[r], &first);
        for (size_t i = 0; i < count; i++) out[i] = first + i;
        if (count) return count;
    }
    for (size_t i = n; i-- > 0;) {
        if (v[i].maxt - v[i].mint < ranges[ranges_n / 2]) break;
        if ((double)v[i].tombstones / (double)(v[i].series + 1) <= 0.05) continue;
        out[0] = i;
        return 1;
    }
    return 0;
}

size_t plan_retention(const struct plan_block *v, size_t n, int64_t retention_ms, uint64_t bytes,
                      uint64_t used, bool *by_time, bool *by_size)
{
    size_t count = 0;
    int64_t newest = INT64_MIN;
    for (size_t i = 0; i < n; i++) {
        if (v[i].maxt > newest) newest = v[i].maxt;
    }
    for (size_t i = n; i-- > 0;) { /* newest first */
        by_time[i] = retention_ms > 0 && newest - v[i].maxt >= retention_ms;
        used += v[i].bytes;
        by_size[i] = bytes > 0 && used > bytes;
        count += by_time[i] || by_size[i];
    }
    return count;
}
