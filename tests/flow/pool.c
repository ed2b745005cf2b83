/* The thread pool: every task once, workers of their own, many tiny rounds; parts that others take. */
#include "flow/pool.h"
#include "tests/common/sanitized.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum { MAX_COUNT = 1000, MAX_WORKERS = 8 };

typedef struct tally {
    atomic_uint runs[MAX_COUNT];
    atomic_int inside[MAX_WORKERS]; /* tasks that each worker is in */
    atomic_int shared;              /* times a worker was in two */
    size_t threads;
    int slow; /* give the other threads a chance to meet this one */
} tally;

static void count_task(void *arg, size_t index, size_t worker)
{
    tally *t = arg;
    if (worker >= t->threads || atomic_fetch_add(&t->inside[worker], 1) != 0)
        atomic_fetch_add(&t->shared, 1);
    atomic_fetch_add(&t->runs[index], 1);
    if (t->slow)
        sched_yield();
    atomic_fetch_sub(&t->inside[worker], 1);
}

static flow_pool *pool_new(size_t threads)
{
    flow_err err = FLOW_ERR_INIT;
    flow_pool *pool = flow_pool_create(threads, &err);
    cr_assert(pool, "%s", err.text);
    return pool;
}

static void check_count(flow_pool *pool, size_t threads, size_t count, int slow)
{
    tally *t = calloc(1, sizeof *t);
    t->threads = threads;
    t->slow = slow;
    flow_pool_run(pool, count_task, t, count);
    for (size_t i = 0; i < MAX_COUNT; i++)
        cr_assert_eq(atomic_load(&t->runs[i]), i < count, "%zu threads, %zu tasks: task %zu ran %u",
                     threads, count, i, atomic_load(&t->runs[i]));
    cr_assert_eq(atomic_load(&t->shared), 0, "%zu threads, %zu tasks: worker shared", threads,
                 count);
    free(t);
}

Test(pool, every_task_once)
{
    static const size_t counts[] = {0, 1, 2, 3, 7, 8, 64, 997, 1000};
    for (size_t threads = 1; threads <= 5; threads++) {
        flow_pool *pool = pool_new(threads);
        cr_assert_eq(flow_pool_threads(pool), threads);
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++)
            for (int slow = 0; slow < 2; slow++)
                check_count(pool, threads, counts[c], slow);
        flow_pool_free(pool);
    }
}

static void add_task(void *arg, size_t index, size_t worker)
{
    (void)worker;
    atomic_fetch_add((atomic_size_t *)arg, index + 1);
}

/* Rounds so short that workers are still on their way back when the next one starts. All that tasks
 * wrote is there when run returns. */
Test(pool, ten_thousand_tiny_rounds, .timeout = 120)
{
    for (size_t threads = 2; threads <= 3; threads++) {
        const size_t rounds = threads == 2 ? UNLESS_SANITIZED(10000, 2000) : 1000;
        flow_pool *pool = pool_new(threads);
        atomic_size_t sum = 0;
        for (size_t r = 0; r < rounds; r++) {
            flow_pool_run(pool, add_task, &sum, 3);
            cr_assert_eq(atomic_load(&sum), 6 * (r + 1), "round %zu of %zu threads", r, threads);
        }
        flow_pool_free(pool);
    }
}

static void fill_task(void *arg, size_t index, size_t worker)
{
    (void)worker;
    ((double *)arg)[index] += 0.713 * (double)index; /* not atomic: ordered by the rounds */
}

Test(pool, results_are_visible_after_run)
{
    enum { N = 64, ROUNDS = 200 };
    flow_pool *pool = pool_new(3);
    double values[N] = {0};
    for (int r = 0; r < ROUNDS; r++)
        flow_pool_run(pool, fill_task, values, N);
    double want[N] = {0};
    for (int r = 0; r < ROUNDS; r++)
        for (size_t i = 0; i < N; i++)
            want[i] += 0.713 * (double)i;
    for (size_t i = 0; i < N; i++)
        cr_assert_eq(values[i], want[i], "value %zu", i);
    flow_pool_free(pool);
}

Test(pool, sizes)
{
    flow_pool *pool = pool_new(0); /* one per processor */
    cr_assert_geq(flow_pool_threads(pool), 1);
    flow_pool_free(pool);
    flow_pool_free(NULL);
    for (int i = 0; i < 50; i++) /* freed before its workers have begun */
        flow_pool_free(pool_new(4));
}

/* ---- parts of tasks */

static void count_part(void *arg, size_t index)
{
    atomic_fetch_add(&((tally *)arg)->runs[index], 1);
}

typedef struct shares {
    tally *tally; /* (tasks) */
    size_t parts;
} shares;

static void share_parts(void *arg, size_t index, size_t worker)
{
    const shares *s = arg;
    (void)worker;
    flow_pool_share(count_part, &s->tally[index], s->parts);
}

static void check_parts(size_t threads, size_t tasks, size_t parts)
{
    shares s = {.tally = calloc(tasks + 1, sizeof *s.tally), .parts = parts};
    flow_pool *pool = pool_new(threads);
    flow_pool_run(pool, share_parts, &s, tasks);
    flow_pool_free(pool);
    for (size_t t = 0; t < tasks; t++)
        for (size_t i = 0; i < MAX_COUNT; i++)
            cr_assert_eq(atomic_load(&s.tally[t].runs[i]), i < parts,
                         "%zu threads, task %zu of %zu: part %zu of %zu", threads, t, tasks, i,
                         parts);
    free(s.tally);
}

Test(pool, every_part_once)
{
    static const size_t counts[] = {0, 1, 2, 3, 64, 997};
    for (size_t threads = 1; threads <= 5; threads++)
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++)
            for (size_t tasks = 1; tasks <= 6; tasks += tasks == 1 ? 1 : 4)
                check_parts(threads, tasks, counts[c]);
}

Test(pool, parts_outside_of_a_task)
{
    tally *t = calloc(1, sizeof *t);
    flow_pool_share(count_part, t, 17);
    for (size_t i = 0; i < MAX_COUNT; i++)
        cr_assert_eq(atomic_load(&t->runs[i]), i < 17, "part %zu", i);
    free(t);
}

/* Parts that are done when another thread has come to one of them, or after ten seconds. */
typedef struct meeting {
    atomic_int present, met;
} meeting;

static void meet(void *arg, size_t index)
{
    meeting *m = arg;
    (void)index;
    atomic_fetch_add(&m->present, 1);
    for (time_t until = time(NULL) + 10; atomic_load(&m->present) < 2 && time(NULL) < until;)
        sched_yield();
    atomic_fetch_add(&m->met, atomic_load(&m->present) >= 2);
}

static void share_meeting(void *arg, size_t index, size_t worker)
{
    (void)worker;
    if (index == 0)
        flow_pool_share(meet, arg, 2);
}

/* Help comes to a task that is alone in its round, whose other workers are asleep, and to one that
 * the others have left behind. */
Test(pool, idle_threads_help, .timeout = 120)
{
    for (size_t tasks = 1; tasks <= 3; tasks++) {
        flow_pool *pool = pool_new(2);
        meeting m = {0};
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        flow_pool_run(pool, share_meeting, &m, tasks);
        cr_assert_eq(atomic_load(&m.met), 2, "%zu tasks: nobody came", tasks);
        flow_pool_free(pool);
    }
}

static void share_again(void *arg, size_t index)
{
    (void)index;
    flow_pool_share(count_part, arg, 10);
}

static void share_twice(void *arg, size_t index, size_t worker)
{
    (void)index, (void)worker;
    flow_pool_share(share_again, arg, 5);
}

Test(pool, parts_of_parts_are_done)
{
    for (size_t threads = 1; threads <= 3; threads++) {
        tally *t = calloc(1, sizeof *t);
        flow_pool *pool = pool_new(threads);
        flow_pool_run(pool, share_twice, t, 3);
        for (size_t i = 0; i < 10; i++)
            cr_assert_eq(atomic_load(&t->runs[i]), 15, "part %zu", i);
        flow_pool_free(pool);
        free(t);
    }
}

enum { CHAIN = 40 };

static void add_before(void *arg, size_t index)
{
    double *values = arg; /* not atomic: ordered by the shares */
    values[CHAIN + index] = values[index] + 1;
}

static void copy_back(void *arg, size_t index)
{
    double *values = arg;
    values[index] = values[CHAIN + (index + 7) % CHAIN];
}

static void share_in_turns(void *arg, size_t index, size_t worker)
{
    double *values = (double *)arg + 2 * CHAIN * index;
    (void)worker;
    for (int r = 0; r < UNLESS_SANITIZED(3000, 300); r++) {
        flow_pool_share(add_before, values, CHAIN);
        flow_pool_share(copy_back, values, CHAIN);
    }
}

/* What parts wrote is there for the next ones, whoever does them. */
Test(pool, shares_follow_each_other, .timeout = 120)
{
    enum { TASKS = 5 };
    for (size_t threads = 1; threads <= 4; threads++) {
        double *values = calloc(2 * CHAIN * TASKS, sizeof *values);
        flow_pool *pool = pool_new(threads);
        flow_pool_run(pool, share_in_turns, values, TASKS);
        flow_pool_free(pool);
        for (size_t t = 0; t < TASKS; t++)
            for (size_t i = 0; i < CHAIN; i++)
                cr_assert_eq(values[2 * CHAIN * t + i], UNLESS_SANITIZED(3000, 300));
        free(values);
    }
}
