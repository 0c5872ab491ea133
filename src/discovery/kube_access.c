/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery/kube_access.h"

#include "codec/base64.h"
#include "io/file.h"

#include <stdlib.h>

#define ACCOUNT         "/var/run/secrets/kubernetes.io/serviceaccount"
#define KUBECONFIG_MAX  ((size_t)4 << 20)
#define NAMESPACE_BYTES ((size_t)4096)

static struct str text_of(const struct yaml_node *v, const char *key)
{
    return yaml_str(yaml_get(v, key), STR(""));
}

/* The entry of a list of {name, KEY: {...}}. */
static const struct yaml_node *named(const struct yaml_node *root, const char *list,
                                     const char *key, struct str name)
{
    const struct yaml_node *all = yaml_get(root, list);
    for (size_t i = 0; all && all->kind == YAML_SEQ && i < all->n; i++) {
        if (str_eq(text_of(all->items[i], "name"), name)) return yaml_get(all->items[i], key);
    }
    return NULL;
}

static enum err from_base64(struct arena *a, const struct yaml_node *v, const char *key,
                            struct str *out, struct diag *d)
{
    struct str text = text_of(v, key);
    if (!text.n) return OK;
    if (base64_decode(a, text, out) == OK) return OK;
    return diag_set(d, ERR_SYNTAX, "kubeconfig: %s is not base64", key);
}

static struct str path_of(struct arena *a, struct str dir, const struct yaml_node *v,
                          const char *key)
{
    struct str path = text_of(v, key);
    return path.n && dir.n ? path_join(a, dir, path) : path;
}

static enum err read_cluster(struct arena *a, struct str dir, const struct yaml_node *v,
                             struct kube_access *out, struct diag *d)
{
    struct tls_config *tls = &out->http.tls;
    const struct yaml_node *skip = yaml_get(v, "insecure-skip-tls-verify");
    out->url = text_of(v, "server");
    if (!out->url.n) return diag_set(d, ERR_SYNTAX, "kubeconfig: the cluster has no server");
    if (skip) (void)yaml_bool_of(skip, &tls->insecure_skip_verify);
    tls->server_name = text_of(v, "tls-server-name");
    out->http.proxy.url = text_of(v, "proxy-url");
    TRY(from_base64(a, v, "certificate-authority-data", &tls->ca, d));
    if (!tls->ca.n) tls->ca_file = path_of(a, dir, v, "certificate-authority");
    return OK;
}

static enum err read_user(struct arena *a, struct str dir, const struct yaml_node *v,
                          struct kube_access *out, struct diag *d)
{
    struct tls_config *tls = &out->http.tls;
    struct str key = { 0 }, token = text_of(v, "token"), file = path_of(a, dir, v, "tokenFile"),
               user = text_of(v, "username");
    if (yaml_get(v, "exec") || yaml_get(v, "auth-provider")) {
        return diag_set(d, ERR_UNSUPPORTED,
                        "kubeconfig: users by exec and auth-provider are not supported; use a "
                        "token, a certificate or a password");
    }
    TRY(from_base64(a, v, "client-certificate-data", &tls->cert, d));
    TRY(from_base64(a, v, "client-key-data", &key, d));
    tls->key = secret_of(key);
    if (!tls->cert.n) tls->cert_file = path_of(a, dir, v, "client-certificate");
    if (!key.n) tls->key_file = path_of(a, dir, v, "client-key");
    if (token.n || file.n) {
        out->http.authorization = arena_new(a, struct authorization);
        out->http.authorization->type = STR("Bearer");
        out->http.authorization->credentials = secret_of(file.n ? STR("") : token);
        out->http.authorization->credentials_file = file;
    } else if (user.n) {
        out->http.basic = arena_new(a, struct basic_auth);
        out->http.basic->username = user;
        out->http.basic->password = secret_of(text_of(v, "password"));
    }
    return OK;
}

enum err kubeconfig_parse(struct arena *a, struct str text, struct str dir, struct kube_access *out,
                          struct diag *d)
{
    struct yaml_node *root = NULL;
    struct kube_access k = { 0 };
    http_config_defaults(&k.http);
    TRY(yaml_parse(a, text, YAML_V3, &root, NULL, d));
    struct str current = text_of(root, "current-context");
    const struct yaml_node *context = named(root, "contexts", "context", current);
    if (!context) {
        return diag_set(d, ERR_SYNTAX, "kubeconfig: there is no context \"" STR_FMT "\"",
                        STR_ARG(current));
    }
    const struct yaml_node *cluster = named(root, "clusters", "cluster",
                                            text_of(context, "cluster")),
                           *user = named(root, "users", "user", text_of(context, "user"));
    if (!cluster) {
        return diag_set(d, ERR_SYNTAX, "kubeconfig: there is no cluster \"" STR_FMT "\"",
                        STR_ARG(text_of(context, "cluster")));
    }
    TRY(read_cluster(a, dir, cluster, &k, d));
    TRY(read_user(a, dir, user, &k, d));
    *out = k;
    return OK;
}

enum err kube_in_cluster(struct arena *a, struct str dir, struct str host, struct str port,
                         struct kube_access *out, struct diag *d)
{
    struct str ns = { 0 };
    struct kube_access k = { 0 };
    if (!host.n || !port.n) {
        return diag_set(d, ERR_MISSING,
                        "unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and "
                        "KUBERNETES_SERVICE_PORT must be defined");
    }
    http_config_defaults(&k.http);
    TRY(file_read(a, path_join(a, dir, STR("namespace")), NAMESPACE_BYTES, &ns, d));
    bool v6 = str_find_char(host, ':') != STR_NONE;
    k.url = arena_fmt(a, "https://%s" STR_FMT "%s:" STR_FMT, v6 ? "[" : "", STR_ARG(host),
                      v6 ? "]" : "", STR_ARG(port));
    k.own_namespace = str_trim(ns);
    k.http.tls.ca_file = path_join(a, dir, STR("ca.crt"));
    k.http.authorization = arena_new(a, struct authorization);
    k.http.authorization->type = STR("Bearer");
    k.http.authorization->credentials_file = path_join(a, dir, STR("token"));
    *out = k;
    return OK;
}

static struct str environment(const char *name)
{
    /* Nothing of ours changes the environment. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    const char *v = getenv(name);
    return v ? str_c(v) : STR("");
}

enum err kube_access_of(struct arena *a, const struct kubernetes_sd *c, struct kube_access *out,
                        struct diag *d)
{
    struct str text = { 0 };
    struct kube_access k = { .url = c->api_server, .http = c->http };
    if (c->kubeconfig_file.n) {
        TRY(file_read(a, c->kubeconfig_file, KUBECONFIG_MAX, &text, d));
        TRY(kubeconfig_parse(a, text, path_dir(a, c->kubeconfig_file), &k, d));
    } else if (!c->api_server.n) {
        TRY(kube_in_cluster(a, STR(ACCOUNT), environment("KUBERNETES_SERVICE_HOST"),
                            environment("KUBERNETES_SERVICE_PORT"), &k, d));
    }
    while (k.url.n && k.url.p[k.url.n - 1] == '/') k.url.n--;
    *out = k;
    return OK;
}
