/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brokers.c - Kafka, as Vigie meets it: the address that was given, the brokers it names, what they let us see
 */
#include "codec/num.h"
#include "commands/doctor/exam.h"
#include "commands/doctor/peers.h"
#include "commands/doctor/web.h"
#include "io/clock.h"
#include "io/dial.h"
#include "kafka/error.h"
#include "kafka/frame.h"

#include <stdio.h>

enum {
    ANSWER_MAX = 64 << 20,
    GROUP_AUTHORIZATION_FAILED = 30,
    DESCRIBE_BIT = 1 << 8, /* AclOperation.DESCRIBE is 8 */
    GROUPS_MAX = 50,
    DISK_ERROR_PERCENT = 95,
};

#define PRINCIPAL STR("User:ANONYMOUS") /* who nobody is that has not logged in */

/* --- a conversation --- */

struct talk {
    struct dial *c;
    struct buf in;
    size_t taken; /* bytes of in that are read */
    struct kafka_versions versions;
    int32_t correlation;
    struct arena *a;
};

static void talk_end(struct talk *t)
{
    dial_close(t->c);
    buf_done(&t->in);
    *t = (struct talk){ 0 };
}

/* The next whole frame, copied: what is read from it points into it. Errors: as dial_read(); ERR_SYNTAX it is none of Kafka's */
static enum err take_frame(struct talk *t, struct str *out, struct diag *d)
{
    buf_drop(&t->in, t->taken);
    t->taken = 0;
    for (;;) {
        struct str frame, have = buf_str(&t->in);
        if (have.n >= KAFKA_FRAME_HEAD && kafka_frame_stranger(have)) return ERR_SYNTAX;
        enum err e = kafka_frame_peek(have, ANSWER_MAX, &frame);
        if (e == OK) {
            t->taken = KAFKA_FRAME_HEAD + frame.n;
            *out = arena_dup(t->a, frame);
            return OK;
        }
        if (e != ERR_AGAIN) return e;
        TRY(dial_read(t->c, &t->in, STEP_MS, d));
    }
}

static enum err ask(struct talk *t, enum kafka_api_id api, const void *req, void *res,
                    struct diag *d)
{
    BUF(out, 0);
    struct str frame;
    int32_t correlation;
    int16_t version = t->versions.use[api];
    if (version < 0) return ERR_UNSUPPORTED;
    kafka_request_write(&out, api, version, ++t->correlation, STR("vigie-doctor"), req);
    TRY(dial_write(t->c, buf_str(&out), STEP_MS, d));
    TRY(take_frame(t, &frame, d));
    if (api == KAFKA_API_VERSIONS) {
        return kafka_api_versions_read(frame, &t->versions.use[api], t->a, &correlation, res);
    }
    return kafka_response_read(api, version, frame, t->a, &correlation, res);
}

static enum err agree(struct talk *t, struct diag *d)
{
    const struct kafka_api_versions_req req = { STR("vigie"), STR("1") };
    struct kafka_api_versions_res res;
    t->versions.use[KAFKA_API_VERSIONS] = KAFKA_APIS[KAFKA_API_VERSIONS].max;
    TRY(ask(t, KAFKA_API_VERSIONS, &req, &res, d));
    if (res.error_code == KAFKA_UNSUPPORTED_VERSION) {
        t->versions.use[KAFKA_API_VERSIONS] = 0;
        TRY(ask(t, KAFKA_API_VERSIONS, &req, &res, d));
    }
    kafka_versions_pick(&res, &t->versions);
    return OK;
}

/* --- what it is, if it is not what it should be --- */

static bool takes_tls(struct str host, uint16_t port)
{
    struct dial *c;
    const struct dial_options o = { .host = host, .port = port, .timeout_ms = STEP_MS };
    if (dial_open(&o, &c, NULL) != OK) return false;
    enum err e = dial_start_tls(c, &(struct dial_tls){ .insecure_skip_verify = true }, STEP_MS,
                                NULL);
    dial_close(c);
    return e == OK;
}

/* The mechanisms it offers, "PLAIN, SCRAM-SHA-256"; empty: it wants no login. */
static struct str asks_login(struct arena *a, struct str host, uint16_t port)
{
    struct talk t = { .a = a };
    const struct dial_options o = { .host = host, .port = port, .timeout_ms = STEP_MS };
    struct str names = STR(""), frame;
    if (dial_open(&o, &t.c, NULL) != OK) return names;
    BUF(out, 0);
    sasl_handshake_write(&out);
    if (dial_write(t.c, buf_str(&out), STEP_MS, NULL) == OK && take_frame(&t, &frame, NULL) == OK &&
        sasl_mechanisms_read(frame, a, &names) != OK) {
        names = STR("");
    }
    talk_end(&t);
    return names;
}

enum what { IS_KAFKA, IS_TLS, IS_SASL, IS_OTHER, IS_MUTE };

struct verdict {
    enum what what;
    struct str text; /* the protocol, the mechanisms, what went wrong */
};

static struct verdict judge(struct talk *t, struct str host, uint16_t port, enum err e,
                            const struct diag *d)
{
    const char *other = kafka_frame_stranger(buf_str(&t->in));
    if (other && strcmp(other, "TLS") != 0) return (struct verdict){ IS_OTHER, str_c(other) };
    if (other || takes_tls(host, port)) return (struct verdict){ IS_TLS, STR("") };
    return (struct verdict){ IS_MUTE,
                             d->text[0] ? arena_dup(t->a, str_c(d->text)) : str_c(err_name(e)) };
}

/* Connected; agrees on versions and asks for the cluster. */
static struct verdict introduce(struct talk *t, struct str host, uint16_t port,
                                struct kafka_metadata_res *out)
{
    struct diag d = { 0 };
    const struct kafka_metadata_req req = { 0 }; /* all topics */
    enum err e = agree(t, &d);
    if (e != OK) return judge(t, host, port, e, &d);
    e = ask(t, KAFKA_METADATA, &req, out, &d);
    if (e == OK) return (struct verdict){ IS_KAFKA, STR("") };
    struct str mechanisms = asks_login(t->a, host, port);
    if (mechanisms.n) return (struct verdict){ IS_SASL, mechanisms };
    return (struct verdict){ IS_MUTE,
                             d.text[0] ? arena_dup(t->a, str_c(d.text)) : str_c(err_name(e)) };
}

/* --- the address that was given --- */

struct bootstrap {
    struct str text, host;
    uint16_t port;
};

static void report_stranger(struct exam *x, const struct bootstrap *b, const struct verdict *v)
{
    ARENA(a, 0);
    struct str port = arena_fmt(&a, "%u", b->port);
    struct saying look = SAY(W_FIX_KAFKA_LOG, b->host, port);
    switch (v->what) {
    case IS_KAFKA: break;
    case IS_TLS:
        exam_report(x, CHECK_KAFKA, SEV_ERROR, SAY(W_KAFKA_TLS, b->text),
                    SAY(W_KAFKA_TLS_WHY, STR("")), SAY(W_FIX_PLAINTEXT, b->host), STR(""));
        break;
    case IS_SASL:
        exam_report(x, CHECK_KAFKA, SEV_ERROR, SAY(W_KAFKA_SASL, b->text),
                    SAY(W_KAFKA_SASL_WHY, v->text), SAY(W_FIX_PLAINTEXT, b->host), STR(""));
        break;
    case IS_OTHER:
        exam_report(x, CHECK_KAFKA, SEV_ERROR, SAY(W_KAFKA_OTHER, b->text, v->text),
                    SAY(W_KAFKA_OTHER_WHY, STR("")), look, STR(""));
        break;
    case IS_MUTE:
        exam_report(x, CHECK_KAFKA, SEV_ERROR, SAY(W_KAFKA_MUTE, b->text),
                    SAY(W_KAFKA_MUTE_WHY, STR("")), look, v->text);
        break;
    }
}

/* May we look at the cluster? Bits that the broker leaves out say nothing. */
static void check_cluster_rights(struct exam *x, struct talk *t, struct str address)
{
    const struct kafka_describe_cluster_req req = { .include_cluster_authorized_operations = true,
                                                    .endpoint_type = 1 };
    struct kafka_describe_cluster_res res;
    if (ask(t, KAFKA_DESCRIBE_CLUSTER, &req, &res, NULL) != OK || res.error_code) return;
    int32_t may = res.cluster_authorized_operations;
    if (may == INT32_MIN || (may & DESCRIBE_BIT)) return;
    /* Several listeners of one cluster were given: it is told once. */
    if (!exam_once(x, arena_fmt(t->a, "acl " STR_FMT, STR_ARG(res.cluster_id)))) return;
    exam_report(x, CHECK_KAFKA, SEV_ERROR, SAY(W_ACL_CLUSTER, STR("")),
                SAY(W_ACL_CLUSTER_WHY, PRINCIPAL), SAY(W_FIX_ACL_CLUSTER, PRINCIPAL, address),
                STR(""));
}

struct listener {
    int32_t id;
    struct str host, bootstrap;
    uint16_t port;
    bool afar; /* the bootstrap server is not this machine */
};

static void examine_listener(struct exam *x, void *ctx);

static void begin_listeners(struct exam *x, const struct bootstrap *b, bool afar,
                            const struct kafka_metadata_res *m)
{
    ARENA(a, 0);
    KARRAY_FOR(it, &m->brokers)
    {
        struct str address = arena_fmt(&a, STR_FMT ":%d", STR_ARG(it->host), it->port);
        if (!exam_once(x, arena_fmt(&a, "broker %d " STR_FMT, it->node_id, STR_ARG(address)))) {
            continue;
        }
        struct listener *l = exam_alloc(x, sizeof(*l));
        *l = (struct listener){ .id = it->node_id,
                                .host = exam_dup(x, it->host),
                                .bootstrap = b->text,
                                .port = (uint16_t)it->port,
                                .afar = afar };
        exam_probe(x, CHECK_LISTENERS, address, examine_listener, l);
    }
}

static void offer_hosts(struct exam *x, const struct kafka_metadata_res *m)
{
    ARENA(a, 0);
    struct str *hosts = arena_array(&a, m->brokers.n, sizeof(*hosts));
    for (size_t i = 0; i < m->brokers.n; i++) hosts[i] = m->brokers.v[i].host;
    examine_jmx_hosts(x, hosts, m->brokers.n);
}

static void examine_bootstrap(struct exam *x, void *ctx)
{
    const struct bootstrap *b = ctx;
    ARENA(a, 0);
    struct talk t = { .a = &a };
    struct diag d = { 0 };
    struct kafka_metadata_res m;
    int64_t began = clock_mono_ms();
    const struct dial_options o = { .host = b->host, .port = b->port, .timeout_ms = STEP_MS };
    enum err e = dial_open(&o, &t.c, &d);
    if (e != OK) {
        exam_report(x, CHECK_KAFKA, SEV_ERROR, SAY(W_KAFKA_UNREACHED, b->text),
                    unreached_why(&a, e, b->host, STEP_MS), unreached_fix(&a, e, b->host, b->port),
                    str_c(d.text));
        return;
    }
    struct verdict v = introduce(&t, b->host, b->port, &m);
    if (v.what != IS_KAFKA) {
        report_stranger(x, b, &v);
    } else {
        exam_ok_title(x, CHECK_KAFKA, SAY(W_OK_KAFKA, b->text));
        exam_figure(x, CHECK_KAFKA,
                    SAY(W_FIG_KAFKA, arena_fmt(&a, "%zu", m.brokers.n),
                        arena_fmt(&a, "%lld", (long long)(clock_mono_ms() - began))));
        exam_figure(x, CHECK_LISTENERS, SAY(W_FIG_LISTENERS, arena_fmt(&a, "%zu", m.brokers.n)));
        begin_listeners(x, b, !dial_is_loopback(t.c), &m);
        offer_hosts(x, &m);
        check_cluster_rights(x, &t, b->text);
    }
    talk_end(&t);
}

/* --- one broker, at the address it advertises --- */

static void report_listener(struct exam *x, const struct listener *l, struct arena *a,
                            struct saying cause, struct str evidence)
{
    struct str id = arena_fmt(a, "%d", l->id), port = arena_fmt(a, "%u", l->port);
    struct str address = arena_fmt(a, STR_FMT ":%u", STR_ARG(l->host), l->port);
    exam_report(x, CHECK_LISTENERS, SEV_ERROR, SAY(W_LISTENER_UNREACHED, id, address), cause,
                SAY(W_FIX_ADVERTISED, id, port), evidence);
}

static bool hidden(const struct kafka_metadata_res *m, struct str topic)
{
    KARRAY_FOR(it, &m->topics)
    {
        if (str_eq(it->name, topic)) return false;
    }
    return !str_starts(topic, STR("__"));
}

static void check_disk(struct exam *x, const struct listener *l,
                       const struct kafka_log_dirs_result *dir, struct arena *a)
{
    const struct kafka_log_dir_topic *largest = NULL;
    int64_t largest_bytes = -1;
    if (dir->total_bytes <= 0 || dir->usable_bytes < 0) return; /* before Kafka 3.3 */
    int64_t percent = 100 - dir->usable_bytes * 100 / dir->total_bytes;
    if (percent < x->in->disk_limit) return;
    KARRAY_FOR(it, &dir->topics)
    {
        int64_t bytes = 0;
        KARRAY_FOR(p, &it->partitions) bytes += p->partition_size;
        if (bytes > largest_bytes) {
            largest = it;
            largest_bytes = bytes;
        }
    }
    struct str name = largest ? largest->name : STR("-");
    exam_report(x, CHECK_MACHINE, percent >= DISK_ERROR_PERCENT ? SEV_ERROR : SEV_WARNING,
                SAY(W_BROKER_DISK, arena_fmt(a, "%d", l->id), dir->log_dir,
                    arena_fmt(a, "%lld", (long long)percent)),
                SAY(W_BROKER_DISK_WHY, bytes_text(a, dir->usable_bytes, x->in->lang), name,
                    bytes_text(a, largest_bytes > 0 ? largest_bytes : 0, x->in->lang)),
                SAY(W_FIX_BROKER_DISK, l->bootstrap, name), STR(""));
}

static void check_log_dirs(struct exam *x, const struct listener *l, struct talk *t)
{
    const struct kafka_describe_log_dirs_req req = { { NULL, 0 } };
    struct kafka_describe_log_dirs_res res;
    const struct kafka_metadata_req all = { 0 };
    struct kafka_metadata_res m; /* asked afterwards: a topic that is new is in both */
    if (ask(t, KAFKA_DESCRIBE_LOG_DIRS, &req, &res, NULL) != OK ||
        ask(t, KAFKA_METADATA, &all, &m, NULL) != OK) {
        return;
    }
    KARRAY_FOR(dir, &res.results)
    {
        check_disk(x, l, dir, t->a);
        KARRAY_FOR(it, &dir->topics)
        {
            if (!hidden(&m, it->name)) continue;
            exam_report(x, CHECK_KAFKA, SEV_ERROR, SAY(W_ACL_TOPIC, it->name),
                        SAY(W_ACL_TOPIC_WHY, PRINCIPAL),
                        SAY(W_FIX_ACL_TOPIC, PRINCIPAL, l->bootstrap), STR(""));
        }
    }
}

static int16_t group_error(struct talk *t, struct str group)
{
    struct kafka_offset_fetch_req_group one = { .group_id = group, .member_epoch = -1 };
    const struct kafka_offset_fetch_req req = { .group_id = group, .groups = { &one, 1 } };
    struct kafka_offset_fetch_res res;
    if (ask(t, KAFKA_OFFSET_FETCH, &req, &res, NULL) != OK) return 0;
    return res.groups.n ? res.groups.v[0].error_code : res.error_code;
}

static void check_groups(struct exam *x, const struct listener *l, struct talk *t)
{
    const struct kafka_list_groups_req req = { { NULL, 0 }, { NULL, 0 } };
    struct kafka_list_groups_res res;
    if (ask(t, KAFKA_LIST_GROUPS, &req, &res, NULL) != OK) return;
    for (size_t i = 0; i < res.groups.n && i < GROUPS_MAX; i++) {
        struct str group = res.groups.v[i].group_id;
        if (group_error(t, group) != GROUP_AUTHORIZATION_FAILED) continue;
        exam_report(x, CHECK_KAFKA, SEV_ERROR, SAY(W_ACL_GROUP, group),
                    SAY(W_ACL_GROUP_WHY, PRINCIPAL), SAY(W_FIX_ACL_GROUP, PRINCIPAL, l->bootstrap),
                    STR(""));
    }
}

static void examine_listener(struct exam *x, void *ctx)
{
    const struct listener *l = ctx;
    ARENA(a, 0);
    struct talk t = { .a = &a };
    struct diag d = { 0 };
    struct kafka_metadata_res m;
    const struct dial_options o = { .host = l->host, .port = l->port, .timeout_ms = STEP_MS };
    enum err e = dial_open(&o, &t.c, &d);
    if (e != OK) {
        bool here = l->afar && str_eqc(l->host, "localhost");
        report_listener(x, l, &a,
                        here ? SAY(W_LISTENER_LOOPBACK_WHY, l->bootstrap)
                             : unreached_why(&a, e, l->host, STEP_MS),
                        str_c(d.text));
        return;
    }
    if (l->afar && dial_is_loopback(t.c)) {
        report_listener(x, l, &a, SAY(W_LISTENER_LOOPBACK_WHY, l->bootstrap), STR(""));
    } else {
        struct verdict v = introduce(&t, l->host, l->port, &m);
        static const char *const WORDS[] = { "", "TLS", "SASL", "", "" };
        if (v.what != IS_KAFKA) {
            report_listener(
                x, l, &a,
                SAY(W_LISTENER_NOT_KAFKA_WHY, WORDS[v.what][0] ? str_c(WORDS[v.what]) : v.text),
                STR(""));
        } else {
            check_log_dirs(x, l, &t);
            check_groups(x, l, &t);
        }
    }
    talk_end(&t);
}

void examine_kafka(struct exam *x)
{
    static const struct str USUAL = { "localhost:9092", 14 };
    size_t n = x->in->kafka_n;
    const struct str *v = n ? x->in->kafka : &USUAL;
    for (size_t i = 0; i < (n ? n : 1); i++) {
        struct str rest = v[i], one;
        while (str_cut(rest, ',', &one, &rest) || one.n) { /* "a:9092,b:9092" */
            struct bootstrap *b = exam_alloc(x, sizeof(*b));
            b->text = exam_dup(x, str_trim(one));
            if (split_address(b->text, 9092, &b->host, &b->port)) {
                exam_probe(x, CHECK_KAFKA, b->text, examine_bootstrap, b);
            } else {
                exam_report(x, CHECK_KAFKA, SEV_ERROR, SAY(W_KAFKA_UNREACHED, b->text),
                            SAY(W_NAME_UNKNOWN, b->text), SAY(W_FIX_RUN, x->in->command), STR(""));
            }
            one = STR("");
            if (!rest.n) break;
        }
    }
}
