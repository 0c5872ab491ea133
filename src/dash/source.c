/* SPDX-License-Identifier: Apache-2.0 */
#include "dash/source.h"

#include "base/assert.h"
#include "base/vec.h"
#include "codec/json.h"
#include "codec/yaml.h"
#include "io/file.h"

#include <openssl/sha.h>
#include <stdlib.h>

enum { FILE_MAX = 1 << 20 };

struct reading {
    struct dash_provisioning *p;
    struct arena *a;
    struct str dir;
    struct str (*env)(struct str name);
    struct {
        VEC(struct dash_source) v;
    } sources;
    struct {
        VEC(struct dash_provider) v;
    } providers;
    struct {
        VEC(struct dash_problem) v;
    } warnings;
    struct str file; /* the one that is read */
};

struct str dash_source_uid_of_name(struct arena *a, struct str name)
{
    uint8_t h[SHA256_DIGEST_LENGTH];
    (void)SHA256((const unsigned char *)name.p, name.n, h);
    return arena_fmt(a, "P%02X%02X%02X%02X%02X%02X%02X%02X", h[0], h[1], h[2], h[3], h[4], h[5],
                     h[6], h[7]);
}

/* --- $VAR, ${VAR}, $$ --- */

static bool name_char(char c, bool first)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           (!first && c >= '0' && c <= '9');
}

/* Takes a variable's name behind '$' off the front; empty when there is none. */
static struct str take_name(struct str *s)
{
    bool braced = s->n && s->p[0] == '{';
    struct str rest = braced ? str_from(*s, 1) : *s;
    size_t n = 0;
    while (n < rest.n && name_char(rest.p[n], n == 0)) n++;
    if (!n || (braced && (n == rest.n || rest.p[n] != '}'))) return STR("");
    *s = str_from(rest, n + (braced ? 1 : 0));
    return str_first(rest, n);
}

static struct str expand(struct reading *r, struct str s)
{
    if (str_find_char(s, '$') == STR_NONE) return s;
    BUF(b, FILE_MAX);
    while (s.n) {
        struct str head, rest;
        bool dollar = str_cut(s, '$', &head, &rest);
        buf_put(&b, head);
        if (!dollar) break;
        if (rest.n && rest.p[0] == '$') {
            buf_char(&b, '$');
            s = str_from(rest, 1);
            continue;
        }
        struct str name = take_name(&rest);
        if (name.n) {
            buf_put(&b, r->env(name));
        } else {
            buf_char(&b, '$');
        }
        s = rest;
    }
    return arena_dup(r->a, buf_str(&b));
}

static struct str text(struct reading *r, const struct yaml_node *map, const char *key)
{
    return expand(r, yaml_str(yaml_get(map, key), STR("")));
}

static bool truth(const struct yaml_node *map, const char *key)
{
    struct str s = yaml_str(yaml_get(map, key), STR("false"));
    return str_ieq(s, STR("true")) || str_ieq(s, STR("yes")) || str_ieq(s, STR("on"));
}

/* --- files --- */

static void write_json(struct reading *r, struct json_writer *w, const struct yaml_node *v)
{
    if (!v || yaml_is_null(v)) {
        json_put_null(w);
    } else if (v->kind == YAML_SEQ) {
        json_open(w, '[');
        for (size_t i = 0; i < v->n; i++) write_json(r, w, v->items[i]);
        json_close(w, ']');
    } else if (v->kind == YAML_MAP) {
        json_open(w, '{');
        for (size_t i = 0; i < v->n; i++) {
            json_key_str(w, yaml_str(v->items[2 * i], STR("")));
            write_json(r, w, v->items[2 * i + 1]);
        }
        json_close(w, '}');
    } else if (!v->quoted && (str_eqc(v->text, "true") || str_eqc(v->text, "false"))) {
        json_put_bool(w, str_eqc(v->text, "true"));
    } else {
        json_put_str(w, expand(r, v->text));
    }
}

static struct str json_of(struct reading *r, const struct yaml_node *v)
{
    if (!v || v->kind != YAML_MAP) return STR("{}");
    BUF(b, FILE_MAX);
    struct json_writer w = json_writer(&b);
    write_json(r, &w, v);
    return arena_dup(r->a, buf_str(&b));
}

/* --- which keys there are: Grafana passes over those it does not know, and so do we, but not in silence --- */

enum key_type { KEY_TEXT, KEY_BOOL, KEY_INT, KEY_MAP, KEY_LIST };

struct key {
    const char *name;
    enum key_type type;
};

static const struct key SOURCE_FILE_KEYS[] = {
    { "apiVersion", KEY_INT },
    { "datasources", KEY_LIST },
    { "deleteDatasources", KEY_LIST },
    { "prune", KEY_BOOL },
    { NULL, 0 },
};

static const struct key SOURCE_KEYS[] = {
    { "name", KEY_TEXT },
    { "type", KEY_TEXT },
    { "uid", KEY_TEXT },
    { "url", KEY_TEXT },
    { "access", KEY_TEXT },
    { "user", KEY_TEXT },
    { "password", KEY_TEXT },
    { "database", KEY_TEXT },
    { "basicAuth", KEY_BOOL },
    { "basicAuthUser", KEY_TEXT },
    { "basicAuthPassword", KEY_TEXT },
    { "withCredentials", KEY_BOOL },
    { "isDefault", KEY_BOOL },
    { "editable", KEY_BOOL },
    { "jsonData", KEY_MAP },
    { "secureJsonData", KEY_MAP },
    { "correlations", KEY_LIST },
    { "orgId", KEY_INT },
    { "version", KEY_INT },
    { NULL, 0 },
};

static const struct key PROVIDER_FILE_KEYS[] = {
    { "apiVersion", KEY_INT },
    { "providers", KEY_LIST },
    { NULL, 0 },
};

static const struct key PROVIDER_KEYS[] = {
    { "name", KEY_TEXT },           { "type", KEY_TEXT },
    { "folder", KEY_TEXT },         { "folderUid", KEY_TEXT },
    { "options", KEY_MAP },         { "disableDeletion", KEY_BOOL },
    { "allowUiUpdates", KEY_BOOL }, { "updateIntervalSeconds", KEY_INT },
    { "editable", KEY_BOOL },       { "orgId", KEY_INT },
    { "org_id", KEY_INT },          { NULL, 0 },
};

static enum err check_value(const struct yaml_node *v, enum key_type type, struct diag *d)
{
    static const char *const WANTED[] = {
        [KEY_TEXT] = "string", [KEY_BOOL] = "bool",  [KEY_INT] = "int",
        [KEY_MAP] = "map",     [KEY_LIST] = "[]map",
    };
    bool b, good = true, plain = v->kind == YAML_SCALAR;
    int64_t n;
    if (yaml_is_null(v)) return OK;
    /* A variable may hold anything. */
    bool variable = plain && str_find_char(v->text, '$') != STR_NONE;
    switch (type) {
    case KEY_TEXT: good = plain; break;
    case KEY_BOOL: good = plain && (variable || v->quoted || yaml_bool_of(v, &b)); break;
    case KEY_INT: good = plain && (variable || v->quoted || yaml_int_of(v, &n)); break;
    case KEY_MAP: good = v->kind == YAML_MAP; break;
    case KEY_LIST: good = v->kind == YAML_SEQ; break;
    }
    return good ? OK : yaml_mismatch(v, WANTED[type], d);
}

static void warn_unknown(struct reading *r, const struct yaml_node *key, const struct key *keys)
{
    BUF(b, 4096);
    buf_fmt(&b, "key " STR_FMT " is not known and ignored; expected one of", STR_ARG(key->text));
    for (const struct key *k = keys; k->name; k++) {
        buf_fmt(&b, "%s %s", k == keys ? "" : ",", k->name);
    }
    *vec_push(r->a, &r->warnings.v) = (struct dash_problem){
        .file = r->file,
        .text = arena_dup(r->a, buf_str(&b)),
        .line = key->line,
        .col = key->col,
    };
}

static enum err check_keys(struct reading *r, const struct yaml_node *v, const struct key *keys,
                           struct diag *d)
{
    if (v->kind != YAML_MAP) return yaml_mismatch(v, "map", d);
    for (size_t i = 0; i < v->n; i++) {
        const struct key *k = keys;
        while (k->name && !str_eqc(yaml_str(v->items[2 * i], STR("")), k->name)) k++;
        if (k->name) {
            TRY(check_value(v->items[2 * i + 1], k->type, d));
        } else {
            warn_unknown(r, v->items[2 * i], keys);
        }
    }
    return OK;
}

static enum err add_source(struct reading *r, const struct yaml_node *v, struct diag *d)
{
    TRY(check_keys(r, v, SOURCE_KEYS, d));
    struct dash_source s = {
        .name = text(r, v, "name"),
        .type = text(r, v, "type"),
        .uid = text(r, v, "uid"),
        .url = text(r, v, "url"),
        .user = text(r, v, "user"),
        .database = text(r, v, "database"),
        .basic_auth = truth(v, "basicAuth"),
        .basic_auth_user = text(r, v, "basicAuthUser"),
        .is_default = truth(v, "isDefault"),
        .read_only = !truth(v, "editable"),
        .json_data = json_of(r, yaml_get(v, "jsonData")),
    };
    s.basic_auth_password = secret_of(text(r, yaml_get(v, "secureJsonData"), "basicAuthPassword"));
    if (!s.name.n) return yaml_error(v, d, ERR_SYNTAX, "a data source needs a name");
    if (!s.type.n) {
        return yaml_error(v, d, ERR_SYNTAX, "data source \"" STR_FMT "\" needs a type",
                          STR_ARG(s.name));
    }
    if (!s.uid.n) s.uid = dash_source_uid_of_name(r->a, s.name);
    s.id = (int64_t)r->sources.v.n + 1;
    *vec_push(r->a, &r->sources.v) = s;
    return OK;
}

static enum err add_provider(struct reading *r, const struct yaml_node *v, struct diag *d)
{
    TRY(check_keys(r, v, PROVIDER_KEYS, d));
    struct dash_provider p = {
        .name = text(r, v, "name"),
        .folder = text(r, v, "folder"),
        .path = text(r, yaml_get(v, "options"), "path"),
        .allow_ui_updates = truth(v, "allowUiUpdates"),
        .disable_deletion = truth(v, "disableDeletion"),
    };
    if (!p.path.n) p.path = text(r, yaml_get(v, "options"), "folder"); /* its name of old */
    if (!p.path.n) return yaml_error(v, d, ERR_SYNTAX, "a dashboard provider needs options.path");
    if (!file_exists(p.path)) p.path = path_join(r->a, r->dir, STR("../dashboards"));
    *vec_push(r->a, &r->providers.v) = p;
    return OK;
}

/* One of the two folders, and what stands in its files. */
struct kind {
    const char *folder, *list;
    const struct key *keys;
    enum err (*add)(struct reading *r, const struct yaml_node *v, struct diag *d);
};

static const struct kind SOURCES = { "datasources", "datasources", SOURCE_FILE_KEYS, add_source };
static const struct kind PROVIDERS = { "dashboards", "providers", PROVIDER_FILE_KEYS,
                                       add_provider };

static enum err read_list(struct reading *r, const struct kind *kind, struct diag *d)
{
    struct str bytes;
    struct yaml_node *root;
    TRY(file_read(r->a, r->file, FILE_MAX, &bytes, d));
    TRY(yaml_parse(r->a, bytes, YAML_V3, &root, NULL, d));
    if (!root || yaml_is_null(root)) return OK;
    /* A list at the top is the form of old, before apiVersion. */
    const struct yaml_node *list = root;
    if (root->kind != YAML_SEQ) {
        TRY(check_keys(r, root, kind->keys, d));
        list = yaml_get(root, kind->list);
    }
    for (size_t i = 0; list && list->kind == YAML_SEQ && i < list->n; i++) {
        TRY(kind->add(r, list->items[i], d));
    }
    return OK;
}

static enum err read_folder(struct reading *r, const struct kind *kind, struct diag *d)
{
    struct str *files;
    size_t n;
    struct str pattern = arena_fmt(r->a, STR_FMT "/%s/*.y*ml", STR_ARG(r->dir), kind->folder);
    TRY(file_glob(r->a, pattern, &files, &n, d));
    for (size_t i = 0; i < n; i++) {
        struct diag why = { 0 };
        r->file = files[i];
        enum err e = read_list(r, kind, &why);
        if (e == OK) continue;
        if (!why.line) return diag_set(d, e, STR_FMT ": %s", STR_ARG(files[i]), why.text);
        return diag_set(d, e, STR_FMT ":%u:%u: %s", STR_ARG(files[i]), why.line, why.col, why.text);
    }
    return OK;
}

static const struct dash_source BUILT_IN[] = {
    { .id = 1,
      .uid = { "prometheus", 10 },
      .name = { "Prometheus", 10 },
      .type = { "prometheus", 10 },
      .url = { "http://prometheus:9090", 22 },
      .json_data = { "{}", 2 },
      .is_default = true,
      .read_only = true },
    { .id = 2,
      .uid = { "alertmanager", 12 },
      .name = { "Alertmanager", 12 },
      .type = { "alertmanager", 12 },
      .url = { "http://alertmanager:9093", 24 },
      .json_data = { "{\"implementation\":\"prometheus\"}", 31 },
      .read_only = true },
};

static bool has_type(const struct reading *r, struct str type)
{
    VEC_FOR(s, &r->sources.v) {
        if (str_eq(s->type, type)) return true;
    }
    return false;
}

/* A Prometheus and an Alertmanager are always there; the first Prometheus is the default when no file says. */
static void complete_sources(struct reading *r)
{
    for (size_t i = 0; i < ARRAY_LEN(BUILT_IN); i++) {
        if (has_type(r, BUILT_IN[i].type)) continue;
        struct dash_source s = BUILT_IN[i];
        s.id = (int64_t)r->sources.v.n + 1;
        *vec_push(r->a, &r->sources.v) = s;
    }
    struct dash_source *first = NULL;
    VEC_FOR(s, &r->sources.v) {
        if (s->is_default) return;
        if (!first && str_eqc(s->type, "prometheus")) first = s;
    }
    if (first) first->is_default = true;
}

/* Without a provider, the dashboards beside the provisioning folder. */
static void complete_providers(struct reading *r)
{
    if (r->providers.v.n || !r->dir.n) return;
    *vec_push(r->a, &r->providers.v) = (struct dash_provider){
        .name = STR("default"),
        .folder = STR(""),
        .path = path_join(r->a, r->dir, STR("../dashboards")),
    };
}

/* The lists read so far become the set's. */
static void finish(struct reading *r, struct dash_provisioning *p)
{
    p->sources = r->sources.v.v;
    p->sources_n = r->sources.v.n;
    p->providers = r->providers.v.v;
    p->providers_n = r->providers.v.n;
    p->warnings = r->warnings.v.v;
    p->warnings_n = r->warnings.v.n;
    p->arena = *r->a;
}

enum err dash_provisioning_read_file(struct str file, bool dashboards,
                                     struct str (*env)(struct str name),
                                     struct dash_provisioning **out, struct diag *d)
{
    struct arena a;
    arena_init(&a, 0);
    struct dash_provisioning *p = arena_new(&a, struct dash_provisioning);
    struct reading r = { .p = p, .a = &a, .env = env, .file = arena_dup(&a, file) };
    r.dir = path_join(&a, path_dir(&a, file), STR(".."));
    enum err e = read_list(&r, dashboards ? &PROVIDERS : &SOURCES, d);
    if (e != OK) {
        arena_done(&a);
        return e;
    }
    finish(&r, p);
    *out = p;
    return OK;
}

enum err dash_provisioning_read(struct str dir, struct str (*env)(struct str name),
                                struct dash_provisioning **out, struct diag *d)
{
    struct arena a;
    arena_init(&a, 0);
    struct dash_provisioning *p = arena_new(&a, struct dash_provisioning);
    struct reading r = { .p = p, .a = &a, .dir = arena_dup(&a, dir), .env = env };
    enum err e = OK;
    if (dir.n) e = read_folder(&r, &SOURCES, d);
    if (e == OK && dir.n) e = read_folder(&r, &PROVIDERS, d);
    if (e != OK) {
        arena_done(&a);
        return e;
    }
    complete_sources(&r);
    complete_providers(&r);
    finish(&r, p);
    *out = p;
    return OK;
}

void dash_provisioning_free(struct dash_provisioning *p)
{
    if (!p) return;
    struct arena a = p->arena; /* p lives in it */
    arena_done(&a);
}

static struct str lower(struct arena *a, struct str s)
{
    char *p = arena_raw(a, s.n + 1);
    for (size_t i = 0; i < s.n; i++) {
        p[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i];
    }
    return str_make(p, s.n);
}

const struct dash_source *dash_source_find(const struct dash_provisioning *p, struct str key)
{
    ARENA(a, 0);
    const struct dash_source *by_name = NULL, *by_hash = NULL, *deflt = NULL;
    for (size_t i = 0; i < p->sources_n; i++) {
        const struct dash_source *s = &p->sources[i];
        if (str_eq(s->uid, key)) return s;
        if (str_ieq(s->name, key)) by_name = s;
        if (str_eq(dash_source_uid_of_name(&a, s->name), key) ||
            str_eq(dash_source_uid_of_name(&a, lower(&a, s->name)), key)) {
            by_hash = s;
        }
        if (s->is_default) deflt = s;
    }
    if (by_name) return by_name;
    if (by_hash) return by_hash;
    return !key.n || str_eqc(key, "default") ? deflt : NULL;
}

const struct dash_source *dash_source_by_id(const struct dash_provisioning *p, int64_t id)
{
    return id >= 1 && (uint64_t)id <= p->sources_n ? &p->sources[id - 1] : NULL;
}
