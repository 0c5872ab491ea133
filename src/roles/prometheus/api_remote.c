/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /api/v1/write and /api/v1/read: what another server sends to this one, and asks of it. Answers of both are plain text.
 *
 * Source: Prometheus storage/remote/write_handler.go, read_handler.go, web/api/v1/api.go (disabled receivers)
 */
#include "base/log.h"
#include "codec/snap.h"
#include "io/clock.h"
#include "remote/answer.h"
#include "roles/prometheus/prometheus_priv.h"

enum { READ_REQUEST_MAX = 1 << 20 };

#define PROTOBUF "application/x-protobuf"
#define V1       "prometheus.WriteRequest"
#define V2       "io.prometheus.write.v2.Request"

static void refuse(struct http_req *req, int status, const char *text)
{
    http_reply_text(req, status, arena_fmt(&req->arena, "%s\n", text).p);
}

/* What the Content-Type names; {NULL, 0} when an error was sent. Without proto= it is version 1. */
static struct str message_of(struct http_req *req)
{
    struct str type = str_trim(http_header(req, "Content-Type")), media, params, one, key, value;
    if (!type.n) return STR(V1);
    (void)str_cut(type, ';', &media, &params);
    if (!str_eqc(media, PROTOBUF)) {
        refuse(req, 415,
               arena_fmt(&req->arena,
                         "expected " PROTOBUF " as the first (media) part, got " STR_FMT
                         " content-type",
                         STR_ARG(type))
                   .p);
        return (struct str){ 0 };
    }
    while (params.n) {
        (void)str_cut(params, ';', &one, &params);
        if (!str_cut(str_trim(one), '=', &key, &value) || !str_eqc(key, "proto")) continue;
        if (str_eqc(value, V1) || str_eqc(value, V2)) return value;
        refuse(req, 415,
               arena_fmt(&req->arena,
                         "got " STR_FMT " content type; unknown type for remote write protobuf "
                         "message " STR_FMT ", supported: " V1 ", " V2,
                         STR_ARG(type), STR_ARG(value))
                   .p);
        return (struct str){ 0 };
    }
    return STR(V1);
}

static bool accepts(const struct prometheus_config *cfg, struct str message)
{
    struct str rest = cfg->accepted_messages, one;
    while (rest.n) {
        (void)str_cut(rest, ',', &one, &rest);
        if (str_eq(one, message)) return true;
    }
    return false;
}

/* Whether the headers name something that can be read here; otherwise the error was sent. */
static bool headers_fit(struct http_req *req)
{
    struct str message = message_of(req), encoding = http_header(req, "Content-Encoding");
    if (!message.p) return false;
    const char *why = NULL;
    if (str_eqc(message, V2)) {
        why = V2 " protobuf message is not accepted by this server; only " V1 " is acceptable";
    } else if (!accepts(prometheus_of(req)->cfg, message)) {
        why = V1 " protobuf message is not accepted by this server";
    } else if (encoding.n && !str_eqc(encoding, "snappy")) {
        why = arena_fmt(&req->arena,
                        STR_FMT " encoding (compression) is not accepted by this server; only "
                                "snappy is acceptable",
                        STR_ARG(encoding))
                  .p;
    }
    if (why) refuse(req, 415, why);
    return !why;
}

static void put_count(struct http_req *req, const char *header, size_t n)
{
    http_reply_header(req, header, arena_fmt(&req->arena, "%zu", n));
}

void api_write(struct http_req *req)
{
    struct prometheus *p = prometheus_of(req);
    struct remote_received got = { 0 };
    struct diag d = { 0 };
    if (!p->cfg->remote_write_receiver) {
        refuse(req, 404,
               "remote write receiver needs to be enabled with --web.enable-remote-write-receiver");
        return;
    }
    if (!headers_fit(req)) return;
    enum err e = remote_receive(p->receiver, req->body, clock_now_ms(), &got, &d);
    if (got.bad_labels) {
        LOG(WARN, "Invalid metric names or labels", kv("component", "web"),
            kv("series", got.bad_labels));
    }
    if (e == OK) {
        put_count(req, "X-Prometheus-Remote-Write-Samples-Written", got.samples);
        put_count(req, "X-Prometheus-Remote-Write-Histograms-Written", 0);
        put_count(req, "X-Prometheus-Remote-Write-Exemplars-Written", 0);
        http_reply(req, 204, NULL, &(struct buf){ 0 });
    } else if (e == ERR_SYNTAX || e == ERR_RANGE) {
        refuse(req, 400, d.text);
    } else {
        LOG(ERROR, "Error appending remote write", kv("err", d.text));
        refuse(req, 500, d.text);
    }
}

void api_write_otlp(struct http_req *req)
{
    refuse(req, 404, "otlp write receiver needs to be enabled with --web.enable-otlp-receiver");
}

static enum err decode_read(struct http_req *req, struct remotepb_read *out)
{
    BUF(plain, READ_REQUEST_MAX);
    TRY(snap_unpack(req->body, READ_REQUEST_MAX, &plain));
    return remotepb_read_request(&req->arena, arena_dup(&req->arena, buf_str(&plain)), out);
}

void api_read(struct http_req *req)
{
    struct prometheus *p = prometheus_of(req);
    struct remotepb_read asked;
    struct diag d = { 0 };
    if (decode_read(req, &asked) != OK) {
        refuse(req, 400, "snappy: corrupt input");
        return;
    }
    struct prom_config *c = prometheus_config(p);
    const struct remote_answer_options o = {
        .store = tsdb_queryable(p->tsdb),
        .external = c->global.external_labels,
        .sample_limit = p->cfg->read_sample_limit,
        .frame_bytes = (size_t)p->cfg->read_frame,
        .cancel = req->gone,
    };
    struct buf b = { 0 };
    enum err e = remote_answer(&o, &asked, &b, &d);
    prom_config_unref(c);
    if (e != OK) {
        buf_done(&b);
        refuse(req, e == ERR_SYNTAX || e == ERR_LIMIT ? 400 : 500, d.text);
        return;
    }
    if (!asked.streamed) http_reply_header(req, "Content-Encoding", STR("snappy"));
    http_reply(req, 200,
               asked.streamed
                   ? "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse"
                   : PROTOBUF,
               &b);
}
