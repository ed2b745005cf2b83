/* teacher/target_posterior.c -- the kind of the posteriors, and what their models share. */
#include "teacher/target_posterior.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- shared by models */

double posterior_log_logistic(double x)
{
    return x < 0 ? x - log1p(exp(x)) : -log1p(exp(-x));
}

double posterior_logistic(double x)
{
    return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

double posterior_normal(double *slope, double x, double sd)
{
    double u = x / sd;
    *slope -= u * u;
    return -0.5 * u * u - log(sd) - TARGET_HALF_LOG_2PI;
}

double posterior_cauchy(double *slope, double x, double scale)
{
    double square = x / scale * (x / scale);
    *slope -= 2 - 2 / (1 + square);
    return -log(3.14159265358979323846 * scale) - log1p(square);
}

file_table *posterior_table(const posterior_model *model, const posterior_options *o, flow_err *err)
{
    char names[200] = "";
    size_t n = 0, used = 0;
    for (; model->columns[n] && used < sizeof names; n++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", n ? ", " : "",
                                 model->columns[n]);
    if (o->data)
        return target_table_columns(o->data, model->columns, n, err);
    flow_fail(err, FLOW_ECONFIG, "data: %s wants a table with the columns %s", model->kind.name,
              names);
    return NULL;
}

/* ---- the kind */

#define ENTRY(NAME) &posterior_##NAME,
static const posterior_model *const models[] = {POSTERIOR_MODELS(ENTRY) NULL};

static const flow_kind *model_at(size_t i)
{
    return models[i] ? &models[i]->kind : NULL;
}

static const flow_registry registry = {.what = "model", .at = model_at};

static target *posterior_create(const json_t *object, flow_err *err)
{
    const flow_kind *kind = &target_posterior.kind;
    posterior_options *o = flow_kind_read(kind, object, err);
    if (!o)
        return NULL;
    const posterior_model *model = models[o->model];
    int code =
        model == &posterior_garch11 ? 0 : target_density_idle(kind, o, "model = garch11", err);
    free(o);
    if (!code)
        return target_density_create(&model->ops, object, err);
    flow_fail_prefix(err, kind->name);
    return NULL;
}

static const char *posterior_conflict(char *why, size_t size, const void *options)
{
    const posterior_options *o = options;
    return target_density_log_z_conflict(why, size, o->log_z, o->log_z_se);
}

static const flow_key posterior_keys[] = {
    {FLOW_KEY(posterior_options, model), .type = FLOW_KEY_WORD, .flags = FLOW_KEY_REQUIRED,
     .kinds = &registry, .doc = "Which model of posteriordb, by its name there."},
    {FLOW_KEY(posterior_options, data), .type = FLOW_KEY_TEXT, .flags = FLOW_KEY_FILE, .min = 1,
     .max = 4096,
     .doc = "A .csv or .npy table with the columns of the model, which an error lists. The eight "
            "schools are known: they need none."},
    {FLOW_KEY(posterior_options, sigma1), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MIN,
     .min = 0, .max = 1e6, .def = "0.5", .only = "model = garch11",
     .doc = "The first standard deviation, which is given."},
    {FLOW_KEY(posterior_options, log_z), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_AUTO,
     .min = -INFINITY, .max = INFINITY, .def = "auto", .unit = "nats",
     .doc = "log of the integral of the density. auto: computed for the schools and the "
            "regressions, where all but one integral has a formula; not known for the others."},
    {FLOW_KEY(posterior_options, log_z_se), .type = FLOW_KEY_REAL, .min = 0, .max = INFINITY,
     .def = "0", .unit = "nats", .only = "log_z",
     .doc = "Standard error of that log_z, which the verdict's KLs then have too; 0: it is exact."},
    TARGET_COLUMNS_KEY,
    {.name = NULL}};

const target_kind target_posterior = {
    .kind = {.name = "posterior",
             .doc =
                 "the posterior of a model of posteriordb, on the unconstrained space, as Stan has "
                 "it (Magnusson et al. 2021)",
             .keys = posterior_keys,
             .size = sizeof(posterior_options),
             .conflict = posterior_conflict},
    .example = "{\"kind\": \"posterior\", \"model\": \"eight_schools_centered\"}",
    .create = posterior_create,
};
