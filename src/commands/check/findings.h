/* SPDX-License-Identifier: Apache-2.0 */
/*
 * findings.h - what a check has to say: file, line, column, a sentence
 *
 * Shape: a list in the order of finding; texts are in the arena of the check.
 */
#ifndef COMMANDS_CHECK_FINDINGS_H
#define COMMANDS_CHECK_FINDINGS_H

#include "base/err.h"
#include "base/vec.h"

enum severity { FINDING_WARNING, FINDING_ERROR };

struct finding {
    enum severity severity;
    struct str file;
    unsigned line, col; /* 0: no place */
    struct str text;
};

struct findings {
    struct arena *a;
    VEC(struct finding) v;
    size_t errors, warnings;
};

void finding_add(struct findings *f, enum severity s, struct str file, unsigned line, unsigned col,
                 struct str text);

/* d as an error of the file. */
void finding_of(struct findings *f, struct str file, const struct diag *d);

/*
 * "file:3:5: error: sentence", then the line itself with a mark below the column. text: of the file, or empty.
 * Control bytes of the line are shown as dots, and a long line only around the place.
 */
struct buf;
void finding_write(struct buf *b, const struct finding *f, struct str text);

#endif
