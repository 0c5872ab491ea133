/* SPDX-License-Identifier: Apache-2.0 */
/*
 * windows.h - the windows of a frame over a column of samples
 *
 * Series of one scrape target have the same times, so windows, and all that follows from times alone, are worked out
 * for the first of them and kept while the times stay the same.
 */
#ifndef PROMQL_WINDOWS_H
#define PROMQL_WINDOWS_H

#include "promql/eval_priv.h"
#include "promql/kernels.h"

struct windows {
    const struct frame *f;
    struct range range;
    int64_t *t; /* the times that lo and hi are for */
    size_t n, cap;
    uint32_t *lo, *hi; /* of each time of the frame: samples lo to hi, without hi */
    struct rate_terms *terms;
    double *factor; /* without regard to zero */
    double seconds; /* of a rate; 0: increase or delta */
    bool rates_cut;
};

void windows_init(struct query *q, struct windows *w, const struct frame *f, const struct range *r);
void windows_cut(struct query *q, struct windows *w, const struct column *c);

/* Where values fall, in a counter's column. */
struct resets {
    uint32_t *v;
    size_t n, cap;
};
void resets_list(struct query *q, struct resets *r, const struct column *c);

/* Each fills out, a value each time, for a whole column whose windows are cut. */
void windows_rate(struct query *q, struct windows *w, const struct column *c,
                  const struct resets *r, bool counter, bool rate, double *out);
void windows_extreme(struct windows *w, const struct column *c, bool max, uint32_t *room,
                     double *out);

#endif
