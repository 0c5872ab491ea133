/* SPDX-License-Identifier: Apache-2.0 */
/*
 * goquote.h - strings as Go quotes them: in error texts (%q), label sets and printed expressions
 *
 * Source: Go strconv.Quote; Unicode general categories for what prints.
 */
#ifndef CODEC_GOQUOTE_H
#define CODEC_GOQUOTE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

void go_quote(struct buf *b, struct str s);

/* strconv.Unquote over "...", `...` and 'x'; false where it fails. The result is in a. */
bool go_unquote(struct arena *a, struct str quoted, struct str *out);

/* d says `before` + s quoted + `after`; returns e. The whole text is cut to what a diag holds. */
enum err diag_quoted(struct diag *d, enum err e, const char *before, struct str s,
                     const char *after);

#endif
