/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_sd.c - the sections that find targets elsewhere: keys, checks, printing
 *
 * Source: Prometheus 3.14.0 discovery/{file/file,http/http,dns/dns,kubernetes/kubernetes}.go (keys, defaults, texts).
 */
#include "scrape/config_sd.h"

#include "codec/goquote.h"
#include "io/file.h"

#include <stddef.h>

#define ROW(s, k, t, f) .key = (k), .type = (t), .offset = offsetof(struct s, f)

/* A section with the node it came from: its text tells two sections apart. */
struct file_section {
    struct file_sd sd;
    const struct yaml_node *at;
};
struct http_section {
    struct http_sd sd;
    const struct yaml_node *at;
};
struct dns_section {
    struct dns_sd sd;
    const struct yaml_node *at;
};
struct kube_section {
    struct kubernetes_sd sd;
    const struct yaml_node *at;
};

/* --- file --- */

/* Source: patFileSDName: ^[^*]*(\*[^/]*)?\.(json|yml|yaml|JSON|YML|YAML)$ */
static bool is_file_pattern(struct str path)
{
    static const char *const ENDS[] = { ".json", ".yml", ".yaml", ".JSON", ".YML", ".YAML" };
    size_t star = str_find_char(path, '*');
    if (star != STR_NONE && str_find_char(str_from(path, star), '/') != STR_NONE) return false;
    for (size_t i = 0; i < ARRAY_LEN(ENDS); i++) {
        if (str_ends(path, str_c(ENDS[i]))) return true;
    }
    return false;
}

static void file_defaults(void *out)
{
    ((struct file_section *)out)->sd.refresh_ms = INT64_C(300000);
}

static enum err file_check(struct arena *a, const struct yaml_node *at, void *out, struct diag *d)
{
    const struct file_sd *c = &((struct file_section *)out)->sd;
    (void)a;
    (void)at;
    if (!c->files.n) {
        return diag_set(d, ERR_SYNTAX,
                        "file service discovery config must contain at least one path name");
    }
    for (size_t i = 0; i < c->files.n; i++) {
        if (is_file_pattern(c->files.v[i])) continue;
        return diag_quoted(d, ERR_SYNTAX, "path name ", c->files.v[i],
                           " is not valid for file discovery");
    }
    return OK;
}

static const struct yaml_table FILE_SD = {
    .go_type = "file.plain",
    .size = sizeof(struct file_section),
    .fields =
        (const struct yaml_field[]){
            { ROW(file_section, "files", YT_STRS, sd.files) },
            { ROW(file_section, "refresh_interval", YT_DURATION, sd.refresh_ms) },
            { ROW(file_section, YAML_SELF, YT_NODE, at) },
            { 0 },
        },
    .defaults = file_defaults,
    .check = file_check,
    .null_item = "empty or null section in file_sd_configs",
};

/* --- http --- */

static void http_defaults(void *out)
{
    ((struct http_section *)out)->sd.refresh_ms = INT64_C(60000);
}

static enum err url_check(struct str url, struct diag *d)
{
    bool secure = str_starts(url, STR("https://"));
    if (!url.n) return diag_set(d, ERR_SYNTAX, "URL is missing");
    if (!secure && !str_starts(url, STR("http://"))) {
        return diag_set(d, ERR_SYNTAX, "URL scheme must be 'http' or 'https'");
    }
    struct str rest = str_from(url, secure ? 8 : 7);
    if (!rest.n || rest.p[0] == '/' || rest.p[0] == '?' || rest.p[0] == '#') {
        return diag_set(d, ERR_SYNTAX, "host is missing in URL");
    }
    return OK;
}

static enum err http_check(struct arena *a, const struct yaml_node *at, void *out, struct diag *d)
{
    (void)a;
    (void)at;
    return url_check(((struct http_section *)out)->sd.url, d);
}

static const struct yaml_table HTTP_SD = {
    .go_type = "http.plain",
    .size = sizeof(struct http_section),
    .fields =
        (const struct yaml_field[]){
            { ROW(http_section, "url", YT_STR, sd.url) },
            { ROW(http_section, "refresh_interval", YT_DURATION, sd.refresh_ms) },
            { ROW(http_section, "<inline>", YT_INLINE, sd.http), .sub = &HTTP_CONFIG_TABLE },
            { ROW(http_section, YAML_SELF, YT_NODE, at) },
            { 0 },
        },
    .defaults = http_defaults,
    .check = http_check,
    .null_item = "empty or null section in http_sd_configs",
};

/* --- dns --- */

static const char *const DNS_TYPES[] = { "SRV", "A", "AAAA", "MX", "NS" };

static enum err dns_type_decode(struct arena *a, const struct yaml_node *v, void *field,
                                struct diag *d)
{
    struct str s = yaml_str(v, STR(""));
    (void)a;
    for (size_t i = 0; i < DNS_SD_TYPES; i++) {
        if (!str_ieq(s, str_c(DNS_TYPES[i]))) continue;
        *(enum dns_sd_type *)field = (enum dns_sd_type)i;
        return OK;
    }
    return diag_set(d, ERR_SYNTAX, "invalid DNS-SD records type " STR_FMT, STR_ARG(s));
}

static void dns_defaults(void *out) { ((struct dns_section *)out)->sd.refresh_ms = INT64_C(30000); }

static enum err dns_check(struct arena *a, const struct yaml_node *at, void *out, struct diag *d)
{
    const struct dns_sd *c = &((struct dns_section *)out)->sd;
    (void)a;
    (void)at;
    if (!c->names.n) {
        return diag_set(d, ERR_SYNTAX, "DNS-SD config must contain at least one SRV record name");
    }
    if (c->type != DNS_SD_SRV && !c->port) {
        return diag_set(d, ERR_SYNTAX,
                        "a port is required in DNS-SD configs for all record types except SRV");
    }
    return OK;
}

static const struct yaml_table DNS_SD = {
    .go_type = "dns.plain",
    .size = sizeof(struct dns_section),
    .fields =
        (const struct yaml_field[]){
            { ROW(dns_section, "names", YT_STRS, sd.names) },
            { ROW(dns_section, "refresh_interval", YT_DURATION, sd.refresh_ms) },
            { ROW(dns_section, "type", YT_CUSTOM, sd.type), .custom = dns_type_decode },
            { ROW(dns_section, "port", YT_INT, sd.port) },
            { ROW(dns_section, YAML_SELF, YT_NODE, at) },
            { 0 },
        },
    .defaults = dns_defaults,
    .check = dns_check,
    .null_item = "empty or null section in dns_sd_configs",
};

/* --- kubernetes --- */

static const char *const ROLES[] = { "",     "pod",    "service", "endpoints", "endpointslice",
                                     "node", "ingress" };
#define ROLES_TEXT "pod, service, endpoints, endpointslice, node, ingress"

static enum err role_decode(struct arena *a, const struct yaml_node *v, void *field, struct diag *d)
{
    struct str s = yaml_str(v, STR(""));
    (void)a;
    for (size_t i = KUBE_POD; i < KUBE_ROLES; i++) {
        if (!str_eqc(s, ROLES[i])) continue;
        *(enum kube_role *)field = (enum kube_role)i;
        return OK;
    }
    return diag_quoted(d, ERR_SYNTAX, "unknown Kubernetes SD role ", s, "");
}

static const struct yaml_table NAMESPACES = {
    .go_type = "kubernetes.plain",
    .size = sizeof(struct kubernetes_sd),
    .fields =
        (const struct yaml_field[]){
            { ROW(kubernetes_sd, "own_namespace", YT_BOOL, own_namespace) },
            { ROW(kubernetes_sd, "names", YT_STRS, namespaces) },
            { 0 },
        },
};

static const struct yaml_table ATTACH = {
    .go_type = "kubernetes.plain",
    .size = sizeof(struct kubernetes_sd),
    .fields =
        (const struct yaml_field[]){
            { ROW(kubernetes_sd, "node", YT_BOOL, attach_node) },
            { ROW(kubernetes_sd, "namespace", YT_BOOL, attach_namespace) },
            { ROW(kubernetes_sd, "deployment", YT_BOOL, attach_deployment) },
            { ROW(kubernetes_sd, "job", YT_BOOL, attach_job) },
            { ROW(kubernetes_sd, "cronjob", YT_BOOL, attach_cronjob) },
            { 0 },
        },
};

static const struct yaml_table SELECTOR = {
    .go_type = "kubernetes.plain",
    .size = sizeof(struct kube_selector),
    .fields =
        (const struct yaml_field[]){
            { ROW(kube_selector, "role", YT_CUSTOM, role), .custom = role_decode },
            { ROW(kube_selector, "label", YT_STR, label) },
            { ROW(kube_selector, "field", YT_STR, field) },
            { 0 },
        },
};

/* namespaces and attach_metadata are sections of one struct: what they set is merged into it. */
static enum err namespaces_decode(struct arena *a, const struct yaml_node *v, void *field,
                                  struct diag *d)
{
    struct kubernetes_sd *to = field, got;
    TRY(yaml_decode(a, v, &NAMESPACES, YAML_V2, &got, d));
    to->own_namespace = got.own_namespace;
    to->namespaces = got.namespaces;
    return OK;
}

static enum err attach_decode(struct arena *a, const struct yaml_node *v, void *field,
                              struct diag *d)
{
    struct kubernetes_sd *to = field, got;
    TRY(yaml_decode(a, v, &ATTACH, YAML_V2, &got, d));
    to->attach_node = got.attach_node;
    to->attach_namespace = got.attach_namespace;
    to->attach_deployment = got.attach_deployment;
    to->attach_job = got.attach_job;
    to->attach_cronjob = got.attach_cronjob;
    return OK;
}

static enum err selectors_decode(struct arena *a, const struct yaml_node *v, void *field,
                                 struct diag *d)
{
    struct kubernetes_sd *to = field;
    if (v->kind != YAML_SEQ) return yaml_mismatch(v, "[]kubernetes.SelectorConfig", d);
    to->selectors = arena_array(a, v->n, sizeof(*to->selectors));
    for (size_t i = 0; i < v->n; i++) {
        TRY(yaml_decode(a, v->items[i], &SELECTOR, YAML_V2, &to->selectors[i], d));
    }
    to->selectors_n = v->n;
    return OK;
}

/* Which roles' objects a role asks for, and so may select. */
static const char *const SELECTABLE[] = {
    [KUBE_POD] = "pod, node",
    [KUBE_SERVICE] = "service",
    [KUBE_ENDPOINTS] = "pod, service, endpoints",
    [KUBE_ENDPOINTSLICE] = "pod, service, endpointslice",
    [KUBE_NODE] = "node",
    [KUBE_INGRESS] = "ingress",
};

static bool selectable(enum kube_role of, enum kube_role wanted)
{
    struct str all = str_c(SELECTABLE[of]), one;
    while (all.n) {
        (void)str_cut(all, ',', &one, &all);
        if (str_eqc(str_trim(one), ROLES[wanted])) return true;
    }
    return false;
}

/* Terms between commas: key=value, key==value, key!=value. Source: k8s.io/apimachinery/pkg/fields ParseSelector. */
static enum err field_check(struct str field, struct diag *d)
{
    struct str rest = field, term;
    while (rest.n) {
        (void)str_cut(rest, ',', &term, &rest);
        if (!term.n || str_find_char(term, '=') != STR_NONE) continue;
        return diag_set(d, ERR_SYNTAX,
                        "invalid selector: '" STR_FMT "'; can't understand '" STR_FMT "'",
                        STR_ARG(field), STR_ARG(term));
    }
    return OK;
}

static enum err selectors_check(const struct kubernetes_sd *c, struct diag *d)
{
    for (size_t i = 0; i < c->selectors_n; i++) {
        const struct kube_selector *s = &c->selectors[i];
        for (size_t j = 0; j < i; j++) {
            if (c->selectors[j].role != s->role) continue;
            return diag_set(d, ERR_SYNTAX, "duplicated selector role: %s", ROLES[s->role]);
        }
        if (!selectable(c->role, s->role)) {
            return diag_set(d, ERR_SYNTAX, "%s role supports only %s selectors", ROLES[c->role],
                            SELECTABLE[c->role]);
        }
        TRY(field_check(s->field, d));
    }
    return OK;
}

static bool has_http_options(const struct http_config *c)
{
    struct http_config plain;
    BUF(mine, 0);
    BUF(its, 0);
    struct yaml_printer p = { .b = &mine }, q = { .b = &its };
    http_config_defaults(&plain);
    http_config_print(&p, c);
    http_config_print(&q, &plain);
    return !str_eq(buf_str(&mine), buf_str(&its));
}

static enum err kube_check(struct arena *a, const struct yaml_node *at, void *out, struct diag *d)
{
    const struct kubernetes_sd *c = &((struct kube_section *)out)->sd;
    bool options = has_http_options(&c->http);
    (void)a;
    (void)at;
    if (c->role == KUBE_NONE) {
        return diag_set(d, ERR_SYNTAX, "role missing (one of: " ROLES_TEXT ")");
    }
    if (c->api_server.n && c->kubeconfig_file.n) {
        return diag_set(d, ERR_SYNTAX,
                        "cannot use 'kubeconfig_file' and 'api_server' simultaneously");
    }
    if (c->kubeconfig_file.n && options) {
        return diag_set(
            d, ERR_SYNTAX,
            "cannot use a custom HTTP client configuration together with 'kubeconfig_file'");
    }
    if (!c->api_server.n && options) {
        return diag_set(d, ERR_SYNTAX,
                        "to use custom HTTP client configuration please provide the 'api_server' "
                        "URL explicitly");
    }
    if (c->api_server.n && c->own_namespace) {
        return diag_set(d, ERR_SYNTAX,
                        "cannot use 'api_server' and 'namespaces.own_namespace' simultaneously");
    }
    if (c->kubeconfig_file.n && c->own_namespace) {
        return diag_set(
            d, ERR_SYNTAX,
            "cannot use 'kubeconfig_file' and 'namespaces.own_namespace' simultaneously");
    }
    if (c->attach_deployment || c->attach_job || c->attach_cronjob) {
        return diag_set(d, ERR_UNSUPPORTED,
                        "attach_metadata of deployment, job and cronjob is not supported yet; node "
                        "and namespace are");
    }
    return selectors_check(c, d);
}

static const struct yaml_table KUBERNETES_SD = {
    .go_type = "kubernetes.plain",
    .size = sizeof(struct kube_section),
    .fields =
        (const struct yaml_field[]){
            { ROW(kube_section, "api_server", YT_STR, sd.api_server) },
            { ROW(kube_section, "role", YT_CUSTOM, sd.role), .custom = role_decode },
            { ROW(kube_section, "kubeconfig_file", YT_STR, sd.kubeconfig_file) },
            { ROW(kube_section, "<inline>", YT_INLINE, sd.http), .sub = &HTTP_CONFIG_TABLE },
            { ROW(kube_section, "namespaces", YT_CUSTOM, sd), .custom = namespaces_decode },
            { ROW(kube_section, "selectors", YT_CUSTOM, sd), .custom = selectors_decode },
            { ROW(kube_section, "attach_metadata", YT_CUSTOM, sd), .custom = attach_decode },
            { ROW(kube_section, YAML_SELF, YT_NODE, at) },
            { 0 },
        },
    .check = kube_check,
    .null_item = "empty or null section in kubernetes_sd_configs",
};

/* --- all --- */

#define NO_SD(kind)                                                                                \
    {                                                                                              \
        .key = kind "_sd_configs",                                                                 \
        .unsupported = "discovery by " kind " is not supported yet; use http_sd_configs, "         \
                       "file_sd_configs, dns_sd_configs, kubernetes_sd_configs or static_configs"  \
    }

const struct yaml_table SD_SECTIONS = {
    .go_type = "config.plain",
    .size = sizeof(struct sd_sections),
    .fields =
        (const struct yaml_field[]){
            { ROW(sd_sections, "dns_sd_configs", YT_STRUCTS, v[SD_DNS]), .sub = &DNS_SD },
            { ROW(sd_sections, "file_sd_configs", YT_STRUCTS, v[SD_FILE]), .sub = &FILE_SD },
            { ROW(sd_sections, "http_sd_configs", YT_STRUCTS, v[SD_HTTP]), .sub = &HTTP_SD },
            { ROW(sd_sections, "kubernetes_sd_configs", YT_STRUCTS, v[SD_KUBERNETES]),
              .sub = &KUBERNETES_SD },
            NO_SD("azure"),
            NO_SD("aws"),
            NO_SD("consul"),
            NO_SD("digitalocean"),
            NO_SD("docker"),
            NO_SD("dockerswarm"),
            NO_SD("ec2"),
            NO_SD("eureka"),
            NO_SD("gce"),
            NO_SD("hetzner"),
            NO_SD("ionos"),
            NO_SD("kuma"),
            NO_SD("lightsail"),
            NO_SD("linode"),
            NO_SD("marathon"),
            NO_SD("nerve"),
            NO_SD("nomad"),
            NO_SD("oci"),
            NO_SD("openstack"),
            NO_SD("outscale"),
            NO_SD("ovhcloud"),
            NO_SD("puppetdb"),
            NO_SD("scaleway"),
            NO_SD("serverset"),
            NO_SD("stackit"),
            NO_SD("triton"),
            NO_SD("uyuni"),
            NO_SD("vultr"),
            { 0 },
        },
};

/* A node in one text in which different nodes differ: lengths before texts. */
static void put_node(struct buf *b, const struct yaml_node *v)
{
    if (!v) return;
    buf_char(b, v->kind == YAML_SCALAR ? (v->quoted ? 'q' : 's') : v->kind == YAML_SEQ ? 'l' : 'm');
    buf_fmt(b, "%zu:", v->kind == YAML_SCALAR ? v->text.n : v->n);
    if (v->kind == YAML_SCALAR) buf_put(b, v->text);
    size_t n = v->kind == YAML_MAP ? 2 * v->n : v->kind == YAML_SEQ ? v->n : 0;
    for (size_t i = 0; i < n; i++) {
        put_node(b, v->items[i]);
    }
}

static struct sd_config section(struct arena *a, enum sd_kind kind, struct str dir,
                                const struct yaml_node *at, const void *is)
{
    BUF(key, 0);
    buf_fmt(&key, "%s " STR_FMT " ", sd_kind_name(kind), STR_ARG(dir));
    put_node(&key, at);
    return (struct sd_config){ kind, arena_dup(a, buf_str(&key)), is };
}

static void resolve(struct arena *a, struct str dir, struct str *path)
{
    if (dir.n && path->n) *path = path_join(a, dir, *path);
}

static struct sd_config one_of(struct arena *a, struct str dir, enum sd_kind kind, void *list,
                               size_t i)
{
    switch (kind) {
    case SD_FILE: {
        struct file_section *s = (struct file_section *)list + i;
        for (size_t f = 0; f < s->sd.files.n; f++) resolve(a, dir, &s->sd.files.v[f]);
        return section(a, kind, dir, s->at, &s->sd);
    }
    case SD_HTTP: {
        struct http_section *s = (struct http_section *)list + i;
        http_config_resolve(a, dir, &s->sd.http);
        return section(a, kind, dir, s->at, &s->sd);
    }
    case SD_DNS: {
        struct dns_section *s = (struct dns_section *)list + i;
        return section(a, kind, dir, s->at, &s->sd);
    }
    case SD_KUBERNETES:
    case SD_KINDS: break;
    }
    struct kube_section *s = (struct kube_section *)list + i;
    http_config_resolve(a, dir, &s->sd.http);
    resolve(a, dir, &s->sd.kubeconfig_file);
    return section(a, kind, dir, s->at, &s->sd);
}

struct sd_configs sd_configs_of(struct arena *a, struct str dir, const struct sd_sections *s)
{
    size_t n = 0;
    for (size_t k = 0; k < SD_KINDS; k++) n += s->v[k].n;
    struct sd_configs out = { arena_array(a, n, sizeof(*out.v)), 0 };
    for (size_t k = 0; k < SD_KINDS; k++) {
        for (size_t i = 0; i < s->v[k].n; i++) {
            out.v[out.n++] = one_of(a, dir, (enum sd_kind)k, s->v[k].v, i);
        }
    }
    return out;
}

/* --- printing --- */

static void print_int(struct yaml_printer *p, const char *name, int64_t v)
{
    yp_key(p, name);
    buf_fmt(p->b, " %lld\n", (long long)v);
}

static void print_selectors(struct yaml_printer *p, const struct kubernetes_sd *c)
{
    if (!c->selectors_n) return;
    yp_open(p, "selectors");
    for (size_t i = 0; i < c->selectors_n; i++) {
        yp_item(p);
        yp_c(p, "role", ROLES[c->selectors[i].role]);
        yp_str(p, "label", c->selectors[i].label);
        yp_str(p, "field", c->selectors[i].field);
        yp_item_end(p);
    }
}

static void print_attach(struct yaml_printer *p, const struct kubernetes_sd *c)
{
    if (!c->attach_node && !c->attach_namespace && !c->attach_deployment && !c->attach_job &&
        !c->attach_cronjob) {
        return;
    }
    yp_in(p, "attach_metadata");
    yp_bool(p, "node", c->attach_node);
    yp_bool(p, "namespace", c->attach_namespace);
    yp_bool(p, "deployment", c->attach_deployment);
    yp_bool(p, "job", c->attach_job);
    yp_bool(p, "cronjob", c->attach_cronjob);
    yp_out(p);
}

static void print_kubernetes(struct yaml_printer *p, const struct kubernetes_sd *c)
{
    yp_str(p, "api_server", c->api_server);
    yp_c(p, "role", ROLES[c->role]);
    yp_text(p, "kubeconfig_file", c->kubeconfig_file);
    http_config_print(p, &c->http);
    if (c->own_namespace || c->namespaces.n) {
        yp_in(p, "namespaces");
        yp_bool(p, "own_namespace", c->own_namespace);
        if (c->namespaces.n) {
            yp_strs(p, "names", c->namespaces);
        } else {
            yp_key(p, "names");
            buf_putc(p->b, " []\n");
        }
        yp_out(p);
    }
    print_selectors(p, c);
    print_attach(p, c);
}

static void print_one(struct yaml_printer *p, const struct sd_config *c)
{
    const struct file_sd *file = c->is;
    const struct http_sd *http = c->is;
    const struct dns_sd *dns = c->is;
    switch (c->kind) {
    case SD_FILE:
        yp_strs(p, "files", file->files);
        yp_duration(p, "refresh_interval", file->refresh_ms);
        return;
    case SD_HTTP:
        http_config_print(p, &http->http);
        yp_duration(p, "refresh_interval", http->refresh_ms);
        yp_text(p, "url", http->url);
        return;
    case SD_DNS:
        yp_strs(p, "names", dns->names);
        yp_duration(p, "refresh_interval", dns->refresh_ms);
        yp_c(p, "type", DNS_TYPES[dns->type]);
        print_int(p, "port", dns->port);
        return;
    case SD_KUBERNETES: print_kubernetes(p, c->is); return;
    case SD_KINDS: break;
    }
}

void sd_configs_print(struct yaml_printer *p, struct sd_configs list)
{
    for (size_t i = 0; i < list.n; i++) {
        if (!i || list.v[i].kind != list.v[i - 1].kind) {
            yp_key(p, sd_kind_name(list.v[i].kind));
            p->b->n--; /* the colon comes behind the whole name */
            buf_putc(p->b, "_sd_configs:\n");
        }
        yp_item(p);
        print_one(p, &list.v[i]);
        yp_item_end(p);
    }
}
