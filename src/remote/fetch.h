/* SPDX-License-Identifier: Apache-2.0 */
/* fetch.h - one remote read: asks, and decodes what comes back in either form. Only reader.c includes this. */
#ifndef REMOTE_FETCH_H
#define REMOTE_FETCH_H

#include "remote/options.h"

/* Samples of one series as a server gave them, ascending. */
struct fetched {
    struct labels lb;
    int64_t *t;
    double *v;
    size_t n;
};

/* Blocks. All memory is a's; series in labels_cmp's order. */
enum err remote_fetch(const struct remote_read_options *o, struct str agent, struct arena *a,
                      const struct matcher *m, size_t n, int64_t mint, int64_t maxt,
                      struct fetched **out, size_t *out_n, struct diag *d);

/* What a response body of that content type says. added: external labels to take off. */
enum err remote_decode(struct arena *a, struct str content_type, struct str body, size_t frame_max,
                       struct labels added, struct fetched **out, size_t *out_n, struct diag *d);

#endif
