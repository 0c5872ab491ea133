/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/remotepb.h"

#include "codec/protobuf.h"
#include "test.h"

/* As protoc --encode writes it: one series a="b" with a sample 1.5 at 1000. */
static const char SERIES[] = "\x0a\x16\x0a\x06\x0a\x01"
                             "a\x12\x01"
                             "b\x12\x0c\x09\x00\x00\x00\x00\x00\x00\xf8\x3f\x10\xe8\x07";

static void series_as_protoc(void **state)
{
    (void)state;
    BUF(l, 0);
    BUF(b, 0);
    remotepb_put_label(&l, STR("a"), STR("b"));
    remotepb_put_series(&b, buf_str(&l), &(struct remotepb_sample){ 1000, 1.5 }, 1);
    assert_int_equal(b.n, sizeof(SERIES) - 1);
    assert_memory_equal(b.p, SERIES, b.n);
}

static void cut_anywhere_is_an_error(void **state)
{
    (void)state;
    for (size_t cut = 1; cut < sizeof(SERIES) - 1; cut++) {
        struct str in = str_make(SERIES, cut);
        struct remotepb_item item;
        assert_int_equal(remotepb_next(&in, &item), ERR_SHORT);
        assert_int_equal(in.n, cut);
    }
}

static void zero_values_and_negative_times(void **state)
{
    (void)state;
    static const struct remotepb_sample V[] = { { 0, 0 }, { -5, -0.0 }, { INT64_MAX, 1e300 } };
    BUF(b, 0);
    remotepb_put_series(&b, STR(""), V, 3);
    struct str in = buf_str(&b);
    struct remotepb_item item;
    struct remotepb_others others = { 0 };
    struct remotepb_sample s;
    assert_int_equal(remotepb_next(&in, &item), OK);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(remotepb_sample(&item.rest, &s, &others), OK);
        assert_memory_equal(&s, &V[i], sizeof(s));
    }
    assert_int_equal(remotepb_sample(&item.rest, &s, &others), ERR_EOF);
}

static void read_requests(void **state)
{
    (void)state;
    ARENA(a, 0);
    BUF(b, 0);
    struct remotepb_matcher m[] = { { 0, STR("__name__"), STR("up") }, { 3, STR("x"), STR("") } };
    const struct remotepb_query q = { 5, 10, m, 2 };
    struct remotepb_read r;
    remotepb_put_read_request(&b, &q, true);
    assert_int_equal(remotepb_read_request(&a, buf_str(&b), &r), OK);
    assert_true(r.streamed && r.n == 1 && r.queries[0].n == 2);
    assert_int_equal(r.queries[0].start, 5);
    assert_int_equal(r.queries[0].matchers[1].op, 3);
    /* an operator nobody knows must not read as another */
    b.n = 0;
    pb_put_message(&b, 1, STR("\x1a\x02\x08\x04"));
    assert_int_equal(remotepb_read_request(&a, buf_str(&b), &r), ERR_SYNTAX);
}

static void frames(void **state)
{
    (void)state;
    BUF(s, 0);
    BUF(b, 0);
    remotepb_put_label(&s, STR("a"), STR("b"));
    remotepb_put_chunk(&s, &(struct remotepb_chunk){ 1, 2, 1, STR("xyz") });
    remotepb_put_frame(&b, buf_str(&s), 7);
    struct str in = buf_str(&b), message;
    struct remotepb_item item;
    struct remotepb_chunk c;
    assert_int_equal(remotepb_frame(&in, 4, &message), ERR_LIMIT);
    assert_int_equal(remotepb_frame(&in, 1000, &message), OK);
    assert_int_equal(in.n, 0);
    assert_int_equal(remotepb_chunked_next(&message, &item), OK);
    assert_int_equal(remotepb_chunk(&item.rest, &c), OK);
    assert_true(c.min == 1 && c.max == 2 && c.type == 1 && str_eqc(c.data, "xyz"));
    b.p[b.n - 1] ^= 1;
    in = buf_str(&b);
    assert_int_equal(remotepb_frame(&in, 1000, &message), ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(series_as_protoc),
        cmocka_unit_test(cut_anywhere_is_an_error),
        cmocka_unit_test(zero_values_and_negative_times),
        cmocka_unit_test(read_requests),
        cmocka_unit_test(frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
