#include "pipeline/report/verdict.h"

#include "flow/json.h"
#include "pipeline/report/judge.h"

#include <math.h>
#include <stdio.h>

/* ---- figures */

static json_t *estimate(student_estimate e)
{
    return json_pack("{s:o, s:o}", "value", flow_json_real(e.value), "se", flow_json_real(e.se));
}

static json_t *check(student_check c)
{
    return json_pack("{s:o, s:o, s:o}", "value", flow_json_real(c.value), "se",
                     flow_json_real(c.se), "z", flow_json_real(c.z));
}

static json_t *ess(student_estimate e, const student_curve *curve)
{
    json_t *points = json_array(), *out = estimate(e);
    for (size_t i = 0; i < curve->len; i++)
        flow_json_append(&points, json_pack("[I, o]", (json_int_t)curve->rows[i],
                                            flow_json_real(curve->ess[i])));
    flow_json_set(&out, "ess_curve", points);
    return out;
}

static json_t *worst(const verdict_input *in, const student_worst *w)
{
    if (isnan(w->z))
        return json_null();
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "column", in->names[w->column], "other",
                     in->names[w->other], "student", flow_json_real(w->student), "teacher",
                     flow_json_real(w->reference), "z", flow_json_real(w->z), "p",
                     flow_json_real(w->p));
}

static json_t *two_sample(const student_two_sample *t)
{
    if (isnan(t->value))
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:I}", "value", flow_json_real(t->value), "teacher",
                     flow_json_real(t->teacher), "null_mean", flow_json_real(t->null_mean),
                     "null_sd", flow_json_real(t->null_sd), "p", flow_json_real(t->p), "rows",
                     (json_int_t)t->rows);
}

/* NaN where the teacher could not be sampled. */
static double teacher_share(const student_validation *v, size_t mode)
{
    return v->teacher_modes ? v->teacher_modes[mode].share : NAN;
}

static json_t *modes(const student_validation *v)
{
    if (v->n_modes == 0)
        return json_null();
    json_t *list = json_array();
    for (size_t k = 0; k < v->n_modes; k++)
        flow_json_append(&list, json_pack("{s:o, s:o, s:o, s:o}", "share",
                                          flow_json_real(v->modes[k].share), "weight",
                                          flow_json_real(v->modes[k].weight), "se",
                                          flow_json_real(v->modes[k].se), "teacher",
                                          flow_json_real(teacher_share(v, k))));
    return list;
}

/* Live weights; null where the network is none of ours. */
static json_t *weights_of(const flow *f)
{
    return f ? json_integer((json_int_t)flow_n_weights(f)) : json_null();
}

static json_t *teacher_part(const verdict_input *in)
{
    return json_pack("{s:{s:o, s:o, s:I, s:s, s:o}, s:o}", "test_log_likelihood", "value",
                     flow_json_real(in->teacher_mean), "se", flow_json_real(in->teacher_se), "rows",
                     (json_int_t)in->teacher_rows, "units",
                     gate_figures[GATE_TEACHER_TEST_LOG_LIKELIHOOD].unit, "value_in_flow_units",
                     flow_json_real(in->teacher_mean_inside), "weights",
                     weights_of(in->teacher_flow));
}

/* The first of them in words; null: none. */
static json_t *first_broken(const broken_rows *b)
{
    char text[BROKEN_TEXT];
    return b->count ? json_string(broken_text(text, b)) : json_null();
}

static json_t *broken(const broken_rows *b)
{
    return json_pack("{s:I, s:o}", "count", (json_int_t)b->count, "first", first_broken(b));
}

static json_t *training_part(const verdict_input *in)
{
    const distill_state *t = in->training;
    return json_pack("{s:I, s:I, s:I, s:I, s:o, s:o}", "rows", (json_int_t)t->rows, "clipped_steps",
                     (json_int_t)t->clipped, "skipped_steps", (json_int_t)t->skipped,
                     "zero_density_rows", (json_int_t)t->zero_density, "broken_rows",
                     broken(&t->broken), "weights", weights_of(in->student_flow));
}

static json_t *speed(const student_speed *s)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "student_rows_per_s", flow_json_real(s->student),
                     "teacher_incremental_rows_per_s", flow_json_real(s->teacher_incremental),
                     "teacher_naive_rows_per_s", flow_json_real(s->teacher_naive),
                     "teacher_density_rows_per_s", flow_json_real(s->teacher_density));
}

static json_t *psis(const psis_fit *p)
{
    return json_pack("{s:o, s:o, s:I}", "value", flow_json_real(p->khat), "threshold",
                     flow_json_real(p->threshold), "tail", (json_int_t)p->tail);
}

static void set_weights(json_t **out, const student_diagnostics *d)
{
    flow_json_set(out, "kl_reverse", estimate(d->kl_reverse));
    flow_json_set(out, "kl_forward", estimate(d->kl_forward));
    flow_json_set(out, "elbo", estimate(d->elbo));
    flow_json_set(out, "eubo", estimate(d->eubo));
    flow_json_set(out, "jeffreys", estimate(d->jeffreys));
    flow_json_set(out, "log_z", estimate(d->log_z));
    flow_json_set(out, "ess_reverse", ess(d->ess_reverse, &d->curve_reverse));
    flow_json_set(out, "ess_forward", ess(d->ess_forward, &d->curve_forward));
    flow_json_set(out, "khat", psis(&d->psis));
    flow_json_set(out, "normalisation",
                  json_pack("{s:o, s:o}", "mean_w", check(d->mean_w), "mean_inverse_w",
                            check(d->mean_inverse_w)));
    flow_json_set(out, "zero_density",
                  json_pack("{s:I, s:I}", "reverse", (json_int_t)d->zero_reverse, "forward",
                            (json_int_t)d->zero_forward));
}

/* ---- gates */

static judge_figures figures_of(const verdict_input *in)
{
    const student_validation *v = in->student;
    return (judge_figures){.weights = &v->weights,
                           .log_z = v->log_z,
                           .mode_share_error = v->n_modes ? v->modes_summary.deviation : NAN,
                           .roundtrip = v->roundtrip,
                           .teacher_mean = in->teacher_mean,
                           .rows_per_s = v->speed.student};
}

static json_t *gate_json(const gate *g, double value, bool holds)
{
    char bound[GATE_TEXT];
    gate_print(bound, g);
    return json_pack("{s:s, s:s, s:o, s:b}", "key", gate_figures[g->figure].name, "bound", bound,
                     "value", flow_json_real(value), "pass", (int)holds);
}

static json_t *reason(const gate *g, double value)
{
    char bound[GATE_TEXT], line[200];
    gate_print(bound, g);
    snprintf(line, sizeof line, "%s is %.6g, wanted %s", gate_figures[g->figure].name, value,
             bound);
    return json_string(line);
}

/* Appends the gates to *list and what failed to *reasons. */
static bool judge(const verdict_input *in, json_t **list, json_t **reasons)
{
    const judge_figures figures = figures_of(in);
    bool all = true;
    for (size_t i = 0; i < in->require->n; i++) {
        const gate *g = &in->require->at[i];
        double value = judge_figure(&figures, g->figure);
        bool holds = gate_holds(g, value);
        flow_json_append(list, gate_json(g, value, holds));
        if (!holds)
            flow_json_append(reasons, reason(g, value));
        all = all && holds;
    }
    if (in->require->n == 0)
        flow_json_append(reasons, json_string("no gates in validate.require"));
    return all;
}

static void warn_if(json_t **list, bool here, const char *text)
{
    if (here)
        flow_json_append(list, json_string(text));
}

static void warn_if_broken(json_t **list, const broken_rows *rows, const char *where)
{
    char text[BROKEN_TEXT], line[BROKEN_TEXT + 120];
    if (rows->count == 0)
        return;
    snprintf(line, sizeof line,
             "the target broke at %zu rows of %s, which were left out; the first: %s",
             (size_t)rows->count, where, broken_text(text, rows));
    flow_json_append(list, json_string(line));
}

static json_t *warnings(const verdict_input *in)
{
    const student_diagnostics *d = &in->student->weights;
    json_t *list = json_array();
    warn_if(
        &list, d->psis.khat > d->psis.threshold,
        "k-hat is above its threshold: importance weights, ESS and log Z are not to be trusted");
    warn_if(&list, fabs(d->mean_w.z) > 5 || fabs(d->mean_inverse_w.z) > 5,
            "a normalisation check is more than 5 standard errors off: the weights have a heavy "
            "tail, or a mode is missing");
    warn_if(&list, d->ess_forward.value < 0.5 * d->ess_reverse.value,
            "the forward ESS is far below the reverse one: the teacher goes where the student "
            "hardly does");
    warn_if(&list, in->student->n_modes && in->student->modes_summary.empty > 0,
            "a known mode has no sample of the student");
    warn_if(&list, in->training->went_back,
            "training the student as a whole made it no better: it is as it was before");
    warn_if(&list, in->training->skipped > 0,
            "steps were skipped because their gradient was not finite");
    warn_if(&list, d->zero_reverse > 0 || d->zero_forward > 0,
            "some samples have no density under the other side");
    warn_if_broken(&list, &in->training->broken, "the training");
    warn_if_broken(&list, &in->student->broken, "the student's samples");
    warn_if_broken(&list, &in->student->teacher_broken, "the target's samples");
    return list;
}

/* ---- the whole */

static json_t *moments(const verdict_input *in)
{
    const student_moments_difference *m = &in->student->moments;
    return json_pack("{s:o, s:o, s:o}", "mean", worst(in, &m->mean), "sd", worst(in, &m->sd),
                     "correlation", worst(in, &m->correlation));
}

static json_t *two_samples(const student_validation *v)
{
    return json_pack("{s:o, s:o}", "sliced_w2", two_sample(&v->sliced_w2), "energy",
                     two_sample(&v->energy));
}

json_t *verdict_json(const verdict_input *in, bool *pass)
{
    const student_validation *v = in->student;
    json_t *out = json_object(), *gates = json_array(), *reasons = json_array();
    *pass = judge(in, &gates, &reasons);
    const char *word = in->require->n == 0 ? "unverified" : *pass ? "pass" : "fail";
    flow_json_set(&out, "verdict", json_string(word));
    flow_json_set(&out, "reasons", reasons);
    flow_json_set(&out, "warnings", warnings(in));
    flow_json_set(&out, "gates", gates);
    set_weights(&out, &v->weights);
    flow_json_set(&out, "broken",
                  json_pack("{s:o, s:o}", "reverse", broken(&v->broken), "forward",
                            broken(&v->teacher_broken)));
    flow_json_set(&out, "samples", json_integer((json_int_t)in->samples));
    flow_json_set(&out, "roundtrip", flow_json_real(v->roundtrip));
    flow_json_set(&out, "mode_share", modes(v));
    flow_json_set(&out, "moments", moments(in));
    flow_json_set(&out, "two_sample", two_samples(v));
    flow_json_set(&out, "teacher", teacher_part(in));
    flow_json_set(&out, "student", training_part(in));
    flow_json_set(&out, "speed", speed(&v->speed));
    flow_json_set(&out, "ladder", in->ladder ? rungs_json(in->ladder) : json_null());
    return out;
}

static void print_list(const char *head, const json_t *list)
{
    size_t i;
    const json_t *item;
    json_array_foreach(list, i, item) fprintf(stderr, "  %-9s %s\n", head, json_string_value(item));
}

void verdict_print(const verdict_input *in, const json_t *verdict)
{
    const student_validation *v = in->student;
    const student_diagnostics *d = &v->weights;
    fprintf(stderr, "verdict   %s\n", json_string_value(json_object_get(verdict, "verdict")));
    print_list("reason", json_object_get(verdict, "reasons"));
    print_list("warning", json_object_get(verdict, "warnings"));
    fprintf(stderr, "  KL        reverse %.4f +- %.4f, forward %.4f +- %.4f nats\n",
            d->kl_reverse.value, d->kl_reverse.se, d->kl_forward.value, d->kl_forward.se);
    fprintf(stderr, "  ESS / N   reverse %.3f, forward %.3f;  k-hat %.2f;  log Z %.4f +- %.4f\n",
            d->ess_reverse.value, d->ess_forward.value, d->psis.khat, d->log_z.value, d->log_z.se);
    for (size_t k = 0; k < v->n_modes; k++)
        fprintf(stderr, "  mode %-4zu share %.3f, teacher %.3f, exact %.3f\n", k, v->modes[k].share,
                teacher_share(v, k), v->modes[k].weight);
    fprintf(stderr, "  rows / s  student %.3g, teacher incremental %.3g, teacher naive %.3g\n",
            v->speed.student, v->speed.teacher_incremental, v->speed.teacher_naive);
    if (in->ladder)
        rungs_print(in->ladder);
}
