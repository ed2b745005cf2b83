#include "student/validate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The rows of one side: drawn, with both log-densities. */
typedef struct side {
    double *x, *log_p, *log_q, *log_w;
} side;

typedef struct validation {
    const flow *student;
    flow *precise; /* the student in double */
    const target *teacher;
    flow_pool *pool;
    const student_validate_options *options;
    size_t n, dim;
    double *context; /* (n, C), NULL */
    side own, theirs;
} validation;

static pcg_stream stream_of(const validation *v, pcg_purpose purpose)
{
    return (pcg_stream){.seed = v->options->seed, .stage = PCG_VALIDATE, .purpose = purpose};
}

/* ---- memory */

static int take_side(side *s, size_t n, size_t dim)
{
    s->x = malloc((n * dim + 1) * sizeof *s->x);
    s->log_p = malloc((n + 1) * sizeof *s->log_p);
    s->log_q = malloc((n + 1) * sizeof *s->log_q);
    s->log_w = malloc((n + 1) * sizeof *s->log_w);
    return s->x && s->log_p && s->log_q && s->log_w ? 0 : -1;
}

static void release_side(side *s)
{
    free(s->x);
    free(s->log_p);
    free(s->log_q);
    free(s->log_w);
}

static int take(validation *v, flow_err *err)
{
    size_t c = v->teacher->context;
    v->context = c ? malloc((v->n * c + 1) * sizeof *v->context) : NULL;
    if (!(v->precise = flow_convert(v->student, FLOW_F64, err)))
        return err->code;
    if (take_side(&v->own, v->n, v->dim) || take_side(&v->theirs, v->n, v->dim) ||
        (c && !v->context))
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu validation rows", v->n);
    return 0;
}

static void release(validation *v)
{
    flow_free(v->precise);
    free(v->context);
    release_side(&v->own);
    release_side(&v->theirs);
}

/* ---- drawing */

static int draw_contexts(validation *v, const distill_contexts *contexts, flow_err *err)
{
    size_t c = v->teacher->context;
    if (c == 0)
        return 0;
    if (contexts->n == 0)
        return flow_fail(err, FLOW_EDATA, "no rows of context to validate with");
    pcg rng = pcg_at(stream_of(v, PCG_CONTEXT), 0, 1);
    for (size_t r = 0; r < v->n; r++)
        memcpy(v->context + r * c, contexts->rows + pcg_below(&rng, contexts->n) * c,
               c * sizeof *v->context);
    return 0;
}

static void weigh(side *s, size_t n)
{
    for (size_t r = 0; r < n; r++)
        s->log_w[r] = s->log_p[r] - s->log_q[r];
}

static int draw(validation *v, flow_err *err)
{
    side *own = &v->own, *theirs = &v->theirs;
    int code = flow_sample(v->student, v->pool, own->x, own->log_q, v->context,
                           stream_of(v, PCG_BASE), 0, v->n, err);
    if (!code)
        code = target_log_density(v->teacher, v->pool, own->log_p, NULL, own->x, v->context, v->n,
                                  err);
    weigh(own, v->n);
    if (code || !v->teacher->ops->sample)
        return code;
    code = target_sample(v->teacher, v->pool, theirs->x, theirs->log_p, v->context,
                         stream_of(v, PCG_TARGET), 0, v->n, err);
    if (!code)
        code = flow_log_prob(v->precise, v->pool, theirs->log_q, NULL, theirs->x, v->context, v->n,
                             err);
    weigh(theirs, v->n);
    return code;
}

/* ---- comparing */

static int compare_moments(student_validation *out, const validation *v, flow_err *err)
{
    student_moments *own = student_moments_create(v->own.x, v->n, v->dim, err);
    student_moments *theirs = own ? student_moments_create(v->theirs.x, v->n, v->dim, err) : NULL;
    if (theirs)
        student_moments_compare(&out->moments, own, theirs);
    student_moments_free(own);
    student_moments_free(theirs);
    return theirs ? 0 : (err ? err->code : FLOW_ENOMEM);
}

static int compare_samples(student_validation *out, const validation *v, flow_err *err)
{
    const student_two_sample_options *o = &student_two_sample_defaults;
    pcg_stream stream = stream_of(v, PCG_BOOTSTRAP);
    int code = compare_moments(out, v, err);
    if (!code)
        code = student_sliced_w2(&out->sliced_w2, v->own.x, v->n, v->theirs.x, v->n, v->dim, o,
                                 stream, err);
    if (!code)
        code = student_energy_distance(&out->energy, v->own.x, v->n, v->theirs.x, v->n, v->dim, o,
                                       stream, err);
    return code;
}

static int count_modes(student_validation *out, const validation *v, flow_err *err)
{
    const student_validate_options *o = v->options;
    student_modes_summary theirs;
    if (!o->mode_of || o->n_modes == 0)
        return 0;
    double *weights = malloc(o->n_modes * sizeof *weights);
    out->modes = calloc(o->n_modes, sizeof *out->modes);
    out->teacher_modes = calloc(o->n_modes, sizeof *out->teacher_modes);
    if (!weights || !out->modes || !out->teacher_modes) {
        free(weights);
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu modes", o->n_modes);
    }
    for (size_t k = 0; k < o->n_modes; k++)
        weights[k] = 1.0 / (double)o->n_modes;
    out->n_modes = o->n_modes;
    student_modes(out->modes, &out->modes_summary, weights, o->n_modes, v->own.x, v->n, v->dim,
                  o->mode_of, o->mode_arg);
    if (v->teacher->ops->sample)
        student_modes(out->teacher_modes, &theirs, weights, o->n_modes, v->theirs.x, v->n, v->dim,
                      o->mode_of, o->mode_arg);
    free(weights);
    return 0;
}

/* ---- the round trip */

static int go_and_return(student_validation *out, const validation *v, flow_err *err)
{
    enum { MOST = 10000 };
    size_t n = v->n < MOST ? v->n : MOST, count = n * v->dim;
    double *z = malloc((3 * count + 1) * sizeof *z), *x = z + count, *back = x + count;
    double *logp = malloc((n + 1) * sizeof *logp);
    int code = z && logp ? 0 : flow_fail(err, FLOW_ENOMEM, "out of memory for the round trip");
    out->roundtrip = 0;
    if (!code) {
        flow_noise(v->student, NULL, z, stream_of(v, PCG_BASE), 0, n);
        code = flow_transport(v->student, v->pool, x, logp, z, v->context, n, err);
    }
    if (!code)
        code = flow_log_prob(v->student, v->pool, logp, back, x, v->context, n, err);
    for (size_t i = 0; !code && i < count; i++) {
        double off = fabs(back[i] - z[i]) / fmax(1, fabs(z[i]));
        out->roundtrip = off <= out->roundtrip ? out->roundtrip : off; /* keeps a NaN */
    }
    free(z);
    free(logp);
    return code;
}

/* ---- speed */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef enum timed { TIME_SAMPLE, TIME_DENSITY } timed;

/* The best of the calls that fit in a fifth of a second (one at least), rows a second. */
static double time_flow(const flow *f, const validation *v, timed what, flow_err *err)
{
    enum { MOST = 16384 };
    size_t n = v->n < MOST ? v->n : MOST;
    double *x = malloc((n * v->dim + 1) * sizeof *x), *logp = malloc((n + 1) * sizeof *logp);
    double best = INFINITY, start = seconds();
    int code = x && logp ? 0 : -1;
    pcg_stream stream = stream_of(v, PCG_BASE);
    while (!code && n > 0 && (best == INFINITY || seconds() - start < 0.2)) {
        double t = seconds();
        code = what == TIME_SAMPLE
                   ? flow_sample(f, v->pool, x, logp, v->context, stream, 0, n, err)
                   : flow_log_prob(f, v->pool, logp, NULL, v->own.x, v->context, n, err);
        best = fmin(best, seconds() - t);
    }
    free(x);
    free(logp);
    return code || n == 0 ? NAN : (double)n / best;
}

static void time_all(student_validation *out, const validation *v, const flow *teacher_flow,
                     flow_err *err)
{
    out->speed = (student_speed){.student = time_flow(v->student, v, TIME_SAMPLE, err),
                                 .teacher_incremental = NAN,
                                 .teacher_naive = NAN,
                                 .teacher_density = NAN};
    if (!teacher_flow)
        return;
    out->speed.teacher_incremental = time_flow(teacher_flow, v, TIME_SAMPLE, err);
    out->speed.teacher_density = time_flow(teacher_flow, v, TIME_DENSITY, err);
    out->speed.teacher_naive = out->speed.teacher_density / (double)v->dim;
}

/* ---- the whole */

static int judge(student_validation *out, validation *v, const flow *teacher_flow,
                 const distill_contexts *contexts, flow_err *err)
{
    int both = v->teacher->ops->sample != NULL;
    int code = take(v, err);
    if (!code)
        code = draw_contexts(v, contexts, err);
    if (!code)
        code = draw(v, err);
    student_log_weights weights = {.reverse = v->own.log_w,
                                   .forward = both ? v->theirs.log_w : NULL,
                                   .n_reverse = v->n,
                                   .n_forward = both ? v->n : 0,
                                   .log_z = v->teacher->log_z};
    if (!code)
        code = student_diagnose(&out->weights, &weights, err);
    if (!code && both)
        code = compare_samples(out, v, err);
    if (!code)
        code = count_modes(out, v, err);
    if (!code)
        code = go_and_return(out, v, err);
    if (!code)
        time_all(out, v, teacher_flow, err);
    return code;
}

static const student_two_sample NOT_COMPARED = {
    .value = NAN, .teacher = NAN, .null_mean = NAN, .null_sd = NAN, .p = NAN};
static const student_worst NOT_MEASURED = {.student = NAN, .reference = NAN, .z = NAN, .p = NAN};

int student_validate(student_validation *out, const flow *student, const target *teacher,
                     const flow *teacher_flow, flow_pool *pool, const distill_contexts *contexts,
                     const student_validate_options *options, flow_err *err)
{
    validation v = {.student = student,
                    .teacher = teacher,
                    .pool = pool,
                    .options = options,
                    .n = options->samples,
                    .dim = teacher->dim};
    *out = (student_validation){.sliced_w2 = NOT_COMPARED,
                                .energy = NOT_COMPARED,
                                .moments = {NOT_MEASURED, NOT_MEASURED, NOT_MEASURED}};
    int code = judge(out, &v, teacher_flow, contexts, err);
    if (code)
        student_validation_release(out);
    release(&v);
    return code;
}

void student_validation_release(student_validation *self)
{
    free(self->modes);
    free(self->teacher_modes);
    self->modes = self->teacher_modes = NULL;
}
