#include "pipeline/report/judge.h"

#include <math.h>

/* fmax, but NaN if either is: what was not measured is not good. */
static double larger(double a, double b)
{
    return isnan(a) || isnan(b) ? NAN : fmax(a, b);
}

static double share(size_t count, size_t of)
{
    return of ? (double)count / (double)of : NAN;
}

/* ---- from log weights */

static void judge_weights(judged *out, const student_diagnostics *d, double log_z)
{
    double *v = out->value;
    v[GATE_KL_REVERSE] = d->kl_reverse.value;
    v[GATE_KL_FORWARD] = d->kl_forward.value;
    v[GATE_JEFFREYS] = d->jeffreys.value;
    v[GATE_ELBO] = d->elbo.value;
    v[GATE_EUBO] = d->eubo.value;
    v[GATE_LOG_Z_SIGMAS] =
        fabs(d->log_z.value - log_z) / hypot(hypot(d->log_z.se, d->log_z_se), STUDENT_ROUNDING);
    v[GATE_NORMALISATION_SIGMAS] = larger(fabs(d->mean_w.z), fabs(d->mean_inverse_w.z));
    v[GATE_ESS_REVERSE] = d->ess_reverse.value;
    v[GATE_ACCEPTANCE] = d->acceptance.value;
    v[GATE_UNWEIGHTING] = d->unweighting.efficiency;
    v[GATE_UNWEIGHTING_MADNIS] = d->unweighting.madnis;
    v[GATE_OVER_WEIGHT] = d->unweighting.over_weight;
    v[GATE_ESS_FORWARD] = d->ess_forward.value;
    v[GATE_KHAT] = d->psis.khat;
    v[GATE_KHAT_FORWARD] = d->n_forward ? d->psis_forward.khat : NAN;
    v[GATE_UNCOVERED_3] = share(d->uncovered[0], d->n_forward);
    v[GATE_UNCOVERED_5] = share(d->uncovered[1], d->n_forward);
    v[GATE_UNCOVERED_10] = share(d->uncovered[2], d->n_forward);
}

/* Of weights that are good by their ESS the tail is of no matter; few weights have a lower threshold. */
static double limit_of_khat(const psis_fit *fit, double ess)
{
    return ess >= STUDENT_RUNG_ESS ? NAN : fit->threshold;
}

static void set_limits(judged *out, const student_diagnostics *d)
{
    for (int i = 0; i < GATE_COUNT; i++)
        out->limit[i] = gate_figures[i].limit;
    out->limit[GATE_KHAT] = limit_of_khat(&d->psis, d->ess_reverse.value);
    out->limit[GATE_KHAT_FORWARD] = limit_of_khat(&d->psis_forward, d->ess_forward.value);
}

static void begin(judged *out, const student_diagnostics *d, double log_z)
{
    for (int i = 0; i < GATE_COUNT; i++)
        out->value[i] = NAN;
    judge_weights(out, d, log_z);
    set_limits(out, d);
}

/* ---- from samples */

static double sigmas(const student_two_sample *t)
{
    double above = t->value - t->null_mean;
    return above == 0 && t->null_sd == 0 ? 0 : above / t->null_sd;
}

double judge_two_sample(const student_two_sample *a, const student_two_sample *b)
{
    return larger(sigmas(a), sigmas(b));
}

double judge_gap(const student_against_data *teacher, student_estimate test)
{
    double gap = fabs(teacher->train_log_likelihood - test.value);
    gap -= 4 * hypot(teacher->train_se, test.se);
    return gap > 0 ? gap / (double)teacher->dim : isnan(gap) ? NAN : 0;
}

static bool agrees(const student_against_chain *c)
{
    return c->rhat <= STUDENT_CHAIN_AGREES;
}

double judge_energies(const student_against_chain *c)
{
    return agrees(c) ? fmax(0, c->apart - c->chance) : NAN;
}

static void judge_chain(double *v, const student_against_chain *c)
{
    v[GATE_MISSED_MASS] = student_hunt_least(&c->hunt);
    v[GATE_CHAIN_RHAT] = c->rhat;
    v[GATE_CHAIN_UNCOVERED_10] = share(c->uncovered[STUDENT_UNCOVERED - 1], c->rows);
    v[GATE_CHAIN_KL_FORWARD] = agrees(c) ? c->kl_forward : NAN;
    v[GATE_CHAIN_ENERGY_ERROR] = judge_energies(c);
}

static void judge_teacher(double *v, const student_against_data *teacher, student_estimate test,
                          student_estimate inside)
{
    v[GATE_TEACHER_TEST_LOG_LIKELIHOOD] = test.value;
    v[GATE_TEACHER_LIKELIHOOD_GAP] = judge_gap(teacher, inside);
    v[GATE_TEACHER_REPEATED_ROWS] = teacher->repeated;
    v[GATE_TEACHER_TWO_SAMPLE_SIGMAS] = judge_two_sample(&teacher->sliced_w2, &teacher->energy);
    v[GATE_TEACHER_MEAN_ERROR] = teacher->moments.mean_excess.value;
    v[GATE_TEACHER_SD_ERROR] = teacher->moments.sd_excess.value;
    v[GATE_TEACHER_CORRELATION_ERROR] = teacher->moments.correlation_excess.value;
    v[GATE_TEACHER_TAIL_FACTOR] = teacher->tails.off;
    v[GATE_TEACHER_OUTSIDE] = teacher->outside.value;
    v[GATE_TEACHER_MISSED] = teacher->missed.value;
}

/* ---- the whole */

void judge_run(judged *out, const student_validation *figures, student_estimate test,
               student_estimate inside)
{
    double *v = out->value;
    begin(out, &figures->weights, figures->log_z);
    v[GATE_MODE_SHARE_ERROR] = figures->n_modes ? figures->modes_summary.deviation : NAN;
    out->limit[GATE_MODE_SHARE_ERROR] = fmax(out->limit[GATE_MODE_SHARE_ERROR],
                                             figures->n_modes ? figures->modes_summary.chance : 0);
    v[GATE_MEAN_ERROR] = figures->moments.mean_excess.value;
    v[GATE_SD_ERROR] = figures->moments.sd_excess.value;
    v[GATE_CORRELATION_ERROR] = figures->moments.correlation_excess.value;
    v[GATE_TAIL_FACTOR] = figures->tails.off;
    v[GATE_TWO_SAMPLE_SIGMAS] = judge_two_sample(&figures->sliced_w2, &figures->energy);
    v[GATE_ROUNDTRIP] = figures->roundtrip;
    v[GATE_STUDENT_ROWS_PER_S] = figures->speed.student.rows_per_s;
    v[GATE_STUDENT_ROW_SECONDS] = figures->speed.student.row_seconds;
    judge_chain(v, &figures->against_chain);
    judge_teacher(v, &figures->against_data, test, inside);
}

bool judge_within(const judged *self, gate_figure which)
{
    return gate_within(&gate_figures[which], self->value[which], self->limit[which]);
}

bool judge_rung(const student_rung *rung, double log_z, const config_gates *require)
{
    judged figures;
    size_t looked_at = 0;
    begin(&figures, &rung->weights, log_z);
    figures.value[GATE_MODE_SHARE_ERROR] = rung->mode_share_error;
    figures.value[GATE_ROUNDTRIP] = rung->roundtrip;
    for (size_t i = 0; i < require->n; i++) {
        const gate *g = &require->at[i];
        if (gate_figures[g->figure].of != GATE_OF_RUNG)
            continue;
        looked_at++;
        if (!gate_holds(g, figures.value[g->figure]))
            return false;
    }
    return looked_at ? true : student_rung_is_fine(rung);
}
