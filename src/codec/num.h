/* SPDX-License-Identifier: Apache-2.0 */
/*
 * num.h - numbers as Go's strconv reads and writes them, whatever the locale
 *
 * Shape:  writers append to a buf; readers want the whole string to be the number.
 * Source: Go strconv.ParseFloat and FormatFloat('f'|'g'|'e', -1, 64); digits by dragonbox, reading by fast_float.
 */
#ifndef CODEC_NUM_H
#define CODEC_NUM_H

#include "base/buf.h"
#include "base/err.h"

/*
 * Decimal or hexadecimal float, [+-]Inf, Infinity, NaN in any case; underscores between digits, as Go reads them.
 * Errors: ERR_SYNTAX not a number; ERR_RANGE overflow (*out is then the infinity, as Go's)
 */
enum err num_parse_f64(struct str s, double *out);

/* Optional sign, decimal digits only. Errors: ERR_SYNTAX, ERR_RANGE. */
enum err num_parse_i64(struct str s, int64_t *out);
enum err num_parse_u64(struct str s, uint64_t *out);

void num_write_i64(struct buf *b, int64_t v);
void num_write_u64(struct buf *b, uint64_t v);

/* Shortest digits that read back to v; NaN, +Inf, -Inf as Go spells them. */
void num_write_f(struct buf *b, double v); /* 'f': never an exponent; API and query values */
void num_write_g(struct buf *b, double v); /* 'g': exponent below 1e-4 or from 1e6; %v */
void num_write_e(struct buf *b, double v); /* 'e' */

/* As client_golang writes exposition values: 'g'. */
void num_write_expo(struct buf *b, double v);

/* Bare JSON number as Prometheus' jsonutil: 'f', but 'e' below 1e-6 or from 1e21. */
void num_write_json(struct buf *b, double v);

/* Fixed number of decimals, correctly rounded (printf's %.*f without the locale). */
void num_write_fixed(struct buf *b, double v, int decimals);

/* FormatFloat(v, verb, prec, 64) with verb 'e', 'f' or 'g'; prec -1 is the shortest. What %.4g and the like need. */
void num_write_go(struct buf *b, double v, char verb, int prec);

/* Milliseconds as seconds with three decimals or none: 1435781430.780, as the query API prints times. */
void num_write_ms(struct buf *b, int64_t ms);

#endif
