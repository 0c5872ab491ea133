/* SPDX-License-Identifier: Apache-2.0 */
/* Replies of a Kafka 4.4.0 broker, recorded, down to records. */
#include "base/vec.h"
#include "io/file.h"
#include "jmx/jrmp.h"
#include "jmx/mbean.h"
#include "test.h"

static const struct javaser_value *reply(const char *name, struct arena *a, bool exception)
{
    struct str bytes;
    struct diag d = { 0 };
    struct jrmp_return r;
    struct str path = arena_fmt(a, "tests/fuzz/corpus/fuzz_jmx_return/%s", name);
    assert_int_equal(file_read(a, path, 1 << 20, &bytes, &d), OK);
    struct str in = bytes;
    assert_int_equal(jrmp_read_return(&in, a, &r, &d), OK);
    assert_int_equal(in.n, 0);
    assert_int_equal(r.exception, exception);
    for (size_t n = 0; n < bytes.n; n += 1 + n / 16) {
        ARENA(b, 0);
        in = str_first(bytes, n);
        assert_int_equal(jrmp_read_return(&in, &b, &r, &d), ERR_SHORT);
        assert_int_equal(in.n, n);
    }
    in = bytes;
    assert_int_equal(jrmp_read_return(&in, a, &r, &d), OK);
    return r.value;
}

static void stubs(void **state)
{
    (void)state;
    ARENA(a, 0);
    struct jrmp_stub server, client;
    struct diag d = { 0 };
    assert_int_equal(jrmp_read_stub(reply("lookup", &a, false), &a, &server, &d), OK);
    assert_true(str_eqc(server.host, "127.0.0.1"));
    assert_int_equal(server.port, 18630);
    assert_false(server.tls);
    assert_int_equal(jrmp_read_stub(reply("new_client", &a, false), &a, &client, &d), OK);
    assert_memory_not_equal(client.id.bytes, server.id.bytes, 22);
    assert_int_equal(jrmp_read_stub(reply("query", &a, false), &a, &client, &d), ERR_SYNTAX);
}

static void query(void **state)
{
    (void)state;
    ARENA(a, 0);
    struct jmx_found *v;
    size_t n;
    assert_int_equal(jmx_read_query(reply("query", &a, false), &a, &v, &n, NULL), OK);
    assert_int_equal(n, 1);
    assert_true(str_eqc(v[0].name, "kafka.server:type=ReplicaManager,name=IsrShrinksPerSec"));
    assert_true(str_eqc(v[0].class_name, "com.yammer.metrics.reporting.JmxReporter$Meter"));
    assert_int_equal(jmx_read_query(reply("info-meter", &a, false), &a, &v, &n, NULL), ERR_SYNTAX);
}

static void infos(void **state)
{
    (void)state;
    ARENA(a, 0);
    struct jmx_info i;
    assert_int_equal(jmx_read_info(reply("info-meter", &a, false), &a, &i, NULL), OK);
    assert_true(i.immutable);
    assert_int_equal(i.n, 7);
    assert_true(str_eqc(i.attributes[0].name, "Count"));
    assert_true(str_eqc(i.attributes[0].type, "long"));
    assert_int_equal(jmx_read_info(reply("info-raft", &a, false), &a, &i, NULL), OK);
    assert_false(i.immutable);
    assert_true(str_eqc(i.attributes[0].type, "double"));
    assert_int_equal(jmx_read_info(reply("query", &a, false), &a, &i, NULL), ERR_SYNTAX);
}

static void add_line(void *ctx, const struct jmx_record *r)
{
    struct buf *b = ctx;
    for (size_t i = 0; i < r->path_n; i++) buf_fmt(b, STR_FMT "/", STR_ARG(r->path[i]));
    buf_put(b, r->attribute);
    for (size_t i = 0; i < r->rows_n; i++) {
        buf_fmt(b, "{" STR_FMT "=" STR_FMT "}", STR_ARG(r->rows[i].key), STR_ARG(r->rows[i].value));
    }
    buf_char(b, '=');
    jmx_record_text(r, b);
    buf_char(b, '\n');
}

static struct str records(const char *name, struct arena *a)
{
    struct jmx_value *v;
    size_t n;
    BUF(b, 1 << 20);
    assert_int_equal(jmx_read_attributes(reply(name, a, false), a, &v, &n, NULL), OK);
    for (size_t i = 0; i < n; i++) {
        struct jmx_attribute attribute = { .name = v[i].name };
        if (!jmx_each_record(&attribute, v[i].value, a, add_line, &b)) {
            buf_fmt(&b, STR_FMT " is not exported\n", STR_ARG(v[i].name));
        }
    }
    return arena_dup(a, buf_str(&b));
}

static bool has(struct str all, const char *line) { return str_find(all, str_c(line)) != STR_NONE; }

static void values(void **state)
{
    (void)state;
    ARENA(a, 0);
    struct str meter = records("attrs-meter", &a);
    assert_true(has(meter, "Count=0\n"));
    assert_true(has(meter, "OneMinuteRate=0.0\n"));
    assert_true(has(meter, "RateUnit=SECONDS\n"));
    struct str memory = records("attrs-memory", &a);
    assert_true(has(memory, "HeapMemoryUsage/init=209715200\n"));
    assert_true(has(memory, "NonHeapMemoryUsage/max=-1\n"));
    assert_true(has(memory, "Verbose=false\n"));
    assert_true(has(memory, "ObjectName is not exported\n"));
    struct str gc = records("attrs-gc", &a);
    assert_true(has(gc, "LastGcInfo/memoryUsageBeforeGc/used{key=Metaspace}=40833000\n"));
    struct str raft = records("attrs-raft", &a);
    assert_true(has(raft, "current-state=leader\n"));
    assert_true(has(raft, "election-latency-max=NaN\n"));
}

static void exception(void **state)
{
    (void)state;
    ARENA(a, 0);
    BUF(b, 4096);
    const struct javaser_value *v = reply("exception", &a, true);
    assert_true(str_eqc(jrmp_exception_class(v), "javax.management.InstanceNotFoundException"));
    jrmp_exception_text(v, &b);
    assert_true(
        str_eqc(buf_str(&b), "javax.management.InstanceNotFoundException: no.such:type=Bean"));
}

struct hello {
    struct str in;
    enum err err;
    const char *text;
};

static void hellos(void **state)
{
    (void)state;
    static const struct hello ROWS[] = {
        { { "\x4e\x00\x01x\0\0\0\1", 8 }, OK, "" },
        { { "", 0 }, ERR_SHORT, "" },
        { { "\x4e\x00", 2 }, ERR_SHORT, "" },
        { { "\x4e\x00\x01x\0\0\0", 7 }, ERR_SHORT, "" },
        { { "\x15\x03\x03", 3 },
          ERR_SYNTAX,
          "this port speaks TLS; JMX over TLS is not supported yet" },
        { { "HTTP/1.1 400", 12 }, ERR_SYNTAX, "this port speaks HTTP, not RMI" },
        { { "\x00\x00", 2 }, ERR_SYNTAX, "this is no RMI port: expected 0x4e, got 0x00" },
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct diag d = { 0 };
        struct str in = ROWS[i].in;
        assert_int_equal(jrmp_read_hello(&in, &d), ROWS[i].err);
        assert_string_equal(d.text, ROWS[i].text);
        assert_int_equal(in.n, ROWS[i].err == OK ? 0 : ROWS[i].in.n);
    }
}

/* The bytes that a real client wrote (specification 4.3). */
static void requests(void **state)
{
    (void)state;
    BUF(b, 4096);
    jrmp_put_lookup(&b, STR("jmxrmi"));
    assert_int_equal(b.n, 50);
    assert_memory_equal(b.p + 33, "\x44\x15\x4d\xc9\xd4\xe6\x3b\xdf\x74\x00\x06jmxrmi", 17);
    static const struct jrmp_objid ID = { "\x56\x8d\x86" };
    buf_reset(&b);
    jrmp_put_new_client(&b, &ID);
    assert_int_equal(b.n, 42);
    buf_reset(&b);
    jrmp_put_query_names(&b, &ID, STR("kafka.*:*"));
    assert_int_equal(b.n, 101);
    buf_reset(&b);
    jrmp_put_get_mbean_info(&b, &ID, STR("java.lang:type=Threading"));
    assert_int_equal(b.n, 115);
    buf_reset(&b);
    jrmp_put_close(&b, &ID);
    assert_int_equal(b.n, 41);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stubs),     cmocka_unit_test(query),  cmocka_unit_test(infos),
        cmocka_unit_test(values),    cmocka_unit_test(hellos), cmocka_unit_test(requests),
        cmocka_unit_test(exception),
    };
    return cmocka_run_group_tests_name("mbean", tests, NULL, NULL);
}
