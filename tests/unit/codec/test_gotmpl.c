/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/gotmpl.h"
#include "test.h"

/* What the rows below speak about: {{.}} is a map of these. */
static struct tmpl_value sample(struct arena *a)
{
    struct tmpl_builder labels = { .a = a }, list = { .a = a }, top = { .a = a };
    tmpl_set_key(&labels, STR("job"), tmpl_str(STR("kafka")));
    tmpl_set_key(&labels, STR("alertname"), tmpl_str(STR("Lag")));
    for (int i = 1; i <= 3; i++) tmpl_add(&list, tmpl_int(i));
    tmpl_set_key(&top, STR("Labels"), tmpl_map_done(&labels, &tmpl_type_string_map));
    tmpl_set_key(&top, STR("List"), tmpl_list_done(&list, NULL));
    tmpl_set_key(&top, STR("Name"), tmpl_str(STR("a<b")));
    tmpl_set_key(&top, STR("Pi"), tmpl_float(3.25));
    tmpl_set_key(&top, STR("When"), tmpl_time_ms(a, 1700000000123));
    return tmpl_map_done(&top, NULL);
}

struct row {
    const char *text, *expect; /* expect begins with ! for an error */
    enum tmpl_mode mode;
};

static const struct row rows[] = {
    { "plain", "plain", 0 },
    { "a {{- 1 -}} b", "a1b", 0 },
    { "a{{/* c */}}b{{- /* d */ -}} e", "abe", 0 },
    { "{{.Name}}", "a<b", 0 },
    { "{{.Labels.job}} {{.Labels.none}}|", "kafka |", 0 },
    { "{{.Nope}}", "<no value>", 0 },
    { "{{.Nope.deep}}",
      "!template: t:1:7: executing \"t\" at <.Nope.deep>: nil pointer evaluating interface {}.deep",
      0 },
    { "{{.Labels}}", "map[alertname:Lag job:kafka]", 0 },
    { "{{range .List}}{{.}},{{end}}", "1,2,3,", 0 },
    { "{{range $i, $e := .List}}{{$i}}={{$e}} {{end}}", "0=1 1=2 2=3 ", 0 },
    { "{{range $k, $v := .Labels}}{{$k}}={{$v}};{{end}}", "alertname=Lag;job=kafka;", 0 },
    { "{{range .None}}x{{else}}none{{end}}", "none", 0 },
    { "{{range 3}}{{.}}{{end}}", "012", 0 },
    { "{{range .List}}{{if eq . 2}}{{continue}}{{end}}{{if eq . 3}}{{break}}{{end}}{{.}}{{end}}",
      "1", 0 },
    { "{{if .Name}}y{{else}}n{{end}}{{if not .Name}}y{{else if true}}m{{end}}", "ym", 0 },
    { "{{with .Labels}}{{.job}}{{end}}{{with .None}}x{{else}}e{{end}}", "kafkae", 0 },
    { "{{with .None}}x{{else with .Name}}{{.}}{{end}}", "a<b", 0 },
    { "{{$x := 1}}{{if true}}{{$x = 2}}{{$x := 3}}{{end}}{{$x}}", "2", 0 },
    { "{{define \"T\"}}[{{.}}]{{end}}{{template \"T\" .Name}}{{template \"T\"}}",
      "[a<b][<no value>]", 0 },
    { "{{block \"B\" .Name}}<{{.}}>{{end}}", "<a<b>", 0 },
    { "{{template \"none\"}}",
      "!template: t:1:11: executing \"t\" at <{{template \"none\"}}>: template \"none\" not defined",
      0 },
    { "{{(index .List 1)}} {{index .Labels \"job\"}} {{len .List}}", "2 kafka 3", 0 },
    { "{{index .List 5}}",
      "!template: t:1:2: executing \"t\" at <index .List 5>: error calling index: index out of range: 5",
      0 },
    { "{{slice .Name 1 3}} {{slice .List 1}}", "<b [2 3]", 0 },
    { "{{and 1 0 2}} {{or 0 \"x\"}} {{and}}",
      "!template: t:1:29: executing \"t\" at <and>: wrong number of args for and: want at least 1 got 0",
      0 },
    { "{{or .Nope \"d\"}} {{and .Name true}}", "d true", 0 },
    { "{{eq 1 2 1}} {{ne 1 2}} {{lt 1.5 2.5}} {{ge \"b\" \"a\"}}", "true true true true", 0 },
    { "{{eq 1 1.0}}",
      "!template: t:1:2: executing \"t\" at <eq 1 1.0>: error calling eq: incompatible types for comparison",
      0 },
    { "{{printf \"%5.1f|%-4d|%04d|%q|%x|%v|%s\" .Pi 7 42 \"a\" \"hi\" .List true}}",
      "  3.2|7   |0042|\"a\"|6869|[1 2 3]|%!s(bool=true)", 0 },
    { "{{printf \"%d %s\" 1}}{{printf \"x\" 2}}", "1 %!s(MISSING)x%!(EXTRA int=2)", 0 },
    { "{{printf \"%[2]s %[1]s %+d %c %U\" \"a\" \"b\" 3 65 65}}", "b a %!d(string=b) \x03 U+0041",
      0 },
    { "{{print 1 2 \"a\" 3}}{{println 1 \"b\"}}", "1 2a31 b\n", 0 },
    { "{{\"a'b<c>&\\\"\" | html}} {{js \"it's <x>\"}} {{urlquery \"a b&c\"}}",
      "a&#39;b&lt;c&gt;&amp;&#34; it\\'s \\u003Cx\\u003E a+b%26c", 0 },
    { "{{1e3}} {{0x10}} {{'a'}} {{1_000}} {{.5}} {{1000000.0}}", "1000 16 97 1000 0.5 1e+06", 0 },
    { "{{`raw \\n`}}{{\"\\u00e9\\n\"}}", "raw \\n\u00e9\n", 0 },
    { "{{.When.Format \"2006-01-02T15:04:05.000Z07:00\"}} {{.When.Unix}}",
      "2023-11-14T22:13:20.123Z 1700000000", 0 },
    { "{{.When}}", "2023-11-14 22:13:20.123 +0000 UTC", 0 },
    { "{{.Name | printf \"%s-%s\" \"x\"}}", "x-a<b", 0 },
    { "{{nil}}", "!template: t:1:2: executing \"t\" at <nil>: nil is not a command", 0 },
    { "{{.Name.Foo}}",
      "!template: t:1:7: executing \"t\" at <.Name.Foo>: can't evaluate field Foo in type string",
      0 },
    { "{{nope}}", "!template: t:1: function \"nope\" not defined", 0 },
    { "a\n{{if}}", "!template: t:2: missing value for if", 0 },
    { "{{if true}}", "!template: t:1: unexpected EOF", 0 },
    { "{{end}}", "!template: t:1: unexpected {{end}}", 0 },
    { "{{.Name", "!template: t:1: unclosed action", 0 },
    { "{{$y}}", "!template: t:1: undefined variable \"$y\"", 0 },
    { "{{(1}}", "!template: t:1: unclosed left paren", 0 },
    { "{{break}}", "!template: t:1: {{break}} outside {{range}}", 0 },
    { "{{1 | 2}}", "!template: t:1: non executable command in pipeline stage 2", 0 },
    { "{{define \"R\"}}{{template \"R\"}}{{end}}{{template \"R\"}}",
      "!template: t:1:25: executing \"R\" at <{{template \"R\"}}>: exceeded maximum template depth (200)",
      0 },
    { "{{len 3}}",
      "!template: t:1:2: executing \"t\" at <len 3>: error calling len: len of type int", 0 },
    { "{{toUpper 3}}", "!template: t:1:10: executing \"t\" at <3>: expected string; found 3", 0 },
    { "{{toUpper .List}}",
      "!template: t:1:10: executing \"t\" at <.List>: wrong type for value; expected string; got []interface {}",
      0 },
    { "{{humanize 1234567.0}} {{humanizeDuration 3661}} {{humanizePercentage 0.123}}",
      "1.235M 1h 1m 1s 12.3%", 0 },
    { "<p>{{.Name}} it's</p>", "<p>a&lt;b it's</p>", TMPL_HTML },
    { "<a href=\"{{.Name}}?x={{\"a b&c\"}}\">", "<a href=\"a%3cb?x=a%20b%26c\">", TMPL_HTML },
    { "<a href=\"{{\"javascript:x\"}}\">", "<a href=\"#ZgotmplZ\">", TMPL_HTML },
    { "<a title={{\"a b\"}} x>{{\"'+\\\"\"}}", "<a title=a&#32;b x>&#39;&#43;&#34;", TMPL_HTML },
    { "a<!-- c {{.Name}} -->b", "ab", TMPL_HTML },
    { "<title>{{.Name}}</title><b>{{.Name}}", "<title>a&lt;b</title><b>a&lt;b", TMPL_HTML },
    { "<p style=\"color: {{\"red\"}}; w: {{\"a;b\"}}\">", "<p style=\"color: red; w: ZgotmplZ\">",
      TMPL_HTML },
    { "<script>var x = {{.Labels}};</script>",
      "<script>var x = {\"alertname\":\"Lag\",\"job\":\"kafka\"};</script>", TMPL_HTML },
};

static bool run(const struct row *row)
{
    static const struct tmpl_func *const tables[] = { tmpl_funcs_shared };
    ARENA(a, 0);
    BUF(out, 0);
    struct diag d = { 0 };
    struct tmpl_set *set = tmpl_set_new(&a, tables, ARRAY_LEN(tables));
    struct tmpl_exec x = { .arena = &a, .mode = row->mode };
    enum err e = tmpl_parse(set, STR("t"), str_c(row->text), &d);
    if (e == OK) e = tmpl_execute(set, STR("t"), sample(&a), &x, &out, &d);
    struct str got = e == OK ? buf_str(&out) : arena_fmt(&a, "!%s", d.text);
    if (str_eqc(got, row->expect)) return true;
    print_error("%s\n  got  " STR_FMT "\n  want %s\n", row->text, STR_ARG(got), row->expect);
    return false;
}

static void rows_come_out_as_go_writes_them(void **state)
{
    (void)state;
    size_t bad = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) bad += !run(&rows[i]);
    assert_int_equal(bad, 0);
}

static void a_child_sees_and_hides_its_parents_templates(void **state)
{
    (void)state;
    ARENA(a, 0);
    BUF(out, 0);
    struct diag d = { 0 };
    struct tmpl_set *parent = tmpl_set_new(&a, NULL, 0);
    assert_int_equal(
        tmpl_parse(parent, STR("file"),
                   STR("{{define \"x\"}}old{{end}}{{define \"y\"}}{{template \"x\"}}{{end}}"), &d),
        OK);
    struct tmpl_set *child = tmpl_set_child(&a, parent);
    assert_int_equal(
        tmpl_parse(child, STR(""), STR("{{define \"x\"}}new{{end}}{{template \"y\"}}"), &d), OK);
    struct tmpl_exec x = { .arena = &a };
    assert_int_equal(tmpl_execute(child, STR(""), tmpl_nil(), &x, &out, &d), OK);
    assert_int_equal(tmpl_execute(parent, STR("y"), tmpl_nil(), &x, &out, &d), OK);
    assert_string_equal(arena_dup(&a, buf_str(&out)).p, "newold");
}

static void an_empty_text_replaces_nothing(void **state)
{
    (void)state;
    ARENA(a, 0);
    BUF(out, 0);
    struct diag d = { 0 };
    struct tmpl_set *set = tmpl_set_new(&a, NULL, 0);
    assert_int_equal(tmpl_parse(set, STR("x"), STR("kept"), &d), OK);
    assert_int_equal(tmpl_parse(set, STR("f"), STR("{{define \"x\"}} {{end}}"), &d), OK);
    struct tmpl_exec x = { .arena = &a };
    assert_int_equal(tmpl_execute(set, STR("x"), tmpl_nil(), &x, &out, &d), OK);
    assert_string_equal(arena_dup(&a, buf_str(&out)).p, "kept");
}

static void endless_loops_end(void **state)
{
    (void)state;
    ARENA(a, 0);
    BUF(out, 0);
    struct diag d = { 0 };
    struct tmpl_set *set = tmpl_set_new(&a, NULL, 0);
    assert_int_equal(
        tmpl_parse(set, STR("x"), STR("{{range 1000000}}{{range 1000000}}x{{end}}{{end}}"), &d),
        OK);
    struct tmpl_exec x = { .arena = &a, .steps_max = 1000 };
    assert_int_equal(tmpl_execute(set, STR("x"), tmpl_nil(), &x, &out, &d), ERR_LIMIT);
    x = (struct tmpl_exec){ .arena = &a, .output_max = 100 };
    assert_int_equal(tmpl_execute(set, STR("x"), tmpl_nil(), &x, &out, &d), ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_out_as_go_writes_them),
        cmocka_unit_test(a_child_sees_and_hides_its_parents_templates),
        cmocka_unit_test(an_empty_text_replaces_nothing),
        cmocka_unit_test(endless_loops_end),
    };
    return cmocka_run_group_tests_name("gotmpl", tests, NULL, NULL);
}
