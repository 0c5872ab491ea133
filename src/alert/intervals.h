/* SPDX-License-Identifier: Apache-2.0 */
/*
 * intervals.h - named time intervals: when routes are muted or active
 *
 * Shape:   one element of a list is a conjunction (times, weekdays, days of month, months, years); the list a disjunction.
 *          An empty part does not restrict. Ends of `times` are exclusive, of everything else inclusive.
 * Source:  Alertmanager configuration documentation, time_interval_spec; texts of 0.34.
 */
#ifndef ALERT_INTERVALS_H
#define ALERT_INTERVALS_H

#include "base/arena.h"
#include "codec/yaml.h"

struct zone;

struct interval_range {
    int begin, end;
};
struct interval_ranges {
    struct interval_range *v;
    size_t n;
};

struct interval {
    struct interval_ranges times; /* minutes of the day */
    struct interval_ranges weekdays, days, months, years;
    const struct zone *zone; /* NULL: UTC */
    const struct yaml_node *at;
};

struct interval_set {
    struct str name;
    struct interval *v;
    size_t n;
};

/* Table of one element, for lists in a configuration. Zones are read from the system's files. */
extern const struct yaml_table interval_table;

bool interval_contains(const struct interval *v, int64_t now_ms);
bool interval_set_contains(const struct interval_set *s, int64_t now_ms);

/* ---- zones ---- */
/* TZif bytes (RFC 8536) into a zone. Errors: ERR_SYNTAX, ERR_SHORT. */
enum err zone_parse(struct arena *a, struct str bytes, struct zone **out);
/* By name, from $ZONEINFO or /usr/share/zoneinfo. Errors: ERR_MISSING "unknown time zone X". */
enum err zone_open(struct arena *a, struct str name, struct zone **out, struct diag *d);
/* Seconds east of UTC and the abbreviation ("CET") at an instant. */
int zone_offset(const struct zone *z, int64_t s, struct str *abbreviation);

#endif
