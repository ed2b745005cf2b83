/* pipeline/report/verdict_print.c -- the verdict on stderr. */
#include "flow/json.h"
#include "pipeline/console/wrap.h"
#include "pipeline/report/judge.h"
#include "pipeline/report/verdict.h"
#include "pipeline/report/verdict_parts.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void print_list(const char *head, const json_t *list)
{
    size_t i;
    const json_t *item;
    json_array_foreach(list, i, item) wrap_print(head, json_string_value(item));
}

/* "0.013 +- 0.004"; without an error that means something, the value alone. Returns out. */
enum { ESTIMATE = 48 };
static const char *estimate(char *out, student_estimate e)
{
    if (isnan(e.se))
        snprintf(out, ESTIMATE, "%.4f", e.value);
    else
        snprintf(out, ESTIMATE, "%.4f +- %.4f", e.value, e.se);
    return out;
}

static void print_one_side(const student_diagnostics *d)
{
    char a[ESTIMATE], b[ESTIMATE];
    fprintf(stderr,
            "  KL        reverse %s nats, at samples of the student: the target has no sampler\n",
            estimate(a, d->kl_reverse));
    fprintf(stderr,
            "  ESS / N   %.3f (k-hat %.2f), acceptance %.3f, unweighting %.3f;  log Z %s, ELBO "
            "%s\n",
            d->ess_reverse.value, d->psis.khat, d->acceptance.value, d->unweighting.efficiency,
            estimate(a, d->log_z), estimate(b, d->elbo));
}

static void print_weights(const student_diagnostics *d)
{
    char a[ESTIMATE], b[ESTIMATE];
    fprintf(stderr, "  KL        reverse %s, forward %s nats\n", estimate(a, d->kl_reverse),
            estimate(b, d->kl_forward));
    fprintf(stderr, "  ESS / N   reverse %.3f (k-hat %.2f), forward %.3f (k-hat %.2f);  log Z %s\n",
            d->ess_reverse.value, d->psis.khat, d->ess_forward.value, d->psis_forward.khat,
            estimate(a, d->log_z));
    if (d->n_forward > 0)
        fprintf(stderr,
                "  uncovered %zu, %zu, %zu of %zu samples of the teacher have log p - log q above "
                "%g, %g, %g nats\n",
                d->uncovered[0], d->uncovered[1], d->uncovered[2], d->n_forward,
                student_uncovered_nats[0], student_uncovered_nats[1], student_uncovered_nats[2]);
}

static void print_samples(const char *who, const char *than, const student_two_sample *w2,
                          const student_two_sample *energy, const student_moments_difference *m,
                          const student_tails *tails)
{
    fprintf(stderr,
            "  %-9s against %s: samples %.1f sd of the null apart, p %.3f; off at least by %.2g sd "
            "in means, %.2g in sds",
            who, than, judge_two_sample(w2, energy), fmin(w2->p, energy->p), m->mean_excess.value,
            m->sd_excess.value);
    if (!isnan(m->correlation_excess.value)) /* of one column there is none */
        fprintf(stderr, ", %.2g in correlations", m->correlation_excess.value);
    if (!isnan(tails->off))
        fprintf(stderr, ", a factor of %.3g in tails", tails->off);
    fputc('\n', stderr);
}

static void print_chain(const student_against_chain *c)
{
    fprintf(
        stderr,
        "  chain     %zu rows of %zu, R-hat %.3f, of columns %.3f; KL forward there %.4f nats, the "
        "worst row %.2g; %.3g evaluations\n",
        c->rows, c->chains, c->rhat, c->rhat_column, c->kl_forward, c->worst,
        (double)c->evaluations);
    fprintf(stderr,
            "            energies of the student %.3f apart from them, weighed %.3f; chance alone "
            "%.3f\n",
            c->apart, c->weighed_apart, c->chance);
}

static void print_teacher(const verdict_input *in)
{
    const student_against_data *a = &in->student->against_data;
    const student_estimate train = {a->train_log_likelihood, a->train_se};
    char b[ESTIMATE], c[ESTIMATE];
    print_samples("teacher", "data", &a->sliced_w2, &a->energy, &a->moments, &a->tails);
    fprintf(stderr,
            "            log-likelihood %s on test rows, %s on training rows, nats a row in the "
            "units of the flow\n",
            estimate(b, in->test_inside), estimate(c, train));
    fprintf(stderr,
            "            %.2g %% of its samples outside of the data's range, %.2g %% of the data "
            "outside of its (worst columns)\n",
            100 * a->columns[a->outside.column].outside, 100 * a->columns[a->missed.column].missed);
}

static void print_pace(const char *who, student_pace pace)
{
    fprintf(stderr, "  speed     %-36s%8.3g rows/s, one row %.3g us\n", who, pace.rows_per_s,
            1e6 * pace.row_seconds);
}

static void print_speed(const student_speed *s)
{
    print_pace("student", s->student);
    if (!isnan(s->as_trained.rows_per_s))
        print_pace("student, as it was trained", s->as_trained);
    if (!isnan(s->teacher_incremental.rows_per_s))
        print_pace("teacher, incremental", s->teacher_incremental);
    if (!isnan(s->teacher_naive.rows_per_s))
        print_pace("teacher, a pass a column", s->teacher_naive);
}

/* Of one training: what the target had to do for it, and what it cost. */
static void print_price(const verdict_price *p)
{
    fprintf(stderr,
            "  training  %.3g rows asked of the target, %.3g with gradients; %.3g us a row there, "
            "%.3g us a row here, of a processor\n",
            (double)(p->densities + p->draws), (double)p->gradients, 1e6 * verdict_target_row(p),
            1e6 * verdict_own_row(p));
}

static void print_trials(const json_t *list)
{
    size_t i;
    const json_t *one;
    char line[TRIAL_WHY + 64];
    json_array_foreach(list, i, one)
    {
        snprintf(line, sizeof line, "%s is%s taken: %s",
                 json_string_value(json_object_get(one, "network")),
                 json_is_true(json_object_get(one, "taken")) ? "" : " not",
                 json_string_value(json_object_get(one, "why")));
        wrap_print("network", line);
    }
}

void verdict_tell(const json_t *verdict)
{
    const char *word = json_string_value(json_object_get(verdict, "verdict"));
    const char *rounded = trials_rounded(verdict);
    fprintf(stderr, "verdict   %s%s%s\n", word ? word : "not known",
            rounded ? ", of networks in " : "", rounded ? rounded : "");
    print_trials(flow_json_below(verdict, "student.networks"));
    print_list("reason", json_object_get(verdict, "reasons"));
    print_list("warning", json_object_get(verdict, "warnings"));
}

void verdict_print(const verdict_input *in, const json_t *verdict)
{
    const student_validation *v = in->student;
    verdict_tell(verdict);
    if (v->sampled)
        print_weights(&v->weights);
    else
        print_one_side(&v->weights);
    verdict_print_modes(v);
    if (v->sampled)
        print_samples("student", "teacher", &v->sliced_w2, &v->energy, &v->moments, &v->tails);
    if (v->against_chain.rows > 0) {
        print_chain(&v->against_chain);
        verdict_print_hunt(stderr, &v->against_chain.hunt, in->names);
    }
    if (v->against_data.rows > 0)
        print_teacher(in);
    print_speed(&v->speed);
    if (in->price->densities + in->price->draws > 0)
        print_price(in->price);
    if (in->ladder)
        rungs_print(in->ladder);
}

/* ---- in a picture */

void verdict_notes(char teacher[VERDICT_NOTE], char student[VERDICT_NOTE], const verdict_input *in)
{
    const student_against_data *a = &in->student->against_data;
    const student_diagnostics *w = &in->student->weights;
    double apart = judge_two_sample(&a->sliced_w2, &a->energy);
    if (isnan(apart))
        snprintf(teacher, VERDICT_NOTE, "not held against data");
    else
        snprintf(teacher, VERDICT_NOTE, "%.1f sd of the null from the data", apart);
    if (!in->student->sampled)
        snprintf(student, VERDICT_NOTE, "KL %.4f, ESS %.2f, on its own samples alone",
                 rungs_shown(w->kl_reverse.value), w->ess_reverse.value);
    else
        snprintf(student, VERDICT_NOTE, "KL %.4f, %.4f, ESS %.2f, %.2f",
                 rungs_shown(w->kl_reverse.value), rungs_shown(w->kl_forward.value),
                 w->ess_reverse.value, w->ess_forward.value);
}
