/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kube_targets.h - from a cluster's objects to target groups, role by role
 *
 * Shape:  pure; everything is in the arena given.
 * Source: Prometheus 3.14.0 discovery/kubernetes/{pod,service,endpoints,endpointslice,node,ingress}.go (labels, order).
 */
#ifndef DISCOVERY_KUBE_TARGETS_H
#define DISCOVERY_KUBE_TARGETS_H

#include "discovery/kube_objects.h"
#include "discovery/provider.h"

void kube_targets(struct arena *a, const struct kubernetes_sd *c, const struct kube_objects *o,
                  struct group_vec *out);

#endif
