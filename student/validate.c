#include "student/validate.h"

#include "student/sides.h"
#include "student/speed.h"

#include <math.h>
#include <stdlib.h>

/* ---- comparing */

static int compare_moments(student_validation *out, const student_sides *v, flow_err *err)
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

static int compare_samples(student_validation *out, const student_sides *v, flow_err *err)
{
    const student_two_sample_options *o = &student_two_sample_defaults;
    pcg_stream stream = student_sides_stream(v, PCG_BOOTSTRAP);
    int code = compare_moments(out, v, err);
    if (!code)
        code = student_sliced_w2(&out->sliced_w2, v->own.x, v->own.n, v->theirs.x, v->theirs.n,
                                 v->dim, o, stream, err);
    if (!code)
        code = student_energy_distance(&out->energy, v->own.x, v->own.n, v->theirs.x, v->theirs.n,
                                       v->dim, o, stream, err);
    return code;
}

static void count_side(student_mode *modes, student_modes_summary *summary,
                       const target_modes *known, const student_side *side, size_t dim)
{
    student_modes(modes, summary, known->weights, known->n, side->x, side->n, dim, known->mode_of,
                  known->arg);
}

static int count_modes(student_validation *out, const student_sides *v, flow_err *err)
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
    count_side(out->modes, &out->modes_summary, known, &v->own, v->dim);
    count_side(out->teacher_modes, &theirs, known, &v->theirs, v->dim);
    return 0;
}

int student_mode_share_error(double *error, const student_sides *sides, flow_err *err)
{
    const target_modes *known = sides->teacher->modes;
    student_modes_summary summary = {.deviation = NAN};
    student_mode *modes = known ? calloc(known->n + 1, sizeof *modes) : NULL;
    if (known && !modes)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu modes", known->n);
    if (known)
        count_side(modes, &summary, known, &sides->own, sides->dim);
    free(modes);
    *error = summary.deviation;
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

int student_roundtrip(double *error, const student_sides *v, const flow *student, flow_err *err)
{
    enum { MOST = 10000 };
    size_t n = v->n < MOST ? v->n : MOST, count = n * v->dim;
    double *z = malloc((3 * count + n + 1) * sizeof *z);
    if (!z)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the round trip");
    double *x = z + count, *back = x + count, *logp = back + count;
    flow_noise(student, NULL, z, student_sides_stream(v, PCG_BASE), 0, n);
    int code = flow_transport(student, v->pool, x, logp, z, v->context, n, err);
    if (!code)
        code = flow_log_prob(student, v->pool, logp, back, x, v->context, n, err);
    if (!code)
        *error = largest_return(z, back, count);
    free(z);
    return code;
}

/* ---- speed */

static int time_all(student_speed *out, const student_sides *v, const flow *student,
                    const flow *teacher_flow, flow_err *err)
{
    int code = student_speed_sample(&out->student, student, v, err);
    if (code || !teacher_flow)
        return code;
    code = student_speed_sample(&out->teacher_incremental, teacher_flow, v, err);
    if (!code)
        code = student_speed_density(&out->teacher_density, teacher_flow, v, err);
    out->teacher_naive = out->teacher_density / (double)flow_passes_of_inverse(teacher_flow);
    return code;
}

/* ---- the whole */

static int compare(student_validation *out, const student_sides *v, const flow *student,
                   const flow *teacher_flow, flow_err *err)
{
    int code = student_sides_diagnose(v, &out->weights, err);
    if (!code && out->sampled)
        code = compare_samples(out, v, err);
    if (!code)
        code = count_modes(out, v, err);
    if (!code)
        code = student_roundtrip(&out->roundtrip, v, student, err);
    return code ? code : time_all(&out->speed, v, student, teacher_flow, err);
}

static int judge(student_validation *out, student_sides *v, const flow *student,
                 const flow *teacher_flow, flow_err *err)
{
    int code = student_sides_meet(v, student, err);
    out->broken = v->own.broken;
    out->teacher_broken = v->theirs.broken;
    return code ? code : compare(out, v, student, teacher_flow, err);
}

static const student_two_sample NOT_COMPARED = {
    .value = NAN, .teacher = NAN, .null_mean = NAN, .null_sd = NAN, .p = NAN};
static const student_worst NOT_MEASURED = {.student = NAN, .reference = NAN, .z = NAN, .p = NAN};
static const student_speed NOT_TIMED = {NAN, NAN, NAN, NAN};

int student_validate(student_validation *out, const flow *student, const target *teacher,
                     const flow *teacher_flow, flow_pool *pool, const distill_contexts *contexts,
                     const student_validate_options *options, flow_err *err)
{
    *out = (student_validation){.log_z = teacher->log_z,
                                .sampled = teacher->ops->sample != NULL,
                                .teacher_is_flow = teacher_flow != NULL,
                                .sliced_w2 = NOT_COMPARED,
                                .energy = NOT_COMPARED,
                                .moments = {NOT_MEASURED, NOT_MEASURED, NOT_MEASURED},
                                .speed = NOT_TIMED};
    flow_err local = FLOW_ERR_INIT;
    student_sides sides;
    int code = student_sides_init(&sides, teacher, pool, contexts, options->samples, options->seed,
                                  &local);
    if (!code)
        code = judge(out, &sides, student, teacher_flow, &local);
    student_sides_release(&sides);
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
