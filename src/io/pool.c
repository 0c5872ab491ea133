/* SPDX-License-Identifier: Apache-2.0 */
#include "io/pool.h"

#include "base/assert.h"

#include <pthread.h>
#include <stdlib.h>

struct queue {
    struct job *first, **last;
};

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct queue waiting[LANE_MAX_]; /* the rest is under lock, too */
    struct job **running;            /* per worker, NULL when idle */
    unsigned busy[LANE_MAX_];
    unsigned workers;
    bool ending;
    pthread_t *threads;
};

struct worker {
    struct pool *p;
    unsigned at;
};

/* Most jobs of a lane at a time: rules may use every worker, queries leave one to them, background is one. */
static unsigned allowed(const struct pool *p, enum lane lane)
{
    switch (lane) {
    case LANE_RULES: return p->workers;
    case LANE_QUERY: return p->workers - 1;
    case LANE_BACK: return 1;
    case LANE_MAX_: break;
    }
    return 0;
}

/* Queries and background together leave a worker free for rules. */
static bool may_start(const struct pool *p, enum lane lane)
{
    if (!p->waiting[lane].first || p->busy[lane] >= allowed(p, lane)) return false;
    if (lane == LANE_RULES) return true;
    return p->busy[LANE_QUERY] + p->busy[LANE_BACK] < p->workers - 1;
}

static struct job *queue_take(struct queue *q)
{
    struct job *j = q->first;
    q->first = j->next_;
    if (!q->first) q->last = &q->first;
    return j;
}

static struct job *next_job(struct pool *p)
{
    for (unsigned lane = 0; lane < LANE_MAX_; lane++) {
        if (may_start(p, (enum lane)lane)) return queue_take(&p->waiting[lane]);
    }
    return NULL;
}

static void call_done(void *ctx)
{
    struct job *j = ctx;
    j->done(j);
}

static void finish(struct job *j)
{
    if (!j->done) return;
    if (j->loop) {
        loop_post(j->loop, call_done, j);
    } else {
        j->done(j);
    }
}

static void *work(void *ctx)
{
    struct worker me = *(struct worker *)ctx;
    struct pool *p = me.p;
    free(ctx);
    pthread_mutex_lock(&p->lock);
    for (;;) {
        struct job *j = p->ending ? NULL : next_job(p);
        if (!j) {
            if (p->ending) break;
            pthread_cond_wait(&p->work, &p->lock);
            continue;
        }
        enum lane lane = j->lane;
        bool ends_itself = !j->done; /* then run() may free it */
        p->busy[lane]++;
        p->running[me.at] = j;
        pthread_mutex_unlock(&p->lock);
        j->run(j);
        pthread_mutex_lock(&p->lock);
        p->running[me.at] = NULL;
        p->busy[lane]--;
        pthread_cond_broadcast(&p->work);
        if (ends_itself) continue;
        pthread_mutex_unlock(&p->lock);
        finish(j);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

struct pool *pool_new(unsigned workers)
{
    struct pool *p = calloc(1, sizeof(*p));
    ASSERT(p != NULL);
    p->workers = workers < 2 ? 2 : workers;
    p->threads = calloc(p->workers, sizeof(*p->threads));
    p->running = calloc(p->workers, sizeof(struct job *));
    ASSERT(p->threads && p->running);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    for (unsigned i = 0; i < LANE_MAX_; i++) p->waiting[i].last = &p->waiting[i].first;
    for (unsigned i = 0; i < p->workers; i++) {
        struct worker *w = malloc(sizeof(*w));
        ASSERT(w != NULL);
        *w = (struct worker){ p, i };
        ASSERT(pthread_create(&p->threads[i], NULL, work, w) == 0);
    }
    return p;
}

void pool_submit(struct pool *p, struct job *j)
{
    j->next_ = NULL;
    pthread_mutex_lock(&p->lock);
    ASSERT(!p->ending);
    *p->waiting[j->lane].last = j;
    p->waiting[j->lane].last = &j->next_;
    pthread_cond_signal(&p->work);
    pthread_mutex_unlock(&p->lock);
}

static void drop_waiting(struct pool *p)
{
    for (unsigned lane = 0; lane < LANE_MAX_; lane++) {
        while (p->waiting[lane].first) {
            struct job *j = queue_take(&p->waiting[lane]);
            j->cancel = true;
            if (j->done) j->done(j);
        }
    }
}

void pool_free(struct pool *p)
{
    if (!p) return;
    pthread_mutex_lock(&p->lock);
    p->ending = true;
    for (unsigned i = 0; i < p->workers; i++) {
        if (p->running[i]) p->running[i]->cancel = true;
    }
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->workers; i++) (void)pthread_join(p->threads[i], NULL);
    drop_waiting(p);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->work);
    free(p->running);
    free(p->threads);
    free(p);
}
