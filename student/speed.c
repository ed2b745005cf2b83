#include "student/speed.h"

#include "flow/clock.h"
#include "flow/sort.h"
#include "flow/unroll.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* ---- batches */

typedef struct timing {
    bool density;   /* log p at the student's rows; else samples */
    size_t most;    /* rows a call */
    double seconds; /* calls are made for so long, one at least */
} timing;

enum { MOST_ROWS = 16384 };

/* A call is so short, if a shard a thread is, which the first one has: where other processes want the processors, too, one of many
 * short calls has them for itself, and a long one never does. */
static const double SHORT = 0.003;

static size_t short_rows(double rate, size_t most, const student_sides *v)
{
    size_t round = FLOW_SHARD * flow_pool_threads(v->pool);
    double rounds = SHORT * rate / (double)round;
    size_t rows = rounds < 1 ? round : rounds < (double)most ? (size_t)rounds * round : most;
    return rows < most ? rows : most;
}

static int time_batch(double *rate, const flow *f, const student_sides *v, const timing *how,
                      flow_err *err)
{
    const size_t most = v->n < how->most ? v->n : how->most;
    size_t n = short_rows(0, most, v);
    double *x = malloc((most * (v->dim + 1) + 1) * sizeof *x), best = 0, start = flow_seconds();
    if (!x)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows to be timed", most);
    double *logp = x + most * v->dim;
    pcg_stream stream = student_sides_stream(v, PCG_BASE);
    int code = 0;
    while (!code && n > 0 && (best == 0 || flow_seconds() - start < how->seconds)) {
        double t = flow_seconds();
        code = how->density ? flow_log_prob(f, v->pool, logp, NULL, v->own.x, v->context, n, err)
                            : flow_sample(f, v->pool, x, logp, v->context, stream, 0, n, err);
        t = flow_seconds() - t;
        best = fmax(best, (double)n / t);
        n = short_rows(best, most, v);
    }
    free(x);
    *rate = best > 0 ? best : NAN;
    return code;
}

int student_speed_sample(double *rate, const flow *f, const student_sides *sides, flow_err *err)
{
    return time_batch(rate, f, sides, &(timing){false, MOST_ROWS, 0.2}, err);
}

int student_speed_density(double *rate, const flow *f, const student_sides *sides, flow_err *err)
{
    return time_batch(rate, f, sides, &(timing){true, MOST_ROWS, 0.2}, err);
}

/* ---- single rows */

enum { LEAST_CALLS = 5, MOST_CALLS = 4096 };

/* One row a call, in a pass that is kept, as a task of its own: so threads share wide maps. */
typedef struct single {
    const student_sides *sides;
    flow_pass *pass;
    double *x, *z, logp;
    double took[MOST_CALLS];
    size_t calls;
} single;

static void one_row(void *arg, size_t index, size_t worker)
{
    single *self = arg;
    (void)index, (void)worker;
    flow_pass_transport(self->pass, NULL, self->x, &self->logp, self->z, self->sides->context, 1);
}

static void call(single *self, const flow *f)
{
    pcg_stream stream = student_sides_stream(self->sides, PCG_BASE);
    flow_noise(f, NULL, self->z, stream, self->calls, 1);
    double t = flow_seconds();
    flow_pool_run(self->sides->pool, one_row, self, 1);
    self->took[self->calls++] = flow_seconds() - t;
}

static double median_call(single *self, const flow *f)
{
    double start = flow_seconds();
    while (self->calls < LEAST_CALLS || (self->calls < MOST_CALLS && flow_seconds() - start < 0.05))
        call(self, f);
    flow_sort_numbers(self->took, self->calls);
    return self->took[self->calls / 2];
}

int student_speed_row(double *seconds, const flow *f, const student_sides *sides, flow_err *err)
{
    *seconds = NAN;
    if (sides->n == 0)
        return 0;
    single *self = calloc(1, sizeof *self);
    double *rows = malloc(2 * sides->dim * sizeof *rows);
    flow_pass *pass = self && rows ? flow_pass_create(f, 1, 0, err) : NULL;
    int code = pass ? 0 : err->code ? err->code : flow_fail(err, FLOW_ENOMEM, "out of memory");
    if (!code) {
        *self = (single){.sides = sides, .pass = pass, .x = rows, .z = rows + sides->dim};
        *seconds = median_call(self, f);
    }
    flow_pass_free(pass);
    free(rows);
    free(self);
    return code;
}

int student_speed_both(double *rate, double *seconds, const flow *f, const student_sides *sides,
                       flow_err *err)
{
    int code = student_speed_sample(rate, f, sides, err);
    return code ? code : student_speed_row(seconds, f, sides, err);
}

/* ---- everyone */

const student_speed student_not_timed = {
    .student = {NAN, NAN},
    .as_trained = {NAN, NAN},
    .teacher_incremental = {NAN, NAN},
    .teacher_naive = {NAN, NAN},
    .teacher_density = NAN,
};

static int pace_of(student_pace *out, const flow *f, const student_sides *sides, flow_err *err)
{
    return student_speed_both(&out->rows_per_s, &out->row_seconds, f, sides, err);
}

/* Rows for which `passes` passes at that rate take a twentieth of a second. */
static size_t rows_in_time(double rate, size_t passes)
{
    double rows = 0.05 * rate / (double)passes;
    return rows < 1 ? 1 : rows < MOST_ROWS ? (size_t)rows : MOST_ROWS;
}

static int time_naive(student_speed *out, const flow *teacher, const student_sides *sides,
                      flow_err *err)
{
    const flow_unrolling how = {flow_passes_of_inverse(teacher), true, 1};
    flow_err refused = FLOW_ERR_INIT;
    if (how.iterations > FLOW_MAX_ITERATIONS || sides->n == 0)
        return 0;
    flow *naive = flow_unroll(teacher, &how, flow_get_precision(teacher), &refused);
    if (!naive)
        return refused.code == FLOW_ECONFIG ? 0 : flow_fail(err, refused.code, "%s", refused.text);
    const timing batch = {false, rows_in_time(out->teacher_density, how.iterations), 0.1};
    int code = time_batch(&out->teacher_naive.rows_per_s, naive, sides, &batch, err);
    if (!code)
        code = student_speed_row(&out->teacher_naive.row_seconds, naive, sides, err);
    flow_free(naive);
    return code;
}

int student_speed_all(student_speed *out, const flow *student, const flow *teacher,
                      const student_sides *sides, flow_err *err)
{
    *out = student_not_timed;
    int code = pace_of(&out->student, student, sides, err);
    if (code || !teacher)
        return code;
    code = pace_of(&out->teacher_incremental, teacher, sides, err);
    if (!code)
        code = student_speed_density(&out->teacher_density, teacher, sides, err);
    return code ? code : time_naive(out, teacher, sides, err);
}
