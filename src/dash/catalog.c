/* SPDX-License-Identifier: Apache-2.0 */
#include "dash/catalog.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "codec/json.h"
#include "codec/yaml.h"
#include "dash/store.h"
#include "io/file.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

/* One dashboard and the arena that holds its texts. */
struct entry {
    struct dashboard it;
    struct arena arena;
    struct str path; /* of its file; empty when people saved it */
    int64_t mtime_ns;
    uint64_t scan; /* number of the last scan that saw the file */
    bool keep;     /* its provider has disable_deletion */
    bool stored;   /* people saved it, and its provider allows that if it has a file */
};

struct dash_catalog {
    struct dash_store *store;
    pthread_mutex_t saving; /* one save at a time; taken before lock */
    pthread_mutex_t lock;
    struct map by_uid; /* keys are entry->it.uid */
    int64_t next_id;
    uint64_t scans;
};

static void entry_free(struct entry *e)
{
    struct arena a = e->arena; /* the entry lives in it */
    arena_done(&a);
}

struct str dash_slug(struct arena *a, struct str title)
{
    char *p = arena_raw(a, title.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < title.n; i++) {
        char c = title.p[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c + 32);
        bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
        if (word) {
            p[n++] = c;
        } else if (n && p[n - 1] != '-') {
            p[n++] = '-';
        }
    }
    while (n && p[n - 1] == '-') n--;
    p[n] = '\0';
    return str_make(p, n);
}

static struct str tags_text(struct arena *a, const struct json *tags)
{
    BUF(b, 0);
    struct json_writer w = json_writer(&b);
    json_open(&w, '[');
    for (size_t i = 0; tags && tags->kind == JSON_ARRAY && i < tags->n; i++) {
        if (tags->items[i].kind == JSON_STRING) json_put_str(&w, tags->items[i].text);
    }
    json_close(&w, ']');
    return arena_dup(a, buf_str(&b));
}

/* uid of a file without one: always the same for the same path. */
static struct str uid_of_path(struct arena *a, struct str path)
{
    return arena_fmt(a, "f%016llx", (unsigned long long)hash_xxh64(path));
}

/* What the page reads of a dashboard must be of its kind; all else stays as the user gave it. */
struct wanted {
    const char *in, *key; /* in: the object around it, or NULL */
    enum json_kind kind;
    const char *words;
};

static const struct wanted WANTED[] = {
    { NULL, "title", JSON_STRING, "a text" },
    { NULL, "uid", JSON_STRING, "a text" },
    { NULL, "tags", JSON_ARRAY, "a list" },
    { NULL, "panels", JSON_ARRAY, "a list" },
    { NULL, "time", JSON_OBJECT, "an object" },
    { NULL, "templating", JSON_OBJECT, "an object" },
    { "templating", "list", JSON_ARRAY, "a list" },
};

static const struct wanted PANEL_WANTED[] = {
    { NULL, "type", JSON_STRING, "a text" },
    { NULL, "targets", JSON_ARRAY, "a list" },
    { NULL, "gridPos", JSON_OBJECT, "an object" },
};

static bool is_wanted(const struct json *v, const struct wanted *w)
{
    if (w->in) v = json_get(v, w->in);
    const struct json *it = json_get(v, w->key);
    return !it || it->kind == JSON_NULL || it->kind == w->kind;
}

static const struct yaml_node *node_of(const struct yaml_node *v, const struct wanted *w)
{
    return yaml_get(w->in ? yaml_get(v, w->in) : v, w->key);
}

/* JSON's tree knows no places; YAML's does, and takes JSON. Only for errors. panel: of the list, or -1. */
static enum err not_wanted(struct str bytes, const struct wanted *w, ptrdiff_t panel,
                           struct diag *d)
{
    ARENA(a, 0);
    struct yaml_node *root = NULL;
    if (yaml_parse(&a, bytes, YAML_LENIENT, &root, NULL, NULL) != OK) root = NULL;
    const struct yaml_node *v = root, *inner = yaml_get(root, "dashboard");
    if (inner && inner->kind == YAML_MAP) v = inner;
    const struct yaml_node *panels = panel >= 0 ? yaml_get(v, "panels") : NULL;
    if (panels && (size_t)panel < panels->n) v = panels->items[panel];
    const struct yaml_node *it = w ? node_of(v, w) : v;
    if (it && d) {
        d->line = it->line;
        d->col = it->col;
    }
    if (!w) return diag_set(d, ERR_SYNTAX, "a panel must be an object");
    return diag_set(d, ERR_SYNTAX, "%s%s%s%s must be %s", panel >= 0 ? "a panel's " : "",
                    w->in ? w->in : "", w->in ? "." : "", w->key, w->words);
}

static enum err check_kinds(struct str bytes, const struct json *v, struct diag *d)
{
    for (size_t i = 0; i < ARRAY_LEN(WANTED); i++) {
        if (!is_wanted(v, &WANTED[i])) return not_wanted(bytes, &WANTED[i], -1, d);
    }
    const struct json *panels = json_get(v, "panels");
    for (size_t k = 0; panels && panels->kind == JSON_ARRAY && k < panels->n; k++) {
        const struct json *panel = &panels->items[k];
        if (panel->kind != JSON_OBJECT) return not_wanted(bytes, NULL, (ptrdiff_t)k, d);
        for (size_t i = 0; i < ARRAY_LEN(PANEL_WANTED); i++) {
            if (is_wanted(panel, &PANEL_WANTED[i])) continue;
            return not_wanted(bytes, &PANEL_WANTED[i], (ptrdiff_t)k, d);
        }
    }
    return OK;
}

/*
 * Takes the bytes as a dashboard. A file may hold an export of the API ({"dashboard": ..., "meta": ...}): then the inner
 * object is the dashboard.
 */
static enum err entry_new(struct str bytes, struct entry **out, struct diag *d)
{
    ARENA(scratch, 0);
    const struct json *v;
    TRY(json_parse(&scratch, bytes, &v, d));
    const struct json *inner = json_get(v, "dashboard");
    if (inner && inner->kind == JSON_OBJECT) v = inner;
    if (v->kind != JSON_OBJECT) return diag_set(d, ERR_SYNTAX, "a dashboard is a JSON object");
    TRY(check_kinds(bytes, v, d));
    struct str title = json_str(json_get(v, "title"), STR(""));
    if (!title.n) return diag_set(d, ERR_SYNTAX, "Dashboard title cannot be empty");
    struct arena a;
    arena_init(&a, 0);
    struct entry *e = arena_new(&a, struct entry);
    e->it.title = arena_dup(&a, title);
    e->it.uid = arena_dup(&a, json_str(json_get(v, "uid"), STR("")));
    e->it.slug = dash_slug(&a, title);
    e->it.tags = tags_text(&a, json_get(v, "tags"));
    e->it.version = (int64_t)json_num(json_get(v, "version"), 1);
    if (v == inner) {
        BUF(b, 0);
        json_write(&b, v);
        e->it.json = arena_dup(&a, buf_str(&b));
    } else {
        e->it.json = arena_dup(&a, bytes);
    }
    e->arena = a;
    *out = e;
    return OK;
}

static enum err load_saved(struct dash_catalog *c, struct diag *d)
{
    ARENA(a, 0);
    struct stored_dashboard *v;
    size_t n;
    TRY(dash_store_dashboards(c->store, &a, &v, &n, d));
    for (size_t i = 0; i < n; i++) {
        struct entry *e;
        struct diag why = { 0 };
        if (entry_new(v[i].json, &e, &why) != OK) continue; /* we checked it before it was saved */
        e->it.uid = arena_dup(&e->arena, v[i].uid);
        e->it.id = v[i].id;
        e->it.version = v[i].version;
        e->it.created_ms = v[i].created_ms;
        e->it.updated_ms = v[i].updated_ms;
        e->it.can_save = e->stored = true;
        if (v[i].id >= c->next_id) c->next_id = v[i].id + 1;
        (void)map_put(&c->by_uid, e->it.uid, e);
    }
    return OK;
}

enum err dash_catalog_open(struct dash_store *store, struct dash_catalog **out, struct diag *d)
{
    struct dash_catalog *c = calloc(1, sizeof(*c));
    ASSERT(c != NULL);
    c->store = store;
    c->next_id = 1;
    pthread_mutex_init(&c->lock, NULL);
    pthread_mutex_init(&c->saving, NULL);
    enum err e = load_saved(c, d);
    if (e != OK) {
        dash_catalog_close(c);
        return e;
    }
    *out = c;
    return OK;
}

void dash_catalog_close(struct dash_catalog *c)
{
    if (!c) return;
    MAP_FOR(s, &c->by_uid) {
        entry_free(s->value);
    }
    map_done(&c->by_uid);
    pthread_mutex_destroy(&c->lock);
    pthread_mutex_destroy(&c->saving);
    free(c);
}

/* --- files --- */

struct found {
    struct str path, relative;
    const struct dash_provider *provider;
    int64_t mtime_ns;
};

struct founds {
    VEC(struct found) all;
};

enum { DEPTH_MAX = 8 };

/* All *.json below dir, in name order. */
static void walk(struct arena *a, const struct dash_provider *p, struct str dir,
                 struct str relative, int depth, struct founds *out)
{
    struct str *names;
    size_t n;
    if (depth > DEPTH_MAX || dir_list(a, dir, &names, &n, NULL) != OK) return;
    for (size_t i = 0; i < n && out->all.n < DASHBOARDS_MAX; i++) {
        struct str path = path_join(a, dir, names[i]);
        struct str rel = path_join(a, relative, names[i]);
        struct stat st;
        if (stat(path.p, &st) != 0) continue;
        if (S_ISDIR(st.st_mode)) {
            walk(a, p, path, rel, depth + 1, out);
        } else if (str_ends(names[i], STR(".json"))) {
            int64_t mtime = st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
            *vec_push(a, &out->all) = (struct found){ path, rel, p, mtime };
        }
    }
}

static struct entry *entry_of_path(struct dash_catalog *c, struct str path)
{
    MAP_FOR(s, &c->by_uid) {
        struct entry *e = s->value;
        if (e->path.n && str_eq(e->path, path)) return e;
    }
    return NULL;
}

/* Seen before and unchanged: only marked. */
static bool still_same(struct dash_catalog *c, const struct found *f)
{
    pthread_mutex_lock(&c->lock);
    struct entry *e = entry_of_path(c, f->path);
    bool same = e && e->mtime_ns == f->mtime_ns;
    if (same) e->scan = c->scans;
    pthread_mutex_unlock(&c->lock);
    return same;
}

/* Grafana's rule and words: it stands in addresses. */
static enum err check_uid(struct str uid, struct diag *d)
{
    enum { UID_MAX = 40 };
    if (uid.n > UID_MAX) {
        return diag_set(d, ERR_SYNTAX, "uid too long, max 40 characters");
    }
    for (size_t i = 0; i < uid.n; i++) {
        char c = uid.p[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '_';
        if (!good) return diag_set(d, ERR_SYNTAX, "uid contains illegal characters");
    }
    return OK;
}

enum err dashboard_read(struct arena *a, struct str bytes, struct dashboard *out, struct diag *d)
{
    struct entry *e;
    TRY(entry_new(bytes, &e, d));
    enum err bad = e->it.uid.n ? check_uid(e->it.uid, d) : OK;
    if (bad == OK) {
        *out = (struct dashboard){ .title = arena_dup(a, e->it.title),
                                   .uid = arena_dup(a, e->it.uid),
                                   .slug = arena_dup(a, e->it.slug),
                                   .tags = arena_dup(a, e->it.tags),
                                   .json = arena_dup(a, e->it.json),
                                   .version = e->it.version };
    }
    entry_free(e);
    return bad;
}

/* A file that is not taken any more, half written for instance, leaves what was taken before. */
static void keep_old(struct dash_catalog *c, const struct found *f)
{
    pthread_mutex_lock(&c->lock);
    struct entry *e = entry_of_path(c, f->path);
    if (e) e->scan = c->scans;
    pthread_mutex_unlock(&c->lock);
}

static void set_file(struct dash_catalog *c, struct entry *e, const struct found *f)
{
    e->path = arena_dup(&e->arena, f->path);
    e->mtime_ns = f->mtime_ns;
    e->scan = c->scans;
    e->keep = f->provider->disable_deletion;
    e->it.file = arena_dup(&e->arena, f->relative);
    e->it.folder = arena_dup(&e->arena, f->provider->folder);
    e->it.can_save = f->provider->allow_ui_updates;
    e->it.provisioned = !e->it.can_save;
}

/*
 * What people saved over a file stays until the file is newer.
 * Differs: Grafana compares the file's checksum with the one it saw last, not times.
 */
static bool outlives(const struct entry *saved, const struct found *f)
{
    return f->provider->allow_ui_updates && saved->stored && !saved->path.n &&
           saved->it.updated_ms >= f->mtime_ns / 1000000;
}

static enum err put_file(struct dash_catalog *c, struct entry *e, const struct found *f,
                         int64_t now_ms, struct diag *d)
{
    pthread_mutex_lock(&c->lock);
    struct entry *was = entry_of_path(c, f->path), *other = map_get(&c->by_uid, e->it.uid);
    if (other && other != was && other->scan == c->scans) {
        pthread_mutex_unlock(&c->lock);
        return diag_set(d, ERR_EXISTS, "uid " STR_FMT " is taken by " STR_FMT, STR_ARG(e->it.uid),
                        STR_ARG(other->path));
    }
    if (other && !was && outlives(other, f)) {
        set_file(c, other, f);
        pthread_mutex_unlock(&c->lock);
        entry_free(e);
        return OK;
    }
    e->it.id = was ? was->it.id : c->next_id++;
    e->it.created_ms = was ? was->it.created_ms : now_ms;
    if (was) (void)map_del(&c->by_uid, was->it.uid);
    if (was) entry_free(was);
    was = map_put(&c->by_uid, e->it.uid, e);
    if (was) entry_free(was);
    pthread_mutex_unlock(&c->lock);
    return OK;
}

static enum err take_file(struct dash_catalog *c, struct arena *a, const struct found *f,
                          int64_t now_ms, struct diag *d)
{
    struct str bytes;
    struct entry *e;
    TRY(file_read(a, f->path, DASHBOARD_MAX_BYTES, &bytes, d));
    TRY(entry_new(bytes, &e, d));
    set_file(c, e, f);
    e->it.updated_ms = f->mtime_ns / 1000000;
    if (!e->it.uid.n) e->it.uid = uid_of_path(&e->arena, f->path);
    enum err code = check_uid(e->it.uid, d);
    if (code == OK) code = put_file(c, e, f, now_ms, d);
    if (code != OK) entry_free(e);
    return code;
}

/* Under the lock. */
static struct entry *any_vanished(struct dash_catalog *c)
{
    MAP_FOR(s, &c->by_uid) {
        struct entry *e = s->value;
        if (e->path.n && e->scan != c->scans && !e->keep) return e;
    }
    return NULL;
}

static struct entry *take_vanished(struct dash_catalog *c)
{
    pthread_mutex_lock(&c->lock);
    struct entry *gone = any_vanished(c);
    if (gone) (void)map_del(&c->by_uid, gone->it.uid);
    pthread_mutex_unlock(&c->lock);
    return gone;
}

/* With its file goes what people saved over it, as in Grafana. */
static enum err drop_vanished(struct dash_catalog *c)
{
    enum err code = OK;
    for (struct entry *gone; (gone = take_vanished(c));) {
        enum err e = gone->stored ? dash_store_drop_dashboard(c->store, gone->it.uid, NULL) : OK;
        if (e != OK) code = e;
        entry_free(gone);
    }
    return code;
}

struct problems {
    VEC(struct dash_problem) all;
};

enum err dash_catalog_scan(struct dash_catalog *c, const struct dash_provider *v, size_t n,
                           int64_t now_ms, struct arena *a, struct dash_problem **problems,
                           size_t *problems_n)
{
    struct founds files = { 0 };
    struct problems bad = { 0 };
    c->scans++;
    for (size_t i = 0; i < n; i++) walk(a, &v[i], v[i].path, STR(""), 0, &files);
    VEC_FOR(f, &files.all) {
        struct diag d = { 0 };
        ARENA(scratch, 0);
        if (still_same(c, f) || take_file(c, &scratch, f, now_ms, &d) == OK) continue;
        keep_old(c, f);
        struct str text = d.line ? arena_fmt(a, "%u:%u: %s", d.line, d.col, d.text)
                                 : arena_dup(a, str_c(d.text));
        *vec_push(a, &bad.all) = (struct dash_problem){ .file = f->path, .text = text };
    }
    if (problems) *problems = bad.all.v;
    if (problems) *problems_n = bad.all.n;
    return drop_vanished(c);
}

/* --- reading --- */

static struct dashboard copy(struct arena *a, const struct dashboard *from)
{
    struct dashboard to = *from;
    to.uid = arena_dup(a, from->uid);
    to.title = arena_dup(a, from->title);
    to.slug = arena_dup(a, from->slug);
    to.folder = arena_dup(a, from->folder);
    to.json = arena_dup(a, from->json);
    to.tags = arena_dup(a, from->tags);
    to.file = arena_dup(a, from->file);
    return to;
}

enum err dash_catalog_get(struct dash_catalog *c, struct arena *a, struct str uid,
                          struct dashboard *out)
{
    pthread_mutex_lock(&c->lock);
    struct entry *e = map_get(&c->by_uid, uid);
    if (e) *out = copy(a, &e->it);
    pthread_mutex_unlock(&c->lock);
    return e ? OK : ERR_MISSING;
}

static bool contains_any_case(struct str s, struct str what)
{
    for (size_t i = 0; i + what.n <= s.n; i++) {
        if (str_ieq(str_make(s.p + i, what.n), what)) return true;
    }
    return false;
}

static int by_title(const void *a, const void *b)
{
    const struct dashboard *x = a, *y = b;
    int c = str_cmp(x->title, y->title);
    return c ? c : str_cmp(x->uid, y->uid);
}

struct hits {
    VEC(struct dashboard) all;
};

enum err dash_catalog_search(struct dash_catalog *c, struct arena *a, struct str query,
                             struct dashboard **out, size_t *n)
{
    struct hits h = { 0 };
    pthread_mutex_lock(&c->lock);
    MAP_FOR(s, &c->by_uid) {
        const struct dashboard *it = &((struct entry *)s->value)->it;
        if (!contains_any_case(it->title, query)) continue;
        struct dashboard short_form = *it;
        short_form.json = STR("");
        *vec_push(a, &h.all) = copy(a, &short_form);
    }
    pthread_mutex_unlock(&c->lock);
    if (h.all.n) qsort(h.all.v, h.all.n, sizeof(*h.all.v), by_title);
    *out = h.all.v;
    *n = h.all.n;
    return OK;
}

/* --- writing --- */

static struct str new_uid(struct arena *a, struct str title, int64_t now_ms, int64_t id)
{
    uint64_t h = hash_u64((uint64_t)now_ms ^ (uint64_t)id << 48) ^ hash_bytes(title);
    return arena_fmt(a, "v%013llx", (unsigned long long)(h & 0xfffffffffffffULL));
}

/* Under the lock: may this model be saved over what is there? */
static enum err check_save(struct dash_catalog *c, const struct entry *e, bool overwrite,
                           struct diag *d)
{
    const struct entry *was = e->it.uid.n ? map_get(&c->by_uid, e->it.uid) : NULL;
    if (!was && c->by_uid.n >= DASHBOARDS_MAX) {
        return diag_set(d, ERR_LIMIT, "there are %d dashboards already", DASHBOARDS_MAX);
    }
    if (!was) return OK;
    if (was->it.provisioned) return diag_set(d, ERR_DENIED, "Cannot save provisioned dashboard");
    if (!overwrite && was->it.version != e->it.version) {
        return diag_set(d, ERR_EXISTS, "The dashboard has been changed by someone else");
    }
    return OK;
}

/* Saved over a file's: it stays that file's. */
static void inherit_file(struct entry *e, const struct entry *was)
{
    e->path = arena_dup(&e->arena, was->path);
    e->mtime_ns = was->mtime_ns;
    e->scan = was->scan;
    e->keep = was->keep;
    e->it.file = arena_dup(&e->arena, was->it.file);
    e->it.folder = arena_dup(&e->arena, was->it.folder);
}

static void number_entry(struct dash_catalog *c, struct entry *e, int64_t now_ms)
{
    const struct entry *was = e->it.uid.n ? map_get(&c->by_uid, e->it.uid) : NULL;
    e->it.id = was ? was->it.id : c->next_id++;
    e->it.version = was ? was->it.version + 1 : 1;
    e->it.created_ms = was ? was->it.created_ms : now_ms;
    e->it.updated_ms = now_ms;
    e->it.can_save = e->stored = true;
    if (was) inherit_file(e, was);
    if (!e->it.uid.n) e->it.uid = new_uid(&e->arena, e->it.title, now_ms, e->it.id);
}

static enum err save_entry(struct dash_catalog *c, struct entry *e, bool overwrite, int64_t now_ms,
                           struct diag *d)
{
    pthread_mutex_lock(&c->lock);
    enum err code = check_save(c, e, overwrite, d);
    if (code == OK) number_entry(c, e, now_ms);
    pthread_mutex_unlock(&c->lock);
    if (code != OK) return code;
    const struct stored_dashboard row = { e->it.id,         e->it.version, e->it.created_ms,
                                          e->it.updated_ms, e->it.uid,     e->it.json };
    TRY(dash_store_put_dashboard(c->store, &row, d));
    pthread_mutex_lock(&c->lock);
    struct entry *was = map_put(&c->by_uid, e->it.uid, e);
    if (was) entry_free(was);
    pthread_mutex_unlock(&c->lock);
    return OK;
}

enum err dash_catalog_save(struct dash_catalog *c, struct arena *a, struct str model,
                           bool overwrite, int64_t now_ms, struct dash_saved *out, struct diag *d)
{
    struct entry *e;
    if (model.n > DASHBOARD_MAX_BYTES) {
        return diag_set(d, ERR_LIMIT, "a dashboard may have at most %d bytes", DASHBOARD_MAX_BYTES);
    }
    TRY(entry_new(model, &e, d));
    pthread_mutex_lock(&c->saving);
    enum err code = check_uid(e->it.uid, d);
    if (code == OK) code = save_entry(c, e, overwrite, now_ms, d);
    if (code == OK) {
        *out = (struct dash_saved){ e->it.id, e->it.version, arena_dup(a, e->it.uid),
                                    arena_dup(a, e->it.slug), arena_dup(a, e->it.title) };
    }
    pthread_mutex_unlock(&c->saving);
    if (code != OK) entry_free(e);
    return code;
}

enum err dash_catalog_delete(struct dash_catalog *c, struct arena *a, struct str uid,
                             struct str *title, struct diag *d)
{
    struct dashboard it;
    if (dash_catalog_get(c, a, uid, &it) != OK) {
        return diag_set(d, ERR_MISSING, "Dashboard not found");
    }
    if (it.file.n) return diag_set(d, ERR_DENIED, "provisioned dashboard cannot be deleted");
    TRY(dash_store_drop_dashboard(c->store, uid, d));
    pthread_mutex_lock(&c->lock);
    struct entry *e = map_del(&c->by_uid, uid);
    if (e) entry_free(e);
    pthread_mutex_unlock(&c->lock);
    *title = it.title;
    return OK;
}

/* --- models for answers --- */

static bool ours(struct str key)
{
    return str_eqc(key, "id") || str_eqc(key, "uid") || str_eqc(key, "version");
}

enum err dashboard_write_model(struct buf *b, const struct dashboard *it)
{
    ARENA(a, 0);
    const struct json *v;
    struct diag d = { 0 };
    TRY(json_parse(&a, it->json, &v, &d));
    struct json_writer w = json_writer(b);
    json_open(&w, '{');
    json_key(&w, "id");
    json_put_i64(&w, it->id);
    json_key(&w, "uid");
    json_put_str(&w, it->uid);
    for (size_t i = 0; i < v->n; i++) {
        if (ours(v->members[i].key)) continue;
        json_key_str(&w, v->members[i].key);
        json_write(b, &v->members[i].value);
        w.comma = true;
    }
    json_key(&w, "version");
    json_put_i64(&w, it->version);
    json_close(&w, '}');
    return buf_ok(b);
}
