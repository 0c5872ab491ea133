/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target.h - from static_configs and what was discovered to targets: labels before and after relabelling, the URL
 *
 * Shape:  a pure function of one job's configuration; everything is in the arena given.
 * Source: scrape/target.go PopulateLabels, populateDiscoveredLabels, URL (order and texts).
 */
#ifndef SCRAPE_TARGET_H
#define SCRAPE_TARGET_H

#include "scrape/config.h"

struct target {
    struct labels discovered, labels;
    struct str url;
    int64_t interval_ms, timeout_ms;
    uint64_t hash; /* of labels and URL: identity within a job, and the place in the interval */
};

/* A target that cannot be: labels and why. */
struct bad_target {
    struct labels discovered;
    struct str why;
};

struct target_list {
    struct target *v;
    struct labels *dropped; /* discovered labels of what relabelling dropped */
    struct bad_target *bad;
    size_t n, dropped_n, bad_n;
};

/* A target's address for an error's text: without the name and password that a URL may bring. */
struct str target_shown(struct str address);

/* found: what discoveries say, after the targets of static_configs. */
void targets_of(struct arena *a, const struct scrape_config *c, struct sd_groups found,
                struct target_list *out);

#endif
