#define _GNU_SOURCE /* sched_getaffinity, CPU_COUNT */
/* flow/pool.c -- a fork-join pool for steps of tens of microseconds: workers look for work in a short
 * spin before they sleep.
 *
 * Every worker has its share of the indices, the same in every round of equal length, so that what a
 * task left in a core's cache is found there again; who is done takes tasks of others, and when none is
 * left to be taken, parts of those that are still at work.
 *
 * Rounds and shared tasks are behind gates. Who wants to work there enters first and then looks
 * whether it is open; the owner closes it and waits until all have left before it changes anything. So
 * nobody ever waits for a worker that has not woken up yet. */
#include "flow/pool.h"
#include "flow/blas.h"
#include "flow/block.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { SPINS = 4000 };

typedef struct gate {
    atomic_int open;
    atomic_size_t inside; /* the owner not counted */
} gate;

/* Indices that a worker takes first. */
typedef struct share {
    _Alignas(64) atomic_size_t next;
    size_t end;
} share;

/* A task that its worker has cut into parts. It takes them from the front, helpers from behind, so
 * that each finds in its cache what it had there the time before. */
typedef struct job {
    _Alignas(64) gate gate;
    atomic_size_t taken, taken_behind;
    void (*part)(void *arg, size_t index);
    void *arg;
    size_t count;
} job;

struct flow_pool {
    size_t threads;
    share *shares;      /* (threads) */
    job *jobs;          /* (threads) */
    pthread_t *handles; /* (threads - 1) */
    size_t started;
    void (*task)(void *arg, size_t index, size_t worker);
    void *arg;
    _Alignas(64) gate round;
    _Alignas(64) atomic_uint calls; /* goes up when there is something to do */
    atomic_uint sleepers;
    atomic_int quit;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
};

/* What a thread is doing. */
typedef struct seat {
    flow_pool *pool; /* NULL: not in a task */
    size_t worker;
    int in_part;
} seat;

static _Thread_local seat here;

/* ---- waiting */

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static int gate_enter(gate *self)
{
    atomic_fetch_add(&self->inside, 1);
    if (atomic_load(&self->open))
        return 1;
    atomic_fetch_sub(&self->inside, 1);
    return 0;
}

static void gate_leave(gate *self)
{
    atomic_fetch_sub_explicit(&self->inside, 1, memory_order_release);
}

static void call(flow_pool *self)
{
    atomic_fetch_add(&self->calls, 1);
    if (atomic_load(&self->sleepers) == 0)
        return;
    pthread_mutex_lock(&self->mutex);
    pthread_cond_broadcast(&self->wake);
    pthread_mutex_unlock(&self->mutex);
}

static void wait_for_call(flow_pool *self, unsigned seen)
{
    for (int spin = 0; spin < SPINS; spin++) {
        if (atomic_load_explicit(&self->calls, memory_order_acquire) != seen)
            return;
        relax();
    }
    pthread_mutex_lock(&self->mutex);
    atomic_fetch_add(&self->sleepers, 1);
    while (atomic_load(&self->calls) == seen)
        pthread_cond_wait(&self->wake, &self->mutex);
    atomic_fetch_sub(&self->sleepers, 1);
    pthread_mutex_unlock(&self->mutex);
}

/* ---- tasks and their parts */

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

static int take_part(job *self)
{
    return atomic_load_explicit(&self->taken, memory_order_relaxed) < self->count &&
           atomic_fetch_add_explicit(&self->taken, 1, memory_order_relaxed) < self->count;
}

static void work_from_front(job *self)
{
    for (size_t index = 0; take_part(self); index++)
        self->part(self->arg, index);
}

static int work_from_behind(job *self)
{
    int found = 0;
    for (; take_part(self); found = 1) {
        size_t behind = atomic_fetch_add_explicit(&self->taken_behind, 1, memory_order_relaxed);
        self->part(self->arg, self->count - 1 - behind);
    }
    return found;
}

/* Whether there was a part to be taken from the others. */
static int help(flow_pool *self, size_t worker)
{
    int found = 0;
    here.in_part = 1;
    for (size_t k = 1; k < self->threads; k++) {
        job *other = &self->jobs[(worker + k) % self->threads];
        if (!atomic_load_explicit(&other->gate.open, memory_order_relaxed) ||
            !gate_enter(&other->gate))
            continue;
        found |= work_from_behind(other);
        gate_leave(&other->gate);
    }
    here.in_part = 0;
    return found;
}

/* Closes it and waits until all have left. helping: the pool whose parts the caller, its worker 0, takes
 * meanwhile; NULL: none. */
static void gate_close(gate *self, flow_pool *helping)
{
    atomic_store(&self->open, 0);
    for (int spin = 0; atomic_load_explicit(&self->inside, memory_order_acquire) > 0;)
        if (helping && help(helping, 0)) {
            spin = 0;
        } else if (spin < SPINS) {
            relax();
            spin++;
        } else {
            sched_yield();
        }
}

void flow_pool_share(void (*part)(void *arg, size_t index), void *arg, size_t count)
{
    flow_pool *pool = here.pool;
    if (!pool || here.in_part || count <= 1) {
        for (size_t index = 0; index < count; index++)
            part(arg, index);
        return;
    }
    job *own = &pool->jobs[here.worker];
    own->part = part;
    own->arg = arg;
    own->count = count;
    atomic_store_explicit(&own->taken, 0, memory_order_relaxed);
    atomic_store_explicit(&own->taken_behind, 0, memory_order_relaxed);
    atomic_store(&own->gate.open, 1);
    call(pool);
    here.in_part = 1;
    work_from_front(own);
    here.in_part = 0;
    gate_close(&own->gate, NULL);
}

static void *worker_main(void *arg)
{
    seat *own = arg;
    here = *own;
    free(own);
    flow_pool *self = here.pool;
    for (;;) {
        unsigned seen = atomic_load(&self->calls);
        if (atomic_load(&self->quit))
            return NULL;
        if (gate_enter(&self->round)) {
            work_off(self, here.worker);
            gate_leave(&self->round);
        }
        if (!help(self, here.worker))
            wait_for_call(self, seen);
    }
}

/* ---- making one */

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
    if (flow_blas_check(err))
        return NULL;
    if (threads == 0)
        threads = processors();
    threads = threads > FLOW_MAX_THREADS ? FLOW_MAX_THREADS : threads;
    flow_pool *self = flow_block_new(sizeof *self);
    if (!self)
        goto fail;
    self->threads = threads;
    pthread_mutex_init(&self->mutex, NULL);
    pthread_cond_init(&self->wake, NULL);
    self->handles = calloc(threads, sizeof *self->handles);
    self->shares = flow_block_new(threads * sizeof *self->shares);
    self->jobs = flow_block_new(threads * sizeof *self->jobs);
    if (!self->handles || !self->shares || !self->jobs)
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
    call(self);
    for (size_t w = 0; w < self->started; w++)
        pthread_join(self->handles[w], NULL);
    pthread_cond_destroy(&self->wake);
    pthread_mutex_destroy(&self->mutex);
    free(self->jobs);
    free(self->shares);
    free(self->handles);
    free(self);
}

size_t flow_pool_threads(const flow_pool *self)
{
    return self->threads;
}

/* ---- a round */

static void run_round(flow_pool *self, void (*task)(void *arg, size_t index, size_t worker),
                      void *arg, size_t count)
{
    self->task = task;
    self->arg = arg;
    for (size_t w = 0; w < self->threads; w++) {
        atomic_store(&self->shares[w].next, w * count / self->threads);
        self->shares[w].end = (w + 1) * count / self->threads;
    }
    atomic_store(&self->round.open, 1);
    call(self);
    work_off(self, 0);
    gate_close(&self->round, self);
}

void flow_pool_run(flow_pool *self, void (*task)(void *arg, size_t index, size_t worker), void *arg,
                   size_t count)
{
    const seat before = here;
    assert(before.pool != self && !atomic_load(&self->round.open));
    here = (seat){.pool = self->threads > 1 ? self : NULL};
    if (self->threads == 1 || count <= 1)
        for (size_t index = 0; index < count; index++)
            task(arg, index, 0);
    else
        run_round(self, task, arg, count);
    here = before;
}
