#include "tests/bench/case.h"
#include "flow/round.h"
#include "tests/bench/common.h"
#include "tests/bench/distilling.h"
#include "tests/bench/naive.h"
#include "tests/bench/training.h"

#include <stdlib.h>

enum { NAIVE_ROWS = 512, NAIVE_PASSES = 4 };

struct bench_case {
    const bench_size *size;
    flow_pool *pool;
    flow *teacher, *student, *rounded;
    flow *trained; /* by steps, so that the others keep their weights */
    flow *pupil;
    training *training;
    naive *naive;
    flow_pass *single, *single_rounded; /* of the student */
    double live;
    size_t distill_steps; /* of the next call; grows until the call is long enough */
    uint64_t drawn;       /* rows by BENCH_ONE so far */
    double *x, *z, *logp; /* (rows, D), (rows, D), (rows) */
};

const char *const bench_op_keys[BENCH_OPS] = {"step", "density", "sample",   "naive",  "student",
                                              "one",  "int8",    "int8-one", "distill"};

static const pcg_stream noise = {.seed = 3, .stage = PCG_TEST, .purpose = PCG_BASE};

static flow_pass *one_row_pass(const flow *f)
{
    flow_err err = FLOW_ERR_INIT;
    flow_pass *out = flow_pass_create(f, 1, 0, &err);
    if (!out)
        die("%s", err.text);
    return out;
}

static flow *rounded(const flow *f)
{
    flow_err err = FLOW_ERR_INIT;
    flow *out = flow_round(f, FLOW_NETWORK_INT8, &err);
    if (!out)
        die("%s", err.text);
    return out;
}

bench_case *bench_case_create(const bench_size *size, flow_pool *pool)
{
    bench_case *self = take(1, sizeof *self);
    *self = (bench_case){.size = size, .pool = pool, .distill_steps = 2};
    self->teacher = bench_network(size, FLOW_DATA_TO_NOISE, 1);
    self->trained = bench_network(size, FLOW_DATA_TO_NOISE, 1);
    self->student = bench_network(size, FLOW_NOISE_TO_DATA, 2);
    self->pupil = bench_network(size, FLOW_NOISE_TO_DATA, 2);
    self->training = training_create(self->trained, pool, size->batch);
    self->naive = naive_create(self->teacher, pool);
    self->rounded = rounded(self->student);
    self->single = one_row_pass(self->student);
    self->single_rounded = one_row_pass(self->rounded);
    self->live = bench_live_weights(self->teacher);
    self->x = take(size->rows * size->dim, sizeof *self->x);
    self->z = take(size->rows * size->dim, sizeof *self->z);
    self->logp = take(size->rows, sizeof *self->logp);
    pcg_normals(self->z, noise, 0, size->rows, size->dim);
    return self;
}

void bench_case_free(bench_case *self)
{
    if (!self)
        return;
    training_free(self->training);
    naive_free(self->naive);
    flow_pass_free(self->single);
    flow_pass_free(self->single_rounded);
    flow_free(self->teacher);
    flow_free(self->trained);
    flow_free(self->student);
    flow_free(self->rounded);
    flow_free(self->pupil);
    free(self->x);
    free(self->z);
    free(self->logp);
    free(self);
}

const flow *bench_case_teacher(const bench_case *self)
{
    return self->teacher;
}

const flow *bench_case_student(const bench_case *self)
{
    return self->student;
}

/* ---- one call of each operation; returns the rows that it has done */

static double one_step(bench_case *self)
{
    training_step(self->training);
    return (double)self->size->batch;
}

static double one_density(bench_case *self)
{
    flow_err err = FLOW_ERR_INIT;
    if (flow_log_prob(self->teacher, self->pool, self->logp, NULL, self->z, NULL, self->size->rows,
                      &err))
        die("%s", err.text);
    return (double)self->size->rows;
}

static double one_sampling(bench_case *self, const flow *f)
{
    flow_err err = FLOW_ERR_INIT;
    if (flow_sample(f, self->pool, self->x, self->logp, NULL, noise, 0, self->size->rows, &err))
        die("%s", err.text);
    return (double)self->size->rows;
}

static double one_teacher_sampling(bench_case *self)
{
    return one_sampling(self, self->teacher);
}

static double one_student_sampling(bench_case *self)
{
    return one_sampling(self, self->student);
}

static double one_rounded_sampling(bench_case *self)
{
    return one_sampling(self, self->rounded);
}

/* A row of this pass. */
typedef struct row_call {
    bench_case *of;
    flow_pass *pass;
} row_call;

static void one_row(void *arg, size_t index, size_t worker)
{
    const row_call *call = arg;
    const bench_case *self = call->of;
    (void)index, (void)worker;
    flow_pass_transport(call->pass, NULL, self->x, self->logp, self->x + self->size->dim, NULL, 1);
}

/* A thousand calls, so that the clock is not what is timed. */
static double rows_of(bench_case *self, flow_pass *pass)
{
    enum { CALLS = 1000 };
    row_call call = {.of = self, .pass = pass};
    for (size_t i = 0; i < CALLS; i++) {
        pcg_normals(self->x + self->size->dim, noise, self->drawn++, 1, self->size->dim);
        flow_pool_run(self->pool, one_row, &call, 1);
    }
    return CALLS;
}

static double one_row_sampling(bench_case *self)
{
    return rows_of(self, self->single);
}

static double one_rounded_row(bench_case *self)
{
    return rows_of(self, self->single_rounded);
}

/* Some of the D passes: that share of the rows. */
static double one_naive(bench_case *self)
{
    size_t dim = self->size->dim, passes = dim < NAIVE_PASSES ? dim : NAIVE_PASSES;
    size_t n = self->size->rows < NAIVE_ROWS ? self->size->rows : NAIVE_ROWS;
    naive_sample(self->naive, self->x, self->z, n, passes);
    return (double)n * (double)passes / (double)dim;
}

static double (*const one[BENCH_OPS])(bench_case *) = {
    [BENCH_STEP] = one_step,
    [BENCH_DENSITY] = one_density,
    [BENCH_SAMPLE] = one_teacher_sampling,
    [BENCH_NAIVE] = one_naive,
    [BENCH_STUDENT] = one_student_sampling,
    [BENCH_ONE] = one_row_sampling,
    [BENCH_INT8] = one_rounded_sampling,
    [BENCH_INT8_ONE] = one_rounded_row,
};

/* ---- rates */

/* As many steps as the call before says are needed; again if that was far off. */
static double distill_rate(bench_case *self, double least)
{
    for (;;) {
        size_t steps = self->distill_steps;
        double took =
            distilling_seconds(self->pupil, self->teacher, self->pool, self->size->batch, steps);
        if (took < least)
            self->distill_steps = (size_t)((double)steps * 1.2 * least / (took + 1e-6)) + 1;
        if (took >= 0.8 * least)
            return (double)(steps * self->size->batch) / took;
    }
}

double bench_case_rate(bench_case *self, bench_op op, double least)
{
    if (op == BENCH_DISTILL)
        return distill_rate(self, least);
    double start = seconds(), took = 0, rows = 0;
    while (took < least || rows == 0) {
        rows += one[op](self);
        took = seconds() - start;
    }
    return rows / took;
}

double bench_case_flops(const bench_case *self, bench_op op)
{
    const double times[BENCH_OPS] = {[BENCH_STEP] = 3,    [BENCH_DENSITY] = 1,
                                     [BENCH_SAMPLE] = 1,  [BENCH_NAIVE] = (double)self->size->dim,
                                     [BENCH_STUDENT] = 1, [BENCH_ONE] = 1,
                                     [BENCH_INT8] = 1,    [BENCH_INT8_ONE] = 1,
                                     [BENCH_DISTILL] = 5};
    return 2 * self->live * times[op];
}
