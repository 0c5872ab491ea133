/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/num.h"
#include "io/clock.h"
#include "roles/jmx_exporter/exporter.h"

#include <stdlib.h>

#define MARGIN_MS 500 /* of the asker's own time-out, for the way back */

/* Prometheus says how long it will wait; our answer is there before. */
static int64_t patience_ms(const struct exporter *x, const struct http_req *req)
{
    double seconds;
    struct str header = http_header(req, "X-Prometheus-Scrape-Timeout-Seconds");
    if (!header.p || num_parse_f64(header, &seconds) != OK || !(seconds > 0 && seconds < 3600)) {
        return x->config.timeout_ms;
    }
    int64_t ms = (int64_t)(seconds * 1000);
    return ms > 2 * MARGIN_MS ? ms - MARGIN_MS : ms / 2;
}

static void on_collect(void *ctx)
{
    struct waiter *w = ctx;
    cycle_join(w->exporter, w);
}

static void metrics(struct http_req *req)
{
    struct waiter *w = calloc(1, sizeof(*w));
    if (!w) abort();
    w->exporter = req->ctx;
    w->req = req;
    w->deadline_ms = clock_mono_ms() + patience_ms(w->exporter, req);
    loop_post(w->exporter->env.collect, on_collect, w);
}

static void healthy(struct http_req *req) { http_reply_text(req, 200, "Exporter is healthy.\n"); }

static void help(struct http_req *req)
{
    struct buf b = { 0 };
    buf_put(&b, STR("<!DOCTYPE html><title>JMX Exporter</title><h1>JMX Exporter</h1>"
                    "<ul><li><a href=\"/metrics\">/metrics</a>: metrics of the JMX targets"
                    "<li><a href=\"/-/healthy\">/-/healthy</a>: the exporter itself runs</ul>\n"));
    http_reply(req, 200, "text/html; charset=utf-8", &b);
}

/* Before 1.0 every path served metrics; since then every other one shows a page of help. */
void exporter_not_found(struct http_req *req)
{
    const struct exporter *x = req->ctx;
    if (x->compat_0x || str_eq(req->path, x->rules->metrics_path)) {
        metrics(req);
    } else {
        help(req);
    }
}

const struct http_route EXPORTER_ROUTES[] = {
    { HTTP_GET, "/metrics", metrics, ON_LOOP,
      "metrics of all JMX targets, scraped for this request" },
    { HTTP_GET, "/-/healthy", healthy, ON_LOOP, "the exporter itself runs" },
    { 0 },
};
