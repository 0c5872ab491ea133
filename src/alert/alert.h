/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alert.h - one alert, and what of a group goes into one notification
 *
 * Shape:   an alert is one block with all its texts, immutable, counted; a newer version is a new block. Groups, the store and
 *          notifications under way share it. Times are ms since 1970.
 * Threads: counts are atomic; everything else never changes.
 */
#ifndef ALERT_ALERT_H
#define ALERT_ALERT_H

#include "model/labels.h"

#include <stdatomic.h>

struct alert_config;
struct integration;
struct route;

struct alert {
    _Atomic(unsigned) refs;
    uint64_t fingerprint;
    struct labels labels, annotations;
    struct str generator_url;
    int64_t starts_at, ends_at, updated_at;
    bool timeout; /* ends_at was ours: resolve_timeout after the last sight of it */
};

/* Copies everything. */
struct alert *alert_make(const struct alert *from);
struct alert *alert_ref(struct alert *a);
void alert_unref(struct alert *a); /* NULL is fine */

static inline bool alert_resolved(const struct alert *a, int64_t now)
{
    return a->ends_at && a->ends_at <= now;
}

/* Of two versions of one alert, the older and the younger by updated_at: what is kept. */
struct alert *alert_merge(const struct alert *older, const struct alert *younger, int64_t now);

/* xxhash64 over names and values, as the notification log identifies alerts. */
uint64_t alert_log_hash(struct labels lb);

/* One alert as a notification shows it: the state at the flush's time. */
struct notified {
    struct alert *alert;
    bool resolved;
    uint64_t hash; /* alert_log_hash */
};

/* What is sent for one group to one integration; everything needed to render it, kept alive by counts. */
struct notification {
    struct alert_config *config;
    const struct route *route;
    const struct integration *integration;
    struct labels group_labels; /* the texts live with the notification */
    struct str group_key, external_url;
    const char *reason; /* notification_reason */
    struct notified *v;
    size_t n;
    int64_t now;
};

#endif
