/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret.h - a string that no log line, URL, metric or answer may hold
 *
 * A type of its own, so that kv() and str functions refuse it at compile time; whoever must use the
 * text (a request header, a login) says so by secret_reveal().
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/str.h"

struct secret {
    struct str text_;
};

static inline struct secret secret_of(struct str s) { return (struct secret){ s }; }
static inline struct str secret_reveal(struct secret s) { return s.text_; }
static inline bool secret_set(struct secret s) { return s.text_.n > 0; }

/* What a configuration printer shows in its place. */
#define SECRET_SHOWN STR("<secret>")

#endif
