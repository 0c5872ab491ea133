/* SPDX-License-Identifier: Apache-2.0 */
/*
 * render.c - the page as a job: samples of all targets and the exporter's own metrics, sorted and written
 *
 * The list of samples is made on the loop; the job reads outcomes that no target touches until it is done.
 */
#include "base/vec.h"
#include "codec/expowrite.h"
#include "io/clock.h"
#include "roles/jmx_exporter/exporter.h"

#include <stdlib.h>

#define PAGE_MAX ((size_t)512 << 20)

struct render {
    struct job job;
    struct exporter *exporter;
    void (*done)(struct exporter *x, int status, struct buf *body);
    struct arena arena;
    VEC(struct jmx_sample) samples;
    struct jmx_config *config; /* its aliases */
    bool compat_0x, any_up;
    struct buf page;
};

static void add_all(struct render *r, const struct jmx_samples *from)
{
    for (size_t i = 0; i < from->n; i++) *vec_push(&r->arena, &r->samples) = from->v[i];
}

static void own(struct render *r, const char *name, enum jmx_type type, const char *help,
                struct str labels, double v)
{
    struct jmx_outcome *o = arena_new(&r->arena, struct jmx_outcome);
    *o = (struct jmx_outcome){
        .type = type,
        .name = str_c(name),
        .family = r->compat_0x && type == JMX_COUNTER ? arena_fmt(&r->arena, "%s_total", name)
                                                      : str_c(name),
        .labels = labels,
        .help = str_c(help),
    };
    *vec_push(&r->arena, &r->samples) = (struct jmx_sample){ o, v };
}

static struct str label(struct render *r, const char *name, struct str value)
{
    BUF(b, 1 << 16);
    buf_fmt(&b, "%s=\"", name);
    expo_escape_value(&b, value);
    buf_char(&b, '"');
    return arena_dup(&r->arena, buf_str(&b));
}

/* A target whose scrape is still under way counts as down: its samples are in motion. */
static bool is_up(const struct target_row *row)
{
    return !jmx_target_scraping(row->link->target) && jmx_target_stats(row->link->target)->up;
}

static void add_target(struct render *r, const struct target_row *row)
{
    const struct jmx_target *t = row->link->target;
    struct jmx_samples samples = { 0 };
    bool up = is_up(row);
    if (!jmx_target_scraping(t)) jmx_target_samples(t, false, &samples, &r->arena);
    add_all(r, &samples);
    own(r, "jmx_up", JMX_GAUGE, "1 if the last scrape of this JMX target succeeded.",
        label(r, "target", jmx_target_endpoint(t)->target), up);
}

/* Nobody is there: the last values stay readable for a person; the status keeps scrapers from taking them. */
static void add_last_known(struct render *r, const struct exporter *x)
{
    for (size_t i = 0; i < x->rows_n; i++) {
        struct jmx_samples samples = { 0 };
        if (jmx_target_scraping(x->rows[i]->link->target)) continue;
        jmx_target_samples(x->rows[i]->link->target, true, &samples, &r->arena);
        add_all(r, &samples);
    }
}

static void add_own(struct render *r, const struct exporter *x)
{
    size_t cached = 0, failed = 0;
    bool all_up = x->rows_n > 0;
    for (size_t i = 0; i < x->rows_n; i++) {
        const struct jmx_target_stats *s = jmx_target_stats(x->rows[i]->link->target);
        all_up &= is_up(x->rows[i]);
        cached += s->cached;
        failed += s->samples_failed;
    }
    own(r, "jmx_scrape_duration_seconds", JMX_GAUGE, "Time this JMX scrape took, in seconds.",
        STR(""), (double)(clock_mono_ms() - x->began_ms) / 1000);
    own(r, "jmx_scrape_error", JMX_GAUGE, "Non-zero if this scrape failed.", STR(""), !all_up);
    own(r, "jmx_scrape_cached_beans", JMX_GAUGE, "Number of beans with their matching rule cached",
        STR(""), (double)cached);
    own(r, "jmx_scrape_samples_dropped", JMX_GAUGE,
        "Samples of this scrape left out because their rule refers to what is not there.", STR(""),
        (double)failed);
    own(r, "jmx_config_reload_success", JMX_COUNTER,
        "Number of times configuration have successfully been reloaded.", STR(""),
        (double)x->reloads_good);
    own(r, "jmx_config_reload_failure", JMX_COUNTER,
        "Number of times configuration have failed to be reloaded.", STR(""),
        (double)x->reloads_bad);
    own(r, "jmx_exporter_build_info", JMX_GAUGE,
        "A metric with a constant '1' value labeled with the version of the JMX exporter.",
        arena_fmt(&r->arena, "name=\"vigie\",version=\"%s\"", x->env.version), 1);
}

static void run(struct job *j)
{
    struct render *r = (struct render *)j;
    struct jmx_page_options o = {
        .compat_0x = r->compat_0x,
        .aliases = r->config->aliases,
        .aliases_n = r->config->aliases_n,
    };
    size_t dropped;
    jmx_page_write(&r->page, r->samples.v, r->samples.n, &o, &dropped);
}

void render_free(struct render *r)
{
    if (!r) return;
    jmx_config_unref(r->config);
    buf_done(&r->page);
    arena_done(&r->arena);
    free(r);
}

/* Cancelled: the process ends; whoever waits is answered by stop(). */
static void done(struct job *j)
{
    struct render *r = (struct render *)j;
    r->exporter->render = NULL;
    if (!j->cancel) r->done(r->exporter, r->any_up ? 200 : 503, &r->page);
    render_free(r);
}

void render_start(struct exporter *x,
                  void (*when_done)(struct exporter *x, int status, struct buf *body))
{
    struct render *r = calloc(1, sizeof(*r));
    if (!r) abort();
    r->job = (struct job){ .lane = LANE_QUERY, .run = run, .done = done, .loop = x->env.collect };
    r->exporter = x;
    r->done = when_done;
    r->config = jmx_config_ref(x->rules);
    r->compat_0x = x->compat_0x;
    buf_init(&r->page, PAGE_MAX);
    for (size_t i = 0; i < x->rows_n; i++) {
        add_target(r, x->rows[i]);
        r->any_up |= is_up(x->rows[i]);
    }
    if (!r->any_up) add_last_known(r, x);
    add_own(r, x);
    x->render = r;
    pool_submit(x->env.pool, &r->job);
}
