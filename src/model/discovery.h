/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discovery.h - where targets come from: the sections of the configuration, and what a discovery finds
 *
 * Shape:   scrape reads the sections (config_sd.c) and takes groups; discovery does what the sections say and gives groups.
 *          Neither knows the other: a role hands them over.
 * Owns:    nothing: sections are in the configuration's memory, groups in whoever's arena they were put.
 * Source:  Prometheus 3.14.0 discovery/{file,http,dns,kubernetes}, discovery/targetgroup.
 */
#ifndef MODEL_DISCOVERY_H
#define MODEL_DISCOVERY_H

#include "codec/yaml.h"
#include "io/http_config.h"
#include "model/labels.h"

/* --- what is found --- */

/* Each target's own labels, __address__ among them; `labels` are those of all. */
struct sd_group {
    struct str source; /* unique within a section */
    struct labels *targets;
    size_t n;
    struct labels labels;
};
struct sd_groups {
    struct sd_group *v;
    size_t n;
};

struct sd_groups sd_groups_copy(struct arena *a, struct sd_groups from);

/* --- what is configured --- */

enum sd_kind { SD_DNS, SD_FILE, SD_HTTP, SD_KUBERNETES, SD_KINDS }; /* by name */

static inline const char *sd_kind_name(enum sd_kind k)
{
    static const char *const NAMES[] = { "dns", "file", "http", "kubernetes" };
    return NAMES[k];
}

struct file_sd {
    struct yaml_strs files; /* the last segment may hold a star */
    int64_t refresh_ms;
};

struct http_sd {
    struct str url;
    int64_t refresh_ms;
    struct http_config http;
};

enum dns_sd_type { DNS_SD_SRV, DNS_SD_A, DNS_SD_AAAA, DNS_SD_MX, DNS_SD_NS, DNS_SD_TYPES };

struct dns_sd {
    struct yaml_strs names;
    int64_t refresh_ms, port;
    enum dns_sd_type type;
};

enum kube_role {
    KUBE_NONE,
    KUBE_POD,
    KUBE_SERVICE,
    KUBE_ENDPOINTS,
    KUBE_ENDPOINTSLICE,
    KUBE_NODE,
    KUBE_INGRESS,
    KUBE_ROLES,
};

struct kube_selector {
    enum kube_role role;
    struct str label, field;
};

struct kubernetes_sd {
    struct str api_server, kubeconfig_file;
    enum kube_role role;
    struct http_config http;
    struct yaml_strs namespaces;
    bool own_namespace, attach_node, attach_namespace, attach_deployment, attach_job,
        attach_cronjob;
    struct kube_selector *selectors;
    size_t selectors_n;
};

struct sd_config {
    enum sd_kind kind;
    struct str
        key; /* everything that was configured, in one text: the same text is the same discovery. Holds secrets. */
    const void *is; /* struct file_sd, http_sd... */
};
struct sd_configs {
    struct sd_config *v;
    size_t n;
};

#endif
