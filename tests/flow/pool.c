/* The thread pool: every task once, workers of their own, many tiny rounds. */
#include "flow/pool.h"
#include "tests/common/sanitized.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

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
