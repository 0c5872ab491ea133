/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storage.h - how engines read and write series without knowing the store
 *
 * Three tables of functions: queryable (open a view), querier (read it), appender (one transaction).
 * tsdb implements them; scrape and rules append; promql and the API read. A test may implement them
 * over arrays.
 *
 * Threads: a queryable may be used from any thread; a querier or an appender by one thread at a time.
 */
#ifndef MODEL_STORAGE_H
#define MODEL_STORAGE_H

#include "base/arena.h"
#include "base/err.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "model/sample.h"

/* A series that a querier selected. Labels are borrowed from the store until querier_close(). */
struct series {
    struct labels lb;
    uint64_t ref;
    const void *impl; /* the store's own */
};

struct querier;

struct querier_ops {
    /*
     * All series that satisfy every matcher and may have samples in [mint, maxt], sorted by labels_cmp, in a's memory.
     * Errors: ERR_LIMIT over a budget, ERR_CORRUPT a damaged block (d says which)
     */
    enum err (*select)(struct querier *q, struct arena *a, const struct matcher *m, size_t n,
                       int64_t mint, int64_t maxt, struct series **out, size_t *out_n,
                       struct diag *d);

    /* Appends to c (not cleared) the samples with mint <= t <= maxt, ascending, staleness markers included. */
    enum err (*read)(struct querier *q, const struct series *s, int64_t mint, int64_t maxt,
                     struct column *c);

    /*
     * The newest sample with mint <= t <= maxt (a staleness marker counts); false when there is none. For a native
     * histogram `out` has its sum; read() has the whole.
     */
    bool (*last)(struct querier *q, const struct series *s, int64_t mint, int64_t maxt,
                 struct sample *out);

    /* Sorted, unique. Without matchers: over all series of the view. */
    enum err (*label_names)(struct querier *q, struct arena *a, const struct matcher *m, size_t n,
                            struct str **out, size_t *out_n, struct diag *d);
    enum err (*label_values)(struct querier *q, struct arena *a, struct str name,
                             const struct matcher *m, size_t n, struct str **out, size_t *out_n,
                             struct diag *d);
    void (*close)(struct querier *q);
};

struct querier {
    const struct querier_ops *ops;
};

struct queryable {
    const struct queryable_ops *ops;
};

struct queryable_ops {
    /* A view of [mint, maxt]: what was committed before is in it, what comes later is not. */
    enum err (*open)(struct queryable *qa, int64_t mint, int64_t maxt, struct querier **out,
                     struct diag *d);
};

struct append_result {
    size_t added, out_of_order, duplicate, out_of_bounds;
};

struct appender;

struct appender_ops {
    /* Finds or creates the series; lb is copied. Errors: ERR_LIMIT, ERR_SYNTAX (no or duplicate labels). */
    enum err (*series)(struct appender *ap, struct labels lb, uint64_t *ref, struct diag *d);

    /*
     * Stages one sample.
     * Errors: ERR_MISSING  the ref is gone (ask series() again)
     *         ERR_RANGE    out of order: t before the series' newest
     *         ERR_EXISTS   same t, another value
     *         ERR_LIMIT    out of bounds: older than the store accepts
     * The same t and value again is OK and adds nothing.
     */
    enum err (*add)(struct appender *ap, uint64_t ref, int64_t t, double v);

    /*
     * Makes all staged samples visible at once, after they are in the log (write(2) done).
     * Errors: ERR_SYS the log could not be written: nothing was added. Ends the appender either way.
     */
    enum err (*commit)(struct appender *ap, struct append_result *res, struct diag *d);
    void (*rollback)(struct appender *ap); /* ends the appender, adds nothing */

    /* add() for a native histogram, checked (histogram.h) and copied. */
    enum err (*add_histogram)(struct appender *ap, uint64_t ref, int64_t t,
                              const struct histogram *h);
};

struct appender {
    const struct appender_ops *ops;
};

struct appendable {
    const struct appendable_ops *ops;
};

struct appendable_ops {
    struct appender *(*open)(struct appendable *aa);
};

#endif
