/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine.c - the five roles on their ports, and the disk under the data
 */
#include "codec/num.h"
#include "commands/doctor/files.h"
#include "commands/doctor/peers.h"
#include "commands/doctor/web.h"
#include "io/dial.h"
#include "io/file.h"

#include <sys/statvfs.h>

enum { DISK_ERROR_PERCENT = 95, RETENTION_SHARE = 2 };

/* How each role is known: a path, and what its answer has in it. */
static const struct {
    const char *path, *sign;
} SIGNS[DOCTOR_ROLES] = {
    { "/metrics", "kafka_" },        { "/metrics", "jmx_" },     { "/metrics", "prometheus_" },
    { "/metrics", "alertmanager_" }, { "/metrics", "grafana_" },
};

struct str own_prometheus(struct exam *x)
{
    enum { PROMETHEUS = 2 };
    ARENA(a, 0);
    const struct doctor_role *r = &x->in->roles[PROMETHEUS];
    return exam_dup(x, arena_fmt(&a, "http://" STR_FMT ":%u", STR_ARG(r->host), r->port));
}

void own_address(const struct exam *x, struct url *u)
{
    for (size_t i = 0; i < DOCTOR_ROLES; i++) {
        const struct doctor_role *r = &x->in->roles[i];
        if (u->port != r->usual_port || !str_eqc(u->host, r->container)) continue;
        u->host = r->host;
        u->port = r->port;
    }
}

bool is_own_role(const struct exam *x, struct str host, uint16_t port)
{
    bool here = str_eqc(host, "localhost") || str_starts(host, STR("127.")) || str_eqc(host, "::1");
    for (size_t i = 0; i < DOCTOR_ROLES; i++) {
        const struct doctor_role *r = &x->in->roles[i];
        if (r->port == port && (here || str_eq(host, r->host))) return true;
    }
    return false;
}

/* The value of a sample without labels on a page; 0: it is not there. */
static double value_of(struct str page, struct str name)
{
    struct str line;
    double v = 0;
    while (page.n) {
        (void)str_cut(page, '\n', &line, &page);
        if (!str_starts(line, name) || line.n <= name.n || line.p[name.n] != ' ') continue;
        return num_parse_f64(str_trim(str_from(line, name.n)), &v) == OK ? v : 0;
    }
    return 0;
}

static void read_role(struct exam *x, size_t i, struct str page)
{
    struct role_state s = { .up = true,
                            .memory_bytes = value_of(page, STR("process_resident_memory_bytes")),
                            .cpu_seconds = value_of(page, STR("process_cpu_seconds_total")),
                            .start_seconds = value_of(page, STR("process_start_time_seconds")) };
    pthread_mutex_lock(&x->lock);
    x->roles[i] = s;
    pthread_mutex_unlock(&x->lock);
}

static void port_taken(struct exam *x, size_t i, struct str said)
{
    ARENA(a, 0);
    const struct doctor_role *r = &x->in->roles[i];
    struct str port = arena_fmt(&a, "%u", r->port);
    pthread_mutex_lock(&x->lock);
    x->roles[i].taken = true;
    pthread_mutex_unlock(&x->lock);
    exam_report(x, CHECK_ROLES, SEV_ERROR, SAY(W_PORT_TAKEN, str_c(r->name), port),
                SAY(W_PORT_TAKEN_WHY, str_c(r->name)), SAY(W_FIX_PORT, port, r->port_flag), said);
}

/* An exporter whose Kafka is away answers 503; that it does so tells who it is. */
static bool is_role(size_t i, const struct web_reply *r)
{
    return str_find(r->body, str_c(SIGNS[i].sign)) != STR_NONE || (i < 2 && r->status == 503);
}

static void examine_role(struct exam *x, void *ctx)
{
    size_t i = (size_t)((const struct doctor_role *)ctx - x->in->roles);
    const struct doctor_role *r = ctx;
    ARENA(a, 0);
    struct url u = { .host = r->host, .port = r->port, .path = str_c(SIGNS[i].path) };
    struct web_reply reply;
    enum web_stage stage;
    struct diag d = { 0 };
    enum err e = web_get(&a, &u, NULL, STEP_MS, &reply, &stage, &d);
    if (e == OK && is_role(i, &reply)) {
        read_role(x, i, reply.body);
    } else if (e == OK || stage != WEB_CONNECT) {
        port_taken(x, i, e == OK ? arena_fmt(&a, "HTTP %d", reply.status) : str_c(d.text));
    }
}

/* All have been asked: one sentence when none runs, else one a role that does not. */
void roles_conclude(struct exam *x)
{
    ARENA(a, 0);
    size_t up = 0, taken = 0;
    struct role_state now[DOCTOR_ROLES];
    pthread_mutex_lock(&x->lock);
    memcpy(now, x->roles, sizeof(now));
    pthread_mutex_unlock(&x->lock);
    for (size_t i = 0; i < DOCTOR_ROLES; i++) {
        up += now[i].up;
        taken += now[i].taken;
    }
    exam_figure(x, CHECK_ROLES,
                SAY(W_FIG_ROLES, arena_fmt(&a, "%zu", up), arena_fmt(&a, "%d", DOCTOR_ROLES)));
    if (!up && !taken) {
        exam_report(x, CHECK_ROLES, SEV_WARNING, SAY(W_ROLES_NONE, STR("")),
                    SAY(W_ROLES_NONE_WHY, x->in->roles[0].host), SAY(W_FIX_RUN, x->in->command),
                    STR(""));
        return;
    }
    for (size_t i = 0; i < DOCTOR_ROLES; i++) {
        const struct doctor_role *r = &x->in->roles[i];
        if (now[i].up || now[i].taken) continue;
        exam_report(x, CHECK_ROLES, SEV_ERROR,
                    SAY(W_ROLE_DOWN, str_c(r->name),
                        arena_fmt(&a, STR_FMT ":%u", STR_ARG(r->host), r->port)),
                    SAY(W_ROLE_DOWN_WHY, STR("")), SAY(W_FIX_RUN, x->in->command), STR(""));
    }
}

void examine_roles(struct exam *x)
{
    for (size_t i = 0; i < DOCTOR_ROLES; i++) {
        const struct doctor_role *r = &x->in->roles[i];
        exam_probe(x, CHECK_ROLES, str_c(r->name), examine_role, (void *)(uintptr_t)r);
    }
}

/* --- the disk --- */

/* The folder, or the nearest above it that exists: it will be made there. */
static bool disk_of(struct str path, struct statvfs *out)
{
    ARENA(a, 0);
    for (;;) {
        if (statvfs(arena_dup(&a, path).p, out) == 0) return true;
        struct str up = path_dir(&a, path);
        if (str_eq(up, path) || !up.n) return statvfs(".", out) == 0;
        path = up;
    }
}

static void examine_disk(struct exam *x, void *ctx)
{
    (void)ctx;
    ARENA(a, 0);
    struct statvfs v;
    if (!disk_of(x->in->data, &v) || !v.f_blocks) return;
    int64_t total = (int64_t)v.f_blocks * (int64_t)v.f_frsize;
    int64_t left = (int64_t)v.f_bavail * (int64_t)v.f_frsize;
    int64_t percent = 100 - left * 100 / total;
    pthread_mutex_lock(&x->lock);
    x->disk_total_bytes = total;
    x->disk_free_bytes = left;
    pthread_mutex_unlock(&x->lock);
    struct str free_text = bytes_text(&a, left, x->in->lang);
    exam_figure(x, CHECK_MACHINE, SAY(W_FIG_MACHINE, free_text));
    if (percent < x->in->disk_limit) return;
    int64_t gigabytes = (total >> 30) / RETENTION_SHARE;
    exam_report(
        x, CHECK_MACHINE, percent >= DISK_ERROR_PERCENT ? SEV_ERROR : SEV_WARNING,
        SAY(W_DISK, x->in->data, arena_fmt(&a, "%lld", (long long)percent)),
        SAY(W_DISK_WHY, free_text),
        SAY(W_FIX_DISK, x->in->data, arena_fmt(&a, "%lld", (long long)(gigabytes ? gigabytes : 1))),
        STR(""));
}

void examine_machine(struct exam *x)
{
    exam_probe(x, CHECK_MACHINE, x->in->data, examine_disk, NULL);
}
