/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ask.h - what a running Prometheus has: names of metrics, whether a selector finds series, values of a label
 *
 * Shape:   of the last hour. Each question is asked once.
 * Threads: one probe's own.
 */
#ifndef COMMANDS_DOCTOR_ASK_H
#define COMMANDS_DOCTOR_ASK_H

#include "base/arena.h"
#include "base/map.h"
#include "codec/json.h"
#include "promql/ast.h"

struct asker {
    struct str base; /* http://127.0.0.1:9090 */
    struct arena *a;
    struct str *names; /* of metrics */
    size_t names_n;
    struct map name_set, known; /* known: selector's text -> "y" or "n" */
    int64_t end_ms;             /* monotonic: no question after it */
    size_t asked, unasked;
};

/* Errors: http_fetch's; ERR_SYNTAX the answer is not Prometheus' */
enum err asker_open(struct asker *k, struct diag *d);
void asker_done(struct asker *k);

/* data of the answer to GET base/path. Errors: as above */
enum err asker_get(struct asker *k, struct str path, const struct json **data, struct diag *d);

bool asker_has_name(const struct asker *k, struct str name);

/* True also when nobody knows: no time left, no answer. */
bool asker_has_series(struct asker *k, struct str selector);

/* Values that a label has among the series of a selector. */
size_t asker_values(struct asker *k, struct str label, struct str selector, struct str **out);

#endif
