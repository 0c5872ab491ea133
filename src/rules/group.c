/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "base/log.h"
#include "codec/num.h"
#include "rules/rules_priv.h"

#include <stdlib.h>

const char *rule_health_text(enum rule_health h)
{
    static const char *const TEXT[] = { "unknown", "ok", "err" };
    return TEXT[h];
}

int64_t rules_mono(const struct rules_env *env) { return env->mono_ns ? env->mono_ns() : 0; }

/* --- making --- */

/* The group's labels under the rule's own. */
static struct labels merged(struct arena *a, const struct yaml_pairs *group,
                            const struct yaml_pairs *own)
{
    size_t n = (group ? group->n : 0) + own->n;
    struct label *v = arena_array(a, n, sizeof(*v));
    size_t at = 0;
    for (size_t i = 0; group && i < group->n; i++) {
        v[at++] = (struct label){ group->v[i].key, group->v[i].value };
    }
    for (size_t i = 0; i < own->n; i++) v[at++] = (struct label){ own->v[i].key, own->v[i].value };
    /* a rule may empty a label of its group: such an entry must stay */
    struct label *kept = arena_array(a, n, sizeof(*kept));
    size_t kept_n = 0;
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < kept_n && !str_eq(kept[k].name, v[i].name)) k++;
        kept[k] = v[i];
        if (k == kept_n) kept_n++;
    }
    for (size_t i = 1; i < kept_n; i++) {
        struct label x = kept[i];
        size_t j = i;
        for (; j && str_cmp(kept[j - 1].name, x.name) > 0; j--) kept[j] = kept[j - 1];
        kept[j] = x;
    }
    return labels_dup(a, (struct labels){ kept, kept_n });
}

static enum err compile_texts(struct arena *a, struct str alert, struct labels lb,
                              struct rule_label **out, struct diag *d)
{
    struct rule_label *v = arena_array(a, lb.n, sizeof(*v));
    for (size_t i = 0; i < lb.n; i++) {
        v[i].name = lb.v[i].name;
        TRY(rule_text_compile(a, alert, lb.v[i].value, &v[i].text, d));
    }
    *out = v;
    return OK;
}

static enum err rule_init(struct rule_group *g, struct rule *r, const struct group_def *gd,
                          const struct rule_def *def, bool restored, struct diag *d)
{
    struct evaluator *ev = g->env->evaluator;
    r->alerting = def->alert.n > 0;
    r->name = arena_dup(&g->a, r->alerting ? def->alert : def->record);
    r->for_ms = def->for_ms;
    r->keep_firing_ms = def->keep_firing_ms;
    r->labels = merged(&g->a, &gd->labels, &def->labels);
    r->annotations = merged(&g->a, NULL, &def->annotations);
    r->restored = restored;
    TRY(ev->ops->compile(ev, def->expr, &r->expr, d));
    r->query = ev->ops->print(ev, r->expr, &g->a);
    if (!r->alerting) return OK;
    TRY(compile_texts(&g->a, r->name, r->labels, &r->label_texts, d));
    return compile_texts(&g->a, r->name, r->annotations, &r->annotation_texts, d);
}

static void sign_labels(struct buf *b, struct labels lb)
{
    labels_write(b, lb);
    buf_char(b, '\n');
}

/* Everything that makes a group what it is: an equal signature means that nothing changed. */
static struct str sign(struct rule_group *g)
{
    BUF(b, 0);
    buf_put(&b, g->external_url);
    sign_labels(&b, g->external_labels);
    num_write_i64(&b, g->interval_ms);
    buf_char(&b, ' ');
    num_write_i64(&b, g->query_offset_ms);
    buf_char(&b, ' ');
    num_write_i64(&b, g->limit);
    for (size_t i = 0; i < g->n; i++) {
        const struct rule *r = &g->rules[i];
        buf_putc(&b, r->alerting ? "\nalert " : "\nrecord ");
        str_write_quoted(&b, r->name);
        str_write_quoted(&b, r->query);
        num_write_i64(&b, r->for_ms);
        buf_char(&b, ' ');
        num_write_i64(&b, r->keep_firing_ms);
        sign_labels(&b, r->labels);
        sign_labels(&b, r->annotations);
    }
    return arena_dup(&g->a, buf_str(&b));
}

/* Spreads groups over their interval, the same at each start. */
static int64_t slot_of(const struct rule_group *g)
{
    BUF(b, 0);
    buf_put(&b, g->file);
    buf_char(&b, '\xff');
    buf_put(&b, g->name);
    return (int64_t)(hash_xxh64(buf_str(&b)) % (uint64_t)g->interval_ms);
}

enum err group_new(const struct rules_env *env, const struct rules_settings *s, struct str file,
                   const struct group_def *def, bool restored, struct rule_group **out,
                   struct diag *d)
{
    struct rule_group *g = calloc(1, sizeof(*g));
    if (!g) abort();
    g->refs = 1;
    g->env = env;
    (void)pthread_mutex_init(&g->lock, NULL);
    (void)pthread_mutex_init(&g->view_lock, NULL);
    g->name = arena_dup(&g->a, def->name);
    g->file = arena_dup(&g->a, file);
    g->external_labels = labels_dup(&g->a, s->external_labels);
    g->external_url = arena_dup(&g->a, s->external_url);
    g->interval_ms = def->interval_ms > 0 ? def->interval_ms : s->interval_ms;
    g->query_offset_ms = def->query_offset_ms >= 0 ? def->query_offset_ms : s->query_offset_ms;
    g->limit = def->limit;
    g->restored = restored;
    g->slot_ms = slot_of(g);
    g->rules = arena_array(&g->a, def->rules_n, sizeof(*g->rules));
    g->n = def->rules_n;
    for (size_t i = 0; i < g->n; i++) {
        enum err e = rule_init(g, &g->rules[i], def, &def->rules[i], restored, d);
        if (e == OK) continue;
        group_unref(g);
        return e;
    }
    g->signature = sign(g);
    group_publish(g);
    *out = g;
    return OK;
}

struct rule_group *group_ref(struct rule_group *g)
{
    g->refs++;
    return g;
}

void group_unref(struct rule_group *g)
{
    if (!g || --g->refs) return;
    for (size_t i = 0; i < g->n; i++) {
        struct rule *r = &g->rules[i];
        g->env->evaluator->ops->release(g->env->evaluator, r->expr);
        rule_alerts_free(r);
        outputs_free(&r->outputs);
        free((void *)(uintptr_t)r->error.p);
    }
    outputs_free(&g->orphans);
    group_unref(g->former);
    published_unref(g->view);
    (void)pthread_mutex_destroy(&g->lock);
    (void)pthread_mutex_destroy(&g->view_lock);
    arena_done(&g->a);
    free(g);
}

/* --- taking over the state of the group that stood in its place --- */

static struct rule *same_rule(struct rule_group *g, const struct rule *r, const bool *taken)
{
    for (size_t i = 0; i < g->n; i++) {
        struct rule *x = &g->rules[i];
        if (!taken[i] && x->alerting == r->alerting && str_eq(x->name, r->name) &&
            labels_eq(x->labels, r->labels)) {
            return x;
        }
    }
    return NULL;
}

static void move_outputs(struct map64 *to, struct map64 *from)
{
    MAP_FOR(it, from) {
        struct output *before = map64_put(to, it->key, it->value);
        if (!before) continue;
        labels_release(before->labels);
        free(before);
    }
    map64_done(from);
    *from = (struct map64){ 0 };
}

static void unsee(struct rule *r)
{
    MAP_FOR(it, &r->alerts) ((struct alert *)it->value)->seen = 0;
    MAP_FOR(it, &r->outputs) ((struct output *)it->value)->seen = 0;
}

static void take_over(struct rule_group *g, struct arena *a)
{
    struct rule_group *f = g->former;
    if (!f) return;
    (void)pthread_mutex_lock(&f->lock); /* waits for a run under way */
    take_over(f, a);                    /* it may never have run itself */
    f->retired = true;
    bool *taken = arena_array(a, f->n, sizeof(*taken));
    for (size_t i = 0; i < g->n; i++) {
        struct rule *r = &g->rules[i], *old = same_rule(f, r, taken);
        if (!old) continue;
        taken[old - f->rules] = true;
        r->alerts = old->alerts;
        r->outputs = old->outputs;
        old->alerts = (struct map64){ 0 };
        old->outputs = (struct map64){ 0 };
        unsee(r);
    }
    for (size_t i = 0; i < f->n; i++) move_outputs(&g->orphans, &f->rules[i].outputs);
    move_outputs(&g->orphans, &f->orphans);
    g->restored = f->restored;
    for (size_t i = 0; i < g->n && !f->restored; i++) g->rules[i].restored = false;
    (void)pthread_mutex_unlock(&f->lock);
    g->former = NULL;
    group_unref(f);
}

/* --- running --- */

static void set_error(struct rule *r, const char *text)
{
    free((void *)(uintptr_t)r->error.p);
    r->error = (struct str){ NULL, 0 };
    if (!text) return;
    char *copy = strdup(text);
    if (!copy) abort();
    r->error = str_c(copy);
}

static void run_rule(struct rule_group *g, struct rule *r, struct arena *a)
{
    struct evaluation x = { g, r, g->tick, g->tick - g->query_offset_ms, a, 0 };
    struct vector_sample *v = NULL;
    size_t n = 0;
    struct diag d = { 0 };
    int64_t began = rules_mono(g->env);
    enum err e = (r->alerting ? rule_eval_alert : rule_eval_record)(&x, &v, &n, &d);
    if (e == OK && r->alerting) rule_send_alerts(&x);
    if (e == OK) e = output_write(&x, v, n, &d);
    if (e != OK && !d.text[0]) (void)diag_set(&d, e, "%s", err_name(e));
    r->health = e == OK ? RULE_OK : RULE_ERR;
    set_error(r, e == OK ? NULL : d.text);
    r->last_eval = g->tick;
    r->eval_ns = rules_mono(g->env) - began;
    g->evaluations++;
    g->failures += e != OK;
    g->samples += x.samples;
}

static void run_all(struct rule_group *g, struct arena *a)
{
    int64_t began = rules_mono(g->env);
    g->round++;
    g->samples = 0;
    for (size_t i = 0; i < g->n; i++) {
        arena_reset(a);
        run_rule(g, &g->rules[i], a);
    }
    output_end(g, &g->orphans, g->tick - g->query_offset_ms);
    /* by the second round every series that alerts depend on has been scraped once */
    if (!g->restored && g->round >= 2) {
        arena_reset(a);
        group_restore(g, g->tick, a);
        g->restored = true;
    }
    g->iterations++;
    g->last_eval = g->tick;
    g->eval_ns = rules_mono(g->env) - began;
}

static void end_all(struct rule_group *g)
{
    for (size_t i = 0; i < g->n; i++) output_end(g, &g->rules[i].outputs, g->tick);
    output_end(g, &g->orphans, g->tick);
}

void rule_group_run(struct rule_group *g)
{
    ARENA(a, 0);
    (void)pthread_mutex_lock(&g->lock);
    take_over(g, &a);
    g->missed += g->missed_now;
    bool ran = !g->last_run && !g->retired;
    if (ran) {
        run_all(g, &a);
    } else {
        end_all(g); /* a retired group has nothing left to end */
    }
    (void)pthread_mutex_unlock(&g->lock);
    if (ran) group_publish(g);
}

struct str rule_group_name(const struct rule_group *g) { return g->name; }

void rule_group_run_at(struct rule_group *g, int64_t at)
{
    g->tick = at;
    g->missed_now = 0;
    rule_group_run(g);
}
