/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h - users, sessions and saved dashboards on disk: one SQLite file
 *
 * Shape:   DATA/vigie.db in WAL mode, synchronous=FULL (what was acknowledged survives); user_version is the schema's number.
 * Threads: any; one lock around the one connection. Calls may wait for the disk: jobs only, but for the start.
 * Errors:  ERR_SYS with SQLite's words in d.
 */
#ifndef DASH_STORE_H
#define DASH_STORE_H

#include "base/arena.h"
#include "base/err.h"

struct dash_store;

enum err dash_store_open(struct str dir, struct dash_store **out, struct diag *d);
void dash_store_close(struct dash_store *s);

struct stored_user {
    int64_t id;
    struct str login, email, name, hash;
    bool untouched; /* the password was never changed by a person */
};

enum err dash_store_users(struct dash_store *s, struct arena *a, struct stored_user **out,
                          size_t *n, struct diag *d);
enum err dash_store_put_user(struct dash_store *s, const struct stored_user *u, struct diag *d);

struct stored_session {
    uint8_t key[32]; /* SHA-256 of the cookie's token: the file holds nothing that logs in */
    int64_t user_id, created_ms, seen_ms;
};

enum err dash_store_sessions(struct dash_store *s, struct arena *a, struct stored_session **out,
                             size_t *n, struct diag *d);
enum err dash_store_put_session(struct dash_store *s, const struct stored_session *x,
                                struct diag *d);
enum err dash_store_drop_session(struct dash_store *s, const uint8_t key[32], struct diag *d);
enum err dash_store_drop_sessions_of(struct dash_store *s, int64_t user_id, struct diag *d);

struct stored_dashboard {
    int64_t id, version, created_ms, updated_ms;
    struct str uid, json;
};

enum err dash_store_dashboards(struct dash_store *s, struct arena *a, struct stored_dashboard **out,
                               size_t *n, struct diag *d);
enum err dash_store_put_dashboard(struct dash_store *s, const struct stored_dashboard *x,
                                  struct diag *d);
enum err dash_store_drop_dashboard(struct dash_store *s, struct str uid, struct diag *d);

#endif
