/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats.c - what the store says about itself: /status/tsdb and prometheus_tsdb_*
 *
 * Source: Prometheus tsdb/index/postings.go Stats; metric names and help texts of tsdb/head.go, wlog.go, db.go
 */
#include "base/vec.h"
#include "codec/expowrite.h"
#include "tsdb/tsdb_priv.h"

/*
 * /status/tsdb
 */

static int by_value_down(const void *a, const void *b)
{
    const struct tsdb_top *x = a, *y = b;
    if (x->value != y->value) return x->value < y->value ? 1 : -1;
    return str_cmp(x->name, y->name);
}

/* A list that keeps its `limit` largest: sorted and cut whenever it is twice as long. */
struct top {
    struct arena *a;
    VEC(struct tsdb_top) v;
    size_t limit;
    uint64_t least; /* below this nothing gets in */
};

static void top_cut(struct top *t)
{
    if (t->v.n) qsort(t->v.v, t->v.n, sizeof(*t->v.v), by_value_down);
    if (t->v.n < t->limit || !t->limit) return;
    t->v.n = t->limit;
    t->least = t->v.v[t->limit - 1].value;
}

static struct tsdb_top *top_push(struct top *t, struct str name, uint64_t value)
{
    if (t->v.n >= t->limit * 2 + 16) top_cut(t);
    struct tsdb_top *it = vec_push(t->a, &t->v);
    *it = (struct tsdb_top){ name, value };
    return it;
}

static struct tsdb_top_list top_end(struct top *t)
{
    top_cut(t);
    return (struct tsdb_top_list){ t->v.v, t->v.n };
}

struct tops {
    struct top metrics, names, memory, pairs;
};

static void count_name(const struct head *h, const struct posting *of_name, struct tops *t)
{
    struct str name = symbols_get(&h->symbols, of_name->name);
    bool metric = str_eq(name, METRIC_NAME);
    uint32_t n, members;
    const uint32_t *ids = shared_u32_get(&of_name->list, &n);
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct posting *p = index_posting(&h->index, ids[i]);
        struct str value = symbols_get(&h->symbols, p->value);
        (void)shared_u32_get(&p->list, &members);
        bytes += (name.n + value.n) * members;
        if (metric) (void)top_push(&t->metrics, value, members);
        if (members < t->pairs.least) continue;
        (void)top_push(&t->pairs,
                       arena_fmt(t->pairs.a, STR_FMT "=" STR_FMT, STR_ARG(name), STR_ARG(value)),
                       members);
    }
    (void)top_push(&t->names, name, n);
    (void)top_push(&t->memory, name, bytes);
}

static struct top top_of(struct arena *a, size_t limit)
{
    return (struct top){ .a = a, .limit = limit };
}

void tsdb_status(struct tsdb *db, struct arena *a, size_t limit, struct tsdb_status *out)
{
    struct reader_ticket ticket;
    readers_enter(&db->readers, &ticket, &db->commits);
    const struct head *h = db->head;
    struct tops t = { top_of(a, limit), top_of(a, limit), top_of(a, limit), top_of(a, limit) };
    uint32_t n;
    const uint32_t *names = shared_u32_get(&h->index.names, &n);
    for (uint32_t i = 0; i < n; i++) count_name(h, index_posting(&h->index, names[i]), &t);
    *out = (struct tsdb_status){
        .series = atomic_load(&h->series),
        .label_pairs = atomic_load(&h->index.pairs),
        .chunks = atomic_load(&h->chunks),
        .min_time = atomic_load(&h->min_t),
        .max_time = atomic_load(&h->max_t),
        .metrics = top_end(&t.metrics),
        .label_names = top_end(&t.names),
        .memory = top_end(&t.memory),
        .pairs = top_end(&t.pairs),
    };
    for (size_t i = 0; i < out->metrics.n; i++) {
        out->metrics.v[i].name = arena_dup(a, out->metrics.v[i].name);
    }
    for (size_t i = 0; i < out->label_names.n; i++) {
        out->label_names.v[i].name = arena_dup(a, out->label_names.v[i].name);
    }
    for (size_t i = 0; i < out->memory.n; i++) {
        out->memory.v[i].name = arena_dup(a, out->memory.v[i].name);
    }
    readers_leave(&db->readers, &ticket);
}

/*
 * Counters
 */

static uint64_t pages_bytes(const struct paged *p)
{
    return ((uint64_t)p->n + PAGED_ITEMS - 1) / PAGED_ITEMS * PAGED_ITEMS * p->item;
}

static uint64_t memory_of(const struct tsdb *db)
{
    const struct head *h = db->head;
    return pages_bytes(&h->hot) + pages_bytes(&h->cold) + pages_bytes(&h->ident) +
           pages_bytes(&h->segments.items) + pages_bytes(&h->index.postings) +
           pages_bytes(&h->symbols.items) + atomic_load(&h->symbols.bytes) +
           h->table_cap * sizeof(*h->table) + h->blob_bytes;
}

void tsdb_stats(struct tsdb *db, struct tsdb_stats *out)
{
    pthread_mutex_lock(&db->lock);
    const struct head *h = db->head;
    *out = (struct tsdb_stats){
        .series = atomic_load(&h->series) - atomic_load(&h->dead),
        .series_created = atomic_load(&h->series),
        .chunks = atomic_load(&h->chunks),
        .chunks_created = atomic_load(&h->chunks_created),
        .samples_appended = atomic_load(&db->n.appended),
        .out_of_order = atomic_load(&db->n.out_of_order),
        .out_of_bound = atomic_load(&db->n.out_of_bound),
        .min_time = atomic_load(&h->min_t),
        .max_time = atomic_load(&h->max_t),
        .wal_segment = db->wal.segment,
        .wal_bytes = atomic_load(&db->wal.bytes),
        .wal_corruptions = atomic_load(&db->n.corruptions),
        .wal_writes_failed = atomic_load(&db->wal.writes_failed),
        .wal_page_flushes = atomic_load(&db->wal.page_flushes),
        .wal_completed_pages = atomic_load(&db->wal.completed_pages),
        .wal_fsyncs = atomic_load(&db->wal.syncs),
        .wal_fsync_ns = atomic_load(&db->wal.sync_ns),
        .head_chunk_bytes = db->files.total,
        .mmap_chunks = atomic_load(&db->n.chunks_stored),
        .mmap_chunk_corruptions = atomic_load(&db->n.chunk_corruptions),
        .active_appenders = atomic_load(&db->n.appenders),
        .symbol_bytes = atomic_load(&h->symbols.bytes),
        .head_memory_bytes = memory_of(db),
        .replay_ns = db->replay_ns,
        .series_removed = atomic_load(&db->n.series_removed),
        .chunks_removed = atomic_load(&h->chunks_removed),
        .blocks = atomic_load(&db->blocks.loaded),
        .block_bytes = atomic_load(&db->blocks.bytes),
        .blocks_refused = atomic_load(&db->blocks.failed),
        .lowest_time = atomic_load(&db->blocks.mint) < atomic_load(&h->min_t)
                           ? atomic_load(&db->blocks.mint)
                           : atomic_load(&h->min_t),
        .compactions = atomic_load(&db->upkeep.compactions),
        .compactions_failed = atomic_load(&db->upkeep.compactions_failed),
        .head_truncations = atomic_load(&db->upkeep.head_truncations),
        .head_moves = atomic_load(&db->upkeep.head_moves),
        .checkpoints = atomic_load(&db->upkeep.checkpoints),
        .checkpoints_failed = atomic_load(&db->upkeep.checkpoints_failed),
        .retention_time = atomic_load(&db->upkeep.retention_time),
        .retention_size = atomic_load(&db->upkeep.retention_size),
        .reloads = atomic_load(&db->blocks.reloads),
        .reloads_failed = atomic_load(&db->blocks.reloads_failed),
    };
    pthread_mutex_unlock(&db->lock);
    out->open_queriers = readers_count(&db->readers);
}

struct metric_row {
    const char *name, *help, *type;
    size_t field; /* offset of a uint64_t or int64_t in struct tsdb_stats */
    enum { AS_COUNT, AS_TIME, AS_SECONDS_OF_MS, AS_SECONDS_OF_NS, AS_ZERO } as;
};

#define FIELD(f) offsetof(struct tsdb_stats, f)

static const struct metric_row ROWS[] = {
    { "prometheus_tsdb_head_series", "Total number of series in the head block.", "gauge",
      FIELD(series), AS_COUNT },
    { "prometheus_tsdb_head_series_created_total", "Total number of series created in the head",
      "counter", FIELD(series_created), AS_COUNT },
    { "prometheus_tsdb_head_series_removed_total", "Total number of series removed in the head",
      "counter", FIELD(series_removed), AS_COUNT },
    { "prometheus_tsdb_head_chunks", "Total number of chunks in the head block.", "gauge",
      FIELD(chunks), AS_COUNT },
    { "prometheus_tsdb_head_chunks_created_total", "Total number of chunks created in the head",
      "counter", FIELD(chunks_created), AS_COUNT },
    { "prometheus_tsdb_head_chunks_removed_total", "Total number of chunks removed in the head",
      "counter", FIELD(chunks_removed), AS_COUNT },
    { "prometheus_tsdb_head_chunks_storage_size_bytes", "Size of the chunks_head directory.",
      "gauge", FIELD(head_chunk_bytes), AS_COUNT },
    { "prometheus_tsdb_head_min_time",
      "Minimum time bound of the head block. The unit is decided by the library consumer.", "gauge",
      FIELD(min_time), AS_TIME },
    { "prometheus_tsdb_head_min_time_seconds", "Minimum time bound of the head block.", "gauge",
      FIELD(min_time), AS_SECONDS_OF_MS },
    { "prometheus_tsdb_head_max_time",
      "Maximum timestamp of the head block. The unit is decided by the library consumer.", "gauge",
      FIELD(max_time), AS_TIME },
    { "prometheus_tsdb_head_max_time_seconds", "Maximum timestamp of the head block.", "gauge",
      FIELD(max_time), AS_SECONDS_OF_MS },
    { "prometheus_tsdb_lowest_timestamp",
      "Lowest timestamp value stored in the database. The unit is decided by the library consumer.",
      "gauge", FIELD(min_time), AS_TIME },
    { "prometheus_tsdb_lowest_timestamp_seconds", "Lowest timestamp value stored in the database.",
      "gauge", FIELD(min_time), AS_SECONDS_OF_MS },
    { "prometheus_tsdb_head_active_appenders", "Number of currently active appender transactions",
      "gauge", FIELD(active_appenders), AS_COUNT },
    { "prometheus_tsdb_out_of_bound_samples_total",
      "Total number of out of bound samples ingestion failed attempts with out of order support "
      "disabled.",
      "counter", FIELD(out_of_bound), AS_COUNT },
    { "prometheus_tsdb_wal_segment_current",
      "Write log segment index that TSDB is currently writing to.", "gauge", FIELD(wal_segment),
      AS_COUNT },
    { "prometheus_tsdb_wal_storage_size_bytes", "Size of the write log directory.", "gauge",
      FIELD(wal_bytes), AS_COUNT },
    { "prometheus_tsdb_wal_corruptions_total", "Total number of WAL corruptions.", "counter",
      FIELD(wal_corruptions), AS_COUNT },
    { "prometheus_tsdb_wal_writes_failed_total", "Total number of write log writes that failed.",
      "counter", FIELD(wal_writes_failed), AS_COUNT },
    { "prometheus_tsdb_wal_page_flushes_total", "Total number of page flushes.", "counter",
      FIELD(wal_page_flushes), AS_COUNT },
    { "prometheus_tsdb_wal_completed_pages_total", "Total number of completed pages.", "counter",
      FIELD(wal_completed_pages), AS_COUNT },
    { "prometheus_tsdb_mmap_chunk_corruptions_total",
      "Total number of memory-mapped chunk corruptions.", "counter", FIELD(mmap_chunk_corruptions),
      AS_COUNT },
    { "prometheus_tsdb_mmap_chunks_total", "Total number of chunks that were memory-mapped.",
      "counter", FIELD(mmap_chunks), AS_COUNT },
    { "prometheus_tsdb_symbol_table_size_bytes", "Size of symbol table in memory for loaded blocks",
      "gauge", FIELD(symbol_bytes), AS_COUNT },
    { "prometheus_tsdb_data_replay_duration_seconds", "Time taken to replay the data on disk.",
      "gauge", FIELD(replay_ns), AS_SECONDS_OF_NS },
    { "prometheus_tsdb_blocks_loaded", "Number of currently loaded data blocks", "gauge",
      FIELD(blocks), AS_COUNT },
    { "prometheus_tsdb_storage_blocks_bytes",
      "The number of bytes that are currently used for local storage by all blocks.", "gauge",
      FIELD(block_bytes), AS_COUNT },
    { "prometheus_tsdb_compactions_total",
      "Total number of compactions that were executed for the partition.", "counter",
      FIELD(compactions), AS_COUNT },
    { "prometheus_tsdb_compactions_failed_total",
      "Total number of compactions that failed for the partition.", "counter",
      FIELD(compactions_failed), AS_COUNT },
    { "prometheus_tsdb_head_truncations_total", "Total number of head truncations attempted.",
      "counter", FIELD(head_truncations), AS_COUNT },
    { "prometheus_tsdb_checkpoint_creations_total",
      "Total number of checkpoint creations attempted.", "counter", FIELD(checkpoints), AS_COUNT },
    { "prometheus_tsdb_checkpoint_creations_failed_total",
      "Total number of checkpoint creations that failed.", "counter", FIELD(checkpoints_failed),
      AS_COUNT },
    { "prometheus_tsdb_time_retentions_total",
      "The number of times that blocks were deleted because the maximum time limit was exceeded.",
      "counter", FIELD(retention_time), AS_COUNT },
    { "prometheus_tsdb_size_retentions_total",
      "The number of times that blocks were deleted because the maximum number of bytes was "
      "exceeded.",
      "counter", FIELD(retention_size), AS_COUNT },
    { "prometheus_tsdb_reloads_total",
      "Number of times the database reloaded block data from disk.", "counter", FIELD(reloads),
      AS_COUNT },
    { "prometheus_tsdb_reloads_failures_total",
      "Number of times the database failed to reloadBlocks block data from disk.", "counter",
      FIELD(reloads_failed), AS_COUNT },
    { "vigie_tsdb_head_memory_bytes", "Bytes of memory that the head's tables hold.", "gauge",
      FIELD(head_memory_bytes), AS_COUNT },
    { "vigie_tsdb_blocks_refused", "Damaged block directories that are left aside.", "gauge",
      FIELD(blocks_refused), AS_COUNT },
    { "vigie_tsdb_open_queriers", "Queries that read the head now.", "gauge", FIELD(open_queriers),
      AS_COUNT },
};

static double row_value(const struct metric_row *row, const struct tsdb_stats *s)
{
    if (row->as == AS_ZERO) return 0;
    uint64_t raw;
    memcpy(&raw, (const char *)s + row->field, sizeof(raw));
    if (row->as == AS_COUNT) return (double)raw;
    if (row->as == AS_SECONDS_OF_NS) return (double)raw / 1e9;
    int64_t t = (int64_t)raw;
    if (row->as == AS_SECONDS_OF_MS) t /= 1000; /* whole seconds, as the original's */
    return (double)t;
}

/* Families with a label, or of two samples. */
static void write_special(struct buf *out, const struct tsdb_stats *s)
{
    struct expo_label type = { STR("type"), STR("float") };
    expo_family(out, STR("prometheus_tsdb_head_samples_appended_total"),
                STR("Total number of appended samples."), "counter");
    expo_sample(out, STR("prometheus_tsdb_head_samples_appended_total"), &type, 1,
                (double)s->samples_appended);
    expo_family(out, STR("prometheus_tsdb_out_of_order_samples_total"),
                STR("Total number of out of order samples ingestion failed attempts due to out of "
                    "order being disabled."),
                "counter");
    expo_sample(out, STR("prometheus_tsdb_out_of_order_samples_total"), &type, 1,
                (double)s->out_of_order);
    expo_family(out, STR("prometheus_tsdb_wal_fsync_duration_seconds"),
                STR("Duration of write log fsync."), "summary");
    expo_sample(out, STR("prometheus_tsdb_wal_fsync_duration_seconds_sum"), NULL, 0,
                (double)s->wal_fsync_ns / 1e9);
    expo_sample(out, STR("prometheus_tsdb_wal_fsync_duration_seconds_count"), NULL, 0,
                (double)s->wal_fsyncs);
}

void tsdb_write_metrics(struct tsdb *db, struct buf *out)
{
    struct tsdb_stats s;
    tsdb_stats(db, &s);
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        expo_family(out, str_c(ROWS[i].name), str_c(ROWS[i].help), ROWS[i].type);
        expo_sample(out, str_c(ROWS[i].name), NULL, 0, row_value(&ROWS[i], &s));
    }
    write_special(out, &s);
}
