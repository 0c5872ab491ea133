/* SPDX-License-Identifier: Apache-2.0 */
#include "tsdb/openchunk.h"

#include <sched.h>

enum {
    NACC_BITS = 5,
    COUNT_SHIFT = 27, /* of `first` */
    SEGMENT_MASK = (1 << COUNT_SHIFT) - 1,
    WORD_BITS = 32,
    SPINS = 64,
    COUNT_MASK = 255, /* of `state` */
    VIRGIN_SHIFT = 28,
    LONG_SEGMENTS = (OPEN_BYTES_MAX - OPEN_SAMPLE_BYTES_MAX - 2) / (4 * OPEN_SEGMENT_WORDS),
};

/* n 8 | words 4 | nacc 5 | lead 5 | trail 6 | virgin 1. No window yet is lead 31 with trail 63. */
struct open_state {
    unsigned n;
    unsigned words; /* in the current segment */
    unsigned nacc;
    unsigned lead, trail;
    bool virgin; /* first chunk of its window of time: its cut is staggered */
};

static uint32_t get32(const _Atomic(uint32_t) *x)
{
    return atomic_load_explicit(x, memory_order_acquire);
}
static int64_t get64(const _Atomic(int64_t) *x)
{
    return atomic_load_explicit(x, memory_order_acquire);
}
static uint64_t getu64(const _Atomic(uint64_t) *x)
{
    return atomic_load_explicit(x, memory_order_acquire);
}
static void set32(_Atomic(uint32_t) *x, uint32_t v)
{
    atomic_store_explicit(x, v, memory_order_release);
}

static inline struct open_state state_unpack(uint32_t x)
{
    struct open_state s = {
        .n = x & COUNT_MASK,
        .words = x >> 8 & 15,
        .nacc = x >> 12 & 31,
        .lead = x >> 17 & 31,
        .trail = x >> 22 & 63,
        .virgin = x >> VIRGIN_SHIFT & 1,
    };
    if (s.lead == 31 && s.trail == 63) s.lead = XOR_NO_WINDOW;
    return s;
}

static inline uint32_t state_pack(struct open_state s)
{
    if (s.lead == XOR_NO_WINDOW) {
        s.lead = 31;
        s.trail = 63;
    }
    return s.n | s.words << 8 | s.nacc << 12 | s.lead << 17 | s.trail << 22 |
           (uint32_t)s.virgin << VIRGIN_SHIFT;
}

/*
 * Segments
 */

static struct segment *segment_at(const struct segments *s, uint32_t id)
{
    return paged_at(&s->items, id, sizeof(struct segment));
}

void segments_init(struct segments *s)
{
    *s = (struct segments){ 0 };
    paged_init(&s->items, sizeof(struct segment));
    (void)paged_add(&s->items); /* number 0 means none */
}

void segments_done(struct segments *s) { paged_done(&s->items); }

static uint32_t segment_take(struct segments *s)
{
    uint32_t id = s->free;
    if (id) {
        s->free = get32(&segment_at(s, id)->w[OPEN_SEGMENT_WORDS]);
    } else {
        id = paged_add(&s->items);
        ASSERT(id <= SEGMENT_MASK);
    }
    s->used++;
    return id;
}

/*
 * Writing
 */

void open_init(struct hot *h)
{
    *h = (struct hot){ 0 };
    atomic_store_explicit(&h->t, NO_TIME, memory_order_relaxed);
    atomic_store_explicit(&h->prev_t, NO_TIME, memory_order_relaxed);
}

unsigned open_count(const struct hot *h) { return get32(&h->state) & COUNT_MASK; }

/* One load of all that says where the stream is, so that its length and its bytes agree even when torn. */
struct stream {
    struct open_state s;
    unsigned count; /* segments */
    uint32_t first, acc;
};

static struct stream stream_of(const struct hot *h)
{
    uint32_t first = get32(&h->first);
    return (struct stream){
        .s = state_unpack(get32(&h->state)),
        .count = first >> COUNT_SHIFT,
        .first = first & SEGMENT_MASK,
        .acc = get32(&h->acc),
    };
}

static size_t stream_bytes(const struct stream *st)
{
    size_t full = (st->count - 1) * (size_t)OPEN_SEGMENT_WORDS + st->s.words;
    return full * 4 + (st->s.nacc + 7) / 8;
}

static void stream_gather(const struct stream *st, const struct segments *segs, char *to)
{
    uint32_t id = st->first;
    for (unsigned i = 0; i < st->count; i++) {
        const struct segment *seg = segment_at(segs, id);
        unsigned words = i + 1 < st->count ? (unsigned)OPEN_SEGMENT_WORDS : st->s.words;
        for (unsigned k = 0; k < words; k++, to += 4) store_be32(to, get32(&seg->w[k]));
        id = get32(&seg->w[OPEN_SEGMENT_WORDS]);
    }
    unsigned nacc = st->s.nacc;
    uint32_t rest = nacc ? st->acc << (WORD_BITS - nacc) : 0;
    for (unsigned i = 0; i < nacc; i += 8) *to++ = (char)(rest >> (24 - i));
}

size_t open_bytes(const struct hot *h)
{
    struct stream st = stream_of(h);
    return 2 + stream_bytes(&st);
}

/*
 * At a quarter of the wanted samples the cut is laid so that chunks of about that length divide what is left of the
 * window evenly. The first chunk of a window is cut earlier, each series at its own length: series that are scraped
 * together would else all be full together, and memory would peak with them.
 */
static void predict(struct hot *h, bool virgin, uint32_t stagger)
{
    uint64_t age = get32(&h->age), left = get32(&h->left);
    double parts = (double)(age + left) / ((double)(age + 1) * 4);
    if (parts > 1) left = (uint64_t)((double)(age + left) / (double)(uint64_t)parts) - age;
    if (virgin) {
        uint64_t more = 1 + age * stagger / (OPEN_SAMPLES / 4 - 1);
        if (more < left) left = more;
    }
    set32(&h->left, (uint32_t)left);
}

bool open_full(struct hot *h, int64_t t, uint32_t stagger)
{
    uint32_t state = get32(&h->state), n = state & COUNT_MASK;
    if (n == 0) return false;
    if (UNLIKELY(n == OPEN_SAMPLES / 4)) predict(h, state >> VIRGIN_SHIFT & 1, stagger);
    if (n >= OPEN_SAMPLES_MAX) return true;
    if ((uint64_t)t - (uint64_t)get64(&h->t) >= get32(&h->left)) return true;
    return get32(&h->first) >> COUNT_SHIFT >= LONG_SEGMENTS &&
           open_bytes(h) > OPEN_BYTES_MAX - OPEN_SAMPLE_BYTES_MAX;
}

void open_gather(const struct hot *h, const struct segments *segs, char *to)
{
    store_be16(to, (uint16_t)open_count(h));
    struct stream st = stream_of(h);
    stream_gather(&st, segs, to + 2);
}

void open_prefetch(const struct hot *h, const struct segments *segs)
{
    __builtin_prefetch(segment_at(segs, get32(&h->cur)), 1);
}

void open_clear(struct hot *h, struct segments *segs)
{
    uint32_t first = get32(&h->first);
    if (first) {
        set32(&segment_at(segs, get32(&h->cur))->w[OPEN_SEGMENT_WORDS], segs->free);
        segs->free = first & SEGMENT_MASK;
        segs->used -= first >> COUNT_SHIFT;
    }
    set32(&h->first, 0);
    set32(&h->cur, 0);
    set32(&h->state, 0);
}

struct sink {
    struct hot *h;
    struct segments *segs;
    struct segment *seg;
    uint64_t acc;
    unsigned nacc, words;
};

static void sink_word(struct sink *k, uint32_t word)
{
    if (UNLIKELY(k->words == OPEN_SEGMENT_WORDS)) {
        uint32_t id = segment_take(k->segs);
        set32(&k->seg->w[OPEN_SEGMENT_WORDS], id);
        set32(&k->h->cur, id);
        set32(&k->h->first, get32(&k->h->first) + (UINT32_C(1) << COUNT_SHIFT));
        k->seg = segment_at(k->segs, id);
        k->words = 0;
    }
    set32(&k->seg->w[k->words++], word);
}

/* n is at most 32. */
static inline void sink_put(struct sink *k, uint64_t bits, unsigned n)
{
    k->acc = k->acc << n | bits;
    k->nacc += n;
    if (k->nacc >= WORD_BITS) {
        k->nacc -= WORD_BITS;
        sink_word(k, (uint32_t)(k->acc >> k->nacc));
    }
}

static inline void sink_bits(struct sink *k, const struct xor_bits *b)
{
    for (unsigned i = 0; i < b->n; i += WORD_BITS) {
        unsigned n = b->n - i < WORD_BITS ? b->n - i : WORD_BITS;
        uint64_t word = b->w[i >> 6] << (i & 63);
        sink_put(k, word >> (64 - n), n);
    }
}

static int64_t window_of(int64_t t, int64_t range)
{
    return t / range - (t % range < 0); /* rounds down */
}

/* A chunk never crosses the end of its window (two hours): blocks are cut there. */
static struct open_state start_chunk(struct hot *h, struct segments *segs, int64_t t, int64_t range)
{
    int64_t newest = get64(&h->t), window = window_of(t, range);
    uint32_t id = segment_take(segs);
    set32(&h->first, id | UINT32_C(1) << COUNT_SHIFT);
    set32(&h->cur, id);
    set32(&h->left, (uint32_t)(range - (t - window * range)));
    return (struct open_state){
        .lead = XOR_NO_WINDOW,
        .virgin = newest == NO_TIME || window_of(newest, range) != window,
    };
}

void open_append(struct hot *h, struct segments *segs, int64_t t, uint64_t v, int64_t range)
{
    struct open_state s = state_unpack(get32(&h->state));
    bool fresh = s.n == 0;
    if (fresh) s = start_chunk(h, segs, t, range);
    struct xor_state x = {
        .t = fresh ? 0 : get64(&h->t),
        .v = fresh ? 0 : getu64(&h->v),
        .delta = fresh ? 0 : get32(&h->delta),
        .n = s.n,
        .lead = s.lead,
        .trail = s.trail,
    };
    struct xor_bits bits = { 0 };
    xor_encode(&x, t, v, &bits);
    struct sink k = {
        .h = h,
        .segs = segs,
        .seg = segment_at(segs, get32(&h->cur)),
        .acc = fresh ? 0 : get32(&h->acc),
        .nacc = s.nacc,
        .words = s.words,
    };
    sink_bits(&k, &bits);
    uint32_t delta = (uint32_t)x.delta;
    set32(&h->acc, (uint32_t)(k.acc & ((UINT64_C(1) << k.nacc) - 1)));
    set32(&h->age, fresh ? 0 : get32(&h->age) + delta);
    if (!fresh) set32(&h->left, get32(&h->left) - delta);
    set32(&h->delta, delta);
    atomic_store_explicit(&h->t, t, memory_order_release);
    atomic_store_explicit(&h->v, v, memory_order_release);
    s.n = x.n;
    s.words = k.words;
    s.nacc = k.nacc;
    s.lead = x.lead;
    s.trail = x.trail;
    set32(&h->state, state_pack(s));
}

void open_move(const struct hot *from, const struct segments *segs, struct hot *to,
               struct segments *to_segs)
{
    uint32_t first = get32(&from->first), id = first & SEGMENT_MASK;
    memcpy(to, from, sizeof(*to));
    struct segment *last = NULL;
    for (unsigned i = 0; i < first >> COUNT_SHIFT; i++) {
        uint32_t taken = segment_take(to_segs);
        struct segment *s = segment_at(to_segs, taken);
        memcpy(s, segment_at(segs, id), sizeof(*s));
        if (last) {
            set32(&last->w[OPEN_SEGMENT_WORDS], taken);
        } else {
            set32(&to->first, (first & ~(uint32_t)SEGMENT_MASK) | taken);
        }
        set32(&to->cur, taken);
        id = get32(&s->w[OPEN_SEGMENT_WORDS]);
        last = s;
    }
}

/*
 * Reading
 */

uint32_t open_read_begin(const struct hot *h)
{
    for (unsigned spins = 0;; spins++) {
        uint32_t seq = get32(&h->seq);
        if (LIKELY(!(seq & 1))) return seq;
        if (spins >= SPINS) (void)sched_yield(); /* the writer lost its processor */
    }
}

void open_copy(const struct hot *h, const struct segments *segs, bool bits, struct open_copy *out)
{
    out->t = get64(&h->t);
    out->v = getu64(&h->v);
    out->prev_t = get64(&h->prev_t);
    out->commit = getu64(&h->commit);
    out->first_t = (int64_t)((uint64_t)out->t - get32(&h->age));
    out->n = open_count(h);
    out->bytes = 0;
    if (!bits || !out->n) return;
    /* A torn view is thrown away by the caller; until then it must only stay inside the copy. */
    struct stream st = stream_of(h);
    size_t n = stream_bytes(&st);
    if (n > sizeof(out->bits)) return;
    out->bytes = n;
    stream_gather(&st, segs, out->bits);
}
