/* SPDX-License-Identifier: Apache-2.0 */
#include "dash/store.h"

#include "base/assert.h"
#include "base/vec.h"
#include "io/file.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

struct dash_store {
    sqlite3 *db;
    pthread_mutex_t lock;
};

static const char SCHEMA[] =
    "CREATE TABLE IF NOT EXISTS user (id INTEGER PRIMARY KEY, login TEXT UNIQUE NOT NULL, email TEXT NOT NULL,"
    " name TEXT NOT NULL, hash TEXT NOT NULL, untouched INTEGER NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS session (key BLOB PRIMARY KEY, user_id INTEGER NOT NULL,"
    " created_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS dashboard (uid TEXT PRIMARY KEY, id INTEGER NOT NULL, version INTEGER NOT NULL,"
    " created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, json TEXT NOT NULL) STRICT;"
    "PRAGMA user_version = 1;";

static enum err failed(struct dash_store *s, const char *what, struct diag *d)
{
    return diag_set(d, ERR_SYS, "%s: %s", what, sqlite3_errmsg(s->db));
}

static enum err run(struct dash_store *s, const char *sql, struct diag *d)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK
               ? OK
               : failed(s, "dashboards database", d);
}

/* A damaged file must not stop the start: it is moved aside and said so. */
static enum err check_or_move(struct dash_store *s, struct str path, struct diag *d)
{
    sqlite3_stmt *st = NULL;
    bool whole = sqlite3_prepare_v2(s->db, "PRAGMA quick_check(1)", -1, &st, NULL) == SQLITE_OK &&
                 sqlite3_step(st) == SQLITE_ROW &&
                 strcmp((const char *)sqlite3_column_text(st, 0), "ok") == 0;
    (void)sqlite3_finalize(st);
    return whole ? OK : diag_set(d, ERR_CORRUPT, STR_FMT " is damaged", STR_ARG(path));
}

static enum err open_file(struct dash_store *s, struct str path, struct diag *d)
{
    if (sqlite3_open_v2(path.p, &s->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK) {
        return failed(s, path.p, d);
    }
    (void)sqlite3_busy_timeout(s->db, 5000);
    TRY(check_or_move(s, path, d));
    TRY(run(s, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;", d));
    return run(s, SCHEMA, d);
}

enum err dash_store_open(struct str dir, struct dash_store **out, struct diag *d)
{
    ARENA(a, 0);
    TRY(dir_make(dir, d));
    struct str path = path_join(&a, dir, STR("vigie.db"));
    struct dash_store *s = calloc(1, sizeof(*s));
    ASSERT(s != NULL);
    pthread_mutex_init(&s->lock, NULL);
    mode_t was = umask(0077);
    enum err e = open_file(s, path, d);
    if (e == ERR_CORRUPT) {
        struct str aside = arena_fmt(&a, STR_FMT ".damaged", STR_ARG(path));
        (void)sqlite3_close(s->db);
        s->db = NULL;
        (void)rename(path.p, aside.p);
        e = open_file(s, path, d);
    }
    (void)umask(was);
    if (e != OK) {
        dash_store_close(s);
        return e;
    }
    *out = s;
    return OK;
}

void dash_store_close(struct dash_store *s)
{
    if (!s) return;
    (void)sqlite3_close(s->db);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* One statement under the lock: bound by `bind`, each row given to `row`. */
struct query {
    const char *sql;
    void (*bind)(sqlite3_stmt *st, const void *in);
    const void *in;
    void (*row)(sqlite3_stmt *st, struct arena *a, void *out);
    void *out;
};

static enum err step_through(struct dash_store *s, struct arena *a, const struct query *q,
                             struct diag *d)
{
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(s->db, q->sql, -1, &st, NULL) != SQLITE_OK) {
        return failed(s, "dashboards database", d);
    }
    if (q->bind) q->bind(st, q->in);
    int e;
    while ((e = sqlite3_step(st)) == SQLITE_ROW) {
        ASSERT(q->row != NULL);
        q->row(st, a, q->out);
    }
    enum err code = e == SQLITE_DONE ? OK : failed(s, "dashboards database", d);
    (void)sqlite3_finalize(st);
    return code;
}

static enum err query(struct dash_store *s, struct arena *a, const struct query *q, struct diag *d)
{
    pthread_mutex_lock(&s->lock);
    enum err e = step_through(s, a, q, d);
    pthread_mutex_unlock(&s->lock);
    return e;
}

static struct str column(sqlite3_stmt *st, int i, struct arena *a)
{
    const char *p = (const char *)sqlite3_column_blob(st, i);
    return arena_dup(a, str_make(p, (size_t)sqlite3_column_bytes(st, i)));
}

static void bind_str(sqlite3_stmt *st, int i, struct str s)
{
    (void)sqlite3_bind_text(st, i, s.p ? s.p : "", (int)s.n, SQLITE_STATIC);
}

struct users {
    VEC(struct stored_user) all;
};

static void user_row(sqlite3_stmt *st, struct arena *a, void *out)
{
    *vec_push(a, &((struct users *)out)->all) = (struct stored_user){
        .id = sqlite3_column_int64(st, 0),
        .login = column(st, 1, a),
        .email = column(st, 2, a),
        .name = column(st, 3, a),
        .hash = column(st, 4, a),
        .untouched = sqlite3_column_int(st, 5) != 0,
    };
}

enum err dash_store_users(struct dash_store *s, struct arena *a, struct stored_user **out,
                          size_t *n, struct diag *d)
{
    struct users u = { 0 };
    const struct query q = {
        .sql = "SELECT id, login, email, name, hash, untouched FROM user ORDER BY id",
        .row = user_row,
        .out = &u
    };
    TRY(query(s, a, &q, d));
    *out = u.all.v;
    *n = u.all.n;
    return OK;
}

static void bind_user(sqlite3_stmt *st, const void *in)
{
    const struct stored_user *u = in;
    (void)sqlite3_bind_int64(st, 1, u->id);
    bind_str(st, 2, u->login);
    bind_str(st, 3, u->email);
    bind_str(st, 4, u->name);
    bind_str(st, 5, u->hash);
    (void)sqlite3_bind_int(st, 6, u->untouched);
}

enum err dash_store_put_user(struct dash_store *s, const struct stored_user *u, struct diag *d)
{
    const struct query q = { .sql = "INSERT OR REPLACE INTO user VALUES (?,?,?,?,?,?)",
                             .bind = bind_user,
                             .in = u };
    return query(s, NULL, &q, d);
}

struct sessions {
    VEC(struct stored_session) all;
};

static void session_row(sqlite3_stmt *st, struct arena *a, void *out)
{
    struct stored_session x = {
        .user_id = sqlite3_column_int64(st, 1),
        .created_ms = sqlite3_column_int64(st, 2),
        .seen_ms = sqlite3_column_int64(st, 3),
    };
    if (sqlite3_column_bytes(st, 0) != sizeof(x.key)) return;
    memcpy(x.key, sqlite3_column_blob(st, 0), sizeof(x.key));
    *vec_push(a, &((struct sessions *)out)->all) = x;
}

enum err dash_store_sessions(struct dash_store *s, struct arena *a, struct stored_session **out,
                             size_t *n, struct diag *d)
{
    struct sessions x = { 0 };
    const struct query q = { .sql = "SELECT key, user_id, created_ms, seen_ms FROM session",
                             .row = session_row,
                             .out = &x };
    TRY(query(s, a, &q, d));
    *out = x.all.v;
    *n = x.all.n;
    return OK;
}

static void bind_session(sqlite3_stmt *st, const void *in)
{
    const struct stored_session *x = in;
    (void)sqlite3_bind_blob(st, 1, x->key, sizeof(x->key), SQLITE_STATIC);
    (void)sqlite3_bind_int64(st, 2, x->user_id);
    (void)sqlite3_bind_int64(st, 3, x->created_ms);
    (void)sqlite3_bind_int64(st, 4, x->seen_ms);
}

enum err dash_store_put_session(struct dash_store *s, const struct stored_session *x,
                                struct diag *d)
{
    const struct query q = { .sql = "INSERT OR REPLACE INTO session VALUES (?,?,?,?)",
                             .bind = bind_session,
                             .in = x };
    return query(s, NULL, &q, d);
}

static void bind_key(sqlite3_stmt *st, const void *in)
{
    (void)sqlite3_bind_blob(st, 1, in, 32, SQLITE_STATIC);
}

enum err dash_store_drop_session(struct dash_store *s, const uint8_t key[32], struct diag *d)
{
    const struct query q = { .sql = "DELETE FROM session WHERE key = ?",
                             .bind = bind_key,
                             .in = key };
    return query(s, NULL, &q, d);
}

static void bind_id(sqlite3_stmt *st, const void *in)
{
    (void)sqlite3_bind_int64(st, 1, *(const int64_t *)in);
}

enum err dash_store_drop_sessions_of(struct dash_store *s, int64_t user_id, struct diag *d)
{
    const struct query q = { .sql = "DELETE FROM session WHERE user_id = ?",
                             .bind = bind_id,
                             .in = &user_id };
    return query(s, NULL, &q, d);
}

struct dashboards {
    VEC(struct stored_dashboard) all;
};

static void dashboard_row(sqlite3_stmt *st, struct arena *a, void *out)
{
    *vec_push(a, &((struct dashboards *)out)->all) = (struct stored_dashboard){
        .uid = column(st, 0, a),
        .id = sqlite3_column_int64(st, 1),
        .version = sqlite3_column_int64(st, 2),
        .created_ms = sqlite3_column_int64(st, 3),
        .updated_ms = sqlite3_column_int64(st, 4),
        .json = column(st, 5, a),
    };
}

enum err dash_store_dashboards(struct dash_store *s, struct arena *a, struct stored_dashboard **out,
                               size_t *n, struct diag *d)
{
    struct dashboards x = { 0 };
    const struct query q = {
        .sql = "SELECT uid, id, version, created_ms, updated_ms, json FROM dashboard ORDER BY id",
        .row = dashboard_row,
        .out = &x
    };
    TRY(query(s, a, &q, d));
    *out = x.all.v;
    *n = x.all.n;
    return OK;
}

static void bind_dashboard(sqlite3_stmt *st, const void *in)
{
    const struct stored_dashboard *x = in;
    bind_str(st, 1, x->uid);
    (void)sqlite3_bind_int64(st, 2, x->id);
    (void)sqlite3_bind_int64(st, 3, x->version);
    (void)sqlite3_bind_int64(st, 4, x->created_ms);
    (void)sqlite3_bind_int64(st, 5, x->updated_ms);
    bind_str(st, 6, x->json);
}

enum err dash_store_put_dashboard(struct dash_store *s, const struct stored_dashboard *x,
                                  struct diag *d)
{
    const struct query q = { .sql = "INSERT OR REPLACE INTO dashboard VALUES (?,?,?,?,?,?)",
                             .bind = bind_dashboard,
                             .in = x };
    return query(s, NULL, &q, d);
}

static void bind_uid(sqlite3_stmt *st, const void *in) { bind_str(st, 1, *(const struct str *)in); }

enum err dash_store_drop_dashboard(struct dash_store *s, struct str uid, struct diag *d)
{
    const struct query q = { .sql = "DELETE FROM dashboard WHERE uid = ?",
                             .bind = bind_uid,
                             .in = &uid };
    return query(s, NULL, &q, d);
}
