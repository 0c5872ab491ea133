/* SPDX-License-Identifier: Apache-2.0 */
#include "commands/promtool/tsdb_blocks.h"

#include "codec/gotime.h"
#include "codec/num.h"
#include "commands/promtool/promtool.h"
#include "io/file.h"

#include <stdio.h>
#include <stdlib.h>

static int by_time(const void *x, const void *y)
{
    const struct block *a = *(struct block *const *)x, *b = *(struct block *const *)y;
    if (a->meta.mint != b->meta.mint) return a->meta.mint < b->meta.mint ? -1 : 1;
    return str_cmp(a->meta.ulid, b->meta.ulid);
}

enum err open_blocks_read(struct arena *a, struct str dir, struct open_blocks *out, struct diag *d)
{
    struct str *names;
    size_t n;
    if (!file_exists(dir)) {
        return diag_set(d, ERR_MISSING,
                        "opening the db dir: stat " STR_FMT ": no such file or directory",
                        STR_ARG(dir));
    }
    TRY(dir_list(a, dir, &names, &n, d));
    for (size_t i = 0; i < n; i++) {
        struct block *b;
        struct diag why = { 0 };
        if (!ulid_ok(names[i])) continue;
        if (block_open(path_join(a, dir, names[i]), &b, &why) != OK) {
            (void)fprintf(stderr, "block " STR_FMT " is left out: %s\n", STR_ARG(names[i]),
                          why.text);
            continue;
        }
        *vec_push(a, &out->v) = b;
    }
    if (out->v.n) qsort(out->v.v, out->v.n, sizeof(struct block *), by_time);
    return OK;
}

void open_blocks_done(struct open_blocks *b)
{
    for (size_t i = 0; i < b->v.n; i++) block_unref(b->v.v[i]);
}

/* --- the table --- */

enum { COLUMNS = 8, WIDTH_MIN = 13, GAP = 2 };

static struct str time_text(struct arena *a, int64_t ms, bool human)
{
    BUF(b, 64);
    if (human) {
        go_time_format(&b, ms, STR("2006-01-02 15:04:05 -0700 MST"));
    } else {
        num_write_i64(&b, ms);
    }
    return arena_dup(a, buf_str(&b));
}

static struct str duration_text(struct arena *a, int64_t ms)
{
    BUF(b, 64);
    go_duration_write(&b, ms * 1000000);
    return arena_dup(a, buf_str(&b));
}

static struct str size_text(struct arena *a, uint64_t bytes, bool human)
{
    BUF(b, 64);
    if (human) {
        size_write(&b, (int64_t)bytes);
    } else {
        num_write_u64(&b, bytes);
    }
    return arena_dup(a, buf_str(&b));
}

static void fill_row(struct arena *a, const struct block *b, bool human, struct str row[COLUMNS])
{
    const struct blockmeta *m = &b->meta;
    row[0] = m->ulid;
    row[1] = time_text(a, m->mint, human);
    row[2] = time_text(a, m->maxt, human);
    row[3] = duration_text(a, m->maxt - m->mint);
    row[4] = arena_fmt(a, "%llu", (unsigned long long)m->stats.samples);
    row[5] = arena_fmt(a, "%llu", (unsigned long long)m->stats.chunks);
    row[6] = arena_fmt(a, "%llu", (unsigned long long)m->stats.series);
    row[7] = size_text(a, b->bytes, human);
}

void blocks_print(struct buf *b, struct arena *a, struct block *const *v, size_t n, bool header,
                  bool human)
{
    static const char *const NAMES[COLUMNS] = { "BLOCK ULID", "MIN TIME",    "MAX TIME",
                                                "DURATION",   "NUM SAMPLES", "NUM CHUNKS",
                                                "NUM SERIES", "SIZE" };
    size_t rows = n + (header ? 1 : 0), width[COLUMNS];
    struct str(*cells)[COLUMNS] = arena_array(a, rows, sizeof(*cells));
    for (size_t c = 0; c < COLUMNS; c++) {
        width[c] = WIDTH_MIN;
        if (header) cells[0][c] = str_c(NAMES[c]);
    }
    for (size_t i = 0; i < n; i++) fill_row(a, v[i], human, cells[i + rows - n]);
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < COLUMNS; c++) {
            if (cells[r][c].n + GAP > width[c]) width[c] = cells[r][c].n + GAP;
        }
    }
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < COLUMNS; c++) {
            buf_put(b, cells[r][c]);
            for (size_t k = cells[r][c].n; k < width[c] && c + 1 < COLUMNS; k++) buf_char(b, ' ');
        }
        buf_char(b, '\n');
    }
}
