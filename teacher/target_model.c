#include "teacher/target_model.h"

#include <stdlib.h>
#include <string.h>

typedef struct model_options {
    const char *path, *contexts;
} model_options;

/* All is asked of `inner`, but for its release. */
typedef struct model_target {
    target base;
    target *inner;
    flow_model *model;
    char *contexts;
} model_target;

static const flow_key model_keys[] = {
    {FLOW_KEY(model_options, path), .type = FLOW_KEY_TEXT,
     .flags = FLOW_KEY_REQUIRED | FLOW_KEY_FILE, .min = 1, .max = 4096,
     .doc = "A model file (.safetensors) of distill, such as RUN/teacher/model.safetensors."},
    {FLOW_KEY(model_options, contexts), .type = FLOW_KEY_TEXT, .flags = FLOW_KEY_FILE, .min = 1,
     .max = 4096,
     .doc = "A table of rows of context (.npy or .csv) to learn at, of a conditional model: its "
            "columns by "
            "name, in any order; others are left aside."},
    {.name = NULL}};

static void model_free(target *self)
{
    model_target *m = (model_target *)self;
    target_free(m->inner);
    flow_model_free(m->model);
    free(m->contexts);
    free(m);
}

const flow_model *target_model_of(const target *self)
{
    return self->ops->free == model_free ? ((const model_target *)self)->model : NULL;
}

const char *target_model_contexts(const target *self)
{
    return target_model_of(self) ? ((const model_target *)self)->contexts : NULL;
}

/* ---- what is asked of it, passed on */

static const target *inner(const target *self)
{
    return ((const model_target *)self)->inner;
}

static void *model_work_create(const target *self, size_t max_rows, flow_err *err)
{
    return inner(self)->ops->work_create(inner(self), max_rows, err);
}

static void model_work_free(const target *self, void *work)
{
    inner(self)->ops->work_free(inner(self), work);
}

static int model_log_density(const target *self, double *logp, double *grad, target_status *status,
                             const double *x, const double *context, size_t n, void *work,
                             flow_err *err)
{
    return inner(self)->ops->log_density(inner(self), logp, grad, status, x, context, n, work, err);
}

static int model_sample(const target *self, double *x, double *logp, target_status *status,
                        const double *context, const target_rows *rows, size_t n, void *work,
                        flow_err *err)
{
    return inner(self)->ops->sample(inner(self), x, logp, status, context, rows, n, work, err);
}

static const target_ops model_ops = {.name = "model",
                                     .free = model_free,
                                     .work_create = model_work_create,
                                     .work_free = model_work_free,
                                     .log_density = model_log_density,
                                     .sample = model_sample};

/* ---- making one */

static int open_model(model_target *self, const model_options *options, flow_err *err)
{
    self->model = flow_model_read(options->path, err);
    self->inner = self->model ? target_from_flow(self->model->flow, err) : NULL;
    if (!self->inner)
        return err->code;
    if (options->contexts && !(self->contexts = strdup(options->contexts)))
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a target");
    if (!self->inner->context == !self->contexts) {
        self->base = *self->inner;
        self->base.ops = &model_ops;
        return 0;
    }
    return flow_fail(err, FLOW_ECONFIG,
                     self->contexts ? "contexts: the model of '%s' has no context"
                                    : "contexts: the model of '%s' is conditional, so it wants "
                                      "rows of context to learn at",
                     options->path);
}

static target *model_create(const json_t *object, flow_err *err)
{
    model_options *options = flow_kind_read(&target_model.kind, object, err);
    model_target *self = options ? calloc(1, sizeof *self) : NULL;
    if (options && !self)
        flow_fail(err, FLOW_ENOMEM, "out of memory for a target");
    bool good = self && open_model(self, options, err) == 0;
    free(options);
    if (good)
        return &self->base;
    if (self)
        model_free(&self->base);
    return NULL;
}

const target_kind target_model = {
    .kind = {.name = "model",
             .doc = "a flow that was fitted before, from its model file: a student may start as it",
             .keys = model_keys,
             .size = sizeof(model_options)},
    .follows = true,
    .create = model_create,
};
