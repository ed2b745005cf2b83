#include "student/validate.h"

#include "student/sum.h"

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

static int compare_tails(student_validation *out, const student_sides *v, const flow_units *units,
                         flow_err *err)
{
    const data_part own = {.x = data_numbers_of(v->own.x, v->dim), .n = v->own.n},
                    theirs = {.x = data_numbers_of(v->theirs.x, v->dim), .n = v->theirs.n};
    return student_tails_measure(&out->tails, &own, &theirs, units, err);
}

static int compare_samples(student_validation *out, const student_sides *v, const flow_units *units,
                           flow_err *err)
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
    return code ? code : compare_tails(out, v, units, err);
}

static int count_modes(student_validation *out, const student_sides *v, flow_err *err)
{
    const target_modes *known = v->teacher->modes;
    student_modes_summary theirs;
    size_t n = known ? target_modes_count(known) : 0;
    if (!known)
        return 0;
    out->modes = calloc(n + 1, sizeof *out->modes);
    out->teacher_modes = calloc(n + 1, sizeof *out->teacher_modes);
    if (!out->modes || !out->teacher_modes)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu modes", n);
    out->n_modes = n;
    out->partition = known->partition;
    int code =
        student_modes(out->modes, &out->modes_summary, known, v->own.x, v->own.n, v->dim, err);
    return code ? code
                : student_modes(out->teacher_modes, &theirs, known, v->theirs.x, v->theirs.n,
                                v->dim, err);
}

int student_mode_share_error(double *error, const student_sides *sides, flow_err *err)
{
    const target_modes *known = sides->teacher->modes;
    student_modes_summary summary = {.deviation = NAN};
    const student_side *own = &sides->own;
    student_mode *modes = known ? calloc(target_modes_count(known) + 1, sizeof *modes) : NULL;
    if (known && !modes)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for modes");
    int code = known ? student_modes(modes, &summary, known, own->x, own->n, sides->dim, err) : 0;
    free(modes);
    *error = summary.deviation;
    return code;
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

/* ---- the whole */

/* What the whole is made of; teacher: NULL if it is no flow. */
typedef struct parties {
    const flow *student, *teacher;
    const student_validate_options *options;
} parties;

static int compare_teacher(student_validation *out, const student_sides *v, const parties *p,
                           flow_err *err)
{
    const student_validate_options *o = p->options;
    if (!o->data)
        return 0;
    return student_against_data_measure(&out->against_data, v, o->data, o->held_out, p->teacher,
                                        err);
}

/* log|det du/dx| of a row u (dim), x: (dim) to work in; 0 without units. */
static double volume_of(const flow_units *units, const double *u, double *x)
{
    double out = 0;
    if (units)
        flow_units_to_user(units, x, &out, u, 1);
    return -out;
}

/* Of the student's log-density at the target's rows, in the user's units. */
static int mean_log_q(student_estimate *out, const student_side *theirs, const flow_units *units,
                      size_t dim, flow_err *err)
{
    student_sum sum = {0, 0}, squares = {0, 0};
    size_t n = theirs->n;
    double *log_q = malloc((n + dim) * sizeof *log_q);
    if (!log_q)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu densities", n);
    for (size_t r = 0; r < n; r++) {
        log_q[r] = theirs->log_q[r] + volume_of(units, theirs->x + r * dim, log_q + n);
        student_sum_add(&sum, log_q[r]);
    }
    double mean = n ? student_sum_get(&sum) / (double)n : NAN;
    for (size_t r = 0; r < n; r++)
        student_sum_add(&squares, (log_q[r] - mean) * (log_q[r] - mean));
    double variance = student_sum_get(&squares) / ((double)n * (double)(n - 1));
    *out = (student_estimate){mean, n > 1 ? sqrt(variance) : NAN};
    free(log_q);
    return 0;
}

static int compare_chain(student_validation *out, const student_sides *v, const parties *p,
                         flow_err *err)
{
    const student_validate_options *o = p->options;
    const student_chain_question question = {.student = p->student,
                                             .log_z = student_best_log_z(out->log_z, &out->weights),
                                             .units = o->units,
                                             .rows = o->chain,
                                             .chains = o->chains,
                                             .effort = o->hunt,
                                             .kept = &out->chain_rows};
    return o->chain ? student_against_chain_measure(&out->against_chain, v, &question, err) : 0;
}

static int compare_speeds(student_speed *out, const student_sides *v, const parties *p,
                          flow_err *err)
{
    student_pace *beside = &out->as_trained;
    int code = student_speed_all(out, p->student, p->teacher, v, err);
    return code || !p->options->as_trained
               ? code
               : student_speed_both(&beside->rows_per_s, &beside->row_seconds,
                                    p->options->as_trained, v, err);
}

static int compare(student_validation *out, const student_sides *v, const parties *p, flow_err *err)
{
    int code = student_sides_diagnose(v, &out->weights, err);
    if (!code)
        code = mean_log_q(&out->log_q_forward, &v->theirs, p->options->units, v->dim, err);
    if (!code && out->sampled)
        code = compare_samples(out, v, p->options->units, err);
    if (!code)
        code = count_modes(out, v, err);
    if (!code)
        code = student_roundtrip(&out->roundtrip, v, p->student, err);
    if (!code)
        code = student_uncovered_find(&out->uncovered, v,
                                      student_best_log_z(out->log_z, &out->weights),
                                      p->options->units, err);
    if (!code)
        code = compare_chain(out, v, p, err);
    if (!code)
        code = compare_teacher(out, v, p, err);
    return code ? code : compare_speeds(&out->speed, v, p, err);
}

static int judge(student_validation *out, student_sides *v, const parties *p, flow_err *err)
{
    int code = student_sides_meet(v, p->student, err);
    out->broken = v->own.broken;
    out->teacher_broken = v->theirs.broken;
    return code ? code : compare(out, v, p, err);
}

static student_validation not_yet(const target *teacher, bool teacher_is_flow)
{
    const student_against_data *none = &student_against_no_data;
    return (student_validation){.log_z = teacher->log_z,
                                .sampled = teacher->ops->sample != NULL,
                                .teacher_is_flow = teacher_is_flow,
                                .sliced_w2 = none->sliced_w2,
                                .energy = none->energy,
                                .moments = none->moments,
                                .tails = student_no_tails,
                                .against_data = *none,
                                .against_chain = student_against_no_chain,
                                .speed = student_not_timed};
}

int student_validate(student_validation *out, const flow *student, const target *teacher,
                     const flow *teacher_flow, flow_pool *pool, const distill_contexts *contexts,
                     const student_validate_options *options, flow_err *err)
{
    const parties all = {student, teacher_flow, options};
    *out = not_yet(teacher, teacher_flow != NULL);
    flow_err local = FLOW_ERR_INIT;
    student_sides sides;
    int code = student_sides_init(&sides, teacher, pool, contexts, options->samples, options->seed,
                                  &local);
    if (!code)
        code = judge(out, &sides, &all, &local);
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
    student_tails_release(&self->tails);
    student_against_data_release(&self->against_data);
    free(self->chain_rows.x);
    self->chain_rows.x = NULL;
    self->modes = self->teacher_modes = NULL;
    self->partition = NULL;
    self->n_modes = 0;
}
