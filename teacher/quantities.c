#include "teacher/quantities.h"

#include "flow/first_error.h"
#include "teacher/broken.h"
#include "teacher/turn.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

typedef struct batch {
    const quantities *of;
    double *values;
    const double *x;
    size_t k, n;
    uint64_t first;
    bool *lost; /* (n); NULL: not wanted */
    flow_first_error first_error;
    pthread_mutex_t lock; /* of broken */
    quantities_broken *broken;
} batch;

/* ---- rows that have none */

static void blank(double *values, size_t k)
{
    for (size_t j = 0; j < k; j++)
        values[j] = NAN;
}

/* Rows of a shard that are broken; `at` is the number of its first. */
static void note(batch *b, const bool *broken, const char *why, uint64_t at, size_t n)
{
    size_t count = 0, first = n;
    if (b->lost)
        memcpy(b->lost + (at - b->first), broken, n * sizeof *broken);
    for (size_t r = n; r-- > 0;) {
        count += broken[r];
        first = broken[r] ? r : first;
    }
    if (count == 0)
        return;
    pthread_mutex_lock(&b->lock);
    if (b->broken->count == 0 || at + first < b->broken->row) {
        b->broken->row = at + first;
        snprintf(b->broken->why, sizeof b->broken->why, "%s", *why ? why : "it is not said why");
    }
    b->broken->count += count;
    pthread_mutex_unlock(&b->lock);
}

/* ---- a shard */

/* Rows from `at` on that are points, or those that are none. */
static size_t alike(const batch *b, const double *x, size_t at, size_t n, int points)
{
    size_t end = at;
    while (end < n && broken_is_point(x + end * b->of->dim, b->of->dim) == points)
        end++;
    return end - at;
}

static int derive_points(batch *b, double *values, const double *x, uint64_t at, size_t n,
                         flow_err *err)
{
    bool broken[FLOW_SHARD] = {false};
    char why[QUANTITIES_WHY] = "";
    turn_take(b->of->threads);
    int code = b->of->derive(b->of, values, b->k, broken, why, x, n, err);
    turn_give(b->of->threads);
    if (code)
        return code;
    for (size_t r = 0; r < n; r++)
        if (broken[r])
            blank(values + r * b->k, b->k);
    note(b, broken, why, at, n);
    return 0;
}

static void lose(batch *b, double *values, uint64_t at, size_t n)
{
    bool broken[FLOW_SHARD];
    for (size_t r = 0; r < n; r++)
        broken[r] = true;
    blank(values, n * b->k);
    if (n > 0)
        note(b, broken, "the row is not finite", at, n);
}

static int derive_shard(batch *b, size_t row, size_t n, flow_err *err)
{
    const double *x = b->x + row * b->of->dim;
    double *values = b->values + row * b->k;
    int code = 0;
    for (size_t r = 0; r < n && !code;) {
        size_t good = alike(b, x, r, n, 1), bad = alike(b, x, r + good, n, 0);
        if (good > 0)
            code = derive_points(b, values + r * b->k, x + r * b->of->dim, b->first + row + r, good,
                                 err);
        lose(b, values + (r + good) * b->k, b->first + row + r + good, bad);
        r += good + bad;
    }
    return code;
}

static void run_shard(void *arg, size_t index, size_t worker)
{
    batch *b = arg;
    flow_err err = FLOW_ERR_INIT;
    size_t row = index * FLOW_SHARD, n = b->n - row < FLOW_SHARD ? b->n - row : FLOW_SHARD;
    (void)worker;
    if (flow_first_error_spares(&b->first_error, index))
        return;
    if (derive_shard(b, row, n, &err))
        flow_first_error_note(&b->first_error, index, &err);
}

/* ---- the whole */

int quantities_derive(const quantities *self, flow_pool *pool, double *values, size_t k, bool *lost,
                      quantities_broken *broken, const double *x, size_t n, uint64_t first,
                      flow_err *err)
{
    quantities_broken now = {.count = 0};
    batch b = {.of = self,
               .values = values,
               .x = x,
               .k = k,
               .n = n,
               .first = first,
               .lost = lost,
               .broken = &now};
    flow_first_error_init(&b.first_error);
    pthread_mutex_init(&b.lock, NULL);
    flow_pool_run(pool, run_shard, &b, (n + FLOW_SHARD - 1) / FLOW_SHARD);
    int code = flow_first_error_take(&b.first_error, err);
    pthread_mutex_destroy(&b.lock);
    flow_first_error_release(&b.first_error);
    uint64_t before = broken->count;
    if (before == 0)
        *broken = now;
    broken->count = before + now.count;
    return code;
}
