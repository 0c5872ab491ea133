/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refs.h - the data sources that a dashboard asks for, held against those that are there
 *
 * Shape:  the dashboard's JSON is walked with its places; each reference that means nothing here gives one note, at its
 *         first place, with how often it stands there. The page resolves by the same rule and shows a badge.
 * Rule:   by uid, by name, by the uid that a name gets; ${DS_X} by a variable of the dashboard, then by __inputs; null and
 *         "default" are the default source; what is left and speaks PromQL gets the default Prometheus.
 * Source: Grafana dashboards as exported; spec 1.5.
 */
#ifndef DASH_REFS_H
#define DASH_REFS_H

#include "dash/source.h"

struct dash_note {
    unsigned line, col;
    struct str text;
};

/* bytes: a dashboard that dashboard_read() took. Notes are in a. */
void dash_refs(struct arena *a, struct str bytes, const struct dash_provisioning *p,
               struct dash_note **out, size_t *n);

#endif
