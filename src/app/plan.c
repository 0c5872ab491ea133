/* SPDX-License-Identifier: Apache-2.0 */
#include "app/plan.h"

#include "app/roles.h"
#include "base/vec.h"
#include "codec/num.h"
#include "io/file.h"

const struct flag PLAN_FLAGS[] = {
    { .name = "kafka",
      .type = FLAG_STRS,
      .offset = offsetof(struct plan, kafka),
      .help =
          "Address of a broker, HOST:PORT; repeatable. One is enough: the others are found through it." },
    { .name = "jmx",
      .type = FLAG_STRS,
      .offset = offsetof(struct plan, jmx),
      .help =
          "JMX port of a broker, HOST:PORT; repeatable. Without it the configuration file's, else the brokers' usual ports are tried." },
    { .name = "data",
      .type = FLAG_STR,
      .offset = offsetof(struct plan, data),
      .deflt = "./data",
      .help = "Folder for everything that must survive a restart." },
    { .name = "log.level",
      .type = FLAG_ENUM,
      .offset = offsetof(struct plan, log_level),
      .deflt = "info",
      .choices = "debug|info|warn|error",
      .help = "Only log messages with the given severity or above." },
    { .name = "log.format",
      .type = FLAG_ENUM,
      .offset = offsetof(struct plan, log_format),
      .deflt = "logfmt",
      .choices = "logfmt|json",
      .help = "Output format of log messages." },
    { .name = NULL },
};

struct args {
    VEC(char *) v;
};

/* "prometheus" of "--prometheus.web.listen-address=:9090"; NULL when it is no role's flag. */
static const struct role *role_of_flag(struct str arg, struct str *rest)
{
    if (!str_starts(arg, STR("--"))) return NULL;
    for (const struct role *const *r = ROLES; *r; r++) {
        struct str name = str_c((*r)->name), after = str_from(arg, 2);
        if (!str_starts(after, name) || after.n <= name.n || after.p[name.n] != '.') continue;
        *rest = str_from(after, name.n + 1);
        return *r;
    }
    return NULL;
}

/* "web.listen-address" without "=": its value is the next argument. */
static bool takes_next(const struct role *r, struct str flag)
{
    for (const struct flag *f = r->flags; f->name; f++) {
        if (str_eqc(flag, f->name)) return f->type != FLAG_BOOL;
    }
    return false;
}

enum err plan_parse(struct arena *a, int argc, char **argv, struct plan *out, struct diag *d)
{
    struct args own = { 0 };
    struct {
        VEC(struct str) v;
    } foreign = { 0 };
    struct str rest;
    *vec_push(a, &own.v) = argv[0];
    for (int i = 1; i < argc; i++) {
        const struct role *r = role_of_flag(str_c(argv[i]), &rest);
        if (r && takes_next(r, rest) && i + 1 < argc) {
            *vec_push(a, &foreign.v) = arena_fmt(a, "%s=%s", argv[i], argv[i + 1]);
            i++;
        } else if (r) {
            *vec_push(a, &foreign.v) = str_c(argv[i]);
        } else {
            *vec_push(a, &own.v) = argv[i];
        }
    }
    struct plan p = { 0 };
    struct flag_strs positional = { 0 };
    TRY(flags_parse(PLAN_FLAGS, NULL, (int)own.v.n, own.v.v, a, &p, &positional, d));
    if (positional.n > 1) {
        return diag_set(d, ERR_SYNTAX, "one folder is expected, not %zu: unexpected " STR_FMT,
                        positional.n, STR_ARG(positional.v[1]));
    }
    p.dir = positional.n ? positional.v[0] : STR("./monitoring");
    if (positional.n && !file_exists(path_join(a, p.dir, STR(".")))) {
        return diag_set(d, ERR_MISSING, "there is no folder " STR_FMT, STR_ARG(p.dir));
    }
    p.foreign = (struct flag_strs){ foreign.v.v, foreign.v.n };
    *out = p;
    return OK;
}

const char PLAN_USAGE[] = "vigie run [<flags>] [<dir>]";
const char PLAN_SUMMARY[] =
    "Runs all five roles, wired to each other. <dir> (default ./monitoring, else built-in) holds prometheus.yml, rules/, "
    "alertmanager.yml, kafka-jmx-config.yml and grafana/; each may be absent. A role's own flags are written with its name "
    "before them: --prometheus.storage.tsdb.retention.time=15d";

void plan_help(struct buf *b) { flags_help(b, PLAN_USAGE, PLAN_SUMMARY, PLAN_FLAGS); }

struct str plan_given(const struct plan *p, const struct role *r, const char *name)
{
    struct str rest, flag, value, found = { NULL, 0 };
    for (size_t i = 0; i < p->foreign.n; i++) {
        if (role_of_flag(p->foreign.v[i], &rest) != r) continue;
        (void)str_cut(rest, '=', &flag, &value);
        if (str_eqc(flag, name)) found = value.p ? value : STR("");
    }
    return found;
}

static bool user_sets(const struct plan *p, const struct role *r, const char *name)
{
    return plan_given(p, r, name).p != NULL;
}

unsigned plan_port(const struct plan *p, const struct role *r)
{
    struct str rest, flag, value;
    uint64_t port = r->port;
    for (size_t i = 0; i < p->foreign.n; i++) {
        if (role_of_flag(p->foreign.v[i], &rest) != r || !str_cut(rest, '=', &flag, &value)) {
            continue;
        }
        if (!str_eqc(flag, "web.listen-address") && !str_eqc(flag, "http-port")) continue;
        for (size_t at; (at = str_find_char(value, ':')) != STR_NONE;) {
            value = str_from(value, at + 1);
        }
        uint64_t given;
        if (num_parse_u64(value, &given) == OK && given <= UINT16_MAX) port = given;
    }
    return (unsigned)port;
}

static void push_flags(struct arena *a, struct args *args, const struct plan *p,
                       const struct role *r, const struct plan_flag *set, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!set[i].value.p || user_sets(p, r, set[i].name)) continue;
        struct str arg = arena_fmt(a, "--%s=" STR_FMT, set[i].name, STR_ARG(set[i].value));
        *vec_push(a, &args->v) = (char *)(uintptr_t)arg.p;
    }
}

enum err plan_role_config(struct arena *a, const struct plan *p, const struct role *r,
                          const struct plan_flag *set, size_t n, void **config, struct diag *d)
{
    struct args args = { 0 };
    struct str rest;
    *vec_push(a, &args.v) = (char *)(uintptr_t)r->name;
    const struct plan_flag LOG[] = { { "log.level", p->log_level },
                                     { "log.format", p->log_format } };
    push_flags(a, &args, p, r, LOG, ARRAY_LEN(LOG));
    push_flags(a, &args, p, r, set, n);
    for (size_t i = 0; i < p->foreign.n; i++) {
        if (role_of_flag(p->foreign.v[i], &rest) != r) continue;
        struct str arg = arena_fmt(a, "--" STR_FMT, STR_ARG(rest));
        *vec_push(a, &args.v) = (char *)(uintptr_t)arg.p;
    }
    struct flag_strs positional = { 0 };
    void *c = arena_alloc(a, r->config_size);
    struct diag why = { 0 };
    enum err e = flags_parse(r->flags, NULL, (int)args.v.n, args.v.v, a, c, &positional, &why);
    if (e != OK) return diag_set(d, e, "%s: %s", r->name, why.text);
    *config = c;
    return OK;
}
