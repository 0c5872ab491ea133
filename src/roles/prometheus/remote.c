/* SPDX-License-Identifier: Apache-2.0 */
/*
 * remote.c - remote_write entries of the configuration become senders over the store's log
 */
#include "base/hash.h"
#include "base/map.h"
#include "io/file.h"
#include "roles/prometheus/prometheus_priv.h"

/* Families of all targets, each name once: what the first target says of it. */
static size_t metadata(void *ctx, struct arena *a, struct remotepb_metadata **out)
{
    static const uint64_t TYPES[EXPO_TYPE_MAX_] = {
        [EXPO_COUNTER] = 1, [EXPO_GAUGE] = 2, [EXPO_HISTOGRAM] = 3, [EXPO_GAUGEHISTOGRAM] = 4,
        [EXPO_SUMMARY] = 5, [EXPO_INFO] = 6,  [EXPO_STATESET] = 7,
    };
    struct prometheus *p = ctx;
    struct metric_metadata *all;
    size_t n, kept = 0;
    struct map seen = { 0 };
    scrape_metadata(p->scrape, a, (struct str){ 0 }, &all, &n);
    struct remotepb_metadata *v = arena_array(a, n, sizeof(*v));
    for (size_t i = 0; i < n; i++) {
        if (map_get(&seen, all[i].metric)) continue;
        (void)map_put(&seen, all[i].metric, &all[i]);
        v[kept++] = (struct remotepb_metadata){ TYPES[all[i].type], all[i].metric, all[i].help,
                                                all[i].unit };
    }
    map_done(&seen);
    *out = v;
    return kept;
}

void prometheus_remote_start(struct prometheus *p)
{
    ARENA(a, 0);
    const struct remote_writer_env env = {
        .loop = p->env.collect,
        .pool = p->env.pool,
        .wal_dir = path_join(&a, p->cfg->storage_path, STR("wal")),
        .place_dir = path_join(&a, p->cfg->storage_path, STR("remote_write")),
        .agent = arena_fmt(&a, "Prometheus/%s", p->env.version),
        .metadata = metadata,
        .ctx = p,
    };
    p->writer = remote_writer_new(&env);
}

static const struct http_pair *headers_of(struct arena *a, struct yaml_pairs from)
{
    struct http_pair *h = arena_array(a, from.n, sizeof(*h));
    for (size_t i = 0; i < from.n; i++) h[i] = (struct http_pair){ from.v[i].key, from.v[i].value };
    return h;
}

/* What the entry says, external labels included: they are put on each series when it is first named. */
static struct str identity(struct arena *a, const struct prom_config *c,
                           const struct remote_write_config *w)
{
    BUF(b, 0);
    remote_write_config_write(&b, w);
    labels_write(&b, c->global.external_labels);
    return arena_dup(a, buf_str(&b));
}

/* An entry without a name is called by the beginning of a hash of itself. */
static struct str name_of(struct arena *a, struct str name, struct str said)
{
    if (name.n) return name;
    return arena_fmt(a, "%06llx", (unsigned long long)(hash_fnv1a(FNV1A_INIT, said) & 0xffffff));
}

static struct remote_write_options options_of(struct prom_config *c,
                                              const struct remote_write_config *w)
{
    struct arena *a = &c->arena; /* not yet seen by another thread */
    struct str said = identity(a, c, w);
    const struct remote_queue_config *q = &w->queue;
    return (struct remote_write_options){
        .to = { .name = name_of(a, w->name, said),
                .url = w->url,
                .timeout_ms = w->timeout_ms,
                .headers = headers_of(a, w->headers),
                .headers_n = w->headers.n,
                .http = &w->http },
        .relabel = w->relabel.v,
        .relabel_n = w->relabel.n,
        .external = c->global.external_labels,
        .queue = { .capacity = q->capacity,
                   .max_shards = q->max_shards,
                   .min_shards = q->min_shards,
                   .max_samples_per_send = q->max_samples_per_send,
                   .batch_deadline_ms = q->batch_send_deadline_ms,
                   .min_backoff_ms = q->min_backoff_ms,
                   .max_backoff_ms = q->max_backoff_ms,
                   .age_limit_ms = q->sample_age_limit_ms,
                   .retry_on_429 = q->retry_on_http_429 },
        .metadata = w->metadata.send,
        .metadata_interval_ms = w->metadata.send_interval_ms,
        .metadata_max = w->metadata.max_samples_per_send,
        .identity = said,
    };
}

static void *take(void *c) { return prom_config_ref(c); }
static void give_back(void *c) { prom_config_unref(c); }

static struct remote_read_options read_options_of(struct prom_config *c,
                                                  const struct remote_read_config *r)
{
    struct arena *a = &c->arena;
    struct label *required = arena_array(a, r->required_matchers.n, sizeof(*required));
    for (size_t i = 0; i < r->required_matchers.n; i++) {
        required[i] = (struct label){ r->required_matchers.v[i].key,
                                      r->required_matchers.v[i].value };
    }
    return (struct remote_read_options){
        .from = { .name = name_of(a, r->name, r->url),
                  .url = r->url,
                  .timeout_ms = r->timeout_ms,
                  .headers = headers_of(a, r->headers),
                  .headers_n = r->headers.n,
                  .http = &r->http },
        .required = required,
        .required_n = r->required_matchers.n,
        .read_recent = r->read_recent,
        .filter_external = r->filter_external_labels,
        .external = c->global.external_labels,
        .frame_max = (size_t)r->chunked_read_limit,
    };
}

/* The oldest time of head and blocks. */
static int64_t local_start(void *ctx)
{
    struct tsdb_stats s;
    tsdb_stats(((struct prometheus *)ctx)->tsdb, &s);
    return s.lowest_time;
}

void prometheus_reader_start(struct prometheus *p)
{
    ARENA(a, 0);
    const struct remote_reader_env env = {
        .local = tsdb_queryable(p->tsdb),
        .local_start = local_start,
        .ctx = p,
        .agent = arena_fmt(&a, "Prometheus/%s", p->env.version),
    };
    p->reader = remote_reader_new(&env);
}

static void apply_reads(struct prometheus *p, struct prom_config *c)
{
    size_t n = c->remote_reads.n;
    struct remote_read_options *o = arena_array(&c->arena, n, sizeof(*o));
    for (size_t i = 0; i < n; i++) o[i] = read_options_of(c, &c->remote_reads.v[i]);
    remote_reader_apply(p->reader, o, n, prom_config_ref(c), give_back);
}

void prometheus_remote_apply(struct prometheus *p, struct prom_config *c)
{
    ARENA(a, 0);
    size_t n = c->remote_writes.n;
    struct remote_write_options *o = arena_array(&a, n, sizeof(*o));
    for (size_t i = 0; i < n; i++) o[i] = options_of(c, &c->remote_writes.v[i]);
    apply_reads(p, c);
    remote_writer_apply(p->writer, o, n, c, take, give_back);
}
