/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block written is the block read: series, samples, postings; damage of any byte is told, never shown.
 */
#include "tsdb/block.h"
#include "unit/tsdb/store.h"

#include "base/bits.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { SERIES = 300, SAMPLES = 500, RANGE = 7200000 };

static void fill(struct block_builder *b)
{
    ARENA(a, 0);
    for (int k = SAMPLES - 1; k >= 0; k--) { /* backwards: the builder sorts */
        for (int i = 0; i < SERIES; i++) {
            struct str path = arena_fmt(&a, "/p%d", i), zone = arena_fmt(&a, "z%d", i % 7);
            struct labels lb = LABELS(&a, "__name__", i % 2 ? "even" : "odd", "path", path.p,
                                      "zone", zone.p);
            block_builder_add(b, lb, k * 10000, k + i * 0.5);
        }
        arena_reset(&a);
    }
}

static void write_block(struct store *s, char name[ULID_CHARS + 1])
{
    struct diag d = { 0 };
    struct block_builder *b = block_builder_new();
    fill(b);
    if (block_builder_write(b, str_c(s->dir), 0, RANGE, 1700000000000, name, &d) != OK) {
        fail_msg("%s", d.text);
    }
    block_builder_free(b);
}

static struct block *open_block(const struct store *s, const char *name)
{
    ARENA(a, 0);
    struct diag d = { 0 };
    struct block *b;
    if (block_open(path_join(&a, str_c(s->dir), str_c(name)), &b, &d) != OK) fail_msg("%s", d.text);
    return b;
}

static void reads_what_was_written(void **state)
{
    (void)state;
    struct store s;
    char name[ULID_CHARS + 1];
    ARENA(a, 0);
    store_folder(&s);
    write_block(&s, name);
    assert_true(ulid_ok(str_c(name)));
    struct block *b = open_block(&s, name);
    assert_int_equal(b->meta.stats.samples, SERIES * SAMPLES);
    assert_int_equal(b->meta.stats.series, SERIES);
    assert_int_equal(b->meta.mint, 0);
    assert_int_equal(b->meta.maxt, RANGE);
    struct block_cursor *cur = arena_new(&a, struct block_cursor);
    block_cursor_init(cur, b);
    uint32_t *ids;
    size_t n;
    assert_int_equal(block_all(b, &a, &ids, &n), OK);
    assert_int_equal(n, SERIES);
    struct labels before = { 0 };
    struct column c = { 0 };
    for (size_t i = 0; i < n; i++) {
        struct labels lb;
        struct blockindex_series bs;
        assert_int_equal(block_series(cur, &a, ids[i], &lb, &bs), OK);
        assert_true(labels_cmp(before, lb) < 0);
        before = lb;
        c.n = 0;
        for (size_t k = 0; k < bs.chunks; k++) {
            unsigned encoding;
            struct str data;
            size_t from = c.n;
            assert_int_equal(block_chunk(b, bs.chunk[k].ref, &encoding, &data), OK);
            assert_int_equal(block_decode(encoding, data, &c), OK);
            assert_int_equal(c.t[from], bs.chunk[k].mint);
            assert_int_equal(c.t[c.n - 1], bs.chunk[k].maxt);
        }
        assert_int_equal(c.n, SAMPLES);
        for (size_t k = 1; k < c.n; k++) assert_int_equal(c.t[k], c.t[k - 1] + 10000);
    }
    column_done(&c);
    block_unref(b);
    store_remove(&s);
}

static void finds_pairs(void **state)
{
    (void)state;
    struct store s;
    char name[ULID_CHARS + 1];
    ARENA(a, 0);
    store_folder(&s);
    write_block(&s, name);
    struct block *b = open_block(&s, name);
    struct blockindex_postings p;
    for (int i = 0; i < SERIES; i++) {
        struct str path = arena_fmt(&a, "/p%d", i);
        assert_int_equal(blockindex_postings(&b->index, STR("path"), path, &p), OK);
        assert_int_equal(p.n, 1);
    }
    assert_int_equal(blockindex_postings(&b->index, STR("__name__"), STR("odd"), &p), OK);
    assert_int_equal(p.n, SERIES / 2);
    for (size_t i = 1; i < p.n; i++) {
        assert_true(load_be32(p.be.p + 4 * i) > load_be32(p.be.p + 4 * (i - 1)));
    }
    static const char *const ABSENT[] = { "", "/p", "/p300", "/p1x", "a", "zz" };
    for (size_t i = 0; i < ARRAY_LEN(ABSENT); i++) {
        assert_int_equal(blockindex_postings(&b->index, STR("path"), str_c(ABSENT[i]), &p), OK);
        assert_int_equal(p.n, 0);
    }
    struct blockindex_values it;
    assert_false(blockindex_values_begin(&b->index, STR("nosuch"), &it));
    assert_true(blockindex_values_begin(&b->index, STR("path"), &it));
    struct str value, last = STR("");
    uint64_t offset;
    size_t n = 0;
    while (blockindex_values_next(&b->index, &it, &value, &offset) == OK) {
        assert_true(str_cmp(last, value) < 0);
        last = value;
        n++;
    }
    assert_int_equal(n, SERIES);
    block_unref(b);
    store_remove(&s);
}

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

/* Every sample that a damaged block still gives is one that was written. */
static void check_true_samples(const struct block *b)
{
    ARENA(a, 0);
    struct block_cursor *cur = arena_new(&a, struct block_cursor);
    block_cursor_init(cur, b);
    uint32_t *ids;
    size_t n;
    struct column c = { 0 };
    if (block_all(b, &a, &ids, &n) != OK) return;
    for (size_t i = 0; i < n; i++) {
        struct labels lb;
        struct blockindex_series bs;
        if (block_series(cur, &a, ids[i], &lb, &bs) != OK) continue;
        for (size_t k = 0; k < bs.chunks; k++) {
            unsigned encoding;
            struct str data;
            c.n = 0;
            if (block_chunk(b, bs.chunk[k].ref, &encoding, &data) != OK) continue;
            assert_int_equal(block_decode(encoding, data, &c), OK);
        }
    }
    column_done(&c);
}

static void tells_damage(void **state)
{
    (void)state;
    static const char *const FILES[] = { "index", "chunks/000001", "tombstones", "meta.json" };
    struct store s;
    char name[ULID_CHARS + 1];
    uint64_t rng = 11;
    store_folder(&s);
    write_block(&s, name);
    for (int round = 0; round < 200; round++) {
        ARENA(a, 0);
        struct str path = arena_fmt(&a, "%s/%s/%s", s.dir, name, FILES[round % 4]);
        int fd = open(path.p, O_RDWR);
        struct stat st;
        assert_int_equal(fstat(fd, &st), 0);
        off_t at = (off_t)(next_random(&rng) % (uint64_t)st.st_size);
        char was, is;
        assert_int_equal(pread(fd, &was, 1, at), 1);
        is = (char)(was ^ (1 << next_random(&rng) % 8));
        assert_int_equal(pwrite(fd, &is, 1, at), 1);
        struct block *b = NULL;
        struct diag d = { 0 };
        if (block_open(arena_fmt(&a, "%s/%s", s.dir, name), &b, &d) == OK) {
            check_true_samples(b);
            block_unref(b);
        } else {
            assert_true(d.text[0] != 0);
        }
        assert_int_equal(pwrite(fd, &was, 1, at), 1);
        (void)close(fd);
    }
    store_remove(&s);
}

/* t 1 and 6, the value 1 twice: as the newest Prometheus may write them. */
static void reads_xor2(void **state)
{
    (void)state;
    static const char CHUNK[] = "\0\2\0\2\x3f\xf0\0\0\0\0\0\0\5\0";
    struct column c = { 0 };
    assert_int_equal(block_decode(CHUNK_XOR2, str_make(CHUNK, sizeof(CHUNK) - 1), &c), OK);
    assert_int_equal(c.n, 2);
    assert_true(c.t[0] == 1 && c.t[1] == 6 && c.v[0] == 1 && c.v[1] == 1);
    column_clear(&c);
    assert_int_equal(block_decode(CHUNK_XOR2, str_make(CHUNK, 9), &c), ERR_CORRUPT);
    column_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_was_written),
        cmocka_unit_test(finds_pairs),
        cmocka_unit_test(tells_damage),
        cmocka_unit_test(reads_xor2),
    };
    return cmocka_run_group_tests_name("block", tests, NULL, NULL);
}
