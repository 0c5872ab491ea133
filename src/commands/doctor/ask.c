/* SPDX-License-Identifier: Apache-2.0 */
#include "commands/doctor/ask.h"

#include "codec/num.h"
#include "codec/query.h"
#include "commands/doctor/exam.h"
#include "io/clock.h"
#include "io/http_client.h"

enum { LOOK_BACK_MS = 3600 * 1000, ANSWER_MAX = 64 << 20, QUICK_MS = 2000 };

enum err asker_get(struct asker *k, struct str path, const struct json **data, struct diag *d)
{
    const struct http_call call = {
        .url = arena_fmt(k->a, STR_FMT STR_FMT, STR_ARG(k->base), STR_ARG(path)),
        .timeout_ms = QUICK_MS,
        .body_max = ANSWER_MAX,
        .accept_gzip = true,
    };
    struct http_result r = { 0 };
    const struct json *root = NULL;
    k->asked++;
    TRY(http_fetch(&call, NULL, &r, d));
    struct str body = arena_dup(k->a, buf_str(&r.body));
    buf_done(&r.body);
    if (r.status != 200) return diag_set(d, ERR_SYNTAX, "status %d", r.status);
    TRY(json_parse(k->a, body, &root, d));
    *data = json_get(root, "data");
    return *data ? OK : diag_set(d, ERR_SYNTAX, "its answer has no data");
}

/* &start=..&end=.. */
static void put_range(struct buf *b)
{
    int64_t now = clock_now_ms();
    buf_putc(b, "&start=");
    num_write_ms(b, now - LOOK_BACK_MS);
    buf_putc(b, "&end=");
    num_write_ms(b, now + 60000); /* a clock that is a little off */
}

static size_t strings_of(struct arena *a, const struct json *v, struct str **out)
{
    size_t n = v && v->kind == JSON_ARRAY ? v->n : 0;
    *out = arena_array(a, n, sizeof(**out));
    for (size_t i = 0; i < n; i++) (*out)[i] = json_str(&v->items[i], STR(""));
    return n;
}

enum err asker_open(struct asker *k, struct diag *d)
{
    const struct json *data;
    BUF(path, 0);
    buf_putc(&path, "/api/v1/label/__name__/values?x=");
    put_range(&path);
    TRY(asker_get(k, buf_str(&path), &data, d));
    k->names_n = strings_of(k->a, data, &k->names);
    for (size_t i = 0; i < k->names_n; i++) {
        (void)map_put(&k->name_set, k->names[i], &k->names[i]);
    }
    return OK;
}

void asker_done(struct asker *k)
{
    map_done(&k->name_set);
    map_done(&k->known);
}

bool asker_has_name(const struct asker *k, struct str name)
{
    return map_get(&k->name_set, name) != NULL;
}

static bool ask_series(struct asker *k, struct str selector)
{
    const struct json *data;
    BUF(path, 0);
    if (clock_mono_ms() > k->end_ms) {
        k->unasked++;
        return true;
    }
    buf_putc(&path, "/api/v1/series?limit=1&match[]=");
    query_escape(&path, selector);
    put_range(&path);
    if (asker_get(k, buf_str(&path), &data, NULL) != OK) return true;
    return data->kind == JSON_ARRAY && data->n > 0;
}

bool asker_has_series(struct asker *k, struct str selector)
{
    static char yes, no;
    const char *seen = map_get(&k->known, selector);
    if (seen) return seen == &yes;
    bool has = ask_series(k, selector);
    (void)map_put(&k->known, arena_dup(k->a, selector), has ? &yes : &no);
    return has;
}

size_t asker_values(struct asker *k, struct str label, struct str selector, struct str **out)
{
    const struct json *data;
    BUF(path, 0);
    buf_fmt(&path, "/api/v1/label/" STR_FMT "/values?limit=500&match[]=", STR_ARG(label));
    query_escape(&path, selector);
    put_range(&path);
    if (asker_get(k, buf_str(&path), &data, NULL) != OK) {
        *out = NULL;
        return 0;
    }
    return strings_of(k->a, data, out);
}
