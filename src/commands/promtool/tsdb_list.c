/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tsdb_list.c - promtool tsdb list, analyze, create-blocks-from openmetrics
 */
#include "base/map.h"
#include "codec/expo_read.h"
#include "codec/gotime.h"
#include "commands/promtool/promtool.h"
#include "commands/promtool/tsdb_blocks.h"
#include "io/clock.h"
#include "io/file.h"

#include <stdio.h>
#include <stdlib.h>

static int failed(const struct diag *d)
{
    (void)fprintf(stderr, "%s\n", d->text);
    return PROMTOOL_FAILED;
}

static struct str dir_of(const struct promtool_options *o)
{
    return o->args.n ? o->args.v[0] : STR("data/");
}

int promtool_tsdb_list(const struct promtool_options *o)
{
    BUF(b, 0);
    struct open_blocks all = { 0 };
    struct diag d = { 0 };
    if (open_blocks_read(o->a, dir_of(o), &all, &d) != OK) return failed(&d);
    blocks_print(&b, o->a, all.v.v, all.v.n, true, o->human_readable);
    open_blocks_done(&all);
    promtool_flush(&b);
    return PROMTOOL_OK;
}

/* --- analyze --- */

struct tally {
    struct str name;
    uint64_t n;
};

struct tallies {
    struct arena *a;
    struct map by_name;
    VEC(struct tally *) v;
};

static void count(struct tallies *t, struct str name, uint64_t n)
{
    struct tally *it = map_get(&t->by_name, name);
    if (!it) {
        it = arena_new(t->a, struct tally);
        it->name = arena_dup(t->a, name);
        (void)map_put(&t->by_name, it->name, it);
        *vec_push(t->a, &t->v) = it;
    }
    it->n += n;
}

static int by_count(const void *x, const void *y)
{
    const struct tally *a = *(struct tally *const *)x, *b = *(struct tally *const *)y;
    if (a->n != b->n) return a->n < b->n ? 1 : -1;
    return str_cmp(a->name, b->name);
}

/* divisor: what is counted is told in units of it. */
static void print_tally(struct tallies *t, const char *title, double divisor, int64_t limit)
{
    (void)printf("\n%s:\n", title);
    for (size_t i = 0; i < t->v.n; i++) t->v.v[i]->n = (uint64_t)((double)t->v.v[i]->n / divisor);
    if (t->v.n) qsort(t->v.v, t->v.n, sizeof(struct tally *), by_count);
    for (size_t i = 0; i < t->v.n && (int64_t)i < limit; i++) {
        (void)printf("%llu " STR_FMT "\n", (unsigned long long)t->v.v[i]->n,
                     STR_ARG(t->v.v[i]->name));
    }
}

struct analysis {
    struct tallies pairs_uncovered, names_uncovered, pairs, lengths, cardinality, metrics;
    uint64_t entries, chunks, samples, samples_min, samples_max, bytes, bytes_min, bytes_max;
};

static void add_pair(struct analysis *x, const struct label *l, uint64_t uncovered)
{
    struct str pair = arena_fmt(x->pairs.a, STR_FMT "=" STR_FMT, STR_ARG(l->name),
                                STR_ARG(l->value));
    bool fresh = !map_get(&x->pairs.by_name, pair);
    count(&x->pairs_uncovered, pair, uncovered);
    count(&x->names_uncovered, l->name, uncovered);
    count(&x->pairs, pair, 1);
    if (fresh) count(&x->lengths, l->name, l->value.n);
    if (fresh) count(&x->cardinality, l->name, 1);
    if (str_eq(l->name, METRIC_NAME)) count(&x->metrics, l->value, 1);
    x->entries++;
}

static void widen(uint64_t v, uint64_t *sum, uint64_t *min, uint64_t *max, bool first)
{
    *sum += v;
    if (first || v < *min) *min = v;
    if (first || v > *max) *max = v;
}

static enum err add_chunk(struct analysis *x, const struct block *b, uint64_t ref)
{
    unsigned encoding;
    struct str data;
    TRY(block_chunk(b, ref, &encoding, &data));
    uint64_t samples = data.n >= 2
                           ? (uint64_t)(unsigned char)data.p[0] << 8 | (unsigned char)data.p[1]
                           : 0;
    widen(samples, &x->samples, &x->samples_min, &x->samples_max, x->chunks == 0);
    widen(data.n, &x->bytes, &x->bytes_min, &x->bytes_max, x->chunks == 0);
    x->chunks++;
    return OK;
}

static enum err analyse(struct analysis *x, const struct block *b, bool chunks, struct diag *d)
{
    ARENA(a, 0);
    struct block_cursor *cursor = arena_new(x->pairs.a, struct block_cursor);
    uint32_t *series;
    size_t n;
    block_cursor_init(cursor, b);
    TRY(block_all(b, x->pairs.a, &series, &n));
    uint64_t range = (uint64_t)(b->meta.maxt - b->meta.mint);
    for (size_t i = 0; i < n; i++) {
        struct labels lb;
        struct blockindex_series s;
        arena_reset(&a);
        if (block_series(cursor, &a, series[i], &lb, &s) != OK) {
            return diag_set(d, ERR_CORRUPT, "series %u of the block cannot be read", series[i]);
        }
        uint64_t covered = s.chunks ? (uint64_t)(s.chunk[s.chunks - 1].maxt - s.chunk[0].mint) : 0;
        uint64_t uncovered = covered < range ? range - covered : 0;
        for (size_t k = 0; k < lb.n; k++) add_pair(x, &lb.v[k], uncovered);
        for (size_t k = 0; chunks && k < s.chunks; k++) {
            if (add_chunk(x, b, s.chunk[k].ref) != OK) {
                return diag_set(d, ERR_CORRUPT, "a chunk of the block cannot be read");
            }
        }
    }
    return OK;
}

static void print_analysis(struct analysis *x, const struct block *b, int64_t limit, bool extended)
{
    BUF(duration, 64);
    double range = (double)(b->meta.maxt - b->meta.mint);
    go_duration_write(&duration, (b->meta.maxt - b->meta.mint) * 1000000);
    (void)printf("Block ID: " STR_FMT "\nDuration: " STR_FMT "\nTotal Series: %llu\n"
                 "Label names: %zu\nPostings (unique label pairs): %zu\n"
                 "Postings entries (total label pairs): %llu\n",
                 STR_ARG(b->meta.ulid), STR_ARG(buf_str(&duration)),
                 (unsigned long long)b->meta.stats.series, x->names_uncovered.v.n, x->pairs.v.n,
                 (unsigned long long)x->entries);
    print_tally(&x->pairs_uncovered, "Label pairs most involved in churning", range, limit);
    print_tally(&x->names_uncovered, "Label names most involved in churning", range, limit);
    print_tally(&x->pairs, "Most common label pairs", 1, limit);
    print_tally(&x->lengths, "Label names with highest cumulative label value length", 1, limit);
    print_tally(&x->cardinality, "Highest cardinality labels", 1, limit);
    print_tally(&x->metrics, "Highest cardinality metric names", 1, limit);
    if (!extended || !x->chunks) return;
    (void)printf("\nCompaction analysis:\n\nFloat and histogram samples per chunk (min/avg/max): "
                 "%llu/%llu/%llu\nBytes per chunk (min/avg/max): %llu/%llu/%llu\n",
                 (unsigned long long)x->samples_min, (unsigned long long)(x->samples / x->chunks),
                 (unsigned long long)x->samples_max, (unsigned long long)x->bytes_min,
                 (unsigned long long)(x->bytes / x->chunks), (unsigned long long)x->bytes_max);
}

/* The one named, else the last. */
static const struct block *choose(const struct promtool_options *o, const struct open_blocks *all,
                                  struct diag *d)
{
    if (o->args.n < 2 && all->v.n) return all->v.v[all->v.n - 1];
    for (size_t i = 0; o->args.n >= 2 && i < all->v.n; i++) {
        if (str_eq(all->v.v[i]->meta.ulid, o->args.v[1])) return all->v.v[i];
    }
    struct str name = o->args.n >= 2 ? o->args.v[1] : STR("");
    (void)diag_set(d, ERR_MISSING, "block " STR_FMT " not found", STR_ARG(name));
    return NULL;
}

static void analysis_done(struct analysis *x)
{
    struct tallies *all[] = { &x->pairs_uncovered, &x->names_uncovered, &x->pairs,
                              &x->lengths,         &x->cardinality,     &x->metrics };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) map_done(&all[i]->by_name);
}

int promtool_tsdb_analyze(const struct promtool_options *o)
{
    struct open_blocks all = { 0 };
    struct diag d = { 0 };
    struct analysis x = { .pairs_uncovered.a = o->a,
                          .names_uncovered.a = o->a,
                          .pairs.a = o->a,
                          .lengths.a = o->a,
                          .cardinality.a = o->a,
                          .metrics.a = o->a };
    if (open_blocks_read(o->a, dir_of(o), &all, &d) != OK) return failed(&d);
    const struct block *b = choose(o, &all, &d);
    bool good = b && analyse(&x, b, o->extended, &d) == OK;
    if (good) print_analysis(&x, b, o->limit, o->extended);
    analysis_done(&x);
    open_blocks_done(&all);
    return good ? PROMTOOL_OK : failed(&d);
}

/* --- create-blocks-from openmetrics --- */

#define BLOCK_MS  (INT64_C(2) * 60 * 60 * 1000)
#define INPUT_MAX ((size_t)8 << 30)

/* One pass over the page: what lies in [from, to) is added, bounds are told. */
struct pass {
    struct block_builder *b; /* NULL: only the bounds */
    int64_t from, to, mint, maxt;
    size_t samples;
};

static struct labels labels_of(struct arena *a, const struct expo_entry *e)
{
    struct label *v = arena_array(a, e->labels_n + 1, sizeof(*v));
    v[0] = (struct label){ METRIC_NAME, expo_unescape(a, e->name, true) };
    for (size_t i = 0; i < e->labels_n; i++) {
        v[i + 1] = (struct label){ expo_unescape(a, e->labels[i].name, true),
                                   expo_label_value(a, e->type, e->labels[i].name,
                                                    e->labels[i].value) };
    }
    return labels_from(v, e->labels_n + 1);
}

static enum err add_entry(struct pass *p, struct arena *a, const struct expo_entry *e,
                          struct diag *d)
{
    if (e->kind != EXPO_SERIES) return OK;
    if (!e->has_t) return diag_set(d, ERR_SYNTAX, "expected timestamp for series got none");
    if (e->t < p->from || e->t >= p->to) return OK;
    if (!p->samples || e->t < p->mint) p->mint = e->t;
    if (!p->samples || e->t > p->maxt) p->maxt = e->t;
    p->samples++;
    if (p->b) block_builder_add(p->b, labels_of(a, e), e->t, e->value);
    return OK;
}

static enum err run_pass(struct pass *p, struct str page, struct diag *d)
{
    ARENA(a, 0);
    struct expo_reader r;
    struct expo_entry e;
    struct diag why = { 0 };
    enum err code, bad = OK;
    expo_reader_init(&r, EXPO_OPENMETRICS);
    r.in = page;
    r.final = true;
    while (bad == OK && (code = expo_next(&r, &e, &why)) == OK) {
        arena_reset(&a);
        bad = add_entry(p, &a, &e, d);
    }
    expo_reader_done(&r);
    if (bad != OK) return bad;
    return code == ERR_EOF ? OK : diag_set(d, code, "next: %s", why.text);
}

static int64_t aligned(int64_t t)
{
    int64_t into = t % BLOCK_MS;
    return t - (into < 0 ? into + BLOCK_MS : into);
}

static enum err print_block(const struct promtool_options *o, struct str dir, const char *name,
                            bool first, struct diag *d)
{
    BUF(b, 0);
    struct block *made;
    TRY(block_open(path_join(o->a, dir, str_c(name)), &made, d));
    blocks_print(&b, o->a, &made, 1, first, o->human_readable);
    block_unref(made);
    promtool_flush(&b);
    return OK;
}

static enum err write_blocks(const struct promtool_options *o, struct str dir, struct str page,
                             const struct pass *whole, struct diag *d)
{
    bool first = true;
    for (int64_t from = aligned(whole->mint); from <= whole->maxt; from += BLOCK_MS) {
        char name[ULID_CHARS + 1] = "";
        struct pass p = { .b = block_builder_new(), .from = from, .to = from + BLOCK_MS };
        enum err e = run_pass(&p, page, d);
        if (e == OK && p.samples) {
            e = block_builder_write(p.b, dir, p.mint, p.maxt + 1, clock_now_ms(), name, d);
        }
        block_builder_free(p.b);
        TRY(e);
        if (name[0] && !o->quiet) TRY(print_block(o, dir, name, first, d));
        if (name[0]) first = false;
    }
    return OK;
}

int promtool_create_blocks(const struct promtool_options *o)
{
    struct str page, dir = o->args.n > 1 ? o->args.v[1] : STR("data/");
    struct diag d = { 0 }, why = { 0 };
    struct pass whole = { .from = INT64_MIN, .to = INT64_MAX };
    if (file_read(o->a, o->args.v[0], INPUT_MAX, &page, &d) != OK) return failed(&d);
    if (run_pass(&whole, page, &why) != OK) {
        (void)diag_set(&d, ERR_SYNTAX, "getting min and max timestamp: %s", why.text);
        return failed(&d);
    }
    if (!whole.samples) return PROMTOOL_OK;
    if (dir_make(dir, &d) != OK || write_blocks(o, dir, page, &whole, &d) != OK) return failed(&d);
    return PROMTOOL_OK;
}
