#include "student/layerwise_layer.h"

#include "flow/alone.h"
#include "flow/block.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* u becomes what comes out of the layer. */
static void pass_on(layerwise *self)
{
    double *out = self->x;
    self->x = self->u;
    self->u = out;
}

static int work_on_layer(layerwise *self, size_t layer, flow_err *err)
{
    int code = self->now.teacher ? 0 : layerwise_open_layer(self, layer, err); /* or it goes on */
    code = code ? code : layerwise_train_layer(self, layer, err);
    pass_on(self);
    layerwise_close_layer(self);
    return code;
}

/* ---- the whole */

static int check(const flow *student, const flow *teacher, const distill_contexts *contexts,
                 flow_err *err)
{
    if (flow_get_direction(student) != FLOW_NOISE_TO_DATA ||
        flow_get_direction(teacher) != FLOW_DATA_TO_NOISE ||
        flow_dim(student) != flow_dim(teacher) || flow_context(student) != flow_context(teacher) ||
        flow_n_layers(student) != flow_n_layers(teacher))
        return flow_fail(err, FLOW_EUSAGE,
                         "layers are trained of a student that was unrolled "
                         "from its teacher");
    if (flow_context(student) && !(contexts && contexts->n))
        return flow_fail(err, FLOW_EDATA, "no rows of context to train with");
    return 0;
}

static int take_memory(layerwise *self, flow_err *err)
{
    size_t bytes = flow_params_bytes(self->student), rows = self->rows * sizeof(double);
    self->start = flow_block_new(bytes);
    self->u = malloc(rows * self->dim);
    self->x = malloc(rows * self->dim);
    self->w = malloc(rows * self->dim);
    self->row = malloc(rows);
    self->context = self->c ? malloc(rows * self->c) : NULL;
    if (!self->start || !self->u || !self->x || !self->w || !self->row ||
        (self->c && !self->context))
        return flow_fail(err, FLOW_ENOMEM, "out of memory to train layers");
    memcpy(self->start, flow_params_const(self->student), bytes);
    return 0;
}

/* Of every other row one column, each in its turn. Where the base has an edge there is nothing behind it, and
 * a circle has nothing far out. */
static void widen(layerwise *self)
{
    for (size_t r = 1; r < self->rows && !flow_has_edge(self->student); r += 2) {
        size_t i = r / 2 % self->dim;
        self->u[r * self->dim + i] *=
            flow_noise_turns(self->student, i) ? 1 : self->options.widen_by;
    }
}

static void draw(layerwise *self, const distill_contexts *contexts)
{
    const pcg_stream noise = {
        .seed = self->options.seed, .stage = STREAM_LAYERS, .purpose = PCG_BASE};
    const pcg_stream context = {
        .seed = self->options.seed, .stage = STREAM_LAYERS, .purpose = PCG_CONTEXT};
    flow_noise(self->student, NULL, self->u, noise, 0, self->rows);
    widen(self);
    if (self->context)
        distill_contexts_draw(contexts, self->context, self->rows, self->c, context);
}

static int open_all(layerwise *self, const flow *teacher, const distill_contexts *contexts,
                    flow_err *err)
{
    if (take_memory(self, err))
        return FLOW_ENOMEM;
    self->teacher = flow_convert(teacher, flow_get_precision(self->student), err);
    self->target = self->teacher ? target_from_flow(self->teacher, err) : NULL;
    self->ruler = self->target
                      ? student_ruler_create(self->student, self->pool, self->target, contexts,
                                             self->options.seed,
                                             self->rows < RULER_ROWS ? self->rows : RULER_ROWS, err)
                      : NULL;
    if (!self->ruler)
        return err->code;
    draw(self, contexts);
    return student_ruler_measure(self->ruler, &self->state->kl_before, err);
}

static void close_all(void *arg)
{
    layerwise *self = arg;
    if (!self)
        return;
    layerwise_close_layer(self);
    student_ruler_free(self->ruler);
    target_free(self->target);
    flow_free(self->teacher);
    free(self->start);
    free(self->u);
    free(self->x);
    free(self->w);
    free(self->row);
    free(self->context);
    free(self);
}

static int work_on_layers(layerwise *self, flow_err *err)
{
    student_layers_state *state = self->state;
    int code = 0;
    while (state->layer < state->layers && !code) {
        code = work_on_layer(self, state->layer, err);
        state->layer += !code;
    }
    return code;
}

void layerwise_go_back(layerwise *self)
{
    memcpy(flow_params(self->student), self->start, flow_params_bytes(self->student));
    self->state->went_back = 1;
}

/* After all layers, or as many as there was time for. */
static int judge_all(layerwise *self, flow_err *err)
{
    student_layers_state *state = self->state;
    int code = student_ruler_measure(self->ruler, &state->kl_after, err);
    if (!code && !(state->kl_after < state->kl_before) &&
        !(isnan(state->kl_before) && !isnan(state->kl_after)))
        layerwise_go_back(self);
    return code;
}

static int run(layerwise *self, flow_err *err)
{
    flow_err late = FLOW_ERR_INIT;
    int code = work_on_layers(self, err);
    if ((!code || code == FLOW_ESTOPPED) && judge_all(self, &late))
        code = flow_fail(err, (flow_code)late.code, "%s", late.text);
    if (code && code != FLOW_ESTOPPED)
        layerwise_go_back(self);
    return code;
}

static size_t usual_rows(size_t dim)
{
    size_t rows = dim > 64 ? 64 * (size_t)LAYERS_ROWS / dim : LAYERS_ROWS;
    return rows > LAYERS_FEWEST ? rows : LAYERS_FEWEST;
}

/* What it is of. */
typedef struct subject {
    flow *student;
    student_layers_state *state;
    const flow *teacher;
    flow_pool *pool;
    const distill_contexts *contexts;
    const student_layers_options *options;
    student_layers_watch watch;
    void *arg;
} subject;

static identity identity_of(const student_layers_options *o, size_t rows, size_t layers)
{
    const flow_lanes cut = flow_lanes_cut(o->batch, o->shard);
    return (identity){o->seed, o->steps, o->batch, cut.shard, rows, layers};
}

static void *create(const void *of, flow_err *err)
{
    const subject *s = of;
    layerwise *self = calloc(1, sizeof *self);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory to train layers");
        return NULL;
    }
    size_t dim = flow_dim(s->student), layers = flow_n_layers(s->student);
    *self = (layerwise){.student = s->student,
                        .pool = s->pool,
                        .options = *s->options,
                        .rows = s->options->rows ? s->options->rows : usual_rows(dim),
                        .state = s->state,
                        .watch = s->watch,
                        .arg = s->arg,
                        .dim = dim,
                        .c = flow_context(s->student)};
    *s->state = (student_layers_state){.layers = layers, .kl_before = NAN, .kl_after = NAN};
    self->identity = identity_of(s->options, self->rows, layers);
    if (!open_all(self, s->teacher, s->contexts, err))
        return self;
    close_all(self);
    return NULL;
}

/* ---- saving: the whole as it is between two steps of a layer, its trainer behind it */

static flow_pieces pieces_of(layerwise *self, student_layers_state *state)
{
    flow_pieces pieces = {.n = 0};
    flow_pieces_add_fixed(&pieces, "seed, steps or batches", &self->identity,
                          sizeof self->identity);
    flow_pieces_add(&pieces, "state of the layers", state, sizeof *state);
    flow_pieces_add(&pieces, "weights", flow_params(self->student),
                    flow_params_bytes(self->student));
    return pieces;
}

static int join(void **block, size_t *size, const void *head, uint64_t n, const void *rest,
                size_t n_rest, flow_err *err)
{
    char *out = malloc(sizeof n + n + n_rest);
    if (!out)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a saved state");
    memcpy(out, &n, sizeof n);
    memcpy(out + sizeof n, head, n);
    memcpy(out + sizeof n + n, rest, n_rest);
    *block = out;
    *size = sizeof n + n + n_rest;
    return 0;
}

static int save(void *arg, void **block, size_t *size, flow_err *err)
{
    layerwise *self = arg;
    void *head = NULL, *rest = NULL;
    size_t n = 0, n_rest = 0;
    flow_pieces pieces = pieces_of(self, self->state);
    int code = flow_snapshot_save(&head, &n, &pieces, err);
    code = code ? code : flow_trainer_save(self->now.trainer, &rest, &n_rest, err);
    code = code ? code : join(block, size, head, n, rest, n_rest, err);
    free(head);
    free(rest);
    return code;
}

/* The rows as they come out of the layers that are done, and the next one with its trainer. */
static int go_to_layer(layerwise *self, size_t layer, flow_err *err)
{
    int code = 0;
    for (size_t k = 0; k < layer && !code; k++, pass_on(self))
        code = layerwise_leave_layer(self, k, err);
    code = code ? code : layerwise_open_layer(self, layer, err);
    return code ? code : layerwise_begin_layer(self, err);
}

static int load_rest(layerwise *self, const student_layers_state *then, const void *block,
                     size_t size, flow_err *err)
{
    int code = then->layer < then->layers ? go_to_layer(self, then->layer, err) : FLOW_EDATA;
    if (!code)
        code =
            self->now.trainer ? flow_trainer_load(self->now.trainer, block, size, err) : FLOW_EDATA;
    *self->state = *then;
    return code;
}

static int load(void *arg, const void *block, size_t size, flow_err *err)
{
    layerwise *self = arg;
    const char *at = block;
    uint64_t n = 0;
    student_layers_state then;
    flow_err local = FLOW_ERR_INIT;
    flow_pieces pieces = pieces_of(self, &then);
    if (size >= sizeof n)
        memcpy(&n, at, sizeof n);
    if (!n || n > size - sizeof n || flow_snapshot_load(&pieces, at + sizeof n, n, &local))
        return flow_fail(err, FLOW_EDATA, "saved state: of no training of these layers");
    int code = load_rest(self, &then, at + sizeof n + n, size - sizeof n - n, &local);
    if (code) /* whoever begins anew finds the student as it was */
        layerwise_go_back(self);
    return code ? flow_fail(err, (flow_code)code, "%s", local.text) : 0;
}

static const flow_kept trainings = {create, save, load, close_all};

int layerwise_keep(layerwise *self, bool stopping, flow_err *err)
{
    const flow_keeper *keeper = self->options.keeper;
    return flow_keeper_due(keeper, stopping) ? flow_keeper_keep(keeper, &trainings, self, err) : 0;
}

/* ---- */

int student_distill_layers(flow *student, student_layers_state *state, const flow *teacher,
                           flow_pool *pool, const distill_contexts *contexts,
                           const student_layers_options *options, student_layers_watch watch,
                           void *arg, flow_err *err)
{
    *state =
        (student_layers_state){.layers = flow_n_layers(student), .kl_before = NAN, .kl_after = NAN};
    int code = check(student, teacher, contexts, err);
    if (code)
        return code;
    const subject of = {student, state, teacher, pool, contexts, options, watch, arg};
    layerwise *self = flow_keeper_start(options->keeper, &trainings, &of, err);
    code = self ? run(self, err) : err->code;
    close_all(self);
    return code;
}
