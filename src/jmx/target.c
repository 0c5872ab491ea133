/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scrape has three waves, each pipelined: queries name the beans, MBeanInfo is asked for what is new, attributes are read.
 * An attribute that cannot be serialised ends the connection in the middle of the third; then the scrape goes on where it
 * stood on a new connection, and that attribute is not asked for again.
 */
#include "jmx/target.h"

#include "base/assert.h"
#include "jmx/beans.h"
#include "jmx/session.h"

#include <stdlib.h>

#define WINDOW         256 /* calls under way */
#define STEP           128 /* answers handled in one go */
#define SILENCE_MS     5000
#define PING_MS        60000 /* the server forgets a connection after 120 s without a call */
#define BACKOFF_MIN_MS 500
#define BACKOFF_MAX_MS 10000
#define DENIED_MS      30000
#define STARTING_MS    30000 /* how long a Kafka may take to register the bean with its id */
#define RESUMES_MAX    64
#define REPLY_MAX      ((size_t)64 << 20)
#define ARENA_MAX      ((size_t)512 << 20)
#define REPARSE_MS                                                                                 \
    10 /* a large reply is tried again when it has grown by a quarter, or after this */
#define REPARSE_BYTES ((size_t)64 << 10)
#define REFRESH_CYCLES                                                                             \
    8 /* in how many scrapes each changeable bean's attributes are asked for anew */
#define APP_INFO STR("kafka.server:type=app-info,*")
#define NEVER    INT64_MAX
#define MAGIC    0x6a6d7874U

enum call_kind { CALL_ID, CALL_QUERY, CALL_INFO, CALL_ATTRIBUTE, CALL_ATTRIBUTES, CALL_PING };

struct jmx_target {
    uint32_t magic;
    struct arena own; /* endpoint's strings */
    struct jmx_config *config;
    struct jmx_endpoint endpoint;
    enum jmx_target_state state;
    struct session session;
    struct beans beans;
    struct arena reply; /* of the answer at hand */
    uint16_t dial_port;
    bool wants_dial, wants_hangup;
    unsigned failures; /* since the last good scrape */
    int64_t backoff_ms, retry_ms, progress_ms, called_ms, up_since_ms, began_ms;
    size_t seen, short_at; /* bytes of input at the last call, at the last try of a half reply */
    int64_t reparse_ms;
    char id[16]; /* broker's */

    bool scraping, fresh;
    bool resuming;
    enum jmx_target_state resume_at;
    unsigned resumes, wave;
    size_t at, pending, sent;
    unsigned last_good;
    struct str *names; /* scratch: attributes of one request */
    size_t names_cap;
    void (*done)(void *ctx);
    void *ctx;
    struct jmx_target_stats stats;
};

struct jmx_target *jmx_target_new(struct jmx_config *c, const struct jmx_endpoint *e,
                                  struct str label)
{
    struct jmx_target *t = calloc(1, sizeof(*t));
    if (!t) abort();
    t->magic = MAGIC;
    t->config = jmx_config_ref(c);
    t->endpoint = (struct jmx_endpoint){
        .host = arena_dup(&t->own, e->host),
        .port = e->port,
        .name = arena_dup(&t->own, e->name),
        .target = arena_dup(&t->own, e->target),
    };
    arena_init(&t->reply, ARENA_MAX);
    beans_init(&t->beans, c);
    t->beans.label_name = arena_dup(&t->own, label);
    t->beans.label_value = t->endpoint.target;
    t->beans.host = t->endpoint.host;
    t->backoff_ms = BACKOFF_MIN_MS;
    t->retry_ms = INT64_MIN; /* due at once */
    return t;
}

void jmx_target_free(struct jmx_target *t)
{
    if (!t) return;
    t->magic = 0;
    session_done(&t->session);
    beans_done(&t->beans);
    arena_done(&t->reply);
    arena_done(&t->own);
    jmx_config_unref(t->config);
    free(t->names);
    free(t);
}

static void end_scrape(struct jmx_target *t, bool good, int64_t now)
{
    if (!t->scraping) return;
    t->scraping = t->resuming = false;
    t->stats.up = good;
    t->stats.scrape_ms = now - t->began_ms;
    t->stats.beans = t->beans.n;
    t->stats.samples_failed = t->beans.failed;
    t->stats.cached = t->beans.cached;
    t->stats.attributes_excluded = t->beans.excluded;
    if (good) {
        t->last_good = t->beans.generation;
        t->failures = 0;
        t->backoff_ms = BACKOFF_MIN_MS;
    }
    t->done(t->ctx);
}

static void hang_up(struct jmx_target *t, bool keep_server)
{
    session_closed(&t->session, keep_server);
    beans_forget_questions(&t->beans);
    t->wants_hangup = true;
    t->wants_dial = false;
    t->seen = t->short_at = 0;
    t->pending = 0;
}

static void dial(struct jmx_target *t, uint16_t port)
{
    t->state = JMX_DIALLING;
    t->dial_port = port;
    t->wants_dial = true;
}

static void fail(struct jmx_target *t, enum err e, const char *why, int64_t now)
{
    hang_up(t, false);
    t->state = JMX_DOWN;
    t->failures++;
    t->retry_ms = now + (e == ERR_DENIED ? DENIED_MS : t->backoff_ms);
    t->backoff_ms = t->backoff_ms * 2 < BACKOFF_MAX_MS ? t->backoff_ms * 2 : BACKOFF_MAX_MS;
    (void)diag_set(&t->stats.why, e, "%s", why);
    t->up_since_ms = 0;
    end_scrape(t, false, now);
}

/* A call's request has been written behind the others. */
static void called(struct jmx_target *t, struct session_call call)
{
    session_called(&t->session, call);
    t->pending += call.kind != CALL_PING;
    t->stats.requests++;
}

/* First wave */

static void begin_query(struct jmx_target *t, int64_t now)
{
    const struct jmx_objectnames *include = &t->config->include;
    t->state = JMX_QUERY;
    t->fresh = true;
    t->resumes = 0;
    t->pending = 0;
    t->progress_ms = t->called_ms = now;
    beans_begin(&t->beans);
    if (t->beans.label_name.n && !t->id[0]) {
        jrmp_put_query_names(&t->session.out, &t->session.conn, APP_INFO);
        called(t, (struct session_call){ .kind = CALL_ID });
    }
    for (size_t i = 0; i < include->n || i == 0; i++) {
        struct str pattern = include->n ? include->texts[i] : str_make(NULL, 0);
        jrmp_put_query_mbeans(&t->session.out, &t->session.conn, pattern);
        called(t, (struct session_call){ .kind = CALL_QUERY });
    }
}

static void take_id(struct jmx_target *t, const struct jmx_found *found, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct objectname name;
        if (objectname_parse(found[i].name, &t->reply, &name, NULL) != OK) continue;
        struct str id = objectname_get(&name, "id");
        if (id.n == 0 || id.n >= sizeof(t->id)) continue;
        memcpy(t->id, id.p, id.n);
        t->beans.label_value = str_make(t->id, id.n);
        beans_forget_outcomes(&t->beans);
        return;
    }
}

/* Second wave */

static void ask_info(struct jmx_target *t, struct bean *bean, size_t index)
{
    jrmp_put_get_mbean_info(&t->session.out, &t->session.conn, bean->name);
    called(t, (struct session_call){ .kind = CALL_INFO, .index = (uint32_t)index });
    t->sent++;
}

/* Of a class that nobody has asked about one bean is asked; the others wait for the next round. */
static void info_step(struct jmx_target *t, size_t index)
{
    struct bean *bean = t->beans.v[index];
    unsigned generation = t->beans.generation;
    if (bean->skip || bean->avoid == generation) return;
    bool in_turn = bean->class->state == CLASS_MUTABLE && t->wave == 0 &&
                   index % REFRESH_CYCLES == generation % REFRESH_CYCLES;
    if (bean->info && !bean->stale && !in_turn) return;
    switch (bean->class->state) {
    case CLASS_IMMUTABLE: bean_attach(&t->beans, bean, bean->class->info); return;
    case CLASS_ASKED: return;
    case CLASS_UNKNOWN: bean->class->state = CLASS_ASKED; break;
    case CLASS_MUTABLE: break;
    }
    ask_info(t, bean, index);
}

/* Third wave */

static struct str *room_for_names(struct jmx_target *t, size_t n)
{
    if (n > t->names_cap) {
        free(t->names);
        t->names = calloc(n, sizeof(*t->names));
        if (!t->names) abort();
        t->names_cap = n;
    }
    return t->names;
}

static void ask_one_by_one(struct jmx_target *t, const struct bean *bean, size_t index)
{
    for (size_t i = 0; i < bean->info->n; i++) {
        if (bean->attributes[i].dead) continue;
        jrmp_put_get_attribute(&t->session.out, &t->session.conn, bean->name,
                               bean->info->attributes[i].name);
        called(t, (struct session_call){
                      .kind = CALL_ATTRIBUTE, .index = (uint32_t)index, .attribute = (uint32_t)i });
    }
}

static void read_step(struct jmx_target *t, size_t index)
{
    const struct bean *bean = t->beans.v[index];
    if (bean->skip || !bean->info || bean->avoid == t->beans.generation) return;
    struct str *names = room_for_names(t, bean->info->n + 1);
    size_t n = bean_wanted(bean, names);
    if (n == 0) return;
    if (n == 1 || bean->careful) {
        ask_one_by_one(t, bean, index);
        return;
    }
    jrmp_put_get_attributes(&t->session.out, &t->session.conn, bean->name, names, n);
    called(t, (struct session_call){
                  .kind = CALL_ATTRIBUTES, .index = (uint32_t)index, .asked = (uint32_t)n });
}

/* A Kafka that is still starting has not told its id: its series would begin under another label. */
static bool too_early(const struct jmx_target *t, int64_t now)
{
    if (!t->beans.label_name.n || t->id[0] || now - t->up_since_ms >= STARTING_MS) return false;
    for (size_t i = 0; i < t->beans.n; i++) {
        if (str_starts(t->beans.v[i]->subject.domain, STR("kafka."))) return true;
    }
    return false;
}

static void end_read(struct jmx_target *t, int64_t now)
{
    t->state = JMX_READY;
    if (too_early(t, now)) t->fresh = false;
    end_scrape(t, true, now);
}

/* Writes as many requests as the window allows, and goes on to the next wave when one is over. */
static void pump(struct jmx_target *t, int64_t now)
{
    while (t->state == JMX_INFO) {
        while (t->session.n < WINDOW && t->at < t->beans.n) info_step(t, t->at++);
        if (t->at < t->beans.n || t->pending) return;
        if (t->sent == 0) t->state = JMX_READ;
        t->wave++;
        t->at = t->sent = 0;
    }
    if (t->state != JMX_READ) return;
    while (t->session.n < WINDOW && t->at < t->beans.n) read_step(t, t->at++);
    if (t->at == t->beans.n && t->pending == 0) end_read(t, now);
}

static void begin_info(struct jmx_target *t)
{
    beans_sweep(&t->beans);
    t->state = JMX_INFO;
    t->at = t->sent = 0;
    t->wave = 0;
}

/* Answers */

static bool is_exception(const struct jrmp_return *r, const char *class)
{
    return r->exception && str_eqc(jrmp_exception_class(r->value), class);
}

static void give_up(struct jmx_target *t, const char *what, const struct javaser_value *v,
                    int64_t now)
{
    BUF(text, 160);
    jrmp_exception_text(v, &text);
    struct str whole = arena_fmt(&t->reply, "%s: " STR_FMT, what, STR_ARG(buf_str(&text)));
    fail(t, ERR_SYNTAX, whole.p, now);
}

static void on_query(struct jmx_target *t, const struct session_call *call,
                     const struct jrmp_return *r, int64_t now)
{
    struct jmx_found *found;
    size_t n;
    struct diag d;
    if (r->exception) {
        give_up(t, "the query for MBeans failed", r->value, now);
        return;
    }
    if (jmx_read_query(r->value, &t->reply, &found, &n, &d) != OK) {
        fail(t, ERR_SYNTAX, d.text, now);
        return;
    }
    if (call->kind == CALL_ID) {
        take_id(t, found, n);
    } else {
        beans_found(&t->beans, found, n, &t->reply);
    }
    if (t->pending == 0) begin_info(t);
}

static void on_info(struct jmx_target *t, struct bean *bean, const struct jrmp_return *r)
{
    struct jmx_info info;
    if (!r->exception && jmx_read_info(r->value, &t->reply, &info, NULL) == OK) {
        bean_describe(&t->beans, bean, &info);
        return;
    }
    if (bean->class->state == CLASS_ASKED) bean->class->state = CLASS_UNKNOWN;
    bean->avoid = t->beans.generation;
}

static void on_attributes(struct jmx_target *t, struct bean *bean, const struct session_call *call,
                          const struct jrmp_return *r)
{
    struct jmx_value *values;
    size_t n;
    if (is_exception(r, "javax.management.InstanceNotFoundException")) {
        bean->avoid = t->beans.generation;
        return;
    }
    if (r->exception || jmx_read_attributes(r->value, &t->reply, &values, &n, NULL) != OK) {
        bean->careful = true;
        ask_one_by_one(t, bean, call->index);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        size_t at = bean_attribute_index(bean, values[i].name);
        if (at != STR_NONE) bean_value(&t->beans, bean, at, values[i].value, &t->reply);
    }
    if (n < call->asked && bean->class->state == CLASS_MUTABLE) bean->stale = true;
}

static void on_attribute(struct jmx_target *t, struct bean *bean, const struct session_call *call,
                         const struct jrmp_return *r)
{
    if (is_exception(r, "javax.management.AttributeNotFoundException")) {
        bean->stale = bean->class->state == CLASS_MUTABLE;
    }
    if (!r->exception) bean_value(&t->beans, bean, call->attribute, r->value, &t->reply);
}

/* Hangs up and goes on where the scrape stood when the new connection is ready. */
static void resume(struct jmx_target *t, enum jmx_target_state state, size_t at, int64_t now)
{
    if (++t->resumes > RESUMES_MAX) {
        fail(t, ERR_LIMIT, "too many attributes of this server cannot be sent", now);
        return;
    }
    hang_up(t, false);
    t->resuming = true;
    t->resume_at = state;
    t->at = at;
    t->sent = 0;
    dial(t, t->endpoint.port);
}

static void on_return(struct jmx_target *t, const struct session_call *call,
                      const struct jrmp_return *r, int64_t now)
{
    t->pending -= call->kind != CALL_PING;
    if (is_exception(
            r, "java.rmi.NoSuchObjectException")) { /* the server has restarted or forgotten us */
        bool busy = t->state == JMX_INFO || t->state == JMX_READ;
        if (busy) {
            resume(t, t->state, 0, now);
        } else {
            hang_up(t, false);
            dial(t, t->endpoint.port);
        }
        return;
    }
    struct bean *bean = call->kind >= CALL_INFO && call->kind <= CALL_ATTRIBUTES
                            ? t->beans.v[call->index]
                            : NULL;
    switch ((enum call_kind)call->kind) {
    case CALL_ID:
    case CALL_QUERY: on_query(t, call, r, now); break;
    case CALL_INFO: on_info(t, bean, r); break;
    case CALL_ATTRIBUTE: on_attribute(t, bean, call, r); break;
    case CALL_ATTRIBUTES: on_attributes(t, bean, call, r); break;
    case CALL_PING: break;
    }
}

static void on_logged_in(struct jmx_target *t, int64_t now)
{
    t->stats.connects++;
    if (!t->up_since_ms) t->up_since_ms = now;
    t->called_ms = now;
    t->state = JMX_READY;
    if (t->resuming) {
        t->resuming = false;
        t->state = t->resume_at;
    } else if (t->scraping) {
        begin_query(t, now);
    }
}

/* The answer at the head could not be sent or cannot be read: whose was it? */
static bool blame(struct jmx_target *t, int64_t now)
{
    const struct session_call *call = session_waiting(&t->session);
    if (t->session.state != SESSION_READY || !call) return false;
    struct session_call c = *call;
    if (c.kind == CALL_ATTRIBUTES) {
        t->beans.v[c.index]->careful = true;
    } else if (c.kind == CALL_ATTRIBUTE) {
        t->beans.v[c.index]->attributes[c.attribute].dead = true;
        t->beans.excluded++;
    } else if (c.kind == CALL_INFO) {
        t->beans.v[c.index]->skip = true;
    } else {
        return false;
    }
    resume(t, t->state, c.kind == CALL_INFO ? 0 : c.index, now);
    return true;
}

static void on_error(struct jmx_target *t, enum err e, const struct diag *d, int64_t now)
{
    if ((e == ERR_CANCELED || e == ERR_UNSUPPORTED) && blame(t, now)) return;
    fail(t, e, d->text[0] ? d->text : err_name(e), now);
}

bool jmx_target_patient(const struct jmx_target *t) { return t->short_at >= REPARSE_BYTES; }

/* One message. False: nothing more can be done now. */
static bool step(struct jmx_target *t, struct str *in, int64_t now)
{
    enum session_event event = SESSION_PROGRESS;
    struct session_call call;
    struct jrmp_return ret;
    struct diag d = { 0 };
    size_t before = in->n;
    arena_reset(&t->reply);
    enum err e = session_read(&t->session, in, t->endpoint.name, t->dial_port, &t->reply, &event,
                              &call, &ret, &t->dial_port, &d);
    if (e == ERR_SHORT && in->n < REPLY_MAX) {
        t->short_at = in->n;
        t->reparse_ms = now + REPARSE_MS * (1 + (int64_t)(in->n >> 20));
        return false;
    }
    t->short_at = 0;
    t->stats.bytes += before - in->n;
    if (e != OK) {
        on_error(t, e == ERR_SHORT ? ERR_LIMIT : e, &d, now);
        return false;
    }
    switch (event) {
    case SESSION_PROGRESS: break;
    case SESSION_LOGGED_IN: on_logged_in(t, now); break;
    case SESSION_REDIAL:
        hang_up(t, true);
        dial(t, t->dial_port);
        return false;
    case SESSION_RETURN: on_return(t, &call, &ret, now); break;
    }
    pump(t, now);
    return t->session.state != SESSION_CLOSED;
}

bool jmx_target_bytes(struct jmx_target *t, struct str *in, int64_t now_ms)
{
    ASSERT(t->magic == MAGIC);
    if (t->session.state == SESSION_CLOSED || in->n == 0) return false;
    if (in->n != t->seen) t->progress_ms = now_ms;
    t->seen = in->n;
    if (jmx_target_patient(t) && now_ms < t->reparse_ms) return false;
    for (int i = 0; i < STEP; i++) {
        if (!step(t, in, now_ms) || in->n == 0) break;
    }
    t->seen = in->n;
    return in->n > 0 && t->session.state != SESSION_CLOSED && t->short_at == 0;
}

void jmx_target_scrape(struct jmx_target *t, int64_t now_ms, void (*done)(void *ctx), void *ctx)
{
    ASSERT(t->magic == MAGIC && !t->scraping);
    t->scraping = true;
    t->fresh = false;
    t->done = done;
    t->ctx = ctx;
    t->began_ms = now_ms;
    t->stats.requests = 0;
    if (t->state == JMX_READY) {
        begin_query(t, now_ms);
    } else if (t->failures > 0) {
        end_scrape(t, false, now_ms); /* nobody waits for what was just dead */
    } else if (t->state == JMX_DOWN) {
        dial(t, t->endpoint.port);
    }
}

bool jmx_target_scraping(const struct jmx_target *t) { return t->scraping; }

void jmx_target_cancel(struct jmx_target *t, int64_t now_ms, const char *why)
{
    if (t->scraping) fail(t, ERR_TIMEOUT, why, now_ms);
}

bool jmx_target_take_hangup(struct jmx_target *t)
{
    bool wants = t->wants_hangup;
    t->wants_hangup = false;
    return wants;
}

bool jmx_target_take_dial(struct jmx_target *t, struct jmx_dial *out)
{
    if (!t->wants_dial) return false;
    t->wants_dial = false;
    *out = (struct jmx_dial){ t->endpoint.host, t->dial_port };
    return true;
}

struct buf *jmx_target_out(struct jmx_target *t) { return &t->session.out; }

void jmx_target_opened(struct jmx_target *t, int64_t now_ms)
{
    ASSERT(t->magic == MAGIC);
    if (t->state != JMX_DIALLING) return;
    t->state = JMX_LOGIN;
    t->progress_ms = now_ms;
    session_opened(&t->session, t->endpoint.name);
}

/* An idle connection may end without harm: a new one is made at once. */
void jmx_target_closed(struct jmx_target *t, const char *why, int64_t now_ms)
{
    ASSERT(t->magic == MAGIC);
    if (t->state == JMX_DOWN) return;
    if (t->state == JMX_READY) {
        session_closed(&t->session, false);
        t->seen = t->short_at = 0;
        dial(t, t->endpoint.port);
        return;
    }
    fail(t, ERR_EOF, why, now_ms);
    t->wants_hangup = false;
}

static bool waits_for_answer(const struct jmx_target *t)
{
    return t->state >= JMX_LOGIN && (t->state != JMX_READY || t->session.n > 0);
}

int64_t jmx_target_due(const struct jmx_target *t)
{
    if (t->state == JMX_DOWN) return t->retry_ms;
    if (t->state == JMX_DIALLING) return NEVER; /* the socket's owner has a deadline of its own */
    int64_t due = waits_for_answer(t) ? t->progress_ms + SILENCE_MS : t->called_ms + PING_MS;
    if (jmx_target_patient(t) && t->reparse_ms < due) due = t->reparse_ms;
    return due;
}

void jmx_target_tick(struct jmx_target *t, int64_t now_ms)
{
    ASSERT(t->magic == MAGIC);
    if (t->state == JMX_DOWN) {
        if (now_ms >= t->retry_ms) dial(t, t->endpoint.port);
    } else if (t->state != JMX_DIALLING && waits_for_answer(t)) {
        if (now_ms - t->progress_ms >= SILENCE_MS) {
            fail(t, ERR_TIMEOUT, "no answer within 5 s", now_ms);
        }
    } else if (t->state == JMX_READY && now_ms - t->called_ms >= PING_MS) {
        jrmp_put_get_connection_id(&t->session.out, &t->session.conn);
        session_called(&t->session, (struct session_call){ .kind = CALL_PING });
        t->called_ms = t->progress_ms = now_ms;
    }
}

void jmx_target_samples(const struct jmx_target *t, bool last_good, struct jmx_samples *out,
                        struct arena *a)
{
    *out = (struct jmx_samples){ 0 };
    if (last_good && t->last_good) beans_samples(&t->beans, t->last_good, out, a);
    if (!last_good && t->fresh) beans_samples(&t->beans, t->beans.generation, out, a);
}

const struct jmx_target_stats *jmx_target_stats(const struct jmx_target *t) { return &t->stats; }
const struct jmx_endpoint *jmx_target_endpoint(const struct jmx_target *t) { return &t->endpoint; }
enum jmx_target_state jmx_target_state(const struct jmx_target *t) { return t->state; }
