/* SPDX-License-Identifier: Apache-2.0 */
#include "app/health.h"

#include "app/roles.h"
#include "io/http_client.h"

#include <stdio.h>
#include <stdlib.h>

enum { TIMEOUT_MS = 5000, BODY_MAX = 64 << 10 };

static const struct {
    const char *role, *path; /* the originals' pages */
} PAGES[] = {
    { "kafka-exporter", "/healthz" }, { "jmx-exporter", "/-/healthy" },
    { "prometheus", "/-/healthy" },   { "alertmanager", "/-/healthy" },
    { "grafana", "/api/health" },
};

static struct str page_of(struct arena *a, const struct role *r)
{
    const char *path = "/";
    for (size_t i = 0; i < ARRAY_LEN(PAGES); i++) {
        if (strcmp(PAGES[i].role, r->name) == 0) path = PAGES[i].path;
    }
    return arena_fmt(a, "http://127.0.0.1:%u%s", r->port, path);
}

static bool healthy(const char *name, struct str url)
{
    struct http_call call = {
        .url = url, .timeout_ms = TIMEOUT_MS, .body_max = BODY_MAX, .follow_redirects = true
    };
    struct http_result res = { 0 };
    struct diag d = { 0 };
    enum err e = http_fetch(&call, NULL, &res, &d);
    buf_done(&res.body);
    bool good = e == OK && res.status >= 200 && res.status < 300;
    if (e != OK) {
        (void)printf("%s: %s\n", name, d.text);
    } else {
        (void)printf("%s: %s (%d)\n", name, good ? "healthy" : "not healthy", res.status);
    }
    return good;
}

static bool check(struct arena *a, const char *what)
{
    const struct role *r = role_named(str_c(what));
    if (r) return healthy(r->name, page_of(a, r));
    if (strstr(what, "://")) return healthy(what, str_c(what));
    (void)fprintf(stderr, "vigie healthcheck: %s is neither a role nor a URL\n", what);
    return false;
}

int health_run(int argc, char **argv)
{
    ARENA(a, 0);
    bool good = true;
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        (void)printf(
            "usage: vigie healthcheck [ROLE|URL]...\n\nAsks health pages of roles on this host's usual ports "
            "(without arguments: of all five), or any URL.\nExit code 0 when all are healthy, else 1.\n");
        return EXIT_SUCCESS;
    }
    (void)setenv("no_proxy", "*", 1); /* NOLINT(concurrency-mt-unsafe): one thread */
    for (int i = 1; i < argc; i++) good = check(&a, argv[i]) && good;
    for (const struct role *const *r = ROLES; argc == 1 && *r; r++) {
        good = check(&a, (*r)->name) && good;
    }
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
