/* SPDX-License-Identifier: Apache-2.0 */
#include "dash/users.h"

#include "base/assert.h"
#include "base/map.h"

#include <arpa/inet.h>
#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

enum {
    ACCOUNTS_MAX = 64,
    SESSIONS_MAX = 10000,
    TRIES_MAX = 5,
    PASSWORD_MIN = 4, /* Grafana's own */
    PASSWORD_MAX = 512,
};

#define MINUTES(n) ((int64_t)(n)*60 * 1000)
#define DAYS(n)    ((int64_t)(n)*24 * 3600 * 1000)

struct account {
    struct stored_user u; /* strings in users->arena */
    bool default_password;
    unsigned wrong;
    int64_t first_wrong_ms;
};

struct session {
    struct stored_session s;
};

struct cached {
    uint8_t key[32]; /* HMAC of name and password */
    int64_t user_id, until_ms;
};

struct users {
    struct dash_store *store;
    pthread_mutex_t lock;
    struct arena arena; /* grows by a hash at each password change: bounded by patience */
    struct account accounts[ACCOUNTS_MAX];
    size_t accounts_n;
    struct map sessions; /* key bytes to struct session */
    struct cached cache[16];
    size_t cache_next;
    uint8_t secret[32];
};

/* --- hashes --- */

static void random_bytes(void *to, size_t n) { ASSERT(getrandom(to, n, 0) == (ssize_t)n); }

/* Empty when the C library refuses. */
static struct str hash_password(struct arena *a, struct secret password)
{
    struct crypt_data *c = calloc(1, sizeof(*c));
    char salt[CRYPT_GENSALT_OUTPUT_SIZE], entropy[32];
    ASSERT(c != NULL);
    random_bytes(entropy, sizeof(entropy));
    struct str out = STR("");
    if (crypt_gensalt_rn("$y$", 0, entropy, sizeof(entropy), salt, sizeof(salt))) {
        const char *h = crypt_r(arena_dup(a, secret_reveal(password)).p, salt, c);
        if (h && h[0] != '*') out = arena_dup(a, str_c(h));
    }
    free(c);
    return out;
}

static bool password_fits(struct str hash, struct secret password)
{
    ARENA(a, 0);
    struct crypt_data *c = calloc(1, sizeof(*c));
    ASSERT(c != NULL);
    const char *h = crypt_r(arena_dup(&a, secret_reveal(password)).p, arena_dup(&a, hash).p, c);
    bool ok = h && h[0] != '*' && strlen(h) == hash.n && CRYPTO_memcmp(h, hash.p, hash.n) == 0;
    free(c);
    return ok;
}

static void session_key(struct str token, uint8_t key[32])
{
    (void)SHA256((const unsigned char *)token.p, token.n, key);
}

/* --- accounts --- */

static struct account *account_by_login(struct users *u, struct str login)
{
    for (size_t i = 0; i < u->accounts_n; i++) {
        if (str_ieq(u->accounts[i].u.login, login) || str_ieq(u->accounts[i].u.email, login)) {
            return &u->accounts[i];
        }
    }
    return NULL;
}

static struct account *account_by_id(struct users *u, int64_t id)
{
    for (size_t i = 0; i < u->accounts_n; i++) {
        if (u->accounts[i].u.id == id) return &u->accounts[i];
    }
    return NULL;
}

static struct user user_of(const struct account *x)
{
    return (struct user){ x->u.id, x->u.login, x->u.email, x->u.name, x->default_password };
}

static enum err set_password(struct users *u, struct account *x, struct secret password,
                             bool untouched, struct diag *d)
{
    struct str hash = hash_password(&u->arena, password);
    if (!hash.n) return diag_set(d, ERR_SYS, "cannot hash a password");
    struct stored_user row = x->u;
    row.hash = hash;
    row.untouched = untouched;
    TRY(dash_store_put_user(u->store, &row, d));
    x->u = row;
    x->default_password = str_eqc(secret_reveal(password), "admin");
    memset(u->cache, 0, sizeof(u->cache));
    return OK;
}

static enum err load_accounts(struct users *u, struct diag *d)
{
    struct stored_user *v;
    size_t n;
    TRY(dash_store_users(u->store, &u->arena, &v, &n, d));
    for (size_t i = 0; i < n && i < ACCOUNTS_MAX; i++) {
        struct account *x = &u->accounts[u->accounts_n++];
        x->u = v[i];
        x->default_password = x->u.untouched && password_fits(x->u.hash, secret_of(STR("admin")));
    }
    return OK;
}

static enum err prepare_admin(struct users *u, struct str admin, struct secret password,
                              struct diag *d)
{
    struct account *x = account_by_id(u, 1);
    if (!x) {
        x = &u->accounts[u->accounts_n++];
        x->u = (struct stored_user){ .id = 1,
                                     .login = arena_dup(&u->arena, admin),
                                     .email = STR("admin@localhost"),
                                     .name = STR("") };
        return set_password(u, x, secret_set(password) ? password : secret_of(STR("admin")), true,
                            d);
    }
    if (!x->u.untouched || !secret_set(password) || password_fits(x->u.hash, password)) return OK;
    return set_password(u, x, password, true, d);
}

/* --- sessions --- */

static void keep_session(struct users *u, const struct stored_session *s)
{
    struct session *x = malloc(sizeof(*x));
    ASSERT(x != NULL);
    x->s = *s;
    free(map_put(&u->sessions, str_make((const char *)x->s.key, sizeof(x->s.key)), x));
}

static bool alive(const struct stored_session *s, int64_t now_ms)
{
    return now_ms - s->seen_ms < DAYS(7) && now_ms - s->created_ms < DAYS(30);
}

static enum err load_sessions(struct users *u, struct diag *d)
{
    ARENA(a, 0);
    struct stored_session *v;
    size_t n;
    TRY(dash_store_sessions(u->store, &a, &v, &n, d));
    for (size_t i = 0; i < n && i < SESSIONS_MAX; i++) keep_session(u, &v[i]);
    return OK;
}

static void drop_oldest(struct users *u)
{
    struct session *oldest = NULL;
    MAP_FOR(s, &u->sessions) {
        struct session *x = s->value;
        if (!oldest || x->s.seen_ms < oldest->s.seen_ms) oldest = x;
    }
    if (!oldest) return;
    (void)dash_store_drop_session(u->store, oldest->s.key, NULL);
    (void)map_del(&u->sessions, str_make((const char *)oldest->s.key, sizeof(oldest->s.key)));
    free(oldest);
}

static enum err begin_session(struct users *u, int64_t user_id, int64_t now_ms,
                              char token[SESSION_TOKEN_CHARS + 1], struct diag *d)
{
    static const char HEX[] = "0123456789abcdef";
    uint8_t raw[SESSION_TOKEN_CHARS / 2];
    random_bytes(raw, sizeof(raw));
    for (size_t i = 0; i < sizeof(raw); i++) {
        token[2 * i] = HEX[raw[i] >> 4];
        token[2 * i + 1] = HEX[raw[i] & 15];
    }
    token[SESSION_TOKEN_CHARS] = '\0';
    struct stored_session s = { .user_id = user_id, .created_ms = now_ms, .seen_ms = now_ms };
    session_key(str_c(token), s.key);
    if (u->sessions.n >= SESSIONS_MAX) drop_oldest(u);
    TRY(dash_store_put_session(u->store, &s, d));
    keep_session(u, &s);
    return OK;
}

static void end_sessions(struct users *u, int64_t user_id)
{
    (void)dash_store_drop_sessions_of(u->store, user_id, NULL);
    for (bool again = true; again;) {
        again = false;
        MAP_FOR(s, &u->sessions) {
            struct session *x = s->value;
            if (x->s.user_id != user_id) continue;
            (void)map_del(&u->sessions, s->key);
            free(x);
            again = true;
            break;
        }
    }
}

/* --- public --- */

enum err users_open(struct dash_store *store, struct str admin, struct secret password,
                    struct users **out, struct diag *d)
{
    struct users *u = calloc(1, sizeof(*u));
    ASSERT(u != NULL);
    u->store = store;
    pthread_mutex_init(&u->lock, NULL);
    random_bytes(u->secret, sizeof(u->secret));
    enum err e = load_accounts(u, d);
    if (e == OK) e = prepare_admin(u, admin.n ? admin : STR("admin"), password, d);
    if (e == OK) e = load_sessions(u, d);
    if (e != OK) {
        users_close(u);
        return e;
    }
    *out = u;
    return OK;
}

void users_close(struct users *u)
{
    if (!u) return;
    MAP_FOR(s, &u->sessions) {
        free(s->value);
    }
    map_done(&u->sessions);
    arena_done(&u->arena);
    pthread_mutex_destroy(&u->lock);
    free(u);
}

static bool blocked(const struct account *x, int64_t now_ms)
{
    return x->wrong >= TRIES_MAX && now_ms - x->first_wrong_ms < MINUTES(5);
}

static void count_wrong(struct account *x, int64_t now_ms)
{
    if (!x->wrong || now_ms - x->first_wrong_ms >= MINUTES(5)) {
        x->wrong = 0;
        x->first_wrong_ms = now_ms;
    }
    x->wrong++;
}

static void cache_key(const struct users *u, struct str login, struct secret password,
                      uint8_t key[32])
{
    ARENA(a, 0);
    struct str text = arena_fmt(&a, "%zu:" STR_FMT ":" STR_FMT, login.n, STR_ARG(login),
                                STR_ARG(secret_reveal(password)));
    unsigned n = 32;
    (void)HMAC(EVP_sha256(), u->secret, sizeof(u->secret), (const unsigned char *)text.p, text.n,
               key, &n);
}

/* Under the lock. */
static void remember(struct users *u, const uint8_t key[32], int64_t user_id, int64_t now_ms)
{
    struct cached *c = &u->cache[u->cache_next++ % ARRAY_LEN(u->cache)];
    memcpy(c->key, key, sizeof(c->key));
    c->user_id = user_id;
    c->until_ms = now_ms + MINUTES(10);
}

/* What to check against: for an unknown name a hash that fits nothing, so that both take the same time. */
static enum err start_check(struct users *u, struct arena *a, struct str login, int64_t now_ms,
                            int64_t *id, struct str *hash)
{
    enum err e = OK;
    pthread_mutex_lock(&u->lock);
    const struct account *x = account_by_login(u, login);
    *id = 0;
    *hash = STR("$y$j9T$0000000000000000$0000000000000000000000000000000000000000000");
    if (x) {
        *id = x->u.id;
        *hash = arena_dup(a, x->u.hash);
        if (blocked(x, now_ms)) e = ERR_LIMIT;
    }
    pthread_mutex_unlock(&u->lock);
    return e;
}

static enum err end_check(struct users *u, int64_t id, bool fits, int64_t now_ms,
                          const uint8_t key[32], struct user *out)
{
    pthread_mutex_lock(&u->lock);
    struct account *x = account_by_id(u, id);
    enum err e = ERR_DENIED;
    if (x && !fits) count_wrong(x, now_ms);
    if (x && fits) {
        x->wrong = 0;
        remember(u, key, id, now_ms);
        *out = user_of(x);
        e = OK;
    }
    pthread_mutex_unlock(&u->lock);
    return e;
}

/* The slow hash is computed outside the lock: it delays no session. */
enum err users_check(struct users *u, struct str login, struct secret password, int64_t now_ms,
                     struct user *out)
{
    ARENA(a, 0);
    uint8_t key[32];
    int64_t id;
    struct str hash;
    if (secret_reveal(password).n > PASSWORD_MAX) return ERR_DENIED;
    cache_key(u, login, password, key);
    TRY(start_check(u, &a, login, now_ms, &id, &hash));
    return end_check(u, id, password_fits(hash, password), now_ms, key, out);
}

enum err users_login(struct users *u, struct str login, struct secret password, int64_t now_ms,
                     char token[SESSION_TOKEN_CHARS + 1], struct diag *d)
{
    struct user who;
    enum err e = users_check(u, login, password, now_ms, &who);
    if (e != OK) return diag_set(d, e, "Invalid username or password");
    pthread_mutex_lock(&u->lock);
    e = begin_session(u, who.id, now_ms, token, d);
    pthread_mutex_unlock(&u->lock);
    return e;
}

void users_logout(struct users *u, struct str token)
{
    uint8_t key[32];
    session_key(token, key);
    pthread_mutex_lock(&u->lock);
    free(map_del(&u->sessions, str_make((const char *)key, sizeof(key))));
    (void)dash_store_drop_session(u->store, key, NULL);
    pthread_mutex_unlock(&u->lock);
}

bool users_session(struct users *u, struct str token, int64_t now_ms, struct user *out)
{
    if (token.n != SESSION_TOKEN_CHARS) return false;
    uint8_t key[32];
    session_key(token, key);
    pthread_mutex_lock(&u->lock);
    struct session *x = map_get(&u->sessions, str_make((const char *)key, sizeof(key)));
    struct account *who = x && alive(&x->s, now_ms) ? account_by_id(u, x->s.user_id) : NULL;
    if (who) {
        x->s.seen_ms = now_ms;
        *out = user_of(who);
    }
    pthread_mutex_unlock(&u->lock);
    return who != NULL;
}

bool users_cached(struct users *u, struct str login, struct secret password, int64_t now_ms,
                  struct user *out)
{
    uint8_t key[32];
    bool hit = false;
    cache_key(u, login, password, key);
    pthread_mutex_lock(&u->lock);
    for (size_t i = 0; i < ARRAY_LEN(u->cache) && !hit; i++) {
        if (u->cache[i].until_ms <= now_ms ||
            CRYPTO_memcmp(u->cache[i].key, key, sizeof(key)) != 0) {
            continue;
        }
        const struct account *x = account_by_id(u, u->cache[i].user_id);
        if (x) *out = user_of(x);
        hit = x != NULL;
    }
    pthread_mutex_unlock(&u->lock);
    return hit;
}

enum err users_change_password(struct users *u, int64_t id, struct secret old, struct secret fresh,
                               int64_t now_ms, struct diag *d)
{
    struct str text = secret_reveal(fresh);
    if (text.n < PASSWORD_MIN || text.n > PASSWORD_MAX) {
        return diag_set(d, ERR_RANGE, "New password is too short");
    }
    if (str_eqc(text, "admin")) {
        return diag_set(d, ERR_RANGE, "The new password must not be the default one");
    }
    pthread_mutex_lock(&u->lock);
    struct account *x = account_by_id(u, id);
    struct str login = x ? x->u.login : STR("");
    pthread_mutex_unlock(&u->lock);
    struct user who;
    if (!x || users_check(u, login, old, now_ms, &who) != OK) {
        return diag_set(d, ERR_DENIED, "invalid old password");
    }
    pthread_mutex_lock(&u->lock);
    enum err e = set_password(u, x, fresh, false, d);
    if (e == OK) end_sessions(u, id);
    pthread_mutex_unlock(&u->lock);
    return e;
}

enum address_kind users_address_kind(struct str address)
{
    char z[64];
    struct in_addr v4;
    struct in6_addr v6;
    if (!address.n || address.n >= sizeof(z)) return ADDRESS_PUBLIC;
    memcpy(z, address.p, address.n);
    z[address.n] = '\0';
    if (inet_pton(AF_INET, z, &v4) == 1) {
        uint32_t a = ntohl(v4.s_addr);
        if (a >> 24 == 127) return ADDRESS_LOOPBACK;
        bool inside = a >> 24 == 10 || a >> 20 == 0xac1 || a >> 16 == 0xc0a8 || a >> 16 == 0xa9fe;
        return inside ? ADDRESS_PRIVATE : ADDRESS_PUBLIC;
    }
    if (inet_pton(AF_INET6, z, &v6) != 1) return ADDRESS_PUBLIC;
    if (IN6_IS_ADDR_LOOPBACK(&v6)) return ADDRESS_LOOPBACK;
    bool inside = IN6_IS_ADDR_LINKLOCAL(&v6) || (v6.s6_addr[0] & 0xfe) == 0xfc;
    return inside ? ADDRESS_PRIVATE : ADDRESS_PUBLIC;
}
