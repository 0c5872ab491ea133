/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catalog.h - all dashboards: those that files provide and those that people saved
 *
 * Shape:   a dashboard stays the JSON the user gave, byte for byte; id, uid, version and title are read from it once. Answers
 *          with another id, uid or version are made from the bytes at the moment they are asked for.
 * Threads: any; one lock inside, never held across a file or the database.
 * Owns:    its entries. What it hands out is copied into the caller's arena.
 * Source:  Grafana dashboards HTTP API and provisioning, spec sections 3 and 3.3.
 */
#ifndef DASH_CATALOG_H
#define DASH_CATALOG_H

#include "base/arena.h"
#include "base/err.h"

struct dash_store;

/* A provider, as a file below provisioning/dashboards names it. */
struct dash_provider {
    struct str name, folder, path;
    bool allow_ui_updates, disable_deletion;
};

struct dashboard {
    int64_t id;
    struct str uid, title, slug, folder;
    struct str json; /* as given */
    struct str tags; /* JSON array text of strings, "[]" when none */
    int64_t version, created_ms, updated_ms;
    bool provisioned,
        can_save;    /* never both; from a file whose provider allows it: only can_save */
    struct str file; /* relative to its provider's path; empty when it has none */
};

/* Larger files and bodies are refused. */
enum { DASHBOARD_MAX_BYTES = 8 << 20, DASHBOARDS_MAX = 20000 };

struct dash_catalog;

/* Loads what people saved from the store. */
enum err dash_catalog_open(struct dash_store *store, struct dash_catalog **out, struct diag *d);
void dash_catalog_close(struct dash_catalog *c);

/* A file that could not be taken, for the log. */
struct dash_problem {
    struct str file, text;
    unsigned line, col; /* 0: no place */
};

/*
 * Reads all providers' files anew: new and changed ones are taken, vanished ones dropped (unless disable_deletion).
 * Of equal uids the first stays. problems may be NULL. What people saved over a file (allow_ui_updates) stays until that is newer.
 * Errors: ERR_SYS the database would not forget a vanished one
 */
enum err dash_catalog_scan(struct dash_catalog *c, const struct dash_provider *v, size_t n,
                           int64_t now_ms, struct arena *a, struct dash_problem **problems,
                           size_t *problems_n);

/* Errors: ERR_MISSING */
enum err dash_catalog_get(struct dash_catalog *c, struct arena *a, struct str uid,
                          struct dashboard *out);

/* Those whose title contains query (any case), sorted by title. */
enum err dash_catalog_search(struct dash_catalog *c, struct arena *a, struct str query,
                             struct dashboard **out, size_t *n);

struct dash_saved {
    int64_t id, version;
    struct str uid, slug, title;
};

/*
 * Saves a model (the bare dashboard JSON) durably before it returns.
 * Errors: ERR_SYNTAX no dashboard; ERR_EXISTS the uid exists with another version and overwrite is false;
 *         ERR_DENIED it is a provisioned one that may not be changed here; ERR_LIMIT too large; ERR_SYS the database
 */
enum err dash_catalog_save(struct dash_catalog *c, struct arena *a, struct str model,
                           bool overwrite, int64_t now_ms, struct dash_saved *out, struct diag *d);

/* Errors: ERR_MISSING, ERR_DENIED it has a file */
enum err dash_catalog_delete(struct dash_catalog *c, struct arena *a, struct str uid,
                             struct str *title, struct diag *d);

/*
 * The bytes as the catalogue takes them: title, uid, tags and the rest, in a. Errors: as dash_catalog_save, and those of a
 * file; d has line and column.
 */
enum err dashboard_read(struct arena *a, struct str bytes, struct dashboard *out, struct diag *d);

/* The model for an answer: as given, with id, uid and version of the entry. */
struct buf;
enum err dashboard_write_model(struct buf *b, const struct dashboard *it);

/* "Kafka Monitoring - DreamScape" -> "kafka-monitoring-dreamscape" */
struct str dash_slug(struct arena *a, struct str title);

#endif
