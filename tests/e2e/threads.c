/* tests/e2e/threads.c -- everything that threads share, for the thread sanitizer: pools that are
 * made, used and thrown away, parts of tasks, lanes, a fit, a distillation, sampling. Criterion runs
 * tests in forked processes, which that sanitizer does not follow, so this is a program of its own.
 *
 * Prints a line per check as the end-to-end scripts do; status 1 if one failed. */
#include "flow/blas.h"
#include "flow/lanes.h"
#include "flow/pool.h"
#include "student/distill.h"
#include "teacher/fit.h"
#include "teacher/generate.h"
#include "tests/common/spec.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, ROWS = 600, TASKS = 5000 };

static int failures;

static void check(const char *name, bool good, const flow_err *err)
{
    printf(good ? "ok %s\n" : "not ok %s: %s\n", name, err->text[0] ? err->text : "wrong result");
    failures += !good;
}

/* ---- pool and lanes */

typedef struct tally {
    unsigned char seen[TASKS]; /* by index: each is one task's own */
    size_t busy[THREADS]; /* by worker: plain numbers, since a worker runs one task at a time */
} tally;

static void count(void *arg, size_t index, size_t worker)
{
    tally *t = arg;
    t->seen[index]++;
    t->busy[worker]++;
}

/* Every task once, and their number over all workers. */
static bool all_counted(flow_pool *pool, size_t tasks)
{
    tally t = {.busy = {0}};
    flow_pool_run(pool, count, &t, tasks);
    size_t sum = 0;
    for (size_t i = 0; i < THREADS; i++)
        sum += t.busy[i];
    bool good = sum == tasks;
    for (size_t i = 0; i < TASKS; i++)
        good = good && t.seen[i] == (i < tasks);
    return good;
}

static void check_pools(flow_err *err)
{
    static const size_t sizes[] = {0, 1, 2, 3, THREADS, 17, TASKS};
    bool good = true;
    for (size_t life = 0; life < 30; life++) {
        flow_pool *pool = flow_pool_create(1 + life % THREADS, err);
        for (size_t round = 0; pool && round < 100; round++)
            good = good && all_counted(pool, sizes[(life + round) % 7]);
        good = good && pool;
        flow_pool_free(pool);
    }
    check("a pool runs every task once", good, err);
}

/* Each task fills its row in two sweeps of parts, of which the second reads what the first wrote. */
typedef struct grid {
    size_t values[2 * THREADS][2][500]; /* by task */
} grid;

static void fill_part(void *arg, size_t index)
{
    ((size_t(*)[500])arg)[0][index] += index;
}

static void sum_part(void *arg, size_t index)
{
    size_t(*row)[500] = arg;
    row[1][index] = row[0][499 - index] + row[0][(index + 250) % 500];
}

static void share_row(void *arg, size_t index, size_t worker)
{
    grid *g = arg;
    (void)worker;
    flow_pool_share(fill_part, g->values[index], 500);
    flow_pool_share(sum_part, g->values[index], 500);
}

static void check_parts(flow_pool *pool, flow_err *err)
{
    static grid g;
    bool good = true;
    for (size_t round = 1; round <= 60; round++) {
        size_t tasks = 1 + round % (2 * THREADS);
        g = (grid){0};
        flow_pool_run(pool, share_row, &g, tasks);
        for (size_t t = 0; t < tasks; t++)
            for (size_t i = 0; i < 500; i++)
                good = good && g.values[t][1][i] == 499 - i + (i + 250) % 500;
    }
    check("parts of tasks are done once, in order of the sweeps", good, err);
}

static void add_rows(void *arg, const flow_slice *slice)
{
    size_t *sums = arg; /* by lane: no lock is needed */
    for (size_t i = 0; i < slice->n; i++)
        sums[slice->lane] += slice->row + i;
}

static void check_lanes(flow_pool *pool, flow_err *err)
{
    bool good = true;
    for (size_t batch = 1; batch < 400; batch += 7) {
        size_t sums[FLOW_MAX_LANES] = {0}, sum = 0;
        flow_lanes lanes = flow_lanes_cut(batch, 8);
        flow_lanes_run(&lanes, pool, add_rows, sums);
        for (size_t i = 0; i < FLOW_MAX_LANES; i++)
            sum += sums[i];
        good = good && sum == batch * (batch - 1) / 2;
    }
    check("lanes cover a batch once", good, err);
}

/* ---- training */

static data_set *moons(flow_err *err)
{
    data_options options = data_options_default();
    file_table *table = data_generate_table(&data_generators[0], 0.1, 1, ROWS, err);
    data_set *out = table ? data_set_create(table, "moons", &options, err) : NULL;
    file_table_free(table);
    return out;
}

/* The map between hidden units is so wide that threads share it. */
static flow_spec spec_of(flow_direction direction, size_t dim)
{
    static const size_t hidden[] = {192, 192};
    return (flow_spec){.dim = dim,
                       .direction = direction,
                       .layers = 2,
                       .hidden = hidden,
                       .n_hidden = 2,
                       .activation = "tanh",
                       .transformer = "spline",
                       .bins = 4,
                       .bound = 4,
                       .scale_bound = 5,
                       .permute = FLOW_REVERSE,
                       .lu = true,
                       .actnorm = true,
                       .stream = {.seed = 1, .stage = PCG_TEST, .purpose = PCG_PERMUTE}};
}

static flow *fitted(flow_pool *pool, const data_set *data, flow_err *err)
{
    flow_spec spec = spec_of(FLOW_DATA_TO_NOISE, data->dim);
    teacher_fit_options options = {
        .batch = 90, .epochs = 2, .shard = 32, .lr = 1e-3, .average = 0.9, .clip = 5, .seed = 1};
    teacher_fit_state state;
    flow *maf = flow_spec_create(&spec, FLOW_F32, err);
    if (maf && teacher_fit(maf, &state, pool, data, &options, NULL, NULL, err) == 0)
        return maf;
    flow_free(maf);
    return NULL;
}

static flow *distilled(flow_pool *pool, flow *maf, flow_err *err)
{
    flow_spec spec = spec_of(FLOW_NOISE_TO_DATA, flow_dim(maf));
    distill_options options = {.batch = 90,
                               .steps = 30,
                               .shard = 32,
                               .lr = 1e-3,
                               .clip = 10,
                               .average = 0.9,
                               .gradient = DISTILL_AUTO,
                               .forward = 0.5,
                               .temper = 0.5,
                               .temper_until = 0.3,
                               .late_batch = 2,
                               .late_from = 0.8,
                               .seed = 1};
    distill_state state;
    flow *iaf = flow_spec_create(&spec, FLOW_F32, err);
    target *teacher = iaf ? target_from_flow(maf, err) : NULL;
    int code = teacher
                   ? student_distill(iaf, &state, pool, teacher, NULL, &options, NULL, NULL, err)
                   : err->code;
    target_free(teacher);
    if (!code)
        return iaf;
    flow_free(iaf);
    return NULL;
}

/* Samples of many threads are those of one. */
static void check_samples(const flow *iaf, flow_pool *pool, flow_err *err)
{
    static double x[2][ROWS * 2], logp[2][ROWS];
    pcg_stream stream = {.seed = 1, .stage = PCG_TEST, .purpose = PCG_BASE};
    flow_pool *one = flow_pool_create(1, err);
    bool good = one && flow_sample(iaf, pool, x[0], logp[0], NULL, stream, 0, ROWS, err) == 0 &&
                flow_sample(iaf, one, x[1], logp[1], NULL, stream, 0, ROWS, err) == 0 &&
                memcmp(x[0], x[1], sizeof x[0]) == 0 && memcmp(logp[0], logp[1], sizeof *logp) == 0;
    flow_pool_free(one);
    check("samples of four threads are those of one", good, err);
}

int main(void)
{
    flow_err err = FLOW_ERR_INIT;
    flow_blas_one_thread();
    check_pools(&err);
    flow_pool *pool = flow_pool_create(THREADS, &err);
    data_set *data = pool ? moons(&err) : NULL;
    flow *maf = NULL, *iaf = NULL;
    if (data) {
        check_parts(pool, &err);
        check_lanes(pool, &err);
        maf = fitted(pool, data, &err);
        check("a fit by four threads", maf, &err);
    }
    if (maf) {
        iaf = distilled(pool, maf, &err);
        check("a distillation by four threads", iaf, &err);
    }
    if (iaf)
        check_samples(iaf, pool, &err);
    flow_free(iaf);
    flow_free(maf);
    data_set_free(data);
    flow_pool_free(pool);
    return failures > 0 || !iaf;
}
