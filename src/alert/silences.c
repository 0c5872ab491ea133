/* SPDX-License-Identifier: Apache-2.0 */
/*
 * silences.c - creating, changing and ending silences
 */
#include "alert/engine_priv.h"

enum silence_state silence_state(const struct silence *s, int64_t now)
{
    if (now < s->starts_at) return SILENCE_PENDING;
    return now < s->ends_at ? SILENCE_ACTIVE : SILENCE_EXPIRED;
}

bool silence_matches(const struct silence *s, struct labels lb)
{
    for (size_t i = 0; i < s->sets_n; i++) {
        if (matchers_match(s->sets[i].v, s->sets[i].n, lb)) return true;
    }
    return false;
}

bool silenced(struct alert_engine *e, struct labels lb, int64_t now)
{
    MAP_FOR(slot, &e->silences) {
        const struct silence *s = slot->value;
        if (silence_state(s, now) == SILENCE_ACTIVE && silence_matches(s, lb)) return true;
    }
    return false;
}

/* A version 4 UUID. */
static void new_id(struct alert_engine *e, char out[37])
{
    static const char digits[] = "0123456789abcdef";
    uint64_t r[2] = { engine_random(e), engine_random(e) };
    size_t at = 0;
    for (size_t i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20) out[at++] = '-';
        unsigned nibble = (unsigned)(r[i / 16] >> (4 * (i % 16))) & 15;
        if (i == 12) nibble = 4;
        if (i == 16) nibble = 8 | (nibble & 3);
        out[at++] = digits[nibble];
    }
    out[at] = 0;
}

static struct matchers copy_set(struct arena *a, const struct matchers *from, bool compile)
{
    struct matchers out = { arena_array(a, from->n, sizeof(*out.v)), 0 };
    for (size_t i = 0; i < from->n; i++) {
        struct str name = arena_dup(a, from->v[i].name), value = arena_dup(a, from->v[i].value);
        out.v[out.n] = (struct matcher){ from->v[i].op, name, value, NULL };
        if (compile &&
            alert_matcher_init(a, &out.v[out.n], from->v[i].op, name, value, NULL) != OK) {
            continue;
        }
        out.n++;
    }
    return out;
}

static void copy_into(struct silence *to, const struct silence *from, bool compile)
{
    struct arena *a = &to->arena;
    to->id = arena_dup(a, from->id);
    to->sets = arena_array(a, from->sets_n, sizeof(*to->sets));
    to->sets_n = from->sets_n;
    for (size_t i = 0; i < from->sets_n; i++) to->sets[i] = copy_set(a, &from->sets[i], compile);
    to->starts_at = from->starts_at;
    to->ends_at = from->ends_at;
    to->updated_at = from->updated_at;
    to->expires_at = from->expires_at;
    to->created_by = arena_dup(a, from->created_by);
    to->comment = arena_dup(a, from->comment);
    to->annotations = labels_dup(a, from->annotations);
}

static void store(struct alert_engine *e, struct silence *s, int64_t now)
{
    s->updated_at = now;
    s->expires_at = s->ends_at + e->o.retention_ms;
    silence_write(&e->silences_waiting, s);
    silence_free(map_put(&e->silences, s->id, s));
}

/* A changed copy takes the old one's place, for records are immutable once stored. */
static void store_times(struct alert_engine *e, const struct silence *old, int64_t starts_at,
                        int64_t ends_at, int64_t now)
{
    struct silence *s = silence_new();
    copy_into(s, old, true);
    s->starts_at = starts_at;
    s->ends_at = ends_at;
    store(e, s, now);
}

static void expire(struct alert_engine *e, const struct silence *s, int64_t now)
{
    switch (silence_state(s, now)) {
    case SILENCE_PENDING: store_times(e, s, now, now, now); return;
    case SILENCE_ACTIVE: store_times(e, s, s->starts_at, now, now); return;
    case SILENCE_EXPIRED: return;
    }
}

static bool same_sets(const struct silence *s, const struct silence_change *c)
{
    if (s->sets_n != c->sets_n) return false;
    for (size_t i = 0; i < s->sets_n; i++) {
        if (!matchers_eq(&s->sets[i], &c->sets[i])) return false;
    }
    return true;
}

/* May the old one be changed in place? */
static bool in_place(const struct silence *s, const struct silence_change *c, int64_t now)
{
    if (!same_sets(s, c)) return false;
    switch (silence_state(s, now)) {
    case SILENCE_ACTIVE: return s->starts_at / 1000 == c->starts_at / 1000 && c->ends_at >= now;
    case SILENCE_PENDING: return c->starts_at >= now;
    case SILENCE_EXPIRED: return false;
    }
    return false;
}

static enum err validate(const struct silence_change *c, struct diag *d)
{
    for (size_t i = 0; i < c->sets_n; i++) {
        if (!c->sets[i].n) {
            return diag_set(d, ERR_SYNTAX, "invalid silence: at least one matcher required");
        }
        if (matchers_match_empty(&c->sets[i])) {
            return diag_set(
                d, ERR_SYNTAX,
                "invalid silence: at least one matcher must not match the empty string");
        }
    }
    if (!c->sets_n) {
        return diag_set(d, ERR_SYNTAX, "invalid silence: at least one matcher required");
    }
    return OK;
}

static enum err set(struct alert_engine *e, const struct silence_change *c, int64_t now,
                    char id[37], struct diag *d)
{
    struct silence_change want = *c;
    struct silence *old = want.id.n ? map_get(&e->silences, want.id) : NULL;
    if (!want.starts_at) want.starts_at = now;
    TRY(validate(&want, d));
    if (want.id.n && !old) return diag_set(d, ERR_MISSING, "silence not found");
    bool change = old && in_place(old, &want, now);
    if (!change && e->o.max_silences && e->silences.n + 1 > (size_t)e->o.max_silences) {
        return diag_set(d, ERR_LIMIT, "exceeded maximum number of silences: %zu (limit: %lld)",
                        e->silences.n, (long long)e->o.max_silences);
    }
    if (!change && want.starts_at < now) want.starts_at = now;
    if (change) {
        memcpy(id, want.id.p, want.id.n < 36 ? want.id.n : 36);
        id[want.id.n < 36 ? want.id.n : 36] = 0;
    } else {
        new_id(e, id);
    }
    struct silence *s = silence_new();
    s->id = arena_dup(&s->arena, str_c(id));
    s->sets = arena_array(&s->arena, want.sets_n, sizeof(*s->sets));
    for (; s->sets_n < want.sets_n; s->sets_n++) {
        s->sets[s->sets_n] = copy_set(&s->arena, &want.sets[s->sets_n], true);
    }
    s->starts_at = want.starts_at;
    s->ends_at = want.ends_at;
    s->created_by = arena_dup(&s->arena, want.created_by);
    s->comment = arena_dup(&s->arena, want.comment);
    s->annotations = labels_dup(&s->arena, want.annotations);
    BUF(size, RECORD_MAX);
    silence_write(&size, s);
    if (e->o.max_silence_bytes && size.n > (size_t)e->o.max_silence_bytes) {
        silence_free(s);
        return diag_set(d, ERR_LIMIT,
                        "silence exceeded maximum size: %zu bytes (limit: %lld bytes)", size.n,
                        (long long)e->o.max_silence_bytes);
    }
    if (old && !change) expire(e, old, now);
    store(e, s, now);
    return OK;
}

enum err alert_silence_set(struct alert_engine *e, const struct silence_change *c, int64_t now,
                           char id[37], struct diag *d)
{
    engine_lock(e);
    enum err err = set(e, c, now, id, d);
    engine_unlock(e);
    return err;
}

enum err alert_silence_expire(struct alert_engine *e, struct str id, int64_t now)
{
    engine_lock(e);
    const struct silence *s = map_get(&e->silences, id);
    if (s) expire(e, s, now);
    engine_unlock(e);
    return s ? OK : ERR_MISSING;
}

void alert_silences(struct alert_engine *e, struct str id, struct arena *a, struct silence ***out,
                    size_t *n)
{
    engine_lock(e);
    e->stats.silence_queries++;
    struct silence **v = arena_array(a, e->silences.n, sizeof(struct silence *));
    *n = 0;
    MAP_FOR(slot, &e->silences) {
        const struct silence *from = slot->value;
        if (id.n && !str_eq(from->id, id)) continue;
        struct silence *s = arena_new(a, struct silence);
        s->id = arena_dup(a, from->id);
        s->sets = arena_array(a, from->sets_n, sizeof(*s->sets));
        s->sets_n = from->sets_n;
        for (size_t i = 0; i < from->sets_n; i++) s->sets[i] = copy_set(a, &from->sets[i], false);
        s->starts_at = from->starts_at;
        s->ends_at = from->ends_at;
        s->updated_at = from->updated_at;
        s->created_by = arena_dup(a, from->created_by);
        s->comment = arena_dup(a, from->comment);
        s->annotations = labels_dup(a, from->annotations);
        v[(*n)++] = s;
    }
    engine_unlock(e);
    *out = v;
}
