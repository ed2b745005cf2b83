#include "pipeline/stages/reference.h"

#include "pipeline/config/show.h"
#include "pipeline/stages/digests.h"
#include "pipeline/stages/record_files.h"
#include "pipeline/stages/rundir.h"
#include "teacher/target_in_units.h"
#include "teacher/target_model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reference {
    flow_model *own;         /* of a file */
    target *target;          /* or of a description */
    const flow_model *model; /* of either; NULL: the target is no flow */
};

enum { PATH_LENGTH = 4096 };

/* ---- opening */

static bool ends_in(const char *path, const char *ending)
{
    size_t n = strlen(path), m = strlen(ending);
    return n > m && strcmp(path + n - m, ending) == 0;
}

static int from_model(reference *self, const char *path, flow_err *err)
{
    self->own = flow_model_read(path, err);
    return self->own ? 0 : err->code;
}

static int from_description(reference *self, const json_t *description, flow_err *err)
{
    self->target = target_create(description, err);
    return self->target ? 0 : flow_fail_prefix(err, "target");
}

static int from_config(reference *self, const char *path, const json_t *known, flow_err *err)
{
    int status;
    const config_sources sources = {.file = path};
    config *c = config_load_shown(&status, &sources);
    if (!c)
        return flow_fail(err, FLOW_ECONFIG, "%s gives no target", path);
    int code = c->target ? from_description(self, c->target, err)
                         : flow_fail(err, FLOW_ECONFIG,
                                     "%s has no target; of a teacher that was fitted, name its "
                                     "model file",
                                     path);
    if (!code)
        digests_compare(known, c->target);
    config_free(c);
    return code;
}

/* RUN/student/model.safetensors -> RUN, with `file` behind it. */
static int beside(char *out, const char *sampler, const char *file, flow_err *err)
{
    const char *end = strrchr(sampler, '/');
    while (end && end > sampler && end[-1] != '/')
        end--;
    int n = end ? snprintf(out, PATH_LENGTH, "%.*s%s", (int)(end - sampler), sampler, file)
                : snprintf(out, PATH_LENGTH, "../%s", file);
    return n < PATH_LENGTH ? 0 : flow_fail(err, FLOW_EUSAGE, "%s: too long a path", sampler);
}

static int from_run(reference *self, const char *sampler, const json_t *known, flow_err *err)
{
    char path[PATH_LENGTH], teacher[PATH_LENGTH];
    if (beside(path, sampler, record_file_resolved, err) ||
        beside(teacher, sampler, "teacher/model.safetensors", err))
        return err->code;
    json_t *resolved = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    const json_t *said = json_object_get(resolved, "target");
    int code = 0;
    if (json_is_object(said))
        code = from_description(self, said, err);
    else if (json_is_object(resolved))
        code = from_model(self, teacher, err);
    else
        code = flow_fail(err, FLOW_EUSAGE,
                         "%s is not there, or no JSON: what was %s made for? say --target FILE",
                         path, sampler);
    if (!code)
        digests_compare(known, said);
    json_decref(resolved);
    return code;
}

/* What the run in another directory learned from. */
static int from_directory(reference *self, const char *path, const json_t *known, flow_err *err)
{
    char sampler[PATH_LENGTH];
    int n = snprintf(sampler, sizeof sampler, "%s/student/model.safetensors", path);
    return n < PATH_LENGTH ? from_run(self, sampler, known, err)
                           : flow_fail(err, FLOW_EUSAGE, "%s: too long a path", path);
}

/* What the run, if there is one, kept of the files of its target: a new reference, or NULL. */
static json_t *known_files(const char *sampler)
{
    char path[PATH_LENGTH];
    if (beside(path, sampler, record_file_manifest, NULL))
        return NULL;
    json_t *manifest = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    json_t *out = json_incref(json_object_get(manifest, "files"));
    json_decref(manifest);
    return out;
}

/* ---- whether the two go together */

static int check_names(const json_t *ours, const json_t *theirs, const char *what, flow_err *err)
{
    size_t n = json_array_size(ours), m = json_array_size(theirs);
    if (n != m)
        return flow_fail(err, FLOW_EUSAGE, "the sampler has %zu columns of %s, its target %zu", n,
                         what, m);
    for (size_t i = 0; i < n; i++)
        if (!json_equal(json_array_get(ours, i), json_array_get(theirs, i)))
            return flow_fail(err, FLOW_EUSAGE,
                             "column %zu of %s is '%s' for the sampler and '%s' for its target", i,
                             what, json_string_value(json_array_get(ours, i)),
                             json_string_value(json_array_get(theirs, i)));
    return 0;
}

static int check(const reference *self, const flow_model *sampler, flow_err *err)
{
    if (self->model) {
        int code = check_names(sampler->names, self->model->names, "data", err);
        return code ? code
                    : check_names(sampler->context_names, self->model->context_names, "context",
                                  err);
    }
    size_t dim = flow_dim(sampler->flow), c = flow_context(sampler->flow);
    if (self->target->dim == dim && self->target->context == c)
        return 0;
    return flow_fail(err, FLOW_EUSAGE,
                     "the sampler has %zu columns and %zu of context, its target %zu and %zu", dim,
                     c, self->target->dim, self->target->context);
}

static int settle(reference *self, flow_err *err)
{
    self->model = self->own ? self->own : target_model_of(self->target);
    return self->own ? flow_model_convert(self->own, FLOW_F64, err) : 0;
}

reference *reference_open(const char *path, const flow_model *sampler, const char *sampler_path,
                          flow_err *err)
{
    reference *self = calloc(1, sizeof *self);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for a target");
        return NULL;
    }
    json_t *known = known_files(sampler_path);
    int code = !path                           ? from_run(self, sampler_path, known, err)
               : ends_in(path, ".safetensors") ? from_model(self, path, err)
               : rundir_is_folder(path)        ? from_directory(self, path, known, err)
                                               : from_config(self, path, known, err);
    json_decref(known);
    code = code ? code : settle(self, err);
    code = code ? code : check(self, sampler, err);
    if (!code)
        return self;
    reference_free(self);
    return NULL;
}

void reference_free(reference *self)
{
    if (!self)
        return;
    flow_model_free(self->own);
    target_free(self->target);
    free(self);
}

const quantities *reference_quantities(const reference *self)
{
    return self->target ? target_quantities(self->target) : NULL;
}

/* ---- */

int reference_log_p(const reference *self, flow_pool *pool, double *logp, const double *x,
                    const double *context, size_t n, uint64_t first, flow_err *err)
{
    int code = self->model
                   ? flow_model_log_prob(self->model, pool, logp, x, context, n, err)
                   : target_log_density(self->target, pool, logp, NULL, NULL, x, context, n, err);
    for (size_t r = 0; r < n && !code; r++)
        if (isnan(logp[r]) || logp[r] == INFINITY)
            code = flow_fail(err, FLOW_EDIVERGED, "the target's log-density is %g at sample %llu",
                             logp[r], (unsigned long long)(first + r));
    return code;
}

/* ---- in the units of a sampler */

static int check_columns(const flow_units *units, const json_t *names, flow_err *err)
{
    for (size_t j = 0; j < units->dim; j++)
        if (units->column[j].step > 0 || units->column[j].wrapped)
            return flow_fail(
                err, FLOW_EUSAGE,
                "column '%s' is a grid or a wrapped circle, whose density has no gradient that "
                "chains could follow; what a student misses of a teacher is in its "
                "validation.json, too: uncovered",
                json_string_value(json_array_get(names, j)));
    return 0;
}

/* Two models have the same units where their files would say the same. */
static int check_units(const flow_units *ours, const flow_units *theirs, flow_err *err)
{
    json_t *a = flow_units_to_json(ours), *b = flow_units_to_json(theirs);
    int code = a && b ? 0 : flow_fail(err, FLOW_ENOMEM, "out of memory for units");
    if (!code && !json_equal(a, b))
        code = flow_fail(err, FLOW_EUSAGE,
                         "the sampler was not made for this model: their columns are scaled "
                         "differently");
    json_decref(a);
    json_decref(b);
    return code;
}

target *reference_in_units(const reference *self, const flow_model *sampler, flow_err *err)
{
    int code = flow_context(sampler->flow)
                   ? flow_fail(err, FLOW_EUSAGE, "chains are for densities without context")
                   : check_columns(sampler->units, sampler->names, err);
    if (!code && self->model)
        code = check_units(sampler->units, self->model->units, err);
    if (code)
        return NULL;
    return self->model ? target_from_flow(self->model->flow, err)
                       : target_in_flow_units(self->target, sampler->units, err);
}
