/* SPDX-License-Identifier: Apache-2.0 */
#include "app/doctor.h"

#include "app/defaults.h"
#include "app/roles.h"
#include "base/vec.h"
#include "commands/doctor/doctor.h"
#include "io/file.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct flags {
    bool json;
    struct str lang;
    int64_t timeout_ms, disk_limit;
};

const struct flag DOCTOR_FLAGS[] = {
    { .name = "json",
      .type = FLAG_BOOL,
      .offset = offsetof(struct flags, json),
      .help = "Print the findings as JSON." },
    { .name = "lang",
      .type = FLAG_STR,
      .offset = offsetof(struct flags, lang),
      .help = "en or fr; without it LC_ALL, LC_MESSAGES or LANG says." },
    { .name = "timeout",
      .type = FLAG_DURATION,
      .offset = offsetof(struct flags, timeout_ms),
      .deflt = "12s",
      .help = "What has not answered by then is named as such." },
    { .name = "disk-limit",
      .type = FLAG_INT,
      .offset = offsetof(struct flags, disk_limit),
      .deflt = "85",
      .help = "Percent from which a disk counts as nearly full; from 95 on it is an error." },
    { .name = NULL },
};

const char DOCTOR_USAGE[] = "vigie doctor [<flags>] [<dir>]";
const char DOCTOR_SUMMARY[] =
    "Looks at all that `vigie run` with the same flags would touch: configuration files, brokers, JMX ports, targets, rules, "
    "receivers, data sources, dashboards, disk and clock. Says in plain words what is wrong and which command mends it. Changes "
    "nothing and sends nothing. Takes every flag of `vigie run` besides its own. Exit code: 0 all is well (or only notes), "
    "1 warnings, 2 errors, 3 it could not look.";

/* --- the command line --- */

struct arguments {
    VEC(char *) own, plan;
};

static bool is_own(struct str arg, bool *takes_next)
{
    struct str name, value;
    bool valued = str_cut(str_from(arg, 2), '=', &name, &value);
    if (!str_starts(arg, STR("--"))) return false;
    for (const struct flag *f = DOCTOR_FLAGS; f->name; f++) {
        if (!str_eqc(name, f->name)) continue;
        *takes_next = !valued && f->type != FLAG_BOOL;
        return true;
    }
    return false;
}

static void sort_arguments(struct arena *a, int argc, char **argv, struct arguments *out)
{
    *vec_push(a, &out->own) = argv[0];
    *vec_push(a, &out->plan) = argv[0];
    for (int i = 1; i < argc; i++) {
        bool next = false;
        if (!is_own(str_c(argv[i]), &next)) {
            *vec_push(a, &out->plan) = argv[i];
            continue;
        }
        *vec_push(a, &out->own) = argv[i];
        if (next && i + 1 < argc) *vec_push(a, &out->own) = argv[++i];
    }
}

/* The plan's arguments as one would type them; a password among them stays out. */
static struct str command_of(struct arena *a, const struct arguments *args)
{
    BUF(b, 0);
    for (size_t i = 1; i < args->plan.n; i++) {
        struct str arg = str_c(args->plan.v[i]);
        if (str_find(arg, STR("password")) != STR_NONE) continue;
        bool plain = arg.n && str_find_char(arg, ' ') == STR_NONE;
        buf_fmt(&b, "%s%s" STR_FMT "%s", b.n ? " " : "", plain ? "" : "'", STR_ARG(arg),
                plain ? "" : "'");
    }
    return arena_dup(a, buf_str(&b));
}

static enum lang usual_lang(void)
{
    static const char *const NAMES[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
    enum lang l = LANG_EN;
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        const char *v = getenv(NAMES[i]); /* NOLINT(concurrency-mt-unsafe): one thread */
        if (!v || !*v) continue;
        (void)lang_of(str_c(v), &l);
        break;
    }
    return l;
}

/* --- files: the user's, else the built-in ones, written where nobody minds --- */

struct search {
    struct arena *a;
    const struct plan *plan;
    struct str temporary; /* empty: not made yet */
    struct str builtin;   /* the folder that has the built-in files */
};

static enum err open_builtin(struct search *s, struct diag *d)
{
    struct str kept = path_join(s->a, s->plan->data, STR("defaults"));
    if (s->builtin.n) return OK;
    if (file_exists(path_join(s->a, kept, STR("prometheus.yml")))) {
        s->builtin = kept; /* a running Vigie wrote them */
        return OK;
    }
    char path[] = "/tmp/vigie-doctor-XXXXXX";
    if (!mkdtemp(path)) return diag_set(d, ERR_SYS, "cannot make a folder below /tmp");
    s->temporary = arena_dup(s->a, str_c(path));
    s->builtin = path_join(s->a, s->temporary, STR("defaults"));
    return OK;
}

static enum err find(struct search *s, const char *name, struct doctor_file *out, struct diag *d)
{
    struct str own = path_join(s->a, s->plan->dir, str_c(name));
    if (file_exists(own)) {
        *out = (struct doctor_file){ .path = own, .shown = own };
        return OK;
    }
    TRY(open_builtin(s, d));
    out->path = path_join(s->a, s->builtin, str_c(name));
    out->shown = arena_fmt(s->a, "%s (built-in)", name);
    out->builtin = true;
    if (!s->temporary.n) return OK;
    return defaults_path(s->a, s->plan->dir, s->temporary, str_c(name), &out->path, d);
}

static void given_file(const struct plan *p, const char *role, const char *flag,
                       struct doctor_file *out)
{
    struct str v = plan_given(p, role_named(str_c(role)), flag);
    if (v.n) *out = (struct doctor_file){ .path = v, .shown = v };
}

static enum err find_all(struct search *s, struct doctor_input *in, struct diag *d)
{
    struct doctor_file folder;
    TRY(find(s, "rules", &folder, d));
    TRY(find(s, "prometheus.yml", &in->prometheus, d));
    TRY(find(s, "alertmanager.yml", &in->alertmanager, d));
    TRY(find(s, "kafka-jmx-config.yml", &in->jmx_config, d));
    TRY(find(s, "grafana/dashboards", &folder, d));
    TRY(find(s, "grafana/provisioning", &in->provisioning, d));
    given_file(s->plan, "prometheus", "config.file", &in->prometheus);
    given_file(s->plan, "alertmanager", "config.file", &in->alertmanager);
    given_file(s->plan, "jmx-exporter", "config.file", &in->jmx_config);
    given_file(s->plan, "grafana", "paths.provisioning", &in->provisioning);
    in->builtin_dir = s->builtin;
    return OK;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static void search_done(const struct search *s)
{
    if (!s->temporary.n) return;
    /* Nobody else walks it. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    (void)nftw(s->temporary.p, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* --- roles --- */

static const struct {
    const char *name, *container, *flag;
} ROLE_ROWS[DOCTOR_ROLES] = {
    { "kafka-exporter", "kafka-exporter", "kafka-exporter.web.listen-address" },
    { "jmx-exporter", "kafka-jmx-exporter", "jmx-exporter.web.listen-address" },
    { "prometheus", "prometheus", "prometheus.web.listen-address" },
    { "alertmanager", "alertmanager", "alertmanager.web.listen-address" },
    { "grafana", "grafana", "grafana.http-addr" },
};

/* From here, an address for all interfaces means this machine. */
static struct str host_of(const struct plan *p, const struct role *r)
{
    struct str v = plan_given(p, r, "web.listen-address");
    if (!v.p) v = plan_given(p, r, "http-addr");
    size_t colon = v.n;
    while (colon && v.p[colon - 1] != ':') colon--;
    if (colon && (v.p[0] != '[' || v.p[v.n - 1] != ']')) v = str_first(v, colon - 1);
    if (v.n > 1 && v.p[0] == '[' && v.p[v.n - 1] == ']') v = str_make(v.p + 1, v.n - 2);
    bool all = !v.n || str_eqc(v, "0.0.0.0") || str_eqc(v, "::");
    return all ? STR("127.0.0.1") : v;
}

static void fill_roles(const struct plan *p, struct doctor_input *in)
{
    for (size_t i = 0; i < DOCTOR_ROLES; i++) {
        const struct role *r = role_named(str_c(ROLE_ROWS[i].name));
        in->roles[i] = (struct doctor_role){ .name = r->name,
                                             .host = host_of(p, r),
                                             .port = (uint16_t)plan_port(p, r),
                                             .usual_port = r->port,
                                             .container = ROLE_ROWS[i].container,
                                             .port_flag = str_c(ROLE_ROWS[i].flag) };
    }
    in->roles[DOCTOR_ROLES - 1].port_flag = STR("grafana.http-port");
}

/* --- the whole --- */

static int usage(enum err e, const struct diag *d)
{
    if (e != ERR_CANCELED) {
        (void)fprintf(stderr, "vigie doctor: error: %s, try \"vigie doctor --help\"\n", d->text);
        return DOCTOR_FAILED;
    }
    BUF(b, 0);
    flags_help(&b, DOCTOR_USAGE, DOCTOR_SUMMARY, DOCTOR_FLAGS);
    (void)fwrite(b.p, 1, b.n, stdout);
    return DOCTOR_WELL;
}

static enum err parse(struct arena *a, const struct arguments *args, struct flags *f,
                      struct plan *plan, struct doctor_input *in, struct diag *d)
{
    struct flag_strs rest = { 0 };
    TRY(flags_parse(DOCTOR_FLAGS, NULL, (int)args->own.n, args->own.v, a, f, &rest, d));
    TRY(plan_parse(a, (int)args->plan.n, args->plan.v, plan, d));
    in->lang = usual_lang();
    if (f->lang.n && !lang_of(f->lang, &in->lang)) {
        return diag_set(d, ERR_SYNTAX, "--lang is en or fr, not " STR_FMT, STR_ARG(f->lang));
    }
    if (f->disk_limit < 1 || f->disk_limit > 100) {
        return diag_set(d, ERR_RANGE, "--disk-limit is a percentage from 1 to 100");
    }
    return OK;
}

static void fill(struct doctor_input *in, const struct flags *f, const struct plan *plan)
{
    const struct role *exporter = role_named(str_c("kafka-exporter"));
    static struct str given;
    in->dir = plan->dir;
    in->data = plan->data;
    in->kafka = plan->kafka.v;
    in->kafka_n = plan->kafka.n;
    in->jmx = plan->jmx.v;
    in->jmx_n = plan->jmx.n;
    given = plan_given(plan, exporter, "kafka.server");
    if (given.n) {
        in->kafka = &given;
        in->kafka_n = 1;
    }
    in->json = f->json;
    in->progress = !f->json && isatty(STDERR_FILENO);
    in->timeout_ms = f->timeout_ms;
    in->disk_limit = f->disk_limit;
    fill_roles(plan, in);
}

int run_doctor(int argc, char **argv)
{
    static struct doctor_input in; /* outlives what hangs */
    struct arguments args = { 0 };
    struct flags flags = { 0 };
    struct plan plan = { 0 };
    struct diag d = { 0 };
    ARENA(a, 0);
    sort_arguments(&a, argc, argv, &args);
    enum err e = parse(&a, &args, &flags, &plan, &in, &d);
    if (e != OK) return usage(e, &d);
    fill(&in, &flags, &plan);
    in.command = command_of(&a, &args);
    struct search s = { .a = &a, .plan = &plan };
    bool hanging = false;
    int code = DOCTOR_FAILED;
    if (find_all(&s, &in, &d) == OK) {
        code = doctor_run(&in, &hanging);
    } else {
        (void)fprintf(stderr, "vigie doctor: %s\n", d.text);
    }
    search_done(&s);
    if (hanging) _exit(code);
    return code;
}
