/* SPDX-License-Identifier: Apache-2.0 */
/* Every configuration that jmx_exporter publishes or tests with loads; what must not be ignored is refused at the start. */
#include "base/vec.h"
#include "io/file.h"
#include "jmx/config.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

/* These numbers may only rise (loaded) or fall (refused). */
#define EXAMPLES         20
#define INTEGRATION      252
#define REFUSED_AT_START 127
#define RULES_WITH_REGEX 454

struct count {
    size_t loaded, refused, rules, blind;
};

static struct str data_folder(struct arena *a)
{
    const char *dir = getenv("VIGIE_DATA");
    return path_join(a, dir ? str_c(dir) : STR("../shared/data"), STR("jmx"));
}

static void load(struct arena *a, struct str path, struct count *n)
{
    struct jmx_config *c;
    struct diag d = { 0 };
    struct str text;
    assert_int_equal(file_read(a, path, 1 << 20, &text, &d), OK);
    if (jmx_config_parse(text, &c, &d) != OK) {
        fail_msg(STR_FMT ":%u:%u: %s", STR_ARG(path), d.line, d.col, d.text);
    }
    n->loaded++;
    n->refused += c->refused.n > 0;
    for (size_t i = 0; i < c->rules_n; i++) {
        n->rules += c->rules[i].re != NULL;
        n->blind += c->rules[i].re && c->rules[i].blind;
    }
    jmx_config_unref(c);
}

static void load_all(struct arena *a, const char *const *patterns, struct count *n)
{
    struct str dir = data_folder(a);
    for (; *patterns; patterns++) {
        struct str *v;
        size_t k;
        assert_int_equal(file_glob(a, path_join(a, dir, str_c(*patterns)), &v, &k, NULL), OK);
        for (size_t i = 0; i < k; i++) load(a, v[i], n);
    }
}

static void configurations(void **state)
{
    (void)state;
    static const char *const PUBLISHED[] = { "examples/*.y*ml", NULL };
    static const char *const TESTS[] = {
        "integration/*/exporter*.y*ml",
        "integration/*/*/exporter*.y*ml",
        "integration/*/*/*/exporter*.y*ml",
        "integration/*/*/*/*/exporter*.y*ml",
        "integration/*/*/*/*/*/exporter*.y*ml",
        "integration/*/*/*/*/*/*/exporter*.y*ml",
        "integration/*/*/*/*/*/*/*/exporter*.y*ml",
        NULL,
    };
    ARENA(a, 0);
    struct count examples = { 0 }, integration = { 0 };
    load_all(&a, PUBLISHED, &examples);
    load_all(&a, TESTS, &integration);
    printf("examples %zu, integration %zu, refused at start %zu, patterns %zu, blind %zu\n",
           examples.loaded, integration.loaded, examples.refused + integration.refused,
           examples.rules + integration.rules, examples.blind + integration.blind);
    assert_true(examples.loaded >= EXAMPLES);
    assert_true(integration.loaded >= INTEGRATION);
    assert_true(examples.refused + integration.refused <= REFUSED_AT_START);
    assert_true(examples.rules + integration.rules >= RULES_WITH_REGEX);
}

int main(void)
{
    ARENA(a, 0);
    if (!file_exists(data_folder(&a))) {
        printf("no data at " STR_FMT ": set VIGIE_DATA\n", STR_ARG(data_folder(&a)));
        return 77;
    }
    const struct CMUnitTest tests[] = { cmocka_unit_test(configurations) };
    return cmocka_run_group_tests_name("jmx_configs", tests, NULL, NULL);
}
