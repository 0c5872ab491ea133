/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expand.h - ${NAME} in values of alertmanager.yml
 *
 * Shape:  ${NAME}, ${NAME:-default}, ${NAME:?message}, ${file:/path}, ${cred:name}; NAME is [A-Z_][A-Z0-9_]*. $${ is a plain ${.
 *         A bare $NAME never is one. Done on scalars of the parsed tree, so a value can add neither YAML nor template code.
 * Differs: the original has none of this and refuses the URL `${SLACK_WEBHOOK_URL}`.
 */
#ifndef ALERT_EXPAND_H
#define ALERT_EXPAND_H

#include "base/arena.h"
#include "base/err.h"

enum expand_mode { EXPAND_AUTO, EXPAND_OFF, EXPAND_STRICT };

/* A variable's text ("NAME", "file:/path", "cred:name") in a, or {NULL, 0} where it is not set. */
typedef struct str expand_fn(void *ctx, struct arena *a, struct str name);

enum expand_where {
    EXPAND_WHOLE, /* only where the whole scalar is one reference */
    EXPAND_ANYWHERE,
    EXPAND_URL, /* anywhere; a value that is a whole URL takes the place of the whole scalar */
};

struct expanded {
    struct str text;
    bool changed;
    struct str unset; /* the first variable without a value; with its message, if it has one */
};

void expand(struct arena *a, struct str text, enum expand_where where, expand_fn *lookup, void *ctx,
            struct expanded *out);

#endif
