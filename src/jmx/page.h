/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page.h - samples of all targets to a /metrics page
 *
 * Shape:  families sorted by name, samples by labels. As jmx_exporter 1.x: samples of one name that differ in nothing
 *         all get a label `_objectname`; what is then still equal is printed once (the original answers 500).
 * Source: jmx_exporter MatchedRuleToMetricSnapshotsConverter, client_java PrometheusTextFormatWriter.
 */
#ifndef JMX_PAGE_H
#define JMX_PAGE_H

#include "jmx/rules.h"

struct jmx_sample {
    const struct jmx_outcome *outcome;
    double value;
};

struct jmx_samples {
    struct jmx_sample *v;
    size_t n, cap;
};

struct jmx_page_options {
    bool compat_0x;
    const struct jmx_alias *aliases;
    size_t aliases_n;
};

/* Appends the page; samples are reordered. *dropped counts duplicates left out. */
void jmx_page_write(struct buf *b, struct jmx_sample *samples, size_t n,
                    const struct jmx_page_options *o, size_t *dropped);

#endif
