#include "student/sides.h"

#include "flow/round.h"
#include "teacher/streams.h"

#include <stdlib.h>

pcg_stream student_sides_stream(const student_sides *self, pcg_purpose purpose)
{
    return (pcg_stream){.seed = self->seed, .stage = STREAM_VALIDATE, .purpose = purpose};
}

/* ---- memory */

static int take(student_side *s, size_t n, size_t dim)
{
    s->n = n;
    s->x = malloc((n * dim + 1) * sizeof *s->x);
    s->log_p = malloc((n + 1) * sizeof *s->log_p);
    s->log_q = malloc((n + 1) * sizeof *s->log_q);
    s->log_w = malloc((n + 1) * sizeof *s->log_w);
    s->status = malloc((n + 1) * sizeof *s->status);
    return s->x && s->log_p && s->log_q && s->log_w && s->status ? 0 : -1;
}

static void release(student_side *s)
{
    free(s->x);
    free(s->log_p);
    free(s->log_q);
    free(s->log_w);
    free(s->status);
}

/* Rows that the target is asked for: none without a sampler, and none twice of stored draws. */
static size_t rows_of_target(const target *t, size_t n)
{
    if (!t->ops->sample)
        return 0;
    return t->draws && t->draws < n ? (size_t)t->draws : n;
}

static int take_all(student_sides *self, flow_err *err)
{
    size_t c = self->teacher->context;
    self->context = c ? malloc((self->n * c + 1) * sizeof *self->context) : NULL;
    if (take(&self->own, self->n, self->dim) ||
        take(&self->theirs, rows_of_target(self->teacher, self->n), self->dim) ||
        (c && !self->context))
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu validation rows", self->n);
    return 0;
}

void student_sides_release(student_sides *self)
{
    free(self->context);
    release(&self->own);
    release(&self->theirs);
}

/* ---- drawing */

static int draw_contexts(student_sides *self, const distill_contexts *contexts, flow_err *err)
{
    size_t c = self->teacher->context;
    if (c == 0)
        return 0;
    if (!contexts || contexts->n == 0)
        return flow_fail(err, FLOW_EDATA, "no rows of context to validate with");
    distill_contexts_draw(contexts, self->context, self->n, c,
                          student_sides_stream(self, PCG_CONTEXT));
    return 0;
}

static int draw_theirs(student_sides *self, flow_err *err)
{
    student_side *theirs = &self->theirs;
    if (!self->teacher->ops->sample)
        return 0;
    return target_sample(self->teacher, self->pool, theirs->x, theirs->log_p, theirs->status,
                         self->context, student_sides_stream(self, PCG_TARGET), 0, theirs->n, err);
}

int student_sides_init(student_sides *self, const target *teacher, flow_pool *pool,
                       const distill_contexts *contexts, size_t n, uint64_t seed, flow_err *err)
{
    *self = (student_sides){
        .teacher = teacher, .pool = pool, .seed = seed, .n = n, .dim = teacher->dim};
    int code = take_all(self, err);
    if (!code)
        code = draw_contexts(self, contexts, err);
    return code ? code : draw_theirs(self, err);
}

/* ---- a student's turn */

/* log_w: a row that is no point is not the target's fault and stays, to be refused by student_diagnose. */
static int weigh(student_side *s, size_t dim, const char *who, flow_err *err)
{
    s->n_w = 0;
    s->broken = (broken_rows){0};
    for (size_t r = 0; r < s->n; r++) {
        const double *x = s->x + r * dim;
        if (s->status[r] == TARGET_BROKEN && broken_is_point(x, dim))
            broken_note(&s->broken, r, s->log_p[r], x, dim);
        else
            s->log_w[s->n_w++] = s->log_p[r] - s->log_q[r];
    }
    return broken_check(&s->broken, s->broken.count, s->n, who, err);
}

static int meet_own(student_sides *self, const flow *student, flow_err *err)
{
    student_side *own = &self->own;
    int code = flow_sample(student, self->pool, own->x, own->log_q, self->context,
                           student_sides_stream(self, PCG_BASE), 0, own->n, err);
    if (!code)
        code = target_log_density(self->teacher, self->pool, own->log_p, NULL, own->status, own->x,
                                  self->context, own->n, err);
    return code ? code : weigh(own, self->dim, "samples of the student", err);
}

const flow *student_sides_ruler(const flow *student, const flow *precise)
{
    return flow_get_network(student) == FLOW_NETWORK_AS_IS ? precise : student;
}

static int meet_theirs(student_sides *self, const flow *student, flow_err *err)
{
    student_side *theirs = &self->theirs;
    if (theirs->n == 0)
        return 0;
    flow *precise = flow_convert(student, FLOW_F64, err);
    int code = precise
                   ? flow_log_prob(student_sides_ruler(student, precise), self->pool, theirs->log_q,
                                   NULL, theirs->x, self->context, theirs->n, err)
                   : err->code;
    flow_free(precise);
    return code ? code : weigh(theirs, self->dim, "samples of the target", err);
}

int student_sides_meet(student_sides *self, const flow *student, flow_err *err)
{
    int code = meet_own(self, student, err);
    return code ? code : meet_theirs(self, student, err);
}

int student_sides_diagnose(const student_sides *self, student_diagnostics *out, flow_err *err)
{
    student_log_weights weights = {.reverse = self->own.log_w,
                                   .forward = self->theirs.log_w,
                                   .n_reverse = self->own.n_w,
                                   .n_forward = self->theirs.n_w,
                                   .log_z = self->teacher->log_z,
                                   .log_z_se = self->teacher->log_z_se};
    return student_diagnose(out, &weights, err);
}
