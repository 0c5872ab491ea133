/* SPDX-License-Identifier: Apache-2.0 */
#include "io/web_door.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/log.h"
#include "codec/base64.h"
#include "io/file.h"
#include "io/web_config.h"
#include "io/web_tls.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { FILE_MAX = 1 << 20, CACHE_MAX = 100, PASSWORD_MAX = 1024 };

/* What one reading made. */
struct loaded {
    struct web_config *file;
    struct ssl_ctx_st *ctx; /* NULL: plain HTTP */
    uint64_t stamp;         /* of all files it came from */
};

struct web_door {
    struct str path;
    struct loaded *now;
    uint64_t tried;       /* the stamp of the last reading that failed */
    pthread_mutex_t lock; /* the cache, which workers fill */
    struct {
        uint8_t key[SHA256_DIGEST_LENGTH];
        bool good;
    } cache[CACHE_MAX];
    size_t cache_n, cache_next;
};

/* --- the file --- */

static uint64_t stamp_file(uint64_t h, struct arena *a, struct str path)
{
    struct stat st = { 0 };
    if (path.n && stat(arena_dup(a, path).p, &st) != 0) st = (struct stat){ 0 };
    const struct {
        int64_t s, ns, size;
        uint64_t inode;
    } key = { st.st_mtim.tv_sec, st.st_mtim.tv_nsec, st.st_size, st.st_ino };
    return hash_fnv1a(h, str_make((const char *)&key, sizeof(key)));
}

static uint64_t stamp_of(const struct web_door *w, const struct loaded *l)
{
    ARENA(a, 0);
    uint64_t h = stamp_file(FNV1A_INIT, &a, w->path);
    if (!l) return h;
    const struct web_tls *t = l->file->tls;
    if (!t) return h;
    h = stamp_file(h, &a, t->cert_file);
    h = stamp_file(h, &a, t->key_file);
    return stamp_file(h, &a, t->client_ca_file);
}

static void loaded_free(struct loaded *l)
{
    if (!l) return;
    SSL_CTX_free(l->ctx);
    web_config_free(l->file);
    free(l);
}

static enum err load_into(struct loaded *l, struct str path, struct diag *d)
{
    ARENA(a, 0);
    struct str text;
    TRY(file_read(&a, path, FILE_MAX, &text, d));
    TRY(web_config_parse(text, path_dir(&a, path), &l->file, d));
    const struct web_tls *t = l->file->tls;
    bool plain = !t ||
                 (!t->cert.n && !t->cert_file.n); /* a section without a certificate is none */
    return plain ? OK : web_tls_context(t, &l->ctx, d);
}

static enum err load(struct str path, struct loaded **out, struct diag *d)
{
    struct loaded *l = calloc(1, sizeof(*l));
    ASSERT(l != NULL);
    enum err e = load_into(l, path, d);
    if (e != OK) {
        loaded_free(l);
        return e;
    }
    *out = l;
    return OK;
}

enum err web_door_open(struct str path, struct web_door **out, struct diag *d)
{
    struct loaded *l;
    struct diag why = { 0 };
    if (!path.n) {
        *out = NULL;
        return OK;
    }
    enum err e = load(path, &l, &why);
    if (e != OK) {
        return diag_set(d, e, "--web.config.file=" STR_FMT ": %s", STR_ARG(path), why.text);
    }
    struct web_door *w = calloc(1, sizeof(*w));
    ASSERT(w != NULL);
    w->path = str_make(strndup(path.p, path.n), path.n);
    w->now = l;
    w->now->stamp = stamp_of(w, l);
    pthread_mutex_init(&w->lock, NULL);
    *out = w;
    return OK;
}

void web_door_free(struct web_door *w)
{
    if (!w) return;
    loaded_free(w->now);
    pthread_mutex_destroy(&w->lock);
    free((char *)(uintptr_t)w->path.p);
    free(w);
}

/* Reads again what has changed on disk. */
static void refresh(struct web_door *w)
{
    struct loaded *l;
    struct diag d = { 0 };
    uint64_t stamp = stamp_of(w, w->now);
    if (stamp == w->now->stamp || stamp == w->tried) return;
    if (load(w->path, &l, &d) != OK) {
        w->tried = stamp;
        LOG(ERROR, "web configuration kept as it was", kv("file", w->path), kv("err", d.text));
        return;
    }
    if (!l->ctx != !w->now->ctx) { /* one listener cannot speak both */
        w->tried = stamp;
        loaded_free(l);
        LOG(ERROR, "TLS cannot be switched while running; restart", kv("file", w->path));
        return;
    }
    loaded_free(w->now);
    w->now = l;
    l->stamp = stamp_of(w, l);
}

bool web_door_tls(const struct web_door *w) { return w && w->now->ctx; }

struct ssl_st *web_door_ssl(struct web_door *w)
{
    refresh(w);
    return SSL_new(w->now->ctx);
}

/* --- requests --- */

/* A password that is being checked. */
struct check {
    struct job job;
    struct web_door *w;
    struct http_req *req;
    void (*go_on)(struct http_req *req);
    struct str user, hash, password; /* in the request's arena */
    bool known, good;
    uint8_t key[SHA256_DIGEST_LENGTH];
};

static void unauthorized(struct http_req *req)
{
    http_reply_header(req, "WWW-Authenticate", STR("Basic"));
    http_reply_text(req, 401, "Unauthorized\n");
}

static bool hash_fits(struct str password, struct str hash)
{
    ARENA(a, 0);
    struct crypt_data *c = calloc(1, sizeof(*c));
    ASSERT(c != NULL);
    struct str want = arena_dup(&a, hash);
    const char *h = crypt_r(arena_dup(&a, password).p, want.p, c);
    bool fits = h && strlen(h) == want.n && CRYPTO_memcmp(h, want.p, want.n) == 0;
    OPENSSL_cleanse(c, sizeof(*c));
    free(c);
    return fits;
}

static void run_check(struct job *j)
{
    struct check *x = (struct check *)(void *)j;
    bool fits = hash_fits(x->password, x->hash);
    x->good = fits && x->known;
    pthread_mutex_lock(&x->w->lock);
    size_t i = x->w->cache_next;
    x->w->cache_next = (i + 1) % CACHE_MAX;
    if (x->w->cache_n < CACHE_MAX) x->w->cache_n++;
    memcpy(x->w->cache[i].key, x->key, sizeof(x->key));
    x->w->cache[i].good = x->good;
    pthread_mutex_unlock(&x->w->lock);
}

static void check_done(struct job *j)
{
    struct check *x = (struct check *)(void *)j;
    struct http_req *req = x->req;
    void (*go_on)(struct http_req *) = x->go_on;
    bool good = x->good, ending = j->cancel;
    free(x);
    if (ending) return;
    if (good) {
        go_on(req);
    } else {
        unauthorized(req);
    }
}

static void make_key(struct check *x)
{
    BUF(b, 0);
    buf_fmt(&b, "%zu.%zu.", x->user.n, x->hash.n);
    buf_put(&b, x->user);
    buf_put(&b, x->hash);
    buf_put(&b, x->password);
    (void)SHA256((const unsigned char *)b.p, b.n, x->key);
    OPENSSL_cleanse(b.p, b.n);
}

static bool cached(struct check *x)
{
    bool found = false;
    pthread_mutex_lock(&x->w->lock);
    for (size_t i = 0; i < x->w->cache_n && !found; i++) {
        found = memcmp(x->w->cache[i].key, x->key, sizeof(x->key)) == 0;
        if (found) x->good = x->w->cache[i].good;
    }
    pthread_mutex_unlock(&x->w->lock);
    return found;
}

/* A hash nobody's password has: whoever names no user of ours waits as long as whoever does. */
static const char NOBODY[] = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";

static bool read_basic(struct http_req *req, struct check *x)
{
    struct str header = http_header(req, "Authorization"), both;
    if (!str_ieq(str_first(header, 6), STR("Basic "))) return false;
    if (base64_decode(&req->arena, str_trim(str_from(header, 6)), &both) != OK) return false;
    return str_cut(both, ':', &x->user, &x->password) && x->password.n <= PASSWORD_MAX;
}

/* True: the request was answered, or will go on when the worker has hashed. */
static bool ask_password(struct web_door *w, struct pool *p, struct loop *l, struct http_req *req,
                         void (*go_on)(struct http_req *))
{
    struct check c = { .w = w, .req = req, .go_on = go_on };
    if (!read_basic(req, &c)) {
        unauthorized(req);
        return true;
    }
    c.hash = str_c(NOBODY);
    for (size_t i = 0; i < w->now->file->users.n; i++) {
        if (!str_eq(w->now->file->users.v[i].key, c.user)) continue;
        c.hash = arena_dup(&req->arena, w->now->file->users.v[i].value);
        c.known = true;
    }
    make_key(&c);
    if (cached(&c)) {
        if (!c.good) unauthorized(req);
        return !c.good;
    }
    struct check *x = malloc(sizeof(*x));
    ASSERT(x != NULL);
    *x = c;
    x->job = (struct job){ .lane = LANE_QUERY, .run = run_check, .done = check_done, .loop = l };
    pool_submit(p, &x->job);
    return true;
}

bool web_door_before(struct web_door *w, struct pool *p, struct loop *l, struct http_req *req,
                     void (*go_on)(struct http_req *req))
{
    refresh(w);
    struct yaml_pairs h = w->now->file->headers;
    for (size_t i = 0; i < h.n; i++) {
        if (h.v[i].value.n) {
            http_reply_header(req, arena_dup(&req->arena, h.v[i].key).p, h.v[i].value);
        }
    }
    return w->now->file->users.n && ask_password(w, p, l, req, go_on);
}
