/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tsdb_dump.c - promtool tsdb dump: every sample of blocks and head, series by series
 *
 * Shape: each block, and the head, is a stream of series in the order of their labels; the streams are merged, and equal
 *        series' samples are put in order. The head is opened in a copy of its files, so that a directory in use is only read.
 */
#include "codec/num.h"
#include "commands/promtool/promtool.h"
#include "commands/promtool/tsdb_blocks.h"
#include "io/file.h"
#include "promql/promql.h"
#include "tsdb/tsdb.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LOG_MAX ((size_t)1 << 30)

/* A stream and the series it stands at. */
struct stream {
    struct block *block; /* NULL: the head */
    struct block_cursor *cursor;
    struct querier *querier;
    uint32_t *numbers;     /* of a block */
    struct series *series; /* of the head */
    size_t n, at;
    struct arena a; /* of the present series */
    struct labels lb;
    struct blockindex_series chunks;
};

struct matcher_set {
    struct matcher *v;
    size_t n;
};

struct dump {
    const struct promtool_options *o;
    struct arena *a;
    int64_t mint, maxt;
    struct matcher_set *sets;
    size_t sets_n;
    struct stream *v;
    size_t n;
    struct buf out;
    size_t histograms; /* left out */
};

/* --- streams --- */

static enum err load(struct stream *s, struct diag *d)
{
    if (s->at >= s->n) return OK;
    arena_reset(&s->a);
    if (!s->block) {
        s->lb = s->series[s->at].lb;
        return OK;
    }
    if (block_series(s->cursor, &s->a, s->numbers[s->at], &s->lb, &s->chunks) == OK) return OK;
    return diag_set(d, ERR_CORRUPT, "a series of block " STR_FMT " cannot be read",
                    STR_ARG(s->block->meta.ulid));
}

static enum err read_chunks(const struct dump *x, const struct stream *s, struct column *c,
                            struct diag *d)
{
    struct intervals deleted = tombs_get(s->block->tombs, s->numbers[s->at]);
    for (size_t i = 0; i < s->chunks.chunks; i++) {
        const struct blockindex_chunk *k = &s->chunks.chunk[i];
        unsigned encoding;
        struct str data;
        if (k->maxt < x->mint || k->mint > x->maxt) continue;
        size_t from = c->n;
        if (block_chunk(s->block, k->ref, &encoding, &data) != OK ||
            block_decode(encoding, data, c) != OK) {
            return diag_set(d, ERR_CORRUPT, "a chunk of block " STR_FMT " cannot be read",
                            STR_ARG(s->block->meta.ulid));
        }
        intervals_cut(deleted, c, from);
    }
    return OK;
}

static enum err read_samples(const struct dump *x, const struct stream *s, struct column *c,
                             struct diag *d)
{
    if (s->block) return read_chunks(x, s, c, d);
    return s->querier->ops->read(s->querier, &s->series[s->at], x->mint, x->maxt, c);
}

/* --- printing --- */

struct pair {
    int64_t t;
    double v;
    size_t order;
};

static int by_time(const void *x, const void *y)
{
    const struct pair *a = x, *b = y;
    if (a->t != b->t) return a->t < b->t ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

static void print_samples(struct dump *x, struct labels lb, const struct column *c)
{
    ARENA(a, 0);
    BUF(name, 0);
    struct pair *v = arena_array(&a, c->n, sizeof(*v));
    for (size_t i = 0; i < c->n; i++) v[i] = (struct pair){ c->t[i], c->v[i], i };
    if (c->n) qsort(v, c->n, sizeof(*v), by_time);
    labels_write_set(&name, lb);
    for (size_t i = 0; i < c->n; i++) {
        bool again = i && v[i].t == v[i - 1].t;
        if (v[i].t < x->mint || v[i].t > x->maxt || again) continue;
        if (c->h && c->h[v[i].order]) {
            x->histograms++;
            continue;
        }
        buf_put(&x->out, buf_str(&name));
        buf_char(&x->out, ' ');
        num_write_go(&x->out, v[i].v, 'g', -1);
        buf_char(&x->out, ' ');
        num_write_i64(&x->out, v[i].t);
        buf_char(&x->out, '\n');
        if (x->out.n > (1 << 16)) promtool_flush(&x->out);
    }
}

static bool wanted(const struct dump *x, struct labels lb)
{
    for (size_t i = 0; i < x->sets_n; i++) {
        if (matchers_match(x->sets[i].v, x->sets[i].n, lb)) return true;
    }
    return x->sets_n == 0;
}

static enum err merge(struct dump *x, struct diag *d)
{
    for (size_t i = 0; i < x->n; i++) TRY(load(&x->v[i], d));
    for (;;) {
        struct column c = { 0 };
        const struct stream *first = NULL;
        for (size_t i = 0; i < x->n; i++) {
            const struct stream *s = &x->v[i];
            if (s->at < s->n && (!first || labels_cmp(s->lb, first->lb) < 0)) first = s;
        }
        if (!first) return OK;
        ARENA(a, 0);
        struct labels lb = labels_dup(&a, first->lb);
        enum err e = OK;
        for (size_t i = 0; i < x->n && e == OK; i++) {
            struct stream *s = &x->v[i];
            if (s->at >= s->n || !labels_eq(s->lb, lb)) continue;
            if (wanted(x, lb)) e = read_samples(x, s, &c, d);
            s->at++;
            if (e == OK) e = load(s, d);
        }
        if (e == OK) print_samples(x, lb, &c);
        column_done(&c);
        TRY(e);
    }
}

/* --- the head --- */

static enum err copy_folder(struct arena *a, struct str from, struct str to, int depth,
                            struct diag *d)
{
    struct str *names;
    size_t n;
    if (!file_exists(from)) return OK;
    TRY(dir_list(a, from, &names, &n, d));
    TRY(dir_make(to, d));
    for (size_t i = 0; i < n; i++) {
        ARENA(scratch, 0);
        struct str bytes, path = path_join(a, from, names[i]), target = path_join(a, to, names[i]);
        bool folder = str_starts(names[i], STR("checkpoint."));
        if (folder && depth < 1) {
            TRY(copy_folder(a, path, target, depth + 1, d));
        } else if (!folder) {
            TRY(file_read(&scratch, path, LOG_MAX, &bytes, d));
            TRY(file_write_atomic(target, bytes, d));
        }
    }
    return OK;
}

struct head {
    char dir[32]; /* empty: there is none */
    struct tsdb *db;
    struct querier *q;
};

static enum err head_open(struct dump *x, struct str dir, struct head *h, struct diag *d)
{
    struct str wal = path_join(x->a, dir, STR("wal"));
    if (!file_exists(wal)) return OK;
    (void)snprintf(h->dir, sizeof(h->dir), "/tmp/promtool-XXXXXX");
    if (!mkdtemp(h->dir)) {
        h->dir[0] = '\0';
        return diag_set(d, ERR_SYS, "a folder below /tmp cannot be made");
    }
    struct str own = str_c(h->dir);
    TRY(copy_folder(x->a, wal, path_join(x->a, own, STR("wal")), 0, d));
    TRY(copy_folder(x->a, path_join(x->a, dir, STR("chunks_head")),
                    path_join(x->a, own, STR("chunks_head")), 0, d));
    TRY(tsdb_open(&(struct tsdb_options){ .dir = own }, &h->db, d));
    struct queryable *qa = tsdb_queryable(h->db);
    TRY(qa->ops->open(qa, x->mint, x->maxt, &h->q, d));
    struct stream *s = &x->v[x->n++];
    s->querier = h->q;
    return h->q->ops->select(h->q, x->a, NULL, 0, x->mint, x->maxt, &s->series, &s->n, d);
}

static void head_close(struct head *h)
{
    if (h->q) h->q->ops->close(h->q);
    tsdb_close(h->db);
    if (h->dir[0]) block_remove_tree(h->dir);
}

/* --- the command --- */

static enum err add_block(struct dump *x, struct block *b, struct diag *d)
{
    struct stream *s = &x->v[x->n++];
    s->block = b;
    s->cursor = arena_new(x->a, struct block_cursor);
    block_cursor_init(s->cursor, b);
    if (block_all(b, x->a, &s->numbers, &s->n) == OK) return OK;
    return diag_set(d, ERR_CORRUPT, "the index of block " STR_FMT " cannot be read",
                    STR_ARG(b->meta.ulid));
}

static enum err read_matchers(struct dump *x, struct diag *d)
{
    x->sets = arena_array(x->a, x->o->match.n, sizeof(*x->sets));
    for (size_t i = 0; i < x->o->match.n; i++) {
        TRY(promql_parse_matchers(x->o->match.v[i], x->a, &x->sets[i].v, &x->sets[i].n, d));
        x->sets_n++;
    }
    return OK;
}

static enum err dump_all(struct dump *x, struct str dir, struct open_blocks *all, struct head *h,
                         struct diag *d)
{
    TRY(read_matchers(x, d));
    TRY(open_blocks_read(x->a, dir, all, d));
    x->v = arena_array(x->a, all->v.n + 1, sizeof(*x->v));
    for (size_t i = 0; i < all->v.n; i++) {
        if (all->v.v[i]->meta.maxt <= x->mint || all->v.v[i]->meta.mint > x->maxt) continue;
        TRY(add_block(x, all->v.v[i], d));
    }
    TRY(head_open(x, dir, h, d));
    return merge(x, d);
}

int promtool_tsdb_dump(const struct promtool_options *o)
{
    struct diag d = { 0 };
    struct open_blocks all = { 0 };
    struct head h = { 0 };
    struct dump x = { .o = o, .a = o->a, .mint = o->min_time, .maxt = o->max_time };
    enum err e = dump_all(&x, o->args.n ? o->args.v[0] : STR("data/"), &all, &h, &d);
    promtool_flush(&x.out);
    buf_done(&x.out);
    for (size_t i = 0; i < x.n; i++) arena_done(&x.v[i].a);
    for (size_t i = 0; i < x.sets_n; i++) {
        for (size_t k = 0; k < x.sets[i].n; k++) matcher_done(&x.sets[i].v[k]);
    }
    head_close(&h);
    open_blocks_done(&all);
    if (x.histograms) {
        (void)fprintf(stderr, "%zu samples of native histograms are left out\n", x.histograms);
    }
    if (e == OK) return PROMTOOL_OK;
    (void)fprintf(stderr, "%s\n", d.text);
    return PROMTOOL_FAILED;
}
