/* SPDX-License-Identifier: Apache-2.0 */
/*
 * series.h - from what stands on a page to the labels that are stored: target labels, relabelling, limits
 *
 * Shape:  pure; everything is in the arena given.
 * Source: scrape/scrape.go mutateSampleLabels, verifyLabelLimits, append (order and texts).
 */
#ifndef SCRAPE_SERIES_H
#define SCRAPE_SERIES_H

#include "codec/expo_read.h"
#include "scrape/config.h"

/*
 * *out is empty where metric_relabel_configs drop the series.
 * Errors: ERR_SYNTAX the scrape fails: no name left, a name that the scheme forbids; ERR_LIMIT a label limit
 */
enum err series_labels(struct arena *a, const struct scrape_config *c, struct labels target,
                       const struct expo_entry *e, struct labels *out, struct diag *d);

#endif
