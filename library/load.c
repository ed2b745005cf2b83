/* library/load.c -- handles: made from files, bytes or another handle, and freed. */
#include "flow/json.h"
#include "library/handle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- errors */

int library_code(int code)
{
    static const int codes[] = {
        [FLOW_OK] = DISTILL_OK,          [-FLOW_EDATA] = DISTILL_EFILE,
        [-FLOW_EUSAGE] = DISTILL_EUSAGE, [-FLOW_ENOINPUT] = DISTILL_ENOFILE,
        [-FLOW_EIO] = DISTILL_ENOFILE,   [-FLOW_ECONFIG] = DISTILL_ECANNOT,
        [-FLOW_ENOMEM] = DISTILL_ENOMEM,
    };
    size_t at = (size_t)-code;
    int known = at < sizeof codes / sizeof *codes ? codes[at] : DISTILL_OK;
    return known || !code ? known : DISTILL_EBUG;
}

int library_fail(distill_error *to, const flow_err *why)
{
    int code = library_code(why->code);
    if (!to)
        return code;
    to->code = code;
    snprintf(to->text, sizeof to->text, "%.*s", (int)sizeof to->text - 1, why->text);
    return code;
}

/* ---- weights */

static void let_go(weights *self)
{
    if (!self || atomic_fetch_sub(&self->handles, 1) > 1)
        return;
    if (self->model && self->precise.flow != self->model->flow)
        flow_free(self->precise.flow);
    flow_model_free(self->model);
    free(self->description);
    free(self);
}

static char *describe(const flow_model *model)
{
    json_t *all =
        json_pack("{s:o, s:o, s:O, s:s}", "flow", flow_describe(model->flow), "units",
                  flow_units_to_json(model->units), "names", model->names, "role", model->role);
    if (all && model->context_units)
        json_object_set_new(all, "context_units", flow_units_to_json(model->context_units));
    if (all && model->context_names)
        json_object_set(all, "context_names", model->context_names);
    char *text = all ? flow_json_text(all, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(all);
    return text;
}

/* A model file, or bytes. */
typedef struct source {
    const char *path; /* NULL: bytes */
    const void *bytes;
    size_t length;
} source;

static flow_model *read_model(const source *from, flow_err *err)
{
    return from->path ? flow_model_read(from->path, err)
                      : flow_model_read_bytes(from->bytes, from->length, "the bytes given", err);
}

/* `precise`, for a model in single precision; a rounded one is another density in double. */
static int add_precise(weights *self, flow_network network, flow_err *err)
{
    int code = flow_model_round(self->model, network, err);
    self->precise = *self->model;
    if (code || network != FLOW_NETWORK_AS_IS || flow_get_precision(self->model->flow) == FLOW_F64)
        return code;
    self->precise.flow = flow_convert(self->model->flow, FLOW_F64, err);
    return self->precise.flow ? 0 : err->code;
}

static weights *weights_load(const source *from, flow_network network, flow_err *err)
{
    weights *self = calloc(1, sizeof *self);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for a model");
        return NULL;
    }
    atomic_init(&self->handles, 1);
    self->model = read_model(from, err);
    int code = self->model ? add_precise(self, network, err) : err->code;
    if (!code && !(self->description = describe(self->model)))
        code = flow_fail(err, FLOW_ENOMEM, "out of memory for the description of a model");
    if (!code)
        return self;
    let_go(self);
    return NULL;
}

/* ---- handles */

static int furnish(desk *self, const weights *of, size_t shard, flow_err *err)
{
    size_t dim = flow_dim(of->model->flow), context = flow_context(of->model->flow);
    self->samples = flow_model_pass_create(of->model, shard, err);
    self->densities = self->samples ? flow_model_pass_create(&of->precise, shard, err) : NULL;
    if (!self->densities)
        return err->code;
    self->in = malloc(shard * (2 * dim + context + 1) * sizeof *self->in);
    if (!self->in)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for shards of %zu rows", shard);
    self->x = self->in + shard * dim;
    self->context = self->x + shard * dim;
    self->log_q = self->context + shard * context;
    return 0;
}

static int furnish_all(distill_model *self, size_t threads, flow_err *err)
{
    self->n_desks = threads > 1 ? threads : 1;
    self->shard = flow_shard_rows(self->of->model->flow, FLOW_SHARD);
    self->desks = calloc(self->n_desks, sizeof *self->desks);
    if (!self->desks)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a handle");
    for (size_t i = 0; i < self->n_desks; i++)
        if (furnish(&self->desks[i], self->of, self->shard, err))
            return err->code;
    if (self->n_desks > 1 && !(self->pool = flow_pool_create(self->n_desks, err)))
        return err->code;
    return 0;
}

/* Takes over the caller's part of the weights, whatever happens. */
static distill_model *handle_create(weights *of, size_t threads, flow_err *err)
{
    distill_model *self = calloc(1, sizeof *self);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for a handle");
        let_go(of);
        return NULL;
    }
    self->of = of;
    atomic_flag_clear(&self->busy);
    if (furnish_all(self, threads, err) == 0)
        return self;
    distill_free(self);
    return NULL;
}

static int read_options(flow_network *network, size_t *threads, const distill_load_options *options,
                        flow_err *err)
{
    distill_load_options o = {.size = sizeof o};
    if (options && (options->size < sizeof o.size || options->size > sizeof o))
        return flow_fail(err, FLOW_EUSAGE,
                         "options of %zu bytes, this library knows %zu: set size to sizeof",
                         options->size, sizeof o);
    if (options)
        memcpy(&o, options, options->size);
    *network = FLOW_NETWORK_AS_IS;
    *threads = o.threads;
    if (o.threads > FLOW_MAX_THREADS)
        return flow_fail(err, FLOW_EUSAGE, "%zu threads; wanted: at most %d", o.threads,
                         FLOW_MAX_THREADS);
    return o.network ? flow_network_take(network, o.network, err) : 0;
}

static distill_model *load(const source *from, const distill_load_options *options,
                           distill_error *error)
{
    flow_err err = FLOW_ERR_INIT;
    flow_network network;
    size_t threads = 0;
    distill_model *self = NULL;
    if (!from->path && !from->bytes)
        flow_fail(&err, FLOW_EUSAGE, "no file and no bytes to load");
    else if (read_options(&network, &threads, options, &err) == 0) {
        weights *of = weights_load(from, network, &err);
        self = of ? handle_create(of, threads, &err) : NULL;
    }
    library_fail(error, &err);
    return self;
}

distill_model *distill_load(const char *path, const distill_load_options *options,
                            distill_error *error)
{
    return load(&(source){.path = path}, options, error);
}

distill_model *distill_load_memory(const void *bytes, size_t length,
                                   const distill_load_options *options, distill_error *error)
{
    return load(&(source){.bytes = bytes, .length = length}, options, error);
}

distill_model *distill_share(const distill_model *model, distill_error *error)
{
    flow_err err = FLOW_ERR_INIT;
    distill_model *self = NULL;
    if (!model) {
        flow_fail(&err, FLOW_EUSAGE, "no model to share");
    } else {
        atomic_fetch_add(&model->of->handles, 1);
        self = handle_create(model->of, model->n_desks, &err);
    }
    library_fail(error, &err);
    return self;
}

void distill_free(distill_model *model)
{
    if (!model)
        return;
    flow_pool_free(model->pool);
    for (size_t i = 0; i < model->n_desks && model->desks; i++) {
        flow_model_pass_free(model->desks[i].samples);
        flow_model_pass_free(model->desks[i].densities);
        free(model->desks[i].in);
    }
    free(model->desks);
    let_go(model->of);
    free(model);
}
