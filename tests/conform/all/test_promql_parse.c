/* SPDX-License-Identifier: Apache-2.0 */
/* The original's own parser cases: what parses, its canonical and broken text, its tree, its errors. */
#include "base/utf8.h"
#include "codec/json.h"
#include "promql/lex.h"
#include "promql/parse.h"
#include "promql/print.h"
#include "promql/promql.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

static struct arena memory;
static const uint32_t ALL = 0xffffffff;

static struct str data_text(const char *name)
{
    const char *root = getenv("VIGIE_DATA");
    struct str path = arena_fmt(&memory, "%s/promql-parse/%s", root ? root : "../shared/data",
                                name);
    FILE *f = fopen(path.p, "rb");
    if (!f) return (struct str){ 0 };
    (void)fseek(f, 0, SEEK_END);
    long n = ftell(f);
    rewind(f);
    char *p = arena_alloc(&memory, (size_t)n + 1);
    size_t got = fread(p, 1, (size_t)n, f);
    (void)fclose(f);
    return str_make(p, got);
}

static const struct json *data(const char *name)
{
    const struct json *doc = NULL;
    struct diag d = { 0 };
    struct str text = data_text(name);
    if (!text.p) {
        (void)fprintf(stderr, "no %s under VIGIE_DATA: skipped\n", name);
        skip();
    }
    enum err e = json_parse(&memory, text, &doc, &d);
    if (e != OK) fail_msg("%s: %u:%u: %s", name, d.line, d.col, d.text);
    return doc;
}

static int hex(char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; }

/* A string, or {"hex": "..."} where it is no UTF-8. */
static struct str text_of(const struct json *v)
{
    const struct json *h = json_get(v, "hex");
    if (!h) return json_str(v, STR(""));
    char *p = arena_alloc(&memory, h->text.n / 2 + 1);
    for (size_t i = 0; i + 1 < h->text.n; i += 2) {
        p[i / 2] = (char)(hex(h->text.p[i]) * 16 + hex(h->text.p[i + 1]));
    }
    return str_make(p, h->text.n / 2);
}

static int failures;

static void complain(struct str input, const char *what, struct str want, struct str got)
{
    if (str_eq(want, got)) return;
    failures++;
    (void)printf(STR_FMT "\n  %s: want " STR_FMT "\n  %s  got " STR_FMT "\n",
                 STR_ARG(str_first(input, 200)), what, STR_ARG(want), what, STR_ARG(got));
}

static struct str printed(const struct node *n)
{
    BUF(b, 0);
    print_node(&b, n);
    return arena_dup(&memory, buf_str(&b));
}

static struct str pretty(const struct node *n, size_t width)
{
    BUF(b, 0);
    print_pretty(&b, n, width);
    return arena_dup(&memory, buf_str(&b));
}

static void one_failure(const struct json *row, struct str input)
{
    struct parse p;
    struct node *n = NULL;
    struct diag d = { 0 };
    struct str want = text_of(json_get(row, "error"));
    struct str got = STR("(parsed)");
    if (parse_expression(&p, &memory, input, ALL, &n, &d) != OK) got = str_c(d.text);
    complain(input, "error", str_first(want, sizeof(d.text) - 1), got);
    const struct json *first = json_get(row, "errors");
    if (p.notes.n && first && first->n) {
        struct str place = arena_fmt(&memory, "%zu-%zu", p.notes.v[0].start, p.notes.v[0].end);
        struct str right = arena_fmt(&memory, "%.0f-%.0f",
                                     json_num(json_get(first->items, "start"), -1),
                                     json_num(json_get(first->items, "end"), -1));
        complain(input, "place", right, place);
    }
    parse_done(&p);
}

static void one_success(const struct json *row, struct str input)
{
    struct parse p;
    struct node *n = NULL;
    struct diag d = { 0 };
    if (parse_expression(&p, &memory, input, ALL, &n, &d) != OK) {
        complain(input, "error", STR(""), str_c(d.text));
        parse_done(&p);
        return;
    }
    complain(input, "type", text_of(json_get(row, "type")), str_c(promql_kind_text(n->type)));
    complain(input, "printed", text_of(json_get(row, "printed")), printed(n));
    complain(input, "pretty", text_of(json_get(row, "pretty")), pretty(n, 100));
    parse_done(&p);
    const struct json *without = json_get(row, "error_without_feature");
    if (!without) return;
    struct str got = STR("(parsed)");
    if (parse_expression(&p, &memory, input, 0, &n, &d) != OK) got = str_c(d.text);
    complain(input, "without feature", text_of(without), got);
    parse_done(&p);
}

static void expressions(void **state)
{
    (void)state;
    const struct json *doc = data("expressions.json");
    failures = 0;
    for (size_t i = 0; i < doc->n; i++) {
        const struct json *row = &doc->items[i];
        struct str input = text_of(json_get(row, "input"));
        if (json_bool(json_get(row, "fail"), false)) {
            one_failure(row, input);
        } else {
            one_success(row, input);
        }
    }
    (void)printf("expressions.json: %zu cases, %d differences\n", doc->n, failures);
    assert_int_equal(failures, 0);
}

static void prettify(void **state)
{
    (void)state;
    const struct json *doc = data("prettify.json");
    failures = 0;
    for (size_t i = 0; i < doc->n; i++) {
        const struct json *row = &doc->items[i];
        struct str input = text_of(json_get(row, "input"));
        struct parse p;
        struct node *n = NULL;
        struct diag d = { 0 };
        if (parse_expression(&p, &memory, input, ALL, &n, &d) == OK) {
            size_t width = (size_t)json_num(json_get(row, "max_characters_per_line"), 0);
            complain(input, "pretty", text_of(json_get(row, "output")), pretty(n, width));
        } else {
            complain(input, "error", STR(""), str_c(d.text));
        }
        parse_done(&p);
    }
    (void)printf("prettify.json: %zu cases, %d differences\n", doc->n, failures);
    assert_int_equal(failures, 0);
}

/* Compared as compact JSON text: the data has its keys in the alphabetical order that we write. */
static void trees(void **state)
{
    (void)state;
    const struct json *doc = data("ast.json");
    failures = 0;
    for (size_t i = 0; i < doc->n; i++) {
        const struct json *row = &doc->items[i];
        struct str input = text_of(json_get(row, "input"));
        struct parse p;
        struct node *n = NULL;
        struct diag d = { 0 };
        BUF(want, 0);
        BUF(got, 0);
        BUF(raw, 0);
        const struct json *tree = NULL;
        json_write(&want, json_get(row, "ast"));
        if (parse_expression(&p, &memory, input, ALL, &n, &d) == OK) print_json(&raw, n);
        /* read and written again: U+FFFD may be escaped or not */
        if (json_parse(&memory, buf_str(&raw), &tree, &d) == OK) json_write(&got, tree);
        complain(input, "tree", buf_str(&want), buf_str(&got));
        parse_done(&p);
    }
    (void)printf("ast.json: %zu cases, %d differences\n", doc->n, failures);
    assert_int_equal(failures, 0);
}

/* The original goes on after a bad escape or rune; we stop at the first error, so only it is compared. */
static void tokens_of(const struct json *row, struct str input)
{
    struct lexer l;
    lexer_init(&l, &memory, input);
    const struct json *items = json_get(row, "items");
    for (size_t i = 0; i < items->n; i++) {
        const struct json *item = &items->items[i];
        struct str type = json_str(json_get(item, "type"), STR(""));
        if (str_eq(type, STR("COMMENT"))) continue;
        struct token t = lexer_next(&l);
        double at = json_num(json_get(item, "pos"), -1);
        struct str want = arena_fmt(&memory, STR_FMT " %.0f " STR_FMT, STR_ARG(type), at,
                                    STR_ARG(text_of(json_get(item, "value"))));
        struct str text = t.kind == TOK_COMMA || t.kind == TOK_EOF ? STR("") : t.text;
        if (t.kind == TOK_COMMA) text = text_of(json_get(item, "value"));
        complain(input, "token", want,
                 arena_fmt(&memory, "%s %zu " STR_FMT, token_name(t.kind), t.start, STR_ARG(text)));
        if (t.kind == TOK_ERROR) break;
    }
}

static void tokens(void **state)
{
    (void)state;
    const struct json *doc = data("lexer.json");
    size_t n = 0;
    failures = 0;
    for (size_t i = 0; i < doc->n; i++) {
        const struct json *row = &doc->items[i];
        if (json_bool(json_get(row, "series_desc"), false)) continue; /* another language */
        n++;
        tokens_of(row, text_of(json_get(row, "input")));
    }
    (void)printf("lexer.json: %zu cases, %d differences\n", n, failures);
    assert_int_equal(failures, 0);
}

/* Each literal alone is an expression; what Go's Unquote refuses, the lexer or the parser does. */
static void string_literals(void **state)
{
    (void)state;
    const struct json *doc = data("string-literals.json");
    failures = 0;
    for (size_t i = 0; i < doc->n; i++) {
        const struct json *row = &doc->items[i];
        struct str input = text_of(json_get(row, "in"));
        struct parse p;
        struct node *n = NULL;
        struct diag d = { 0 };
        bool parsed = parse_expression(&p, &memory, input, ALL, &n, &d) == OK &&
                      n->kind == NODE_STRING;
        bool refused = json_get(row, "error") != NULL;
        complain(input, "outcome", refused ? STR("refused") : STR("read"),
                 parsed ? STR("read") : STR("refused"));
        if (parsed && !refused) complain(input, "out", text_of(json_get(row, "out")), n->string);
        parse_done(&p);
    }
    (void)printf("string-literals.json: %zu cases, %d differences\n", doc->n, failures);
    assert_int_equal(failures, 0);
}

int main(void)
{
    if (!data_text("expressions.json").p) {
        (void)fprintf(stderr, "no promql-parse under VIGIE_DATA: skipped\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions), cmocka_unit_test(prettify),        cmocka_unit_test(trees),
        cmocka_unit_test(tokens),      cmocka_unit_test(string_literals),
    };
    int failed = cmocka_run_group_tests_name("promql parse", tests, NULL, NULL);
    arena_done(&memory);
    return failed;
}
