/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "test.h"

#include <stdio.h>
#include <unistd.h>

static size_t stamp(char *to, size_t room)
{
    return (size_t)snprintf(to, room, "2026-11-24T03:12:04.123Z");
}

/* What log_emit writes, read back from a pipe in the place of stderr. */
static size_t written(enum log_format form, const char *msg, const struct kv *kvs, char *to,
                      size_t room)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int kept = dup(STDERR_FILENO);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    log_form = form;
    log_emit(LEVEL_WARN, "src/jmx/cycle.c", 42, msg, kvs);
    (void)dup2(kept, STDERR_FILENO);
    (void)close(kept);
    (void)close(ends[1]);
    ssize_t n = read(ends[0], to, room - 1);
    (void)close(ends[0]);
    assert_true(n > 0);
    to[n] = '\0';
    return (size_t)n;
}

#define HEAD "time=2026-11-24T03:12:04.123Z level=WARN source=cycle.c:42 "
#define JSON_HEAD                                                                                  \
    "{\"time\":\"2026-11-24T03:12:04.123Z\",\"level\":\"WARN\",\"source\":\"cycle.c:42\","

static const struct row {
    const char *name, *msg, *value, *logfmt, *json;
} ROWS[] = {
    { "a word", "up", "kafka:9092", HEAD "msg=up k=kafka:9092\n",
      JSON_HEAD "\"msg\":\"up\",\"k\":\"kafka:9092\"}\n" },
    { "a sentence", "scrape failed", "no answer", HEAD "msg=\"scrape failed\" k=\"no answer\"\n",
      JSON_HEAD "\"msg\":\"scrape failed\",\"k\":\"no answer\"}\n" },
    { "nothing", "m", "", HEAD "msg=m k=\"\"\n", JSON_HEAD "\"msg\":\"m\",\"k\":\"\"}\n" },
    { "what ends a value", "m", "a=b", HEAD "msg=m k=\"a=b\"\n",
      JSON_HEAD "\"msg\":\"m\",\"k\":\"a=b\"}\n" },
    { "quotes, backslashes, newlines", "m", "a\"b\\c\nd", HEAD "msg=m k=\"a\\\"b\\\\c\\nd\"\n",
      JSON_HEAD "\"msg\":\"m\",\"k\":\"a\\\"b\\\\c\\nd\"}\n" },
    { "a backslash alone needs no quotes", "m", "C:\\x", HEAD "msg=m k=C:\\x\n",
      JSON_HEAD "\"msg\":\"m\",\"k\":\"C:\\\\x\"}\n" },
    { "a control byte", "m", "\x1b[1m", HEAD "msg=m k=\"\\x1b[1m\"\n",
      JSON_HEAD "\"msg\":\"m\",\"k\":\"\\u001b[1m\"}\n" },
    { "letters of other alphabets", "m", "d\xc3\xa9lai", HEAD "msg=m k=d\xc3\xa9lai\n",
      JSON_HEAD "\"msg\":\"m\",\"k\":\"d\xc3\xa9lai\"}\n" },
    { "bytes that are no letters", "m", "a\xff", HEAD "msg=m k=\"a\\xff\"\n",
      JSON_HEAD "\"msg\":\"m\",\"k\":\"a\\ufffd\"}\n" },
};

static void check_row(void **state)
{
    const struct row *r = *state;
    char got[8192];
    const struct kv kvs[] = { kv("k", r->value), { .key = NULL } };
    (void)written(FORMAT_LOGFMT, r->msg, kvs, got, sizeof(got));
    assert_string_equal(got, r->logfmt);
    (void)written(FORMAT_JSON, r->msg, kvs, got, sizeof(got));
    assert_string_equal(got, r->json);
}

static void numbers_and_truth_are_bare(void **state)
{
    (void)state;
    char got[512];
    const struct kv kvs[] = { kv("i", -7),
                              kv("u", (uint64_t)UINT64_MAX),
                              kv("f", 0.5),
                              kv("b", (bool)true),
                              { .key = NULL } };
    (void)written(FORMAT_LOGFMT, "m", kvs, got, sizeof(got));
    assert_string_equal(got, HEAD "msg=m i=-7 u=18446744073709551615 f=0.5 b=true\n");
    (void)written(FORMAT_JSON, "m", kvs, got, sizeof(got));
    assert_string_equal(
        got, JSON_HEAD "\"msg\":\"m\",\"i\":-7,\"u\":18446744073709551615,\"f\":0.5,\"b\":true}\n");
}

/* Whatever is too long, the line stays one line and, as JSON, whole. */
static void what_does_not_fit_is_cut_and_marked(void **state)
{
    (void)state;
    static char value[6000], got[8192];
    static const char FILLS[] = { 'x', '\x01', '"' };
    for (size_t i = 0; i < sizeof(FILLS); i++) {
        for (size_t n = 3800; n < 4200; n++) {
            memset(value, FILLS[i], sizeof(value));
            const struct kv kvs[] = { kv("k", ((struct str){ value, n })),
                                      kv("last", (bool)true),
                                      { .key = NULL } };
            size_t len = written(FORMAT_JSON, "m", kvs, got, sizeof(got));
            assert_true(len <= 4096 && got[len - 1] == '\n' && got[len - 2] == '}');
            assert_ptr_equal(strchr(got, '\n'), got + len - 1);
            bool whole = strstr(got, "\"last\":true}") != NULL;
            bool cut = strstr(got, "...\"}") != NULL;
            assert_true(whole || cut || got[len - 3] == '"');
        }
    }
}

int main(void)
{
    enum { N = sizeof(ROWS) / sizeof(*ROWS) };
    log_stamp = stamp;
    struct CMUnitTest tests[N + 2] = {
        { "numbers_and_truth_are_bare", numbers_and_truth_are_bare, NULL, NULL, NULL },
        { "what_does_not_fit_is_cut_and_marked", what_does_not_fit_is_cut_and_marked, NULL, NULL,
          NULL },
    };
    for (size_t i = 0; i < N; i++) {
        tests[i + 2] = (struct CMUnitTest){ ROWS[i].name, check_row, NULL, NULL,
                                            (void *)(uintptr_t)&ROWS[i] };
    }
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
