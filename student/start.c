#include "student/start.h"
#include "flow/block.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct student_start {
    flow *student;
    flow_pool *pool;
    const target *teacher;
    void *params;              /* of the start */
    double kl;                 /* likewise */
    double *x, *log_q, *log_p; /* (START_ROWS, D), (START_ROWS), (START_ROWS) */
    double *context;           /* (START_ROWS, C); NULL */
    pcg_stream noise;
};

static void draw_contexts(student_start *self, const distill_contexts *contexts, uint64_t seed)
{
    const pcg_stream stream = {.seed = seed, .stage = STREAM_START, .purpose = PCG_CONTEXT};
    if (self->context)
        distill_contexts_draw(contexts, self->context, START_ROWS, self->teacher->context, stream);
}

/* log p~ of a normalised target or not: a constant is the same both times. */
static int measure(student_start *self, double *kl, flow_err *err)
{
    int code = flow_sample(self->student, self->pool, self->x, self->log_q, self->context,
                           self->noise, 0, START_ROWS, err);
    if (!code)
        code = target_log_density(self->teacher, self->pool, self->log_p, NULL, NULL, self->x,
                                  self->context, START_ROWS, err);
    *kl = 0;
    for (size_t r = 0; r < START_ROWS && !code; r++)
        *kl += (self->log_q[r] - self->log_p[r]) / START_ROWS;
    return code;
}

static int take(student_start *self, flow_err *err)
{
    size_t dim = self->teacher->dim, c = self->teacher->context;
    self->params = flow_block_new(flow_params_bytes(self->student));
    self->x = malloc(START_ROWS * (dim + 2) * sizeof *self->x);
    self->context = c ? malloc(START_ROWS * c * sizeof *self->context) : NULL;
    if (!self->params || !self->x || (c && !self->context))
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the weights of the start");
    self->log_q = self->x + START_ROWS * dim;
    self->log_p = self->log_q + START_ROWS;
    memcpy(self->params, flow_params_const(self->student), flow_params_bytes(self->student));
    return 0;
}

student_start *student_start_create(flow *student, flow_pool *pool, const target *teacher,
                                    const distill_contexts *contexts, uint64_t seed, flow_err *err)
{
    student_start *self = calloc(1, sizeof *self);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for the weights of the start");
        return NULL;
    }
    *self = (student_start){.student = student,
                            .pool = pool,
                            .teacher = teacher,
                            .noise = {.seed = seed, .stage = STREAM_START, .purpose = PCG_BASE}};
    int code = take(self, err);
    if (!code) {
        draw_contexts(self, contexts, seed);
        code = measure(self, &self->kl, err);
    }
    if (!code)
        return self;
    student_start_free(self);
    return NULL;
}

void student_start_free(student_start *self)
{
    if (!self)
        return;
    free(self->params);
    free(self->x);
    free(self->context);
    free(self);
}

int student_start_judge(student_start *self, int *back, flow_err *err)
{
    double now;
    int code = measure(self, &now, err);
    bool better = now < self->kl || (isnan(self->kl) && !isnan(now));
    *back = !code && !better;
    if (*back)
        memcpy(flow_params(self->student), self->params, flow_params_bytes(self->student));
    return code;
}
