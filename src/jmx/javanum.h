/* SPDX-License-Identifier: Apache-2.0 */
/*
 * javanum.h - numbers as Java prints and reads them
 *
 * Source: Double.toString (shortest digits, JDK 19 and later), Float.toString, Double.valueOf.
 */
#ifndef JMX_JAVANUM_H
#define JMX_JAVANUM_H

#include "base/buf.h"
#include "base/err.h"

void javanum_write_double(struct buf *b, double v); /* 1.0, 1.0E10, NaN, Infinity */
void javanum_write_float(struct buf *b, float v);
void javanum_write_sample(struct buf *b, double v); /* as above, but +Inf and -Inf */

/* White space around, sign, NaN, Infinity, decimal or hexadecimal, a trailing d D f F. Errors: ERR_SYNTAX. */
enum err javanum_parse_double(struct str s, double *out);

#endif
