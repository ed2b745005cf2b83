/* pipeline/report/verdict_student.c -- the figures of the student against its teacher in validation.json. */
#include "flow/json.h"
#include "pipeline/report/verdict_parts.h"

#include <math.h>

/* ---- from log weights */

json_t *verdict_estimate(student_estimate e)
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
    json_t *points = json_array(), *out = verdict_estimate(e);
    for (size_t i = 0; i < curve->len; i++)
        flow_json_append(&points, json_pack("[I, o]", (json_int_t)curve->rows[i],
                                            flow_json_real(curve->ess[i])));
    flow_json_set(&out, "ess_curve", points);
    return out;
}

static json_t *psis(const psis_fit *p)
{
    return json_pack("{s:o, s:o, s:I}", "value", flow_json_real(p->khat), "threshold",
                     flow_json_real(p->threshold), "tail", (json_int_t)p->tail);
}

static json_t *unweighting(const student_unweighting *u)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "efficiency", flow_json_real(u->efficiency), "madnis",
                     flow_json_real(u->madnis), "over_weight", flow_json_real(u->over_weight),
                     "kept", flow_json_real(u->kept));
}

void verdict_set_weights(json_t **out, const student_diagnostics *d)
{
    flow_json_set(out, "kl_reverse", verdict_estimate(d->kl_reverse));
    flow_json_set(out, "kl_forward", verdict_estimate(d->kl_forward));
    flow_json_set(out, "elbo", verdict_estimate(d->elbo));
    flow_json_set(out, "eubo", verdict_estimate(d->eubo));
    flow_json_set(out, "jeffreys", verdict_estimate(d->jeffreys));
    flow_json_set(out, "log_z", verdict_estimate(d->log_z));
    flow_json_set(out, "ess_reverse", ess(d->ess_reverse, &d->curve_reverse));
    flow_json_set(out, "ess_forward", ess(d->ess_forward, &d->curve_forward));
    flow_json_set(out, "acceptance", verdict_estimate(d->acceptance));
    flow_json_set(out, "unweighting", unweighting(&d->unweighting));
    flow_json_set(out, "khat", psis(&d->psis));
    flow_json_set(out, "khat_forward", d->n_forward ? psis(&d->psis_forward) : json_null());
    flow_json_set(out, "normalisation",
                  json_pack("{s:o, s:o}", "mean_w", check(d->mean_w), "mean_inverse_w",
                            check(d->mean_inverse_w)));
    flow_json_set(out, "zero_density",
                  json_pack("{s:I, s:I}", "reverse", (json_int_t)d->zero_reverse, "forward",
                            (json_int_t)d->zero_forward));
}

/* ---- what is not covered */

static json_t *uncovered_count(const student_diagnostics *d, size_t k)
{
    return json_pack("{s:o, s:I, s:o}", "nats", flow_json_real(student_uncovered_nats[k]), "count",
                     (json_int_t)d->uncovered[k], "share",
                     flow_json_real((double)d->uncovered[k] / (double)d->n_forward));
}

static json_t *uncovered_row(const verdict_input *in, const student_uncovered_row *w)
{
    return json_pack("{s:I, s:o, s:s, s:o, s:o}", "row", (json_int_t)w->row, "nats",
                     flow_json_real(w->nats), "column", in->names[w->column], "value",
                     flow_json_real(w->value), "sds", flow_json_real(w->distance));
}

json_t *verdict_uncovered(const verdict_input *in)
{
    const student_validation *v = in->student;
    if (v->weights.n_forward == 0)
        return json_null();
    json_t *above = json_array(), *worst = json_array();
    for (size_t k = 0; k < STUDENT_UNCOVERED; k++)
        flow_json_append(&above, uncovered_count(&v->weights, k));
    for (size_t i = 0; i < v->uncovered.n; i++)
        flow_json_append(&worst, uncovered_row(in, &v->uncovered.rows[i]));
    return json_pack("{s:I, s:o, s:o}", "rows", (json_int_t)v->weights.n_forward, "above", above,
                     "worst", worst);
}

/* ---- from samples */

static json_t *worst(const student_worst *w, const char *own, const char *ref,
                     const char *const *names)
{
    if (isnan(w->z))
        return json_null();
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "column", names[w->column], "other",
                     names[w->other], own, flow_json_real(w->student), ref,
                     flow_json_real(w->reference), "z", flow_json_real(w->z), "p",
                     flow_json_real(w->p));
}

json_t *verdict_moments(const student_moments_difference *m, const char *own, const char *ref,
                        const char *const *names)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "units", "flow", "mean",
                     worst(&m->mean, own, ref, names), "sd", worst(&m->sd, own, ref, names),
                     "correlation", worst(&m->correlation, own, ref, names), "mean_error",
                     flow_json_real(m->mean_excess.value), "sd_error",
                     flow_json_real(m->sd_excess.value), "correlation_error",
                     flow_json_real(m->correlation_excess.value));
}

static json_t *two_sample(const student_two_sample *t, const char *ref)
{
    if (isnan(t->value))
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:I}", "value", flow_json_real(t->value), ref,
                     flow_json_real(t->teacher), "null_mean", flow_json_real(t->null_mean),
                     "null_sd", flow_json_real(t->null_sd), "p", flow_json_real(t->p), "rows",
                     (json_int_t)t->rows);
}

json_t *verdict_two_samples(const student_two_sample *sliced_w2, const student_two_sample *energy,
                            const char *units, const char *ref)
{
    return json_pack("{s:s, s:o, s:o, s:o}", "units", units, "sliced_w2",
                     two_sample(sliced_w2, ref), "energy", two_sample(energy, ref), "sigmas",
                     flow_json_real(judge_two_sample(sliced_w2, energy)));
}

/* ---- rows */

/* The first of them in words; null: none. */
static json_t *first_broken(const broken_rows *b)
{
    char text[BROKEN_TEXT];
    return b->count ? json_string(broken_text(text, b)) : json_null();
}

json_t *verdict_broken(const broken_rows *b)
{
    return json_pack("{s:I, s:o}", "count", (json_int_t)b->count, "first", first_broken(b));
}

static double rows_asked(const verdict_price *p)
{
    return (double)(p->densities + p->draws);
}

double verdict_target_row(const verdict_price *p)
{
    return rows_asked(p) > 0 ? p->target_seconds / rows_asked(p) : NAN;
}

double verdict_own_row(const verdict_price *p)
{
    return rows_asked(p) > 0 ? (p->seconds - p->target_seconds) / rows_asked(p) : NAN;
}

json_t *verdict_speed(const student_speed *s, const verdict_price *price, double chain_seconds)
{
    const struct {
        const char *rate, *row;
        student_pace pace;
    } all[] = {{"student_rows_per_s", "student_row_seconds", s->student},
               {"student_as_trained_rows_per_s", "student_as_trained_row_seconds", s->as_trained},
               {"teacher_incremental_rows_per_s", "teacher_incremental_row_seconds",
                s->teacher_incremental},
               {"teacher_naive_rows_per_s", "teacher_naive_row_seconds", s->teacher_naive}};
    json_t *out = json_object();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        flow_json_set(&out, all[i].rate, flow_json_real(all[i].pace.rows_per_s));
        flow_json_set(&out, all[i].row, flow_json_real(all[i].pace.row_seconds));
    }
    flow_json_set(&out, "teacher_density_rows_per_s", flow_json_real(s->teacher_density));
    flow_json_set(&out, "chain_seconds", flow_json_real(chain_seconds));
    flow_json_set(&out, "training_target_row_seconds", flow_json_real(verdict_target_row(price)));
    flow_json_set(&out, "training_own_row_seconds", flow_json_real(verdict_own_row(price)));
    return out;
}
