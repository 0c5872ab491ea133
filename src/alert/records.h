/* SPDX-License-Identifier: Apache-2.0 */
/*
 * records.h - silences and entries of the notification log, and their bytes on disk
 *
 * Shape:  a file is records one behind the other, each a varint length and a protobuf message: MeshSilence{1 silence,
 *         2 expires_at} or MeshEntry{1 entry, 2 expires_at}. Of several records with one key the last counts.
 *         Timestamps are {1 seconds, 2 nanos}. Unknown fields are skipped.
 * Owns:   a record is one block with an arena of its own; record_free functions end it.
 * Source: Alertmanager silencepb and nflogpb (field numbers), files of 0.25 and 0.34.
 */
#ifndef ALERT_RECORDS_H
#define ALERT_RECORDS_H

#include "alert/matchers.h"

#define RECORD_MAX ((size_t)16 << 20)

struct silence {
    struct arena arena;
    struct str id;
    struct matchers *sets; /* any of them */
    size_t sets_n;
    int64_t starts_at, ends_at, updated_at, expires_at;
    struct str created_by, comment;
    struct labels annotations;
};

struct log_entry {
    struct arena arena;
    struct str group_key, receiver, integration;
    uint32_t index;
    int64_t at, expires_at;
    const uint64_t *firing, *resolved;
    size_t firing_n, resolved_n;
    struct str key; /* group_key:receiver/integration/index */
};

struct silence *silence_new(void);
void silence_free(struct silence *s); /* NULL is fine */
struct log_entry *log_entry_new(void);
void log_entry_key(struct log_entry *e); /* fills key */
void log_entry_free(struct log_entry *e);

/* With the length in front. */
void silence_write(struct buf *b, const struct silence *s);
void log_entry_write(struct buf *b, const struct log_entry *e);

/*
 * Takes one record's message off the front of *in. Errors leave *in: ERR_SHORT the file ends inside it,
 * ERR_CORRUPT no record; ERR_EOF nothing is left.
 */
enum err record_next(struct str *in, struct str *message);
enum err silence_read(struct str message, struct silence **out);
enum err log_entry_read(struct str message, struct log_entry **out);

#endif
