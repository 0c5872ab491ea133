/* SPDX-License-Identifier: Apache-2.0 */
/* References to data sources, as exports of other people's Grafana hold them. */
#include "dash/refs.h"

#include "test.h"

struct row {
    const char *json, *text; /* text NULL: nothing to say */
    unsigned col;
};

static const struct row ROWS[] = {
    { "{\"panels\": [{\"datasource\": null}]}", NULL, 0 },
    { "{\"panels\": [{\"datasource\": \"Prometheus\"}]}", NULL, 0 },
    { "{\"panels\": [{\"datasource\": {\"uid\": \"P1809F7CD0C75ACF3\"}}]}", NULL, 0 },
    { "{\"panels\": [{\"datasource\": {\"uid\": \"-- Mixed --\"}}]}", NULL, 0 },
    { "{\"panels\": [{\"datasource\": \"default\"}]}", NULL, 0 },
    { "{\"templating\": {\"list\": [{\"name\": \"ds\"}]}, \"panels\": [{\"datasource\": \"${ds}\"}]}",
      NULL, 0 },
    { "{\"panels\": [{\"datasource\": \"${DS_X}\"}]}",
      "data source ${DS_X} is not here: Prometheus is taken instead", 28 },
    { "{\"__inputs\": [{\"name\": \"DS_X\", \"pluginId\": \"prometheus\"}], \"panels\": [{\"datasource\": "
      "\"${DS_X}\"}]}",
      "${DS_X}, an input of the export, is not here: Prometheus", 86 },
    { "{\"panels\": [{\"datasource\": \"telegraf\"}, {\"datasource\": \"telegraf\"}]}",
      "telegraf is not here: Prometheus is taken instead (2 times)", 28 },
    { "{\"panels\": [{\"targets\": [{\"datasource\": {\"type\": \"loki\", \"uid\": \"x\"}}]}]}",
      "no data source x of type loki is here: its panels stay empty", 65 },
    { "not a dashboard", NULL, 0 },
};

static struct str no_env(struct str name)
{
    (void)name;
    return STR("");
}

static void references(void **state)
{
    (void)state;
    struct dash_provisioning *p;
    assert_int_equal(dash_provisioning_read(STR(""), no_env, &p, NULL), OK);
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        ARENA(a, 0);
        const struct row *r = &ROWS[i];
        struct dash_note *v;
        size_t n;
        dash_refs(&a, str_c(r->json), p, &v, &n);
        if (n != (r->text ? 1 : 0)) fail_msg("%s: %zu notes", r->json, n);
        if (n &&
            (str_find(v->text, str_c(r->text)) == STR_NONE || v->line != 1 || v->col != r->col)) {
            fail_msg("%s: %u:%u " STR_FMT, r->json, v->line, v->col, STR_ARG(v->text));
        }
    }
    dash_provisioning_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(references) };
    return cmocka_run_group_tests_name("refs", tests, NULL, NULL);
}
