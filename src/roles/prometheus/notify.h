/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify.h - alerts on their way to every Alertmanager
 *
 * Shape:   one queue an Alertmanager; batches go out one after the other as POST /api/v2/alerts. A failed batch is counted and not
 *          sent again: what still fires is sent anew by the rules after --rules.alert.resend-delay. A full queue drops its oldest.
 * Threads: the notifier's send from any thread; notify_apply, notify_free on the collect loop (or before and after it runs); the
 *          rest from any thread.
 * Source:  Prometheus notifier/manager.go, sendloop.go.
 */
#ifndef ROLES_PROMETHEUS_NOTIFY_H
#define ROLES_PROMETHEUS_NOTIFY_H

#include "base/buf.h"
#include "model/notifier.h"
#include "scrape/config.h"

struct loop;
struct notify;

struct notify *notify_new(struct loop *l, size_t queue_capacity, size_t batch_size);

/* Cancels what is under way. */
void notify_free(struct notify *n);

struct notifier *notify_notifier(struct notify *n);

/* Makes the configuration's Alertmanagers the ones that are told; queues of those that stay are kept. */
/* What the discoveries of the configuration's alertmanagers[i] found; copied. */
void notify_found(struct notify *n, size_t i, struct sd_groups groups);
void notify_apply(struct notify *n, struct prom_config *c);

size_t notify_urls(struct notify *n, struct arena *a, struct str **urls);
void notify_write_metrics(struct notify *n, struct buf *b);

#endif
