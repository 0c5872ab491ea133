/* SPDX-License-Identifier: Apache-2.0 */
/*
 * curl_body.c - headers and bodies of answers as curl gives them: inflating, limits, pauses
 *
 * A paused piece comes again from its beginning, possibly with more behind it; `skip` is what of it was used before.
 */
#include "base/assert.h"
#include "io/clock.h"
#include "io/curl_easy.h"

#include <stdlib.h>
#include <zlib.h>

/* Small, so that the turn is looked at often: a page of new series costs some 12 us a KiB. */
enum { INFLATE_STEP = 16 * 1024 };

struct inflater {
    z_stream z;
    bool ended; /* the stream said that it is complete */
    bool full;  /* the last step filled its room: more may come without new input */
    char out[INFLATE_STEP];
};

static struct inflater *inflater_new(void)
{
    struct inflater *f = calloc(1, sizeof(*f));
    ASSERT(f && inflateInit2(&f->z, 16 + MAX_WBITS) == Z_OK); /* 16: gzip */
    return f;
}

void inflater_free(struct inflater *f)
{
    if (!f) return;
    (void)inflateEnd(&f->z);
    free(f);
}

bool inflater_ended(const struct inflater *f) { return f->ended; }

static bool turn_is_over(const struct transfer *t)
{
    return t->turn && clock_mono_ns() >= t->turn->until_ns;
}

static bool give(struct transfer *t, struct str slice)
{
    t->body_seen += slice.n;
    if (t->body_seen > t->body_max) {
        t->too_large = true;
        return false;
    }
    if (t->on_body) {
        t->refused = !t->on_body(t->ctx, &t->result, slice);
        return !t->refused;
    }
    buf_put(&t->result.body, slice);
    return true;
}

/* One step. *used: bytes of in that are done with. False: the transfer has failed. */
static bool inflate_step(struct transfer *t, struct str in, size_t *used)
{
    struct inflater *f = t->gzip;
    f->z.next_in = (unsigned char *)(uintptr_t)in.p;
    f->z.avail_in = (unsigned)in.n;
    f->z.next_out = (unsigned char *)f->out;
    f->z.avail_out = sizeof(f->out);
    int e = inflate(&f->z, Z_NO_FLUSH);
    if (e != Z_OK && e != Z_STREAM_END && e != Z_BUF_ERROR) {
        t->broken_gzip = true;
        return false;
    }
    if (e == Z_STREAM_END) f->ended = true;
    f->full = !f->z.avail_out && !f->ended;
    /* What follows the end of the stream is not looked at. */
    *used = f->ended ? in.n : in.n - f->z.avail_in;
    size_t n = sizeof(f->out) - f->z.avail_out;
    return !n || give(t, str_make(f->out, n));
}

/*
 * *used < in.n: the turn is over. The last byte of a piece is kept back while the inflater may have more to give, so that
 * there is a piece to come again.
 */
static bool give_inflated(struct transfer *t, struct str in, size_t *used)
{
    struct inflater *f = t->gzip;
    for (size_t at = 0;;) {
        size_t n = 0;
        if (f->ended || (at == in.n && !f->full)) {
            *used = in.n;
            return true;
        }
        if (!inflate_step(t, str_from(in, at), &n)) return false;
        at += n;
        if ((at < in.n || f->full) && turn_is_over(t)) {
            *used = at;
            return true;
        }
    }
}

/* First bytes of the body: status and type are known now. */
void transfer_learn_head(struct transfer *t)
{
    long status = 0;
    char *type = NULL;
    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type);
    t->result.status = (int)status;
    t->result.content_type = arena_dup(&t->arena, str_c(type));
}

static size_t pause_here(struct transfer *t)
{
    list_add_tail(&t->turn->paused, &t->in_turn);
    return CURL_WRITEFUNC_PAUSE;
}

size_t transfer_on_bytes(char *p, size_t size, size_t n, void *ctx)
{
    struct transfer *t = ctx;
    struct str in = str_make(p, n * size);
    if (!t->result.wire_bytes) transfer_learn_head(t);
    if (transfer_wants_redirect(t, t->result.status)) return in.n;
    if (turn_is_over(t)) return pause_here(t);
    size_t skip = t->skip < in.n ? t->skip : in.n, used = in.n - skip;
    struct str rest = str_from(in, skip);
    bool ok = t->gzip ? give_inflated(t, rest, &used) : give(t, rest);
    if (!ok) return 0;
    if (t->gzip && (used < rest.n || (t->gzip->full && turn_is_over(t)))) {
        t->skip = skip + used;
        return pause_here(t);
    }
    t->result.wire_bytes += in.n;
    t->skip = 0;
    return in.n;
}

CURLcode transfer_resume(struct transfer *t)
{
    list_remove(&t->in_turn);
    return curl_easy_pause(t->easy, CURLPAUSE_CONT);
}

/* Every answer begins anew: one that only sends us elsewhere, or 100, comes before the real one. */
static void begin_answer(struct transfer *t)
{
    inflater_free(t->gzip);
    t->gzip = NULL;
    t->location = (struct str){ 0 };
    t->result.content_encoding = (struct str){ 0 };
}

static void learn_encoding(struct transfer *t, struct str value)
{
    if (t->gzip || (!str_ieq(value, STR("gzip")) && !str_ieq(value, STR("x-gzip")))) return;
    if (t->pass_gzip) {
        t->result.content_encoding = STR("gzip");
    } else {
        t->gzip = inflater_new();
    }
}

size_t transfer_on_header(char *p, size_t size, size_t n, void *ctx)
{
    struct transfer *t = ctx;
    struct str line = str_make(p, size * n), name, value;
    if (str_starts(line, STR("HTTP/"))) begin_answer(t);
    if (!str_cut(line, ':', &name, &value)) return line.n;
    value = str_trim(value);
    if (str_ieq(name, STR("content-encoding"))) learn_encoding(t, value);
    if (str_ieq(name, STR("location"))) t->location = arena_dup(&t->arena, value);
    return line.n;
}
