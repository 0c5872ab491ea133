/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/expo_proto.h"
#include "codec/protobuf.h"
#include "test.h"

#include <math.h>

static void put_family(struct buf *page, struct str family)
{
    pb_put_uvarint(page, family.n);
    buf_put(page, family);
}

static void put_label(struct buf *m, const char *name, const char *value)
{
    BUF(l, 0);
    pb_put_str(&l, 1, str_c(name));
    pb_put_str(&l, 2, str_c(value));
    pb_put_message(m, 1, buf_str(&l));
}

static void begin_family(struct buf *f, const char *name, const char *help, uint64_t type)
{
    buf_reset(f);
    pb_put_str(f, 1, str_c(name));
    pb_put_str(f, 2, str_c(help));
    pb_put_u64(f, 3, type);
}

/* A metric with one label whose value is a message of one field. */
static void put_simple(struct buf *f, uint32_t field, double value, int64_t t)
{
    BUF(m, 0);
    BUF(v, 0);
    put_label(&m, "path", "a\\n\"b");
    pb_put_double(&v, 1, value);
    pb_put_message(&m, field, buf_str(&v));
    if (t) pb_put_i64(&m, 6, t);
    pb_put_message(f, 4, buf_str(&m));
}

static void put_bucket(struct buf *h, uint32_t field, uint64_t n, double bound)
{
    BUF(b, 0);
    pb_put_u64(&b, 1, n);
    pb_put_double(&b, 2, bound);
    pb_put_message(h, field, buf_str(&b));
}

static void put_classic(struct buf *f, bool native)
{
    BUF(m, 0);
    BUF(h, 0);
    BUF(span, 0);
    pb_put_u64(&h, 1, 3);
    pb_put_double(&h, 2, 4.5);
    put_bucket(&h, 3, 1, 1);
    put_bucket(&h, 3, 2, 2.5);
    if (native) {
        pb_put_u64(&h, 5, 6); /* zigzag of 3 */
        pb_put_double(&h, 6, 1e-5);
        pb_put_u64(&h, 7, 0);
        pb_put_u64(&span, 1, 2);
        pb_put_u64(&span, 2, 2);
        pb_put_message(&h, 12, buf_str(&span));
        pb_put_u64(&h, 13, 2); /* +1 */
        pb_put_u64(&h, 13, 2); /* +1: 2 */
    }
    pb_put_message(&m, 7, buf_str(&h));
    pb_put_message(f, 4, buf_str(&m));
}

static void put_summary(struct buf *f)
{
    BUF(m, 0);
    BUF(s, 0);
    BUF(q, 0);
    pb_put_u64(&s, 1, 3);
    pb_put_double(&s, 2, 4.5);
    pb_put_double(&q, 1, 0.5);
    pb_put_double(&q, 2, (double)NAN);
    pb_put_message(&s, 3, buf_str(&q));
    pb_put_message(&m, 4, buf_str(&s));
    pb_put_message(f, 4, buf_str(&m));
}

static void make_page(struct buf *page)
{
    BUF(f, 0);
    begin_family(&f, "temp", "Heat", 1);
    put_simple(&f, 2, 1.5, 1000);
    put_simple(&f, 2, 2.5, 0);
    pb_put_str(&f, 5, STR("celsius"));
    put_family(page, buf_str(&f));
    begin_family(&f, "empty", "no metric: no entry", 1);
    put_family(page, buf_str(&f));
    begin_family(&f, "r_total", "", 0);
    put_simple(&f, 3, 7, 0);
    put_family(page, buf_str(&f));
    begin_family(&f, "h", "", 4);
    put_classic(&f, false);
    put_classic(&f, true);
    put_family(page, buf_str(&f));
    begin_family(&f, "s", "", 2);
    put_summary(&f);
    put_family(page, buf_str(&f));
}

static void show(struct buf *b, const struct expo_entry *x)
{
    if (x->kind != EXPO_SERIES) {
        buf_fmt(b, "#%d " STR_FMT " %s " STR_FMT "\n", (int)x->kind, STR_ARG(x->name),
                expo_type_name(x->type), STR_ARG(x->text));
        return;
    }
    buf_put(b, x->name);
    for (size_t i = 0; i < x->labels_n; i++) {
        buf_fmt(b, ";" STR_FMT "=" STR_FMT, STR_ARG(x->labels[i].name),
                STR_ARG(x->labels[i].value));
    }
    if (x->histogram) {
        buf_fmt(b, " schema %d count %g spans %u:%d", x->histogram->schema, x->histogram->count,
                x->histogram->pos.spans_n, x->histogram->pos.spans[0].offset);
    } else {
        buf_fmt(b, " %g", x->value);
    }
    if (x->has_t) buf_fmt(b, " @%lld", (long long)x->t);
    buf_char(b, '\n');
}

static enum err read_in_pieces(struct str page, size_t piece, bool native, struct buf *out)
{
    struct expo_proto r = { 0 };
    struct diag d = { 0 };
    BUF(pending, 0);
    size_t fed = 0;
    enum err e = ERR_SHORT;
    expo_proto_reset(&r, native, false);
    while (e == OK || e == ERR_SHORT) {
        struct expo_entry x;
        r.in = buf_str(&pending);
        e = expo_proto_next(&r, &x, &d);
        if (e == OK) show(out, &x);
        if (e != ERR_SHORT) continue;
        buf_drop(&pending, r.at);
        r.at = 0;
        struct str next = str_first(str_from(page, fed), piece);
        buf_put(&pending, next);
        fed += next.n;
        r.final = fed == page.n;
    }
    expo_proto_done(&r);
    return e;
}

#define HEAD                                                                                       \
    "#0 temp gauge Heat\n#1 temp gauge \n"                                                         \
    "temp;path=a\\n\"b 1.5 @1000\ntemp;path=a\\n\"b 2.5\n#2 temp gauge celsius\n"                  \
    "#1 r_total counter \nr_total;path=a\\n\"b 7\n#1 h histogram \n"
#define CLASSIC "h_count 3\nh_sum 4.5\nh_bucket;le=1 1\nh_bucket;le=2.5 2\nh_bucket;le=+Inf 3\n"
#define TAIL    "#1 s summary \ns_count 3\ns_sum 4.5\ns;quantile=0.5 nan\n"

static void a_page_is_its_entries(void **state)
{
    (void)state;
    BUF(page, 0);
    make_page(&page);
    for (size_t piece = 1; piece <= page.n; piece += piece < 20 ? 1 : page.n / 3) {
        BUF(out, 0);
        assert_int_equal(read_in_pieces(buf_str(&page), piece, false, &out), ERR_EOF);
        buf_char(&out, '\0');
        assert_string_equal(out.p, HEAD CLASSIC CLASSIC TAIL);
    }
}

static void native_ones_are_handed_on(void **state)
{
    (void)state;
    BUF(page, 0);
    BUF(out, 0);
    make_page(&page);
    assert_int_equal(read_in_pieces(buf_str(&page), 7, true, &out), ERR_EOF);
    buf_char(&out, '\0');
    assert_string_equal(out.p, HEAD CLASSIC "h schema 3 count 3 spans 1:1\n" TAIL);
}

static void broken_pages_are_refused(void **state)
{
    (void)state;
    static const struct str PAGES[] = {
        { "\x05", 1 },          /* cut */
        { "\x01\x0b", 2 },      /* a group */
        { "\x02\x22\x00", 3 },  /* a metric before its name */
        { "\x02\x0a\x05xx", 5 } /* a name longer than its family */
    };
    for (size_t i = 0; i < ARRAY_LEN(PAGES); i++) {
        BUF(out, 0);
        assert_int_equal(read_in_pieces(PAGES[i], 100, false, &out), ERR_SYNTAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_is_its_entries),
        cmocka_unit_test(native_ones_are_handed_on),
        cmocka_unit_test(broken_pages_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
