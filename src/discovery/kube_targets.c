/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery/kube_targets.h"

#include <stdlib.h>

#define META "__meta_kubernetes_"

/* Labels of a group or a target under construction. */
struct set {
    struct labels_builder b;
    struct arena *a;
};

static struct set set_of(struct arena *a)
{
    struct set s = { .a = a };
    labels_builder_init(&s.b, a, (struct labels){ 0 });
    return s;
}

/* name is a literal behind META. */
#define put(s, name, value) labels_set(&(s)->b, STR(META name), (value))

static struct labels built(struct set *s) { return labels_dup(s->a, labels_build(&s->b)); }

static struct str text(const struct json *v, const char *key)
{
    return json_str(json_get(v, key), STR(""));
}

static int64_t whole(const struct json *v)
{
    double n = json_num(v, 0);
    return n >= -9e15 && n <= 9e15 ? (int64_t)n : 0;
}

static struct str number(struct arena *a, const struct json *v)
{
    return arena_fmt(a, "%lld", (long long)whole(v));
}

static struct str lower(struct arena *a, struct str s)
{
    char *p = arena_raw(a, s.n + 1);
    for (size_t i = 0; i < s.n; i++) {
        p[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i];
    }
    return str_make(p, s.n);
}

static struct str sanitized(struct arena *a, struct str s)
{
    char *p = arena_raw(a, s.n + 1);
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        p[i] = good ? c : '_';
    }
    return str_make(p, s.n);
}

static struct str host_port(struct arena *a, struct str host, const struct json *port)
{
    bool v6 = str_find_char(host, ':') != STR_NONE;
    return arena_fmt(a, "%s" STR_FMT "%s:%lld", v6 ? "[" : "", STR_ARG(host), v6 ? "]" : "",
                     (long long)whole(port));
}

static size_t items_of(const struct json *v) { return v && v->kind == JSON_ARRAY ? v->n : 0; }

/* --- metadata --- */

static void put_map(struct set *s, const char *role, const char *what, const struct json *map)
{
    if (!map || map->kind != JSON_OBJECT) return;
    for (size_t i = 0; i < map->n; i++) {
        struct str name = sanitized(s->a, map->members[i].key);
        labels_set(&s->b, arena_fmt(s->a, META "%s_%s_" STR_FMT, role, what, STR_ARG(name)),
                   json_str(&map->members[i].value, STR("")));
        labels_set(&s->b, arena_fmt(s->a, META "%s_%spresent_" STR_FMT, role, what, STR_ARG(name)),
                   STR("true"));
    }
}

/* Name, labels, annotations. */
static void put_meta(struct set *s, const char *role, const struct json *object)
{
    const struct json *meta = json_get(object, "metadata");
    labels_set(&s->b, arena_fmt(s->a, META "%s_name", role), text(meta, "name"));
    put_map(s, role, "label", json_get(meta, "labels"));
    put_map(s, role, "annotation", json_get(meta, "annotations"));
}

static struct str namespace_of(const struct json *object)
{
    return text(json_get(object, "metadata"), "namespace");
}

static void put_service(struct set *s, const struct json *service)
{
    put(s, "namespace", namespace_of(service));
    put_meta(s, "service", service);
}

static void attach_namespace(struct set *s, const struct kubernetes_sd *c,
                             const struct kube_objects *o, struct str ns)
{
    if (!c->attach_namespace) return;
    const struct json *meta = json_get(kube_objects_get(o, KIND_NAMESPACE, STR(""), ns),
                                       "metadata");
    put_map(s, "namespace", "label", json_get(meta, "labels"));
    put_map(s, "namespace", "annotation", json_get(meta, "annotations"));
}

static void attach_node(struct set *s, const struct kubernetes_sd *c, const struct kube_objects *o,
                        struct str name)
{
    if (!c->attach_node || !name.n) return;
    const struct json *node = kube_objects_get(o, KIND_NODE, STR(""), name);
    if (node) put_meta(s, "node", node);
}

static struct sd_group *add_group(struct arena *a, struct group_vec *out, const char *kind,
                                  const struct kube_object *k)
{
    struct sd_group *g = vec_push(a, &out->v);
    g->source = arena_fmt(a, "%s/" STR_FMT, kind, STR_ARG(k->key));
    return g;
}

struct target_vec {
    VEC(struct labels) v;
};

static void take_targets(struct sd_group *g, const struct target_vec *t)
{
    g->targets = t->v.v;
    g->n = t->v.n;
}

/* --- pods --- */

static struct str pod_ready(struct arena *a, const struct json *pod)
{
    const struct json *all = json_get(json_get(pod, "status"), "conditions");
    for (size_t i = 0; i < items_of(all); i++) {
        if (!str_eqc(text(&all->items[i], "type"), "Ready")) continue;
        return lower(a, text(&all->items[i], "status"));
    }
    return STR("unknown");
}

static const struct json *controller_of(const struct json *object)
{
    const struct json *all = json_get(json_get(object, "metadata"), "ownerReferences");
    for (size_t i = 0; i < items_of(all); i++) {
        if (json_bool(json_get(&all->items[i], "controller"), false)) return &all->items[i];
    }
    return NULL;
}

static void put_pod(struct set *s, const struct json *pod)
{
    const struct json *status = json_get(pod, "status"), *owner = controller_of(pod);
    put(s, "pod_ip", text(status, "podIP"));
    put(s, "pod_ready", pod_ready(s->a, pod));
    put(s, "pod_phase", text(status, "phase"));
    put(s, "pod_node_name", text(json_get(pod, "spec"), "nodeName"));
    put(s, "pod_host_ip", text(status, "hostIP"));
    put(s, "pod_uid", text(json_get(pod, "metadata"), "uid"));
    put_meta(s, "pod", pod);
    put(s, "pod_controller_kind", text(owner, "kind"));
    put(s, "pod_controller_name", text(owner, "name"));
}

/* Containers, then those that only run before them. */
struct container {
    const struct json *v;
    bool init;
};

static struct container *containers_of(struct arena *a, const struct json *pod, size_t *n)
{
    const struct json *spec = json_get(pod, "spec"), *main = json_get(spec, "containers"),
                      *init = json_get(spec, "initContainers");
    struct container *all = arena_array(a, items_of(main) + items_of(init), sizeof(*all));
    *n = 0;
    for (size_t i = 0; i < items_of(main); i++) {
        all[(*n)++] = (struct container){ &main->items[i], false };
    }
    for (size_t i = 0; i < items_of(init); i++) {
        all[(*n)++] = (struct container){ &init->items[i], true };
    }
    return all;
}

static struct str container_id(const struct json *pod, const struct container *c)
{
    const struct json *all = json_get(json_get(pod, "status"),
                                      c->init ? "initContainerStatuses" : "containerStatuses");
    for (size_t i = 0; i < items_of(all); i++) {
        if (str_eq(text(&all->items[i], "name"), text(c->v, "name"))) {
            return text(&all->items[i], "containerID");
        }
    }
    return STR("");
}

static void put_container(struct set *s, const struct container *c)
{
    put(s, "pod_container_name", text(c->v, "name"));
    put(s, "pod_container_image", text(c->v, "image"));
    put(s, "pod_container_init", c->init ? STR("true") : STR("false"));
}

static void put_container_port(struct set *s, const struct json *port)
{
    put(s, "pod_container_port_name", text(port, "name"));
    put(s, "pod_container_port_number", number(s->a, json_get(port, "containerPort")));
    put(s, "pod_container_port_protocol", text(port, "protocol"));
}

/* One target a port; one without a port where the container names none. */
static void pod_container(struct arena *a, const struct json *pod, const struct container *c,
                          struct target_vec *out)
{
    const struct json *ports = json_get(c->v, "ports");
    struct str ip = text(json_get(pod, "status"), "podIP");
    for (size_t i = 0; i < items_of(ports) || (i == 0 && !items_of(ports)); i++) {
        struct set s = set_of(a);
        put_container(&s, c);
        put(&s, "pod_container_id", container_id(pod, c));
        if (items_of(ports)) {
            put_container_port(&s, &ports->items[i]);
            ip = host_port(a, text(json_get(pod, "status"), "podIP"),
                           json_get(&ports->items[i], "containerPort"));
        }
        labels_set(&s.b, STR("__address__"), ip);
        *vec_push(a, &out->v) = built(&s);
    }
}

static void pod_group(struct arena *a, const struct kubernetes_sd *c, const struct kube_objects *o,
                      const struct kube_object *k, struct group_vec *out)
{
    const struct json *pod = k->v;
    struct sd_group *g = add_group(a, out, "pod", k);
    struct target_vec targets = { 0 };
    struct set s = set_of(a);
    size_t n;
    if (!text(json_get(pod, "status"), "podIP").n) return; /* starting, or evicted */
    put_pod(&s, pod);
    put(&s, "namespace", namespace_of(pod));
    attach_node(&s, c, o, text(json_get(pod, "spec"), "nodeName"));
    attach_namespace(&s, c, o, namespace_of(pod));
    struct container *all = containers_of(a, pod, &n);
    for (size_t i = 0; i < n; i++) {
        pod_container(a, pod, &all[i], &targets);
    }
    g->labels = built(&s);
    take_targets(g, &targets);
}

/* --- services --- */

static struct labels service_target(struct arena *a, const struct json *service,
                                    const struct json *port)
{
    struct set s = set_of(a);
    const struct json *spec = json_get(service, "spec");
    struct str type = text(spec, "type");
    struct str host = arena_fmt(a, STR_FMT "." STR_FMT ".svc",
                                STR_ARG(text(json_get(service, "metadata"), "name")),
                                STR_ARG(namespace_of(service)));
    labels_set(&s.b, STR("__address__"), host_port(a, host, json_get(port, "port")));
    put(&s, "service_port_name", text(port, "name"));
    put(&s, "service_port_number", number(a, json_get(port, "port")));
    put(&s, "service_port_protocol", text(port, "protocol"));
    put(&s, "service_type", type);
    if (str_eqc(type, "ExternalName")) {
        put(&s, "service_external_name", text(spec, "externalName"));
    } else {
        put(&s, "service_cluster_ip", text(spec, "clusterIP"));
    }
    if (str_eqc(type, "LoadBalancer")) {
        put(&s, "service_loadbalancer_ip", text(spec, "loadBalancerIP"));
    }
    return built(&s);
}

static void service_group(struct arena *a, const struct kubernetes_sd *c,
                          const struct kube_objects *o, const struct kube_object *k,
                          struct group_vec *out)
{
    struct sd_group *g = add_group(a, out, "svc", k);
    struct target_vec targets = { 0 };
    struct set s = set_of(a);
    const struct json *ports = json_get(json_get(k->v, "spec"), "ports");
    put_service(&s, k->v);
    attach_namespace(&s, c, o, namespace_of(k->v));
    for (size_t i = 0; i < items_of(ports); i++) {
        *vec_push(a, &targets.v) = service_target(a, k->v, &ports->items[i]);
    }
    g->labels = built(&s);
    take_targets(g, &targets);
}

/* --- endpoints, old and sliced --- */

/* A pod that endpoints lead to, and the ports of it that they name. */
struct seen_pod {
    const struct json *pod;
    VEC(int64_t) ports;
};
struct endpoints {
    struct arena *a;
    const struct kubernetes_sd *c;
    const struct kube_objects *o;
    struct target_vec targets;
    VEC(struct seen_pod) pods;
};

static void note_pod(struct endpoints *e, const struct json *pod, int64_t port)
{
    struct seen_pod *p = NULL;
    VEC_FOR(it, &e->pods) {
        if (it->pod == pod) p = it;
    }
    if (!p) {
        p = vec_push(e->a, &e->pods);
        p->pod = pod;
    }
    *vec_push(e->a, &p->ports) = port;
}

static void put_matching_container(struct set *s, const struct json *pod, int64_t port)
{
    size_t n;
    struct container *all = containers_of(s->a, pod, &n);
    for (size_t i = 0; i < n; i++) {
        const struct json *ports = json_get(all[i].v, "ports");
        for (size_t j = 0; j < items_of(ports); j++) {
            if (whole(json_get(&ports->items[j], "containerPort")) != port) continue;
            put_container(s, &all[i]);
            put_container_port(s, &ports->items[j]);
            break;
        }
    }
}

/* What an endpoint's reference adds: its pod's labels, or its node's. */
static void finish_endpoint(struct endpoints *e, struct set *s, const struct json *ref,
                            struct str node, const struct json *port)
{
    bool to_node = str_eqc(text(ref, "kind"), "Node");
    attach_node(s, e->c, e->o, node.n ? node : to_node ? text(ref, "name") : STR(""));
    const struct json *pod = str_eqc(text(ref, "kind"), "Pod")
                                 ? kube_objects_get(e->o, KIND_POD, text(ref, "namespace"),
                                                    text(ref, "name"))
                                 : NULL;
    if (pod) {
        put_pod(s, pod);
        put_matching_container(s, pod, whole(port));
        note_pod(e, pod, whole(port));
    }
    *vec_push(e->a, &e->targets.v) = built(s);
}

/* Container ports of the pods that no endpoint names are targets, too. */
static void other_ports(struct endpoints *e, const struct seen_pod *p, const struct container *c)
{
    const struct json *ports = json_get(c->v, "ports");
    for (size_t i = 0; i < items_of(ports); i++) {
        const struct json *number_of = json_get(&ports->items[i], "containerPort");
        bool named = false;
        for (size_t j = 0; j < p->ports.n; j++) {
            if (p->ports.v[j] == whole(number_of)) named = true;
        }
        if (named) continue;
        struct set s = set_of(e->a);
        put_pod(&s, p->pod);
        put_container(&s, c);
        put_container_port(&s, &ports->items[i]);
        labels_set(&s.b, STR("__address__"),
                   host_port(e->a, text(json_get(p->pod, "status"), "podIP"), number_of));
        *vec_push(e->a, &e->targets.v) = built(&s);
    }
}

static void all_other_ports(struct endpoints *e)
{
    for (size_t i = 0; i < e->pods.n; i++) {
        size_t n;
        if (!text(json_get(e->pods.v[i].pod, "status"), "podIP").n) continue;
        struct container *all = containers_of(e->a, e->pods.v[i].pod, &n);
        for (size_t j = 0; j < n; j++) {
            other_ports(e, &e->pods.v[i], &all[j]);
        }
    }
}

static void add_endpoint(struct endpoints *e, const struct json *address, const struct json *port,
                         struct str ready)
{
    struct set s = set_of(e->a);
    const struct json *ref = json_get(address, "targetRef");
    labels_set(&s.b, STR("__address__"),
               host_port(e->a, text(address, "ip"), json_get(port, "port")));
    put(&s, "endpoint_port_name", text(port, "name"));
    put(&s, "endpoint_port_protocol", text(port, "protocol"));
    put(&s, "endpoint_ready", ready);
    put(&s, "endpoint_address_target_kind", text(ref, "kind"));
    put(&s, "endpoint_address_target_name", text(ref, "name"));
    put(&s, "endpoint_node_name", text(address, "nodeName"));
    put(&s, "endpoint_hostname", text(address, "hostname"));
    finish_endpoint(e, &s, ref, text(address, "nodeName"), json_get(port, "port"));
}

static void add_subset(struct endpoints *e, const struct json *subset)
{
    const struct json *ports = json_get(subset, "ports"), *ready = json_get(subset, "addresses"),
                      *others = json_get(subset, "notReadyAddresses");
    for (size_t p = 0; p < items_of(ports); p++) {
        for (size_t i = 0; i < items_of(ready); i++) {
            add_endpoint(e, &ready->items[i], &ports->items[p], STR("true"));
        }
        for (size_t i = 0; i < items_of(others); i++) {
            add_endpoint(e, &others->items[i], &ports->items[p], STR("false"));
        }
    }
}

static void endpoints_group(struct arena *a, const struct kubernetes_sd *c,
                            const struct kube_objects *o, const struct kube_object *k,
                            struct group_vec *out)
{
    struct sd_group *g = add_group(a, out, "endpoints", k);
    struct endpoints e = { .a = a, .c = c, .o = o };
    struct set s = set_of(a);
    struct str ns = namespace_of(k->v);
    const struct json *service = kube_objects_get(o, KIND_SERVICE, ns,
                                                  text(json_get(k->v, "metadata"), "name"));
    put(&s, "namespace", ns);
    if (service) put_service(&s, service);
    put_meta(&s, "endpoints", k->v);
    attach_namespace(&s, c, o, ns);
    const struct json *subsets = json_get(k->v, "subsets");
    for (size_t i = 0; i < items_of(subsets); i++) {
        add_subset(&e, &subsets->items[i]);
    }
    all_other_ports(&e);
    g->labels = built(&s);
    take_targets(g, &e.targets);
}

static void put_condition(struct set *s, const struct json *endpoint, const char *name)
{
    const struct json *v = json_get(json_get(endpoint, "conditions"), name);
    if (!v || v->kind != JSON_BOOL) return;
    labels_set(&s->b, arena_fmt(s->a, META "endpointslice_endpoint_conditions_%s", name),
               v->boolean ? STR("true") : STR("false"));
}

static void put_topology(struct set *s, const struct json *map)
{
    if (!map || map->kind != JSON_OBJECT) return;
    for (size_t i = 0; i < map->n; i++) {
        struct str name = sanitized(s->a, map->members[i].key);
        labels_set(&s->b,
                   arena_fmt(s->a, META "endpointslice_endpoint_topology_" STR_FMT, STR_ARG(name)),
                   json_str(&map->members[i].value, STR("")));
        labels_set(
            &s->b,
            arena_fmt(s->a, META "endpointslice_endpoint_topology_present_" STR_FMT, STR_ARG(name)),
            STR("true"));
    }
}

static void add_slice_endpoint(struct endpoints *e, const struct json *endpoint, struct str address,
                               const struct json *port)
{
    struct set s = set_of(e->a);
    const struct json *ref = json_get(endpoint, "targetRef"), *port_of = json_get(port, "port");
    bool has_port = port_of && port_of->kind == JSON_NUMBER;
    labels_set(&s.b, STR("__address__"), has_port ? host_port(e->a, address, port_of) : address);
    put(&s, "endpointslice_port_name", text(port, "name"));
    put(&s, "endpointslice_port_protocol", text(port, "protocol"));
    put(&s, "endpointslice_port_app_protocol", text(port, "appProtocol"));
    if (has_port) put(&s, "endpointslice_port", number(e->a, port_of));
    put_condition(&s, endpoint, "ready");
    put_condition(&s, endpoint, "serving");
    put_condition(&s, endpoint, "terminating");
    put(&s, "endpointslice_endpoint_hostname", text(endpoint, "hostname"));
    put(&s, "endpointslice_address_target_kind", text(ref, "kind"));
    put(&s, "endpointslice_address_target_name", text(ref, "name"));
    put(&s, "endpointslice_endpoint_node_name", text(endpoint, "nodeName"));
    put(&s, "endpointslice_endpoint_zone", text(endpoint, "zone"));
    put_topology(&s, json_get(endpoint, "deprecatedTopology"));
    finish_endpoint(e, &s, ref, text(endpoint, "nodeName"), port_of);
}

static void slice_group(struct arena *a, const struct kubernetes_sd *c,
                        const struct kube_objects *o, const struct kube_object *k,
                        struct group_vec *out)
{
    struct sd_group *g = add_group(a, out, "endpointslice", k);
    struct endpoints e = { .a = a, .c = c, .o = o };
    struct set s = set_of(a);
    struct str ns = namespace_of(k->v);
    const struct json *labels = json_get(json_get(k->v, "metadata"), "labels"),
                      *service = kube_objects_get(o, KIND_SERVICE, ns,
                                                  text(labels, "kubernetes.io/service-name")),
                      *all = json_get(k->v, "endpoints"), *ports = json_get(k->v, "ports");
    put(&s, "namespace", ns);
    put(&s, "endpointslice_address_type", text(k->v, "addressType"));
    put_meta(&s, "endpointslice", k->v);
    if (service) put_service(&s, service);
    attach_namespace(&s, c, o, ns);
    for (size_t i = 0; i < items_of(all); i++) {
        const struct json *addresses = json_get(&all->items[i], "addresses");
        for (size_t p = 0; p < items_of(ports); p++) {
            for (size_t j = 0; j < items_of(addresses); j++) {
                add_slice_endpoint(&e, &all->items[i], json_str(&addresses->items[j], STR("")),
                                   &ports->items[p]);
            }
        }
    }
    all_other_ports(&e);
    g->labels = built(&s);
    take_targets(g, &e.targets);
}

/* --- nodes --- */

/* The first address of the best kind. */
static struct str node_address(const struct json *all)
{
    static const char *const KINDS[] = { "InternalIP",  "InternalDNS",  "ExternalIP",
                                         "ExternalDNS", "LegacyHostIP", "Hostname" };
    for (size_t k = 0; k < ARRAY_LEN(KINDS); k++) {
        for (size_t i = 0; i < items_of(all); i++) {
            if (str_eqc(text(&all->items[i], "type"), KINDS[k])) {
                return text(&all->items[i], "address");
            }
        }
    }
    return STR("");
}

static struct labels node_target(struct arena *a, const struct json *node, struct str address)
{
    struct set s = set_of(a);
    const struct json *status = json_get(node, "status"), *all = json_get(status, "addresses"),
                      *kubelet = json_get(json_get(status, "daemonEndpoints"), "kubeletEndpoint");
    labels_set(&s.b, STR("__address__"), host_port(a, address, json_get(kubelet, "Port")));
    labels_set(&s.b, STR("instance"), text(json_get(node, "metadata"), "name"));
    for (size_t i = items_of(all); i-- > 0;) { /* of several of a kind, the first counts */
        struct str kind = sanitized(a, text(&all->items[i], "type"));
        labels_set(&s.b, arena_fmt(a, META "node_address_" STR_FMT, STR_ARG(kind)),
                   text(&all->items[i], "address"));
    }
    return built(&s);
}

static void node_group(struct arena *a, const struct kubernetes_sd *c, const struct kube_objects *o,
                       const struct kube_object *k, struct group_vec *out)
{
    const struct json *status = json_get(k->v, "status"),
                      *conditions = json_get(status, "conditions");
    struct str address = node_address(json_get(status, "addresses"));
    struct target_vec targets = { 0 };
    struct set s = set_of(a);
    (void)c;
    (void)o;
    if (!address.n) return;
    struct sd_group *g = add_group(a, out, "node", k);
    put(&s, "node_provider_id", text(json_get(k->v, "spec"), "providerID"));
    put_meta(&s, "node", k->v);
    for (size_t i = 0; i < items_of(conditions); i++) {
        struct str kind = lower(a, sanitized(a, text(&conditions->items[i], "type")));
        labels_set(&s.b, arena_fmt(a, META "node_condition_" STR_FMT, STR_ARG(kind)),
                   lower(a, text(&conditions->items[i], "status")));
    }
    *vec_push(a, &targets.v) = node_target(a, k->v, address);
    g->labels = built(&s);
    take_targets(g, &targets);
}

/* --- ingresses --- */

/* "*.example.com" stands for one segment in place of the star. */
static bool host_matches(struct str pattern, struct str host)
{
    struct str head, rest;
    if (str_eq(pattern, host)) return true;
    if (!str_starts(pattern, STR("*.")) || !str_cut(host, '.', &head, &rest)) return false;
    return head.n && str_eq(str_from(pattern, 2), rest);
}

static bool is_tls(const struct json *spec, struct str host)
{
    const struct json *all = json_get(spec, "tls");
    for (size_t i = 0; i < items_of(all); i++) {
        const struct json *hosts = json_get(&all->items[i], "hosts");
        for (size_t j = 0; j < items_of(hosts); j++) {
            if (host_matches(json_str(&hosts->items[j], STR("")), host)) return true;
        }
    }
    return false;
}

static void ingress_rule(struct arena *a, const struct json *spec, const struct json *rule,
                         struct target_vec *out)
{
    const struct json *paths = json_get(json_get(rule, "http"), "paths");
    struct str host = text(rule, "host");
    size_t n = items_of(paths);
    for (size_t i = 0; i < (n ? n : 1); i++) {
        struct set s = set_of(a);
        struct str path = n ? text(&paths->items[i], "path") : STR("");
        labels_set(&s.b, STR("__address__"), host);
        put(&s, "ingress_scheme", is_tls(spec, host) ? STR("https") : STR("http"));
        put(&s, "ingress_host", host);
        put(&s, "ingress_path", path.n ? path : STR("/"));
        *vec_push(a, &out->v) = built(&s);
    }
}

static void ingress_group(struct arena *a, const struct kubernetes_sd *c,
                          const struct kube_objects *o, const struct kube_object *k,
                          struct group_vec *out)
{
    struct sd_group *g = add_group(a, out, "ingress", k);
    struct target_vec targets = { 0 };
    struct set s = set_of(a);
    const struct json *spec = json_get(k->v, "spec"), *rules = json_get(spec, "rules");
    put(&s, "namespace", namespace_of(k->v));
    put_meta(&s, "ingress", k->v);
    put(&s, "ingress_class_name", text(spec, "ingressClassName"));
    attach_namespace(&s, c, o, namespace_of(k->v));
    for (size_t i = 0; i < items_of(rules); i++) {
        ingress_rule(a, spec, &rules->items[i], &targets);
    }
    g->labels = built(&s);
    take_targets(g, &targets);
}

void kube_targets(struct arena *a, const struct kubernetes_sd *c, const struct kube_objects *o,
                  struct group_vec *out)
{
    static const struct {
        enum kube_kind kind;
        void (*group)(struct arena *a, const struct kubernetes_sd *c, const struct kube_objects *o,
                      const struct kube_object *k, struct group_vec *out);
    } ROLES[] = {
        [KUBE_POD] = { KIND_POD, pod_group },
        [KUBE_SERVICE] = { KIND_SERVICE, service_group },
        [KUBE_ENDPOINTS] = { KIND_ENDPOINTS, endpoints_group },
        [KUBE_ENDPOINTSLICE] = { KIND_SLICE, slice_group },
        [KUBE_NODE] = { KIND_NODE, node_group },
        [KUBE_INGRESS] = { KIND_INGRESS, ingress_group },
    };
    size_t n;
    const struct kube_object **all = kube_objects_all(o, ROLES[c->role].kind, a, &n);
    for (size_t i = 0; i < n; i++) {
        ROLES[c->role].group(a, c, o, all[i], out);
    }
}
