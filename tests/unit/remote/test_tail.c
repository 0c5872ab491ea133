/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/walpage.h"
#include "codec/walrec.h"
#include "io/file.h"
#include "remote/tail.h"
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A log that the test writes byte by byte, as the store does. */
struct log {
    char dir[64];
    unsigned segment;
    uint64_t at;
};

static void log_open(struct log *l)
{
    *l = (struct log){ .dir = "/tmp/vigie-tail-XXXXXX" };
    assert_non_null(mkdtemp(l->dir));
}

static void path_of(const struct log *l, unsigned n, char path[128])
{
    (void)snprintf(path, 128, "%s/%08u", l->dir, n);
}

static void log_bytes(struct log *l, struct str s)
{
    char path[128];
    path_of(l, l->segment, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, s), OK);
    (void)close(fd);
    l->at += s.n;
}

static void log_put(struct log *l, struct str record)
{
    BUF(b, 0);
    walpage_put(&b, l->at, record, WALPAGE_PLAIN);
    log_bytes(l, buf_str(&b));
}

static void log_next(struct log *l)
{
    l->segment++;
    l->at = 0;
}

static void log_remove(struct log *l)
{
    char path[128];
    for (unsigned i = 0; i < 10; i++) {
        path_of(l, i, path);
        (void)unlink(path);
    }
    (void)rmdir(l->dir);
}

static void expect(struct tail *t, const char *text, bool old)
{
    struct tail_record r;
    assert_int_equal(tail_next(t, &r), OK);
    if (!str_eqc(r.bytes, text)) fail_msg("got " STR_FMT ", want %s", STR_ARG(r.bytes), text);
    assert_int_equal(r.old, old);
}

static void nothing(struct tail *t)
{
    struct tail_record r;
    assert_int_equal(tail_next(t, &r), ERR_AGAIN);
}

static void follows_as_it_grows(void **state)
{
    (void)state;
    struct log l;
    log_open(&l);
    log_put(&l, STR("one"));
    struct tail *t = tail_open(str_c(l.dir), PLACE_NOW);
    expect(t, "one", true);
    nothing(t);
    log_put(&l, STR("two"));
    expect(t, "two", false);
    nothing(t);
    log_next(&l);
    log_put(&l, STR("three"));
    expect(t, "three", false);
    nothing(t);
    log_next(&l);
    log_next(&l); /* the one between was taken by a checkpoint */
    log_put(&l, STR("four"));
    expect(t, "four", false);
    tail_close(t);
    log_remove(&l);
}

/* A record that comes in halves is read once, when it is whole. */
static void waits_for_the_rest(void **state)
{
    (void)state;
    struct log l;
    log_open(&l);
    log_put(&l, STR("one"));
    struct tail *t = tail_open(str_c(l.dir), 0);
    expect(t, "one", false);
    BUF(b, 0);
    walpage_put(&b, l.at, STR("second"), WALPAGE_PLAIN);
    for (size_t i = 0; i < b.n; i++) {
        nothing(t);
        log_bytes(&l, str_make(b.p + i, 1));
    }
    expect(t, "second", false);
    tail_close(t);
    log_remove(&l);
}

/* From any record's place on, exactly what comes behind it is new; long records and many pages. */
static void begins_at_a_place(void **state)
{
    (void)state;
    enum { RECORDS = 60 };
    struct log l;
    log_open(&l);
    uint64_t places[RECORDS];
    char *text = malloc(100000);
    for (unsigned i = 0; i < RECORDS; i++) {
        size_t n = 10 + (size_t)i * 1500;
        memset(text, 'a' + (int)(i % 26), n);
        places[i] = (uint64_t)l.segment << 32 | l.at;
        log_put(&l, str_make(text, n));
        if (i % 25 == 24) log_next(&l);
    }
    for (unsigned from = 0; from < RECORDS; from += 7) {
        struct tail *t = tail_open(str_c(l.dir), places[from]);
        struct tail_record r;
        for (unsigned i = 0; i < RECORDS; i++) {
            assert_int_equal(tail_next(t, &r), OK);
            assert_int_equal(r.bytes.n, 10 + (size_t)i * 1500);
            assert_true(r.bytes.p[r.bytes.n - 1] == (char)('a' + i % 26));
            assert_int_equal(r.old, i < from);
            assert_true(r.place == places[i]);
        }
        assert_int_equal(tail_next(t, &r), ERR_AGAIN);
        tail_close(t);
    }
    free(text);
    log_remove(&l);
}

/* The store takes back what a full disk let it write: what is written there instead is read, nothing twice. */
static void a_batch_taken_back(void **state)
{
    (void)state;
    struct log l;
    char path[128];
    log_open(&l);
    log_put(&l, STR("one"));
    uint64_t good = l.at;
    log_put(&l, STR("refused"));
    struct tail *t = tail_open(str_c(l.dir), 0);
    expect(t, "one", false);
    expect(t, "refused", false);
    path_of(&l, 0, path);
    assert_int_equal(truncate(path, (off_t)good), 0);
    l.at = good;
    nothing(t);
    log_put(&l, STR("a longer record than that"));
    log_put(&l, STR("last"));
    expect(t, "a longer record than that", false);
    expect(t, "last", false);
    nothing(t);
    tail_close(t);
    log_remove(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_as_it_grows),
        cmocka_unit_test(waits_for_the_rest),
        cmocka_unit_test(begins_at_a_place),
        cmocka_unit_test(a_batch_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
