/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kube_access.h - where a cluster's API server is and how to speak to it
 *
 * Shape:  from api_server with the section's HTTP options, from a kubeconfig, or from what a pod finds in its own file system.
 *         Tokens and certificates named as files are read at every use.
 * Source: k8s.io/client-go rest.InClusterConfig, tools/clientcmd/api/v1 (keys).
 */
#ifndef DISCOVERY_KUBE_ACCESS_H
#define DISCOVERY_KUBE_ACCESS_H

#include "model/discovery.h"

struct kube_access {
    struct str url; /* without a slash at the end */
    struct http_config http;
    struct str own_namespace; /* of the pod; "" outside a cluster */
};

/* Errors: ERR_MISSING not in a cluster, no such file; ERR_SYNTAX, ERR_UNSUPPORTED in a kubeconfig */
enum err kube_access_of(struct arena *a, const struct kubernetes_sd *c, struct kube_access *out,
                        struct diag *d);

/* dir: where relative paths of it start. */
enum err kubeconfig_parse(struct arena *a, struct str text, struct str dir, struct kube_access *out,
                          struct diag *d);

/* dir: /var/run/secrets/kubernetes.io/serviceaccount. */
enum err kube_in_cluster(struct arena *a, struct str dir, struct str host, struct str port,
                         struct kube_access *out, struct diag *d);

#endif
