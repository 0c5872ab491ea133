/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notifier.h - where firing and resolved alerts go
 *
 * rules calls it after each evaluation; the prometheus role implements it with a queue that posts to
 * every Alertmanager's /api/v2/alerts. Nothing here blocks: send copies what it needs.
 */
#ifndef MODEL_NOTIFIER_H
#define MODEL_NOTIFIER_H

#include "model/labels.h"

struct notice {
    struct labels labels, annotations;
    int64_t starts_at, ends_at; /* ms; ends_at in the past: resolved; 0: not set */
    struct str generator_url;
};

struct notifier;

struct notifier_ops {
    void (*send)(struct notifier *nf, const struct notice *v, size_t n);
};

struct notifier {
    const struct notifier_ops *ops;
};

#endif
