#include "student/ruler.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdlib.h>

struct student_ruler {
    const flow *student;
    flow_pool *pool;
    const target *teacher;
    double *x, *log_q, *log_p; /* (rows, D), (rows), (rows) */
    double *context;           /* (rows, C); NULL */
    pcg_stream noise;
    size_t rows;
};

static int take(student_ruler *self, flow_err *err)
{
    size_t dim = self->teacher->dim, c = self->teacher->context;
    self->x = malloc(self->rows * (dim + 2) * sizeof *self->x);
    self->context = c ? malloc(self->rows * c * sizeof *self->context) : NULL;
    if (!self->x || (c && !self->context))
        return flow_fail(err, FLOW_ENOMEM, "out of memory to tell better weights from worse");
    self->log_q = self->x + self->rows * dim;
    self->log_p = self->log_q + self->rows;
    return 0;
}

static void draw_contexts(student_ruler *self, const distill_contexts *contexts, uint64_t seed)
{
    const pcg_stream stream = {.seed = seed, .stage = STREAM_RULER, .purpose = PCG_CONTEXT};
    if (self->context)
        distill_contexts_draw(contexts, self->context, self->rows, self->teacher->context, stream);
}

student_ruler *student_ruler_create(const flow *student, flow_pool *pool, const target *teacher,
                                    const distill_contexts *contexts, uint64_t seed, size_t rows,
                                    flow_err *err)
{
    student_ruler *self = calloc(1, sizeof *self);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory to tell better weights from worse");
        return NULL;
    }
    *self = (student_ruler){.student = student,
                            .pool = pool,
                            .teacher = teacher,
                            .rows = rows,
                            .noise = {.seed = seed, .stage = STREAM_RULER, .purpose = PCG_BASE}};
    if (take(self, err)) {
        student_ruler_free(self);
        return NULL;
    }
    draw_contexts(self, contexts, seed);
    return self;
}

void student_ruler_free(student_ruler *self)
{
    if (!self)
        return;
    free(self->x);
    free(self->context);
    free(self);
}

int student_ruler_measure(const student_ruler *self, double *kl, flow_err *err)
{
    int code = flow_sample(self->student, self->pool, self->x, self->log_q, self->context,
                           self->noise, 0, self->rows, err);
    if (!code)
        code = target_log_density(self->teacher, self->pool, self->log_p, NULL, NULL, self->x,
                                  self->context, self->rows, err);
    *kl = 0;
    for (size_t r = 0; r < self->rows && !code; r++)
        *kl += (self->log_q[r] - self->log_p[r]) / (double)self->rows;
    return code;
}

double student_ruler_lr(double kl, double most)
{
    const double at_one = 5e-4, least = 1e-5;
    return isfinite(kl) ? fmin(most, fmax(least, at_one * sqrt(fmax(kl, 0)))) : most;
}

double student_ruler_score(distill_state *state)
{
    double kl = state->kl_warm;
    int first = state->step == 0;
    if (first)
        state->kl_start = state->kl_least = kl;
    state->kl_least = fmin(state->kl_least, kl);
    double told = sqrt(2 * fmax(state->kl_least, 0) / RULER_ROWS);
    int beats = first || isnan(state->kl_start) || kl < state->kl_start;
    return isfinite(kl) && beats && kl <= state->kl_least + told ? -(double)state->step : INFINITY;
}
