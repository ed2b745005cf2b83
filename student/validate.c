#include "student/validate.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The rows of one side: drawn, with both log-densities, and the weights of those that count. */
typedef struct side {
    double *x, *log_p, *log_q, *log_w;
    target_status *status;
    size_t n, n_w;
} side;

typedef struct validation {
    const flow *student;
    flow *precise; /* the student in double */
    const target *teacher;
    flow_pool *pool;
    const student_validate_options *options;
    size_t n, dim;
    double *context; /* (n, C), NULL */
    student_validation *out;
    side own, theirs;
} validation;

static pcg_stream stream_of(const validation *v, pcg_purpose purpose)
{
    return (pcg_stream){.seed = v->options->seed, .stage = STREAM_VALIDATE, .purpose = purpose};
}

/* ---- memory */

static int take_side(side *s, size_t n, size_t dim)
{
    s->n = n;
    s->x = malloc((n * dim + 1) * sizeof *s->x);
    s->log_p = malloc((n + 1) * sizeof *s->log_p);
    s->log_q = malloc((n + 1) * sizeof *s->log_q);
    s->log_w = malloc((n + 1) * sizeof *s->log_w);
    s->status = malloc((n + 1) * sizeof *s->status);
    return s->x && s->log_p && s->log_q && s->log_w && s->status ? 0 : -1;
}

static void release_side(side *s)
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

static int take(validation *v, flow_err *err)
{
    size_t c = v->teacher->context;
    v->context = c ? malloc((v->n * c + 1) * sizeof *v->context) : NULL;
    if (!(v->precise = flow_convert(v->student, FLOW_F64, err)))
        return err->code;
    if (take_side(&v->own, v->n, v->dim) ||
        take_side(&v->theirs, rows_of_target(v->teacher, v->n), v->dim) || (c && !v->context))
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
    if (!contexts || contexts->n == 0)
        return flow_fail(err, FLOW_EDATA, "no rows of context to validate with");
    pcg rng = pcg_at(stream_of(v, PCG_CONTEXT), 0, 1);
    for (size_t r = 0; r < v->n; r++)
        memcpy(v->context + r * c, contexts->rows + pcg_below(&rng, contexts->n) * c,
               c * sizeof *v->context);
    return 0;
}

/* log_w (n_w): without the rows where the target broke. A row that is no point is not the target's fault
 * and stays, to be refused by student_diagnose. */
static int weigh(side *s, broken_rows *broken, size_t dim, const char *who, flow_err *err)
{
    s->n_w = 0;
    for (size_t r = 0; r < s->n; r++) {
        const double *x = s->x + r * dim;
        if (s->status[r] == TARGET_BROKEN && broken_is_point(x, dim))
            broken_note(broken, r, s->log_p[r], x, dim);
        else
            s->log_w[s->n_w++] = s->log_p[r] - s->log_q[r];
    }
    return broken_check(broken, broken->count, s->n, who, err);
}

static int draw_own(validation *v, flow_err *err)
{
    side *own = &v->own;
    int code = flow_sample(v->student, v->pool, own->x, own->log_q, v->context,
                           stream_of(v, PCG_BASE), 0, own->n, err);
    if (!code)
        code = target_log_density(v->teacher, v->pool, own->log_p, NULL, own->status, own->x,
                                  v->context, own->n, err);
    return code ? code : weigh(own, &v->out->broken, v->dim, "samples of the student", err);
}

static int draw_theirs(validation *v, flow_err *err)
{
    side *theirs = &v->theirs;
    if (!v->teacher->ops->sample)
        return 0;
    int code = target_sample(v->teacher, v->pool, theirs->x, theirs->log_p, theirs->status,
                             v->context, stream_of(v, PCG_TARGET), 0, theirs->n, err);
    if (!code)
        code = flow_log_prob(v->precise, v->pool, theirs->log_q, NULL, theirs->x, v->context,
                             theirs->n, err);
    return code ? code
                : weigh(theirs, &v->out->teacher_broken, v->dim, "samples of the target", err);
}

/* ---- comparing */

static int compare_moments(student_validation *out, const validation *v, flow_err *err)
{
    student_moments *own = student_moments_create(v->own.x, v->n, v->dim, err);
    student_moments *theirs =
        own ? student_moments_create(v->theirs.x, v->theirs.n, v->dim, err) : NULL;
    if (theirs)
        student_moments_compare(&out->moments, own, theirs);
    student_moments_free(own);
    student_moments_free(theirs);
    return theirs ? 0 : err->code;
}

static int compare_samples(student_validation *out, const validation *v, flow_err *err)
{
    const student_two_sample_options *o = &student_two_sample_defaults;
    pcg_stream stream = stream_of(v, PCG_BOOTSTRAP);
    int code = compare_moments(out, v, err);
    if (!code)
        code = student_sliced_w2(&out->sliced_w2, v->own.x, v->own.n, v->theirs.x, v->theirs.n,
                                 v->dim, o, stream, err);
    if (!code)
        code = student_energy_distance(&out->energy, v->own.x, v->own.n, v->theirs.x, v->theirs.n,
                                       v->dim, o, stream, err);
    return code;
}

static int count_modes(student_validation *out, const validation *v, flow_err *err)
{
    const target_modes *known = v->teacher->modes;
    student_modes_summary theirs;
    if (!known)
        return 0;
    out->modes = calloc(known->n + 1, sizeof *out->modes);
    out->teacher_modes = calloc(known->n + 1, sizeof *out->teacher_modes);
    if (!out->modes || !out->teacher_modes)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu modes", known->n);
    out->n_modes = known->n;
    student_modes(out->modes, &out->modes_summary, known->weights, known->n, v->own.x, v->own.n,
                  v->dim, known->mode_of, known->arg);
    student_modes(out->teacher_modes, &theirs, known->weights, known->n, v->theirs.x, v->theirs.n,
                  v->dim, known->mode_of, known->arg);
    return 0;
}

/* ---- the round trip */

static double largest_return(const double *z, const double *back, size_t count)
{
    double largest = 0;
    for (size_t i = 0; i < count; i++) {
        double off = fabs(back[i] - z[i]) / fmax(1, fabs(z[i]));
        largest = off <= largest ? largest : off; /* keeps a NaN */
    }
    return largest;
}

static int go_and_return(student_validation *out, const validation *v, flow_err *err)
{
    enum { MOST = 10000 };
    size_t n = v->n < MOST ? v->n : MOST, count = n * v->dim;
    double *z = malloc((3 * count + n + 1) * sizeof *z);
    if (!z)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the round trip");
    double *x = z + count, *back = x + count, *logp = back + count;
    flow_noise(v->student, NULL, z, stream_of(v, PCG_BASE), 0, n);
    int code = flow_transport(v->student, v->pool, x, logp, z, v->context, n, err);
    if (!code)
        code = flow_log_prob(v->student, v->pool, logp, back, x, v->context, n, err);
    if (!code)
        out->roundtrip = largest_return(z, back, count);
    free(z);
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

/* rate = the best of the calls that fit in a fifth of a second (one at least), rows a second; NaN for
 * no rows. */
static int time_flow(double *rate, const flow *f, const validation *v, timed what, flow_err *err)
{
    enum { MOST = 16384 };
    size_t n = v->n < MOST ? v->n : MOST;
    double *x = malloc((n * (v->dim + 1) + 1) * sizeof *x), best = INFINITY, start = seconds();
    if (!x)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows to be timed", n);
    double *logp = x + n * v->dim;
    pcg_stream stream = stream_of(v, PCG_BASE);
    int code = 0;
    while (!code && n > 0 && (best == INFINITY || seconds() - start < 0.2)) {
        double t = seconds();
        code = what == TIME_SAMPLE
                   ? flow_sample(f, v->pool, x, logp, v->context, stream, 0, n, err)
                   : flow_log_prob(f, v->pool, logp, NULL, v->own.x, v->context, n, err);
        best = fmin(best, seconds() - t);
    }
    free(x);
    *rate = n > 0 ? (double)n / best : NAN;
    return code;
}

static int time_all(student_validation *out, const validation *v, const flow *teacher_flow,
                    flow_err *err)
{
    student_speed *s = &out->speed;
    int code = time_flow(&s->student, v->student, v, TIME_SAMPLE, err);
    if (code || !teacher_flow)
        return code;
    code = time_flow(&s->teacher_incremental, teacher_flow, v, TIME_SAMPLE, err);
    if (!code)
        code = time_flow(&s->teacher_density, teacher_flow, v, TIME_DENSITY, err);
    s->teacher_naive = s->teacher_density / (double)flow_passes_of_inverse(teacher_flow);
    return code;
}

/* ---- the whole */

static int diagnose(student_validation *out, const validation *v, flow_err *err)
{
    student_log_weights weights = {.reverse = v->own.log_w,
                                   .forward = v->theirs.log_w,
                                   .n_reverse = v->own.n_w,
                                   .n_forward = v->theirs.n_w,
                                   .log_z = v->teacher->log_z};
    return student_diagnose(&out->weights, &weights, err);
}

static int judge(validation *v, const flow *teacher_flow, const distill_contexts *contexts,
                 flow_err *err)
{
    student_validation *out = v->out;
    int code = take(v, err);
    if (!code)
        code = draw_contexts(v, contexts, err);
    if (!code)
        code = draw_own(v, err);
    if (!code)
        code = draw_theirs(v, err);
    if (!code)
        code = diagnose(out, v, err);
    if (!code && out->sampled)
        code = compare_samples(out, v, err);
    if (!code)
        code = count_modes(out, v, err);
    if (!code)
        code = go_and_return(out, v, err);
    if (!code)
        code = time_all(out, v, teacher_flow, err);
    return code;
}

static const student_two_sample NOT_COMPARED = {
    .value = NAN, .teacher = NAN, .null_mean = NAN, .null_sd = NAN, .p = NAN};
static const student_worst NOT_MEASURED = {.student = NAN, .reference = NAN, .z = NAN, .p = NAN};
static const student_speed NOT_TIMED = {NAN, NAN, NAN, NAN};

int student_validate(student_validation *out, const flow *student, const target *teacher,
                     const flow *teacher_flow, flow_pool *pool, const distill_contexts *contexts,
                     const student_validate_options *options, flow_err *err)
{
    validation v = {.student = student,
                    .teacher = teacher,
                    .pool = pool,
                    .options = options,
                    .n = options->samples,
                    .dim = teacher->dim,
                    .out = out};
    *out = (student_validation){.log_z = teacher->log_z,
                                .sampled = teacher->ops->sample != NULL,
                                .teacher_is_flow = teacher_flow != NULL,
                                .sliced_w2 = NOT_COMPARED,
                                .energy = NOT_COMPARED,
                                .moments = {NOT_MEASURED, NOT_MEASURED, NOT_MEASURED},
                                .speed = NOT_TIMED};
    flow_err local = FLOW_ERR_INIT;
    int code = judge(&v, teacher_flow, contexts, &local);
    release(&v);
    if (!code)
        return 0;
    student_validation_release(out);
    return flow_fail(err, (flow_code)code, "%s", local.text);
}

void student_validation_release(student_validation *self)
{
    free(self->modes);
    free(self->teacher_modes);
    self->modes = self->teacher_modes = NULL;
    self->n_modes = 0;
}
