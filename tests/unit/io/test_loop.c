/* SPDX-License-Identifier: Apache-2.0 */
#include "io/clock.h"
#include "io/loop.h"
#include "io/pool.h"
#include "test.h"

#include <pthread.h>

struct scene {
    struct loop *loop;
    struct timer timer;
    int64_t began;
    int seen;
    bool timed;
};

static void stop(void *ctx)
{
    struct scene *s = ctx;
    s->timed = clock_mono_ms() - s->began >= 9;
    loop_stop(s->loop);
}

static void a_timer_fires_and_stops_the_loop(void **state)
{
    (void)state;
    struct scene s = { .loop = loop_new("t"), .began = clock_mono_ms() };
    timer_init(&s.timer, s.loop, stop, &s);
    timer_set(&s.timer, 10);
    loop_run(s.loop);
    assert_true(s.timed);
    timer_done(&s.timer);
    loop_free(s.loop);
}

enum { LETTERS = 1000 };

static void count(void *ctx)
{
    struct scene *s = ctx;
    loop_here(s->loop);
    if (++s->seen == 2 * LETTERS) loop_stop(s->loop);
}

static void *send_letters(void *ctx)
{
    struct scene *s = ctx;
    for (int i = 0; i < LETTERS; i++) loop_post(s->loop, count, s);
    return NULL;
}

static void letters_of_two_threads_all_arrive(void **state)
{
    (void)state;
    struct scene s = { .loop = loop_new("t") };
    pthread_t a, b;
    pthread_create(&a, NULL, send_letters, &s);
    pthread_create(&b, NULL, send_letters, &s);
    loop_run(s.loop);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    assert_int_equal(s.seen, 2 * LETTERS);
    loop_free(s.loop);
}

struct task {
    struct job job;
    struct scene *scene;
    bool ran;
};

static void run_task(struct job *j) { ((struct task *)(void *)j)->ran = true; }

static void task_done(struct job *j)
{
    struct task *t = (struct task *)(void *)j;
    loop_here(t->scene->loop);
    assert_true(t->ran);
    if (++t->scene->seen == 30) loop_stop(t->scene->loop);
}

static void jobs_of_all_lanes_come_back_on_their_loop(void **state)
{
    (void)state;
    struct scene s = { .loop = loop_new("t") };
    struct pool *p = pool_new(2);
    struct task tasks[30] = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(tasks); i++) {
        tasks[i] = (struct task){ .scene = &s };
        tasks[i].job = (struct job){
            .lane = (enum lane)(i % LANE_MAX_), .run = run_task, .done = task_done, .loop = s.loop
        };
        pool_submit(p, &tasks[i].job);
    }
    loop_run(s.loop);
    pool_free(p);
    loop_free(s.loop);
}

/* A query that never ends by itself holds the only query place; a rule must still get through. */
struct stubborn {
    struct job job;
    _Atomic(bool) release, started;
};

static void hold(struct job *j)
{
    struct stubborn *s = (struct stubborn *)(void *)j;
    s->started = true;
    while (!s->release && !j->cancel) sched_yield();
}

static void release(struct job *j)
{
    struct stubborn *s = (struct stubborn *)(void *)((struct task *)(void *)j)->scene;
    s->release = true;
}

static void a_heavy_query_does_not_delay_a_rule(void **state)
{
    (void)state;
    struct pool *p = pool_new(2);
    struct stubborn first = { .job = { .lane = LANE_QUERY, .run = hold } };
    struct stubborn second = { .job = { .lane = LANE_QUERY, .run = hold } };
    pool_submit(p, &first.job);
    pool_submit(p, &second.job);
    struct task rule = { .job = { .lane = LANE_RULES, .run = release },
                         .scene = (struct scene *)(void *)&first };
    pool_submit(p, &rule.job);
    while (!first.release) sched_yield(); /* the test's time limit is the guard */
    while (!second.started) sched_yield();
    second.release = true;
    pool_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_fires_and_stops_the_loop),
        cmocka_unit_test(letters_of_two_threads_all_arrive),
        cmocka_unit_test(jobs_of_all_lanes_come_back_on_their_loop),
        cmocka_unit_test(a_heavy_query_does_not_delay_a_rule),
    };
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
