#define _GNU_SOURCE /* sched_getaffinity, CPU_COUNT */
/* flow/pool.c -- a fork-join pool for steps of tens of microseconds: workers look for work in a short
 * spin before they sleep. Every worker has its share of the indices, the same in every round of equal
 * length, so that what a task left in a core's cache is found there again; who is done helps others. */
#include "flow/pool.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { MAX_THREADS = 1024, SPINS = 4000 };

/* Indices that a worker takes first. */
typedef struct share {
    _Alignas(64) atomic_size_t next;
    size_t end;
} share;

struct flow_pool {
    size_t threads;
    share *shares;      /* (threads) */
    pthread_t *handles; /* (threads - 1) */
    size_t started;
    void (*task)(void *arg, size_t index, size_t worker);
    void *arg;
    atomic_size_t busy; /* workers that have not finished this round */
    atomic_uint round;  /* number of the round in work */
    atomic_uint sleepers;
    atomic_int quit;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
};

typedef struct seat {
    flow_pool *pool;
    size_t worker;
} seat;

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void work_off(flow_pool *self, size_t worker)
{
    for (size_t k = 0; k < self->threads; k++) {
        share *from = &self->shares[(worker + k) % self->threads];
        for (;;) {
            size_t index = atomic_fetch_add_explicit(&from->next, 1, memory_order_relaxed);
            if (index >= from->end)
                break;
            self->task(self->arg, index, worker);
        }
    }
}

/* Waits until the round is no longer `seen`; false: quit. */
static int wait_for_round(flow_pool *self, unsigned seen)
{
    for (int spin = 0; spin < SPINS; spin++) {
        if (atomic_load_explicit(&self->round, memory_order_acquire) != seen)
            return !atomic_load(&self->quit);
        relax();
    }
    pthread_mutex_lock(&self->mutex);
    atomic_fetch_add(&self->sleepers, 1);
    while (atomic_load(&self->round) == seen)
        pthread_cond_wait(&self->wake, &self->mutex);
    atomic_fetch_sub(&self->sleepers, 1);
    pthread_mutex_unlock(&self->mutex);
    return !atomic_load(&self->quit);
}

static void *worker_main(void *arg)
{
    seat own = *(seat *)arg;
    free(arg);
    for (unsigned seen = 0; wait_for_round(own.pool, seen);) {
        seen = atomic_load(&own.pool->round);
        work_off(own.pool, own.worker);
        atomic_fetch_sub_explicit(&own.pool->busy, 1, memory_order_release);
    }
    return NULL;
}

static void start_round(flow_pool *self)
{
    atomic_fetch_add(&self->round, 1);
    if (atomic_load(&self->sleepers) == 0)
        return;
    pthread_mutex_lock(&self->mutex);
    pthread_cond_broadcast(&self->wake);
    pthread_mutex_unlock(&self->mutex);
}

static int start_worker(flow_pool *self, size_t worker)
{
    seat *own = malloc(sizeof *own);
    if (!own)
        return -1;
    *own = (seat){.pool = self, .worker = worker};
    if (pthread_create(&self->handles[worker - 1], NULL, worker_main, own)) {
        free(own);
        return -1;
    }
    self->started++;
    return 0;
}

static size_t processors(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return (size_t)CPU_COUNT(&set);
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (size_t)count : 1;
}

flow_pool *flow_pool_create(size_t threads, flow_err *err)
{
    if (threads == 0)
        threads = processors();
    threads = threads > MAX_THREADS ? MAX_THREADS : threads;
    flow_pool *self = calloc(1, sizeof *self);
    if (!self)
        goto fail;
    self->threads = threads;
    pthread_mutex_init(&self->mutex, NULL);
    pthread_cond_init(&self->wake, NULL);
    self->handles = calloc(threads, sizeof *self->handles);
    self->shares = aligned_alloc(64, threads * sizeof *self->shares);
    if (!self->handles || !self->shares)
        goto fail;
    for (size_t w = 1; w < threads; w++)
        if (start_worker(self, w))
            goto fail;
    return self;
fail:
    flow_pool_free(self);
    flow_fail(err, FLOW_ENOMEM, "cannot start %zu threads", threads);
    return NULL;
}

void flow_pool_free(flow_pool *self)
{
    if (!self)
        return;
    atomic_store(&self->quit, 1);
    start_round(self);
    for (size_t w = 0; w < self->started; w++)
        pthread_join(self->handles[w], NULL);
    pthread_cond_destroy(&self->wake);
    pthread_mutex_destroy(&self->mutex);
    free(self->shares);
    free(self->handles);
    free(self);
}

size_t flow_pool_threads(const flow_pool *self)
{
    return self->threads;
}

void flow_pool_run(flow_pool *self, void (*task)(void *arg, size_t index, size_t worker), void *arg,
                   size_t count)
{
    assert(atomic_load(&self->busy) == 0);
    if (self->threads == 1 || count <= 1) {
        for (size_t index = 0; index < count; index++)
            task(arg, index, 0);
        return;
    }
    self->task = task;
    self->arg = arg;
    for (size_t w = 0; w < self->threads; w++) {
        atomic_store(&self->shares[w].next, w * count / self->threads);
        self->shares[w].end = (w + 1) * count / self->threads;
    }
    atomic_store(&self->busy, self->threads - 1);
    start_round(self);
    work_off(self, 0);
    for (int spin = 0; atomic_load_explicit(&self->busy, memory_order_acquire) > 0;)
        if (spin < SPINS) {
            relax();
            spin++;
        } else {
            sched_yield();
        }
}
