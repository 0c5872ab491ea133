/* SPDX-License-Identifier: Apache-2.0 */
/*
 * autoreload.c - looks at the configuration's files at intervals and reloads when one is another than it was
 *
 * Files: the configuration, what its rule_files and scrape_config_files match. A change that does not load is told once:
 * the next look compares with it.
 * Source: cmd/prometheus/main.go, config/reload.go GenerateChecksum.
 */
#include "base/hash.h"
#include "base/log.h"
#include "io/file.h"
#include "roles/prometheus/prometheus_priv.h"

#define CONFIG_FILE_MAX ((size_t)16 << 20)

static uint64_t with_file(uint64_t sum, struct str path)
{
    ARENA(a, 0);
    struct str text = { 0 };
    sum = hash_fnv1a(sum, path);
    if (file_read(&a, path, CONFIG_FILE_MAX, &text, NULL) != OK) return sum;
    uint64_t h = hash_xxh64(text);
    return hash_fnv1a(sum, str_make((const char *)&h, sizeof(h)));
}

static uint64_t with_globs(uint64_t sum, struct yaml_strs globs)
{
    for (size_t i = 0; i < globs.n; i++) {
        ARENA(a, 0);
        struct str *paths;
        size_t n;
        if (file_glob(&a, globs.v[i], &paths, &n, NULL) != OK) continue;
        for (size_t j = 0; j < n; j++) {
            sum = with_file(sum, paths[j]);
        }
    }
    return sum;
}

static uint64_t sum_of(const struct prometheus *p)
{
    uint64_t sum = with_file(FNV1A_INIT, p->cfg->config_file);
    sum = with_globs(sum, p->config->rule_files);
    return with_globs(sum, p->config->scrape_config_files);
}

static void arm(struct prometheus *p) { timer_set(&p->reload_timer, p->cfg->auto_reload_ms); }

static void look(void *ctx)
{
    struct prometheus *p = ctx;
    struct diag d = { 0 };
    uint64_t sum = sum_of(p);
    if (sum != p->config_sum) {
        LOG(INFO, "Configuration file change detected, reloading the configuration.");
        if (prometheus_reload(p, &d) != OK) LOG(ERROR, "Error reloading config", kv("err", d.text));
        p->config_sum = sum_of(p); /* a new configuration may name other files */
    }
    arm(p);
}

static bool wanted(const struct prometheus *p)
{
    for (size_t i = 0; i < p->cfg->features.n; i++) {
        struct str rest = p->cfg->features.v[i], name;
        while (rest.n) {
            (void)str_cut(rest, ',', &name, &rest);
            if (str_eqc(name, "auto-reload-config")) return true;
        }
    }
    return p->cfg->auto_reload;
}

void prometheus_autoreload_start(struct prometheus *p)
{
    timer_init(&p->reload_timer, p->env.collect, look, p);
    if (!wanted(p)) return;
    p->config_sum = sum_of(p);
    arm(p);
}
