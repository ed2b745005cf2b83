#include "pipeline/config/settings.h"

#include "flow/preset.h"
#include "pipeline/console/signals.h"

#include <math.h>

/* data.dequantize and data.logit: of every column, where none has a kind of its own. */
static data_kind common_kind(const config_data *d)
{
    data_kind out = data_kind_plain;
    out.step = d->dequantize;
    out.smear = true;
    if (isnan(d->logit.alpha))
        return out;
    out.lo = d->logit.lo;
    out.hi = d->logit.hi;
    out.alpha = d->logit.alpha;
    return out;
}

data_options settings_data(const config *self)
{
    const config_data *d = &self->data;
    data_options out = data_options_default();
    out.columns = d->columns.at;
    out.n_columns = d->columns.n;
    out.context = d->context.at;
    out.n_context = d->context.n;
    out.kinds = d->kinds;
    out.kind = common_kind(d);
    out.weights = d->weights;
    out.standardize = d->standardize;
    out.nonfinite = d->nonfinite;
    out.repeated = d->repeated;
    out.split = d->split;
    out.valid = d->valid;
    out.test = d->test;
    out.seed = self->seed;
    out.precision = self->precision;
    out.wrap = settings_wrap(self);
    return out;
}

static bool has_period(const config_data *d)
{
    size_t col = 0;
    while (d->kinds && col < d->columns.n && !(d->kinds[col].period > 0))
        col++;
    return d->kinds && col < d->columns.n;
}

bool settings_wrap(const config *self)
{
    return has_period(&self->data) &&
           !(flow_preset_can_circle(self->teacher.flow, FLOW_DATA_TO_NOISE) &&
             flow_preset_can_circle(self->student.flow,
                                    flow_preset_direction(self->student.flow, FLOW_NOISE_TO_DATA)));
}

bool settings_circles(unsigned char *out, const config *self, size_t dim)
{
    const config_data *d = &self->data;
    bool any = d->kinds && has_period(d) && !settings_wrap(self);
    for (size_t col = 0; col < dim; col++)
        out[col] = any && col < d->columns.n && d->kinds[col].period > 0;
    return any;
}

flow_place settings_place(const config *self, stream_stage stage, size_t dim, size_t context)
{
    return (flow_place){.dim = dim,
                        .context = context,
                        .stream = {.seed = self->seed, .stage = stage, .purpose = PCG_PERMUTE}};
}

static size_t fit_epochs(const config_teacher_train *self, size_t rows)
{
    uint64_t a_pass = rows > self->batch ? rows / self->batch : 1; /* steps */
    uint64_t wanted = (CONFIG_FIT_STEPS + a_pass - 1) / a_pass;
    if (self->epochs)
        return (size_t)self->epochs;
    return (size_t)(wanted < CONFIG_EPOCHS        ? CONFIG_EPOCHS
                    : wanted < CONFIG_MOST_EPOCHS ? wanted
                                                  : CONFIG_MOST_EPOCHS);
}

teacher_fit_options settings_fit(const config *self, size_t rows)
{
    const config_teacher_train *t = &self->teacher.train;
    return (teacher_fit_options){.batch = (size_t)t->batch,
                                 .epochs = fit_epochs(t, rows),
                                 .shard = (size_t)self->compute.shard,
                                 .lr = t->lr,
                                 .warmup = (size_t)t->warmup,
                                 .schedule = t->schedule,
                                 .plateau_factor = t->plateau_factor,
                                 .plateau_patience = (size_t)t->plateau_patience,
                                 .weight_decay = t->weight_decay,
                                 .clip = t->clip,
                                 .average = t->average,
                                 .patience = (size_t)t->patience,
                                 .seed = self->seed,
                                 .stop = signals_pending};
}

size_t settings_chain(const config *self, const target *t)
{
    bool wanted = self->validate.chain == CHAIN_ON ||
                  (self->validate.chain == CHAIN_AUTO && !t->ops->sample && !t->context);
    uint64_t rows = self->validate.chain_rows;
    return wanted ? (size_t)(rows ? rows : CONFIG_CHAIN_ROWS) : 0;
}

size_t settings_chains(const config *self)
{
    return (size_t)(self->validate.chains ? self->validate.chains : CONFIG_CHAINS);
}

double settings_hunt(const config *self)
{
    return isnan(self->validate.hunt) ? CONFIG_HUNT : self->validate.hunt;
}

uint64_t settings_steps(const config_student *self)
{
    if (self->train.steps)
        return self->train.steps;
    return flow_preset_follows(self->flow) ? CONFIG_STEPS_WARM : CONFIG_STEPS;
}

double settings_forward_end(const config_student_train *self)
{
    return isnan(self->forward_end) ? self->forward : self->forward_end;
}

/* 0: by how far a student is that starts as its teacher. */
static double student_lr(const config_student *self)
{
    if (!isnan(self->train.lr))
        return self->train.lr;
    return flow_preset_follows(self->flow) ? 0 : CONFIG_LR;
}

student_layers_options settings_layerwise(const config *self)
{
    const config_student_layerwise *l = &self->student.layerwise;
    const config_student_train *t = &self->student.train;
    return (student_layers_options){.batch = (size_t)t->batch,
                                    .steps = (size_t)l->steps,
                                    .shard = (size_t)self->compute.shard,
                                    .lr = isnan(l->lr) ? 0 : l->lr,
                                    .warmup = (size_t)(t->warmup < l->steps ? t->warmup : l->steps),
                                    .clip = t->clip,
                                    .average = t->average,
                                    .widen_by = l->widen_by,
                                    .seed = self->seed,
                                    .stop = signals_pending};
}

distill_options settings_distill(const config *self)
{
    const config_student_train *t = &self->student.train;
    return (distill_options){.batch = (size_t)t->batch,
                             .steps = (size_t)settings_steps(&self->student),
                             .shard = (size_t)self->compute.shard,
                             .lr = student_lr(&self->student),
                             .warmup = (size_t)t->warmup,
                             .schedule = t->schedule,
                             .weight_decay = t->weight_decay,
                             .clip = t->clip,
                             .average = t->average,
                             .objective = t->objective,
                             .gradient = t->gradient,
                             .forward = t->forward,
                             .forward_end = settings_forward_end(t),
                             .widen = t->widen,
                             .widen_by = t->widen_by,
                             .temper = t->temper,
                             .temper_until = t->temper_until,
                             .late_batch = (size_t)t->late_batch,
                             .late_from = t->late_from,
                             .seed = self->seed,
                             .warm = flow_preset_follows(self->student.flow),
                             .stop = signals_pending};
}
