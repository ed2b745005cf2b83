#include "pipeline/stages/course.h"

#include "flow/json.h"
#include "pipeline/config/config.h"
#include "pipeline/console/progress.h"
#include "pipeline/console/signals.h"
#include "pipeline/report/rungs.h"

#include <math.h>
#include <stdio.h>

int course_begin(course *self, const rundir *dir, const char *stage, const char *name,
                 uint64_t total, flow_err *err)
{
    *self = (course){.metrics.fd = -1};
    if (metrics_open(&self->metrics, dir, name, err))
        return err->code;
    progress_begin(stage, total);
    return 0;
}

int course_check(const course *self, flow_err *err)
{
    if (self->error.code)
        *err = self->error;
    return self->error.code;
}

int course_end(course *self, flow_err *err)
{
    flow_err late = FLOW_ERR_INIT;
    if (metrics_close(&self->metrics, &late) && !self->error.code)
        self->error = late;
    return course_check(self, err);
}

static int record(course *self, json_t *row)
{
    if (!self->error.code)
        metrics_append(&self->metrics, row, &self->error);
    else
        json_decref(row);
    return self->error.code != 0 || signals_pending() != 0;
}

/* ---- teacher */

/* Losses in nats a row, in the units of the data. */
static teacher_fit_state in_user_units(const course *self, const teacher_fit_state *s)
{
    teacher_fit_state out = *s;
    out.train_loss += self->train_volume;
    out.best_loss += isnan(s->valid_loss) ? self->train_volume : self->valid_volume;
    out.valid_loss += self->valid_volume;
    return out;
}

int course_watch_fit(void *arg, const teacher_fit_state *state)
{
    const teacher_fit_state in_units = in_user_units(arg, state), *s = &in_units;
    if (isnan(s->valid_loss))
        progress_update(s->epoch, "loss %.4f", s->train_loss);
    else
        progress_update(s->epoch, "loss %.4f, validation %.4f, best %.4f at %zu", s->train_loss,
                        s->valid_loss, s->best_loss, s->best_epoch);
    return record(arg, json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:I, s:I}", "epoch",
                                 (json_int_t)s->epoch, "step", (json_int_t)s->step, "train_loss",
                                 flow_json_real(s->train_loss), "valid_loss",
                                 flow_json_real(s->valid_loss), "lr", flow_json_real(s->lr),
                                 "grad_norm", flow_json_real(s->gradient_norm), "clipped",
                                 (json_int_t)s->clipped, "skipped", (json_int_t)s->skipped));
}

void course_tell_fit(const course *self, const teacher_fit_state *state, size_t weights)
{
    const teacher_fit_state in_units = in_user_units(self, state), *s = &in_units;
    if (isnan(s->valid_loss))
        progress_end("%zu weights, loss %.4f nats a row after epoch %zu, no rows to validate",
                     weights, s->train_loss, s->epoch);
    else
        progress_end("%zu weights, best validation loss %.4f nats a row at epoch %zu of %zu",
                     weights, s->best_loss, s->best_epoch, s->epoch);
}

/* ---- student */

/* What was measured of the last steps: of a term with no weight there is no figure, and beta is told
 * while it is not 1. */
static const char *figures_of(char *out, size_t size, const course *self, const distill_state *s)
{
    double log_z = self->log_z, reverse = s->kl_reverse + log_z, forward = s->kl_forward - log_z;
    int n;
    if (isnan(s->kl_reverse) && isnan(s->kl_forward))
        n = snprintf(out, size, "no rows of its own yet");
    else if (isnan(log_z) && isnan(s->kl_reverse))
        n = snprintf(out, size, "EUBO %.4f", s->kl_forward);
    else if (isnan(log_z))
        n = snprintf(out, size, "ELBO %.4f", -s->kl_reverse);
    else if (isnan(reverse))
        n = snprintf(out, size, "KL forward %.4f", forward);
    else if (isnan(forward))
        n = snprintf(out, size, "KL reverse %.4f", reverse);
    else
        n = snprintf(out, size, "KL reverse %.4f, forward %.4f", reverse, forward);
    if (!isnan(s->ess) && n > 0 && (size_t)n < size)
        n += snprintf(out + n, size - (size_t)n, ", ESS %.3f", s->ess);
    if (s->beta < 1 && n > 0 && (size_t)n < size)
        snprintf(out + n, size - (size_t)n, ", beta %.2f", s->beta);
    return out;
}

/* "T = 2, width 0.5, ": which of several is going on; empty if there is only one. out has RUNGS_NAME + 2 bytes. */
static const char *which_of(char *out, const course *self)
{
    char size[RUNGS_NAME];
    snprintf(out, RUNGS_NAME + 2, "%s%s", self->size ? rungs_size(size, self->size) : "",
             self->size ? ", " : "");
    return out;
}

static const char *gradient_name(distill_gradient value)
{
    const flow_word *word = config_gradients;
    while (word->name && word->value != (int)value)
        word++;
    return word->name;
}

static json_t *metrics_of(const course *self, const distill_state *s)
{
    json_t *row = json_pack(
        "{s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:I, s:I, s:I}", "step",
        (json_int_t)s->step, "rows", (json_int_t)s->rows, "kl_reverse",
        flow_json_real(s->kl_reverse + self->log_z), "kl_forward",
        flow_json_real(s->kl_forward - self->log_z), "elbo", flow_json_real(-s->kl_reverse), "beta",
        flow_json_real(s->beta), "lambda", flow_json_real(s->lambda), "lr", flow_json_real(s->lr),
        "grad_norm", flow_json_real(s->gradient_norm), "gradient", gradient_name(s->gradient),
        "clipped", (json_int_t)s->clipped, "skipped", (json_int_t)s->skipped, "broken_rows",
        (json_int_t)s->broken.count);
    if (!isnan(s->ess)) {
        flow_json_set(&row, "ess", flow_json_real(s->ess));
        flow_json_set(&row, "evaluations", json_integer((json_int_t)s->evaluations));
        flow_json_set(&row, "trust", flow_json_real(s->trust));
        flow_json_set(&row, "cooling", flow_json_real(s->cooling));
    }
    if (self->size) {
        flow_json_set(&row, "iterations", json_integer((json_int_t)self->size->iterations));
        flow_json_set(&row, "width", flow_json_real(self->size->width));
    }
    return row;
}

int course_watch_distill(void *arg, const distill_state *s)
{
    const course *self = arg;
    char which[RUNGS_NAME + 2], kl[96];
    progress_update(s->step, "%s%s", which_of(which, self), figures_of(kl, sizeof kl, self, s));
    return record(arg, metrics_of(self, s));
}

void course_watch_layers(void *arg, const student_layers_state *s)
{
    const course *self = arg;
    char which[RUNGS_NAME + 2];
    progress_update(s->layer * self->layer_steps + s->step, "%slayer %zu of %zu",
                    which_of(which, self), s->layer + 1, s->layers);
}

void course_tell_layers(const course *self, const student_layers_state *s)
{
    char which[RUNGS_NAME + 2];
    progress_end("%s%zu of %zu layers nearer, KL reverse %.4f, was %.4f", which_of(which, self),
                 s->better, s->trained, s->kl_after, s->kl_before);
}

/* A student that kept its best weights on the way is told by these. */
void course_tell_distill(const course *self, const distill_state *s, size_t weights)
{
    char which[RUNGS_NAME + 2], kl[96];
    figures_of(kl, sizeof kl, self, s);
    if (!isnan(s->kl_best))
        snprintf(kl, sizeof kl, "KL reverse %.4f after step %zu", s->kl_best, s->best_step);
    progress_end("%s%zu weights, %zu rows, %s", which_of(which, self), weights, s->rows, kl);
}
