/* SPDX-License-Identifier: Apache-2.0 */
/* store.h - a store in a folder of its own, and short words for what tests do with it */
#ifndef TESTS_UNIT_TSDB_STORE_H
#define TESTS_UNIT_TSDB_STORE_H

#include "io/file.h"
#include "test.h"
#include "tsdb/tsdb.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct store {
    char dir[80];
    struct tsdb *db;
    unsigned reports;
    struct tsdb_report last; /* its strings are in the buffers below */
    char last_file[64], last_text[256];
};

static inline void store_on_report(void *ctx, const struct tsdb_report *r)
{
    struct store *s = ctx;
    s->reports++;
    s->last = *r;
    (void)snprintf(s->last_file, sizeof(s->last_file), STR_FMT, STR_ARG(r->file));
    (void)snprintf(s->last_text, sizeof(s->last_text), "%s", r->text);
}

/* Memory, where fsync is cheap, if there is enough of it: containers often have a little. */
static inline const char *store_top(void)
{
    struct statvfs fs;
    bool roomy = statvfs("/dev/shm", &fs) == 0 && fs.f_bavail * fs.f_frsize >= 512UL << 20;
    return roomy && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

static inline void store_folder(struct store *s)
{
    *s = (struct store){ 0 };
    (void)snprintf(s->dir, sizeof(s->dir), "%s/vigie-tsdb-XXXXXX", store_top());
    assert_non_null(mkdtemp(s->dir));
}

static inline void store_open_with(struct store *s, struct tsdb_options o)
{
    struct diag d = { 0 };
    o.dir = str_c(s->dir);
    o.report = store_on_report;
    o.ctx = s;
    s->reports = 0;
    if (tsdb_open(&o, &s->db, &d) != OK) fail_msg("%s", d.text);
}

static inline void store_open(struct store *s)
{
    store_open_with(s, (struct tsdb_options){ .segment_bytes = 1 << 20 });
}

static inline void store_close(struct store *s)
{
    tsdb_close(s->db);
    s->db = NULL;
}

static inline void store_remove(struct store *s)
{
    store_close(s);
    char cmd[96];
    (void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", s->dir);
    assert_int_equal(system(cmd), 0); /* NOLINT(concurrency-mt-unsafe,cert-env33-c) */
}

/* Labels from "name", "value", ..., NULL; sorted by the writer of the test. */
static inline struct labels labels_of(struct arena *a, const char *const *words)
{
    size_t n = 0;
    while (words[n]) n++;
    struct label *v = arena_array(a, n / 2, sizeof(*v));
    for (size_t i = 0; i < n / 2; i++) {
        v[i] = (struct label){ str_c(words[2 * i]), str_c(words[2 * i + 1]) };
    }
    return labels_from(v, n / 2);
}

#define LABELS(a, ...) labels_of((a), (const char *const[]){ __VA_ARGS__, NULL })

static inline struct appender *store_appender(struct store *s)
{
    struct appendable *aa = tsdb_appendable(s->db);
    return aa->ops->open(aa);
}

static inline uint64_t store_series(struct appender *ap, struct labels lb)
{
    uint64_t ref = 0;
    struct diag d = { 0 };
    if (ap->ops->series(ap, lb, &ref, &d) != OK) fail_msg("%s", d.text);
    return ref;
}

static inline struct append_result store_commit(struct appender *ap)
{
    struct append_result res = { 0 };
    struct diag d = { 0 };
    if (ap->ops->commit(ap, &res, &d) != OK) fail_msg("%s", d.text);
    return res;
}

static inline struct append_result store_put(struct store *s, uint64_t ref, int64_t t, double v)
{
    struct appender *ap = store_appender(s);
    (void)ap->ops->add(ap, ref, t, v);
    return store_commit(ap);
}

static inline struct querier *store_querier(struct store *s)
{
    struct querier *q = NULL;
    struct queryable *qa = tsdb_queryable(s->db);
    assert_int_equal(qa->ops->open(qa, INT64_MIN, INT64_MAX, &q, NULL), OK);
    return q;
}

static inline size_t store_select(struct querier *q, struct arena *a, const struct matcher *m,
                                  size_t n, struct series **out)
{
    size_t count = 0;
    struct diag d = { 0 };
    enum err e = q->ops->select(q, a, m, n, INT64_MIN, INT64_MAX, out, &count, &d);
    if (e != OK) fail_msg("%s", d.text);
    return count;
}

/* The one series with __name__=name. */
static inline bool store_find(struct querier *q, struct arena *a, const char *name,
                              struct series *out)
{
    struct matcher m;
    struct series *v;
    assert_int_equal(matcher_init(&m, MATCH_EQ, METRIC_NAME, str_c(name), NULL), OK);
    size_t n = store_select(q, a, &m, 1, &v);
    matcher_done(&m);
    assert_true(n <= 1);
    if (n) *out = v[0];
    return n == 1;
}

#endif
