/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h - what was found, for a person at 3 a.m. and for programs
 *
 * Shape:  worst first; what is well takes one line a check. The JSON is the page's, too: see README, "JSON".
 */
#ifndef COMMANDS_DOCTOR_REPORT_H
#define COMMANDS_DOCTOR_REPORT_H

#include "commands/doctor/exam.h"

struct report_style {
    bool colours;
    size_t width; /* columns */
};

/* Puts findings in the order in which they are to be read. Call it once, when all is said. */
void report_order(struct exam *x);

void report_text(struct buf *b, const struct exam *x, const struct report_style *style,
                 int64_t took_ms);
void report_json(struct buf *b, const struct exam *x, int64_t took_ms);

int report_exit_code(const struct exam *x);

/* Breaks text into lines of at most width characters (UTF-8), each behind `indent` spaces. */
void report_wrap(struct buf *b, struct str text, size_t indent, size_t width);

/* Every place where a secret stands gets <secret> instead. */
void report_redact(struct buf *b, const struct str *secrets, size_t n);

#endif
