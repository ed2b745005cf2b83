#include "flow/layer/conditioner.h"
#include "flow/pool.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t NONE = SIZE_MAX;

/* Rows that a map and an activation take in turns, for many columns and for one. */
enum { BLOCK = 32, SINGLE_BLOCK = 64 };

/* What is worth sharing: a map of so many multiply-adds; for a single row, which is as fast as its
 * weights arrive, a map of so many weights, in a network that is too large for the second cache with
 * others like it. */
enum { SHARED_WORK = 1 << 20, SHARED_WEIGHTS = 1 << 14, LARGE_NETWORK = 1 << 16 };

/* ---- making the program of steps */

/* Adds a buffer of `rows` features; begin is filled by the caller. SIZE_MAX: out of memory. */
static size_t add_buffer(conditioner *self, size_t rows)
{
    assert(self->n_buffers <= CONDITIONER_MAX_STEPS);
    conditioner_buffer *b = &self->buffers[self->n_buffers];
    b->begin = calloc(self->spec.dim + 2, sizeof *b->begin);
    if (!b->begin)
        return NONE;
    b->rows = rows;
    b->offset = self->value_rows;
    self->value_rows += flow_pad(rows);
    return self->n_buffers++;
}

static size_t lowest_degree(const conditioner_spec *spec)
{
    return spec->context > 0 ? 0 : 1;
}

/* Hidden unit u of `width` has degree lowest + floor(u * count / width): even and ascending. */
static size_t add_hidden(conditioner *self, size_t width)
{
    size_t buffer = add_buffer(self, width);
    if (buffer == NONE)
        return NONE;
    size_t lowest = lowest_degree(&self->spec), count = self->spec.dim - lowest;
    size_t *begin = self->buffers[buffer].begin;
    for (size_t d = 0; d <= self->spec.dim + 1; d++) {
        size_t below = d <= lowest ? 0 : (d - lowest < count ? d - lowest : count);
        begin[d] = (below * width + count - 1) / count; /* units u with u * count < below * width */
    }
    return buffer;
}

static size_t add_inputs(conditioner *self)
{
    size_t buffer = add_buffer(self, self->spec.context + self->spec.dim);
    if (buffer != NONE)
        for (size_t d = 1; d <= self->spec.dim + 1; d++)
            self->buffers[buffer].begin[d] = self->spec.context + d - 1;
    return buffer;
}

static size_t add_outputs(conditioner *self)
{
    size_t buffer = add_buffer(self, self->spec.dim * self->spec.outputs);
    if (buffer != NONE)
        for (size_t d = 1; d <= self->spec.dim + 1; d++)
            self->buffers[buffer].begin[d] = (d - 1) * self->spec.outputs;
    return buffer;
}

/* dst sees src up to degree d, or, for outputs, below degree d. */
static int add_map(conditioner *self, size_t src, size_t dst, size_t add, int strict)
{
    const conditioner_buffer *from = &self->buffers[src], *to = &self->buffers[dst];
    size_t *limit = malloc(to->rows * sizeof *limit);
    if (!limit)
        return -1;
    for (size_t d = 0; d <= self->spec.dim; d++)
        for (size_t m = to->begin[d]; m < to->begin[d + 1]; m++)
            limit[m] = from->begin[strict ? d : d + 1];
    stair *map = &self->maps[self->n_maps];
    int failed = stair_create(map, limit, to->rows, from->rows);
    free(limit);
    if (failed)
        return -1;
    self->steps[self->n_steps++] = (conditioner_step){
        .map = (int)self->n_maps++, .src = src, .dst = dst, .add = add, .offset = self->n_params};
    self->n_params += map->n_params;
    self->n_live += map->n_live;
    return 0;
}

static void add_activation(conditioner *self, size_t src, size_t dst)
{
    self->steps[self->n_steps++] = (conditioner_step){
        .map = -1, .src = src, .dst = dst, .add = NONE, .slope = self->slope_rows};
    if (!self->spec.activation->pull)
        self->slope_rows += flow_pad(self->buffers[src].rows);
}

/* inputs -> W -> f -> W -> f ... ; returns the last buffer. */
static size_t build_plain(conditioner *self, size_t from)
{
    for (size_t l = 0; l < self->spec.n_hidden; l++) {
        size_t h = add_hidden(self, self->spec.hidden[l]);
        if (h == NONE || add_map(self, from, h, NONE, 0))
            return NONE;
        add_activation(self, h, h);
        from = h;
    }
    return from;
}

static size_t build_residual(conditioner *self, size_t from)
{
    size_t width = self->spec.hidden[0], r = add_hidden(self, width);
    if (r == NONE || add_map(self, from, r, NONE, 0))
        return NONE;
    for (size_t b = 0; b < self->spec.residual; b++) {
        size_t u = add_hidden(self, width), v = add_hidden(self, width);
        size_t next = add_hidden(self, width);
        if (u == NONE || v == NONE || next == NONE)
            return NONE;
        add_activation(self, r, u);
        if (add_map(self, u, v, NONE, 0))
            return NONE;
        add_activation(self, v, v);
        if (add_map(self, v, next, r, 0))
            return NONE;
        r = next;
    }
    return r;
}

static int build(conditioner *self)
{
    size_t last = add_inputs(self);
    int empty = lowest_degree(&self->spec) >= self->spec.dim; /* D = 1 without context */
    if (last != NONE && !empty)
        last = self->spec.residual ? build_residual(self, last) : build_plain(self, last);
    if (last == NONE)
        return -1;
    size_t out = add_outputs(self);
    return out == NONE ? -1 : add_map(self, last, out, NONE, 1);
}

int conditioner_create(conditioner *self, const conditioner_options *options, size_t dim,
                       size_t context, size_t outputs, flow_err *err)
{
    *self = (conditioner){.spec = {.dim = dim,
                                   .context = context,
                                   .outputs = outputs,
                                   .n_hidden = options->hidden.n,
                                   .residual = options->residual,
                                   .activation = &activation_kinds[options->activation]}};
    for (size_t l = 0; l < options->hidden.n; l++)
        self->spec.hidden[l] = (size_t)options->hidden.at[l];
    if (build(self)) {
        conditioner_release(self);
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a conditioner network");
    }
    return 0;
}

conditioner_options conditioner_options_of(const conditioner *self)
{
    conditioner_options out = {.hidden.n = self->spec.n_hidden,
                               .residual = self->spec.residual,
                               .activation = (int)(self->spec.activation - activation_kinds)};
    for (size_t l = 0; l < self->spec.n_hidden; l++)
        out.hidden.at[l] = self->spec.hidden[l];
    return out;
}

void conditioner_release(conditioner *self)
{
    for (size_t i = 0; i < self->n_buffers; i++)
        free(self->buffers[i].begin);
    for (size_t i = 0; i < self->n_maps; i++)
        stair_release(&self->maps[i]);
    self->n_buffers = self->n_maps = 0;
}

/* ---- initial weights */

static void init_map(const stair *map, real *theta, pcg *rng, double gain)
{
    memset(theta, 0, map->n_params * sizeof *theta);
    for (size_t m = 0; m < map->rows; m++) {
        const stair_panel *panel = &map->panels[m / FLOW_PAD];
        real *w = theta + panel->offset + (m - panel->row);
        double width = gain * sqrt(3.0 / (map->limit[m] ? (double)map->limit[m] : 1.0));
        for (size_t k = 0; k < map->limit[m]; k++)
            w[k * FLOW_PAD] = (real)(width * (2 * pcg_uniform(rng) - 1));
        if (gain > 0)
            theta[map->bias + m] = (real)(0.3 * (2 * pcg_uniform(rng) - 1));
    }
}

void conditioner_init(const conditioner *self, real *theta, pcg *rng)
{
    for (size_t s = 0; s < self->n_steps; s++) {
        const conditioner_step *step = &self->steps[s];
        if (step->map < 0)
            continue;
        int outputs = step->dst == self->n_buffers - 1;
        int branch_end = step->add != NONE; /* a residual block starts nearly as the identity */
        init_map(&self->maps[step->map], theta + step->offset, rng,
                 outputs      ? 0.0
                 : branch_end ? 0.1
                              : 1.0);
    }
}

/* ---- forward */

typedef void product(const stair *self, real *y, const real *theta, const real *x, const real *add,
                     size_t row0, size_t row1, size_t ld);

static void run_rows(const conditioner *self, const conditioner_step *step, product *multiply,
                     real *values, real *slopes, const real *theta, size_t row0, size_t row1,
                     size_t ld)
{
    if (row0 >= row1)
        return;
    real *dst = conditioner_rows(self, values, step->dst, 0, ld);
    const real *src = conditioner_rows(self, values, step->src, 0, ld);
    if (step->map >= 0) {
        const real *add =
            step->add == NONE ? NULL : conditioner_rows(self, values, step->add, 0, ld);
        multiply(&self->maps[step->map], dst, theta + step->offset, src, add, row0, row1, ld);
        return;
    }
    const activation *f = self->spec.activation;
    real *slope = slopes && !f->pull ? slopes + (step->slope + row0) * ld : NULL;
    f->apply(dst + row0 * ld, slope, src + row0 * ld, (row1 - row0) * ld);
}

/* Maps and activations in place take turns, block by block, so that what the one leaves is still in
 * the nearest cache for the other. */
static int activates_in_place(const conditioner_step *step, size_t buffer)
{
    return step->map < 0 && step->src == buffer && step->dst == buffer;
}

/* Step s is a map and step s + 1 the activation of its result. */
static int activated_after(const conditioner *self, size_t s)
{
    const conditioner_step *map = &self->steps[s];
    return s + 1 < self->n_steps && map->map >= 0 && activates_in_place(map + 1, map->dst);
}

/* Step s is a map and step s - 1 the activation of what it reads. */
static int activated_before(const conditioner *self, size_t s)
{
    const conditioner_step *map = &self->steps[s];
    return s > 0 && map->map >= 0 && activates_in_place(map - 1, map->src);
}

/* ---- all rows of a step, by parts that other threads may take (pool.h) */

/* A map, and the activation in place of its result or of what it reads, if there is one. */
typedef struct work {
    const conditioner *net;
    const conditioner_step *step;
    size_t pair, rows, block, blocks; /* pair: 1 with an activation; rows: of what is written */
    real *values, *slopes, *cotangents, *dtheta;
    const real *theta;
    int add;
    size_t ld;
} work;

static void cut(work *w, size_t rows)
{
    w->rows = rows;
    w->block = w->ld == 1 ? SINGLE_BLOCK : BLOCK;
    w->blocks = (rows + w->block - 1) / w->block;
}

static size_t end_of_block(const work *w, size_t index)
{
    size_t end = (index + 1) * w->block;
    return end < w->rows ? end : w->rows;
}

static int worth_sharing(const work *w)
{
    if (w->step->map < 0)
        return 0;
    size_t live = w->net->maps[w->step->map].n_live;
    return w->ld == 1 ? live >= SHARED_WEIGHTS && w->net->n_live >= LARGE_NETWORK
                      : live * w->ld >= SHARED_WORK;
}

static void run_parts(work *w, void (*part)(void *arg, size_t index), size_t count)
{
    if (worth_sharing(w)) {
        flow_pool_share(part, w, count);
        return;
    }
    for (size_t index = 0; index < count; index++)
        part(w, index);
}

static void forward_block(void *arg, size_t index)
{
    const work *w = arg;
    size_t row = index * w->block, end = end_of_block(w, index);
    if (w->pair && w->net->spec.activation->rectifier && w->ld > 1) {
        run_rows(w->net, w->step, stair_product_rectified, w->values, NULL, w->theta, row, end,
                 w->ld);
        return;
    }
    for (size_t k = 0; k <= w->pair; k++)
        run_rows(w->net, w->step + k, stair_product, w->values, w->slopes, w->theta, row, end,
                 w->ld);
}

void conditioner_forward(const conditioner *self, real *values, real *slopes, const real *theta,
                         size_t ld)
{
    for (size_t s = 0; s < self->n_steps; s++) {
        work w = {.net = self,
                  .step = &self->steps[s],
                  .pair = (size_t)activated_after(self, s),
                  .values = values,
                  .slopes = slopes,
                  .theta = theta,
                  .ld = ld};
        cut(&w, self->buffers[w.step->dst].rows);
        run_parts(&w, forward_block, w.blocks);
        s += w.pair;
    }
}

void conditioner_outputs_of(const conditioner *self, real *values, const real *theta, size_t i,
                            size_t ld)
{
    const size_t *begin = self->buffers[self->n_buffers - 1].begin;
    run_rows(self, &self->steps[self->n_steps - 1], stair_product_next, values, NULL, theta,
             begin[i], begin[i + 1], ld);
}

void conditioner_hidden_of(const conditioner *self, real *values, real *slopes, const real *theta,
                           size_t d, size_t ld)
{
    for (size_t s = 0; s + 1 < self->n_steps; s++) {
        const size_t *begin = self->buffers[self->steps[s].dst].begin;
        run_rows(self, &self->steps[s], stair_product_next, values, slopes, theta, begin[d],
                 begin[d + 1], ld);
    }
}

/* ---- backward */

static void multiply(real *d, const real *by, size_t count)
{
    for (size_t i = 0; i < count; i++)
        d[i] *= by[i];
}

static void add(real *to, const real *from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] += from[i];
}

typedef void product_t(const stair *self, real *dx, const real *theta, const real *dy, size_t col0,
                       size_t col1, size_t ld);

/* What a step hands back to its source, for the source's rows row0 .. row1 - 1. A buffer may feed
 * two steps, an activation (or the output map) and the skip of a block; `add` is what the later one
 * already left there. */
static void pull_rows(const conditioner *self, const conditioner_step *step, product_t *multiply_t,
                      real *cotangents, const real *theta, const real *values, const real *slopes,
                      size_t row0, size_t row1, size_t ld)
{
    if (row0 >= row1)
        return;
    real *dsrc = conditioner_rows(self, cotangents, step->src, 0, ld);
    real *ddst = conditioner_rows(self, cotangents, step->dst, 0, ld);
    if (step->map >= 0) {
        multiply_t(&self->maps[step->map], dsrc, theta + step->offset, ddst, row0, row1, ld);
        if (step->add != NONE)
            memcpy(conditioner_rows(self, cotangents, step->add, row0, ld), ddst + row0 * ld,
                   (row1 - row0) * ld * sizeof *dsrc);
        return;
    }
    const activation *f = self->spec.activation;
    real *to = dsrc + row0 * ld, *from = ddst + row0 * ld;
    size_t count = (row1 - row0) * ld;
    if (f->pull)
        f->pull(from, values + (self->buffers[step->dst].offset + row0) * ld, count);
    else
        multiply(from, slopes + (step->slope + row0) * ld, count);
    if (step->src != step->dst)
        add(to, from, count);
}

/* Blocks of what is handed back first, then groups of panels of the gradient: none of them reads what
 * another writes. */
static void backward_part(void *arg, size_t index)
{
    const work *w = arg;
    const conditioner *net = w->net;
    const conditioner_step *step = w->step;
    size_t ld = w->ld;
    if (index >= w->blocks) {
        stair_gradient(&net->maps[step->map], w->dtheta + step->offset, w->add,
                       w->cotangents + net->buffers[step->dst].offset * ld,
                       w->values + net->buffers[step->src].offset * ld, index - w->blocks, ld);
        return;
    }
    size_t row = index * w->block, end = end_of_block(w, index);
    for (size_t k = 0; k <= w->pair; k++)
        pull_rows(net, step - k, stair_product_t, w->cotangents, w->theta, w->values, w->slopes,
                  row, end, ld);
}

void conditioner_backward(const conditioner *self, real *cotangents, real *dtheta, int add_to,
                          const real *theta, const real *values, const real *slopes, size_t ld)
{
    for (size_t s = self->n_steps; s-- > 0;) {
        work w = {.net = self,
                  .step = &self->steps[s],
                  .pair = (size_t)activated_before(self, s),
                  .values = (real *)(uintptr_t)values, /* read only */
                  .slopes = (real *)(uintptr_t)slopes,
                  .cotangents = cotangents,
                  .dtheta = dtheta,
                  .theta = theta,
                  .add = add_to,
                  .ld = ld};
        int map = dtheta ? w.step->map : -1;
        cut(&w, self->buffers[w.step->src].rows);
        run_parts(&w, backward_part, w.blocks + (map < 0 ? 0 : stair_groups(&self->maps[map])));
        s -= w.pair;
    }
}

void conditioner_pull_degree(const conditioner *self, real *cotangents, const real *theta,
                             const real *values, const real *slopes, size_t d, size_t ld)
{
    for (size_t s = self->n_steps; s-- > 0;) {
        const conditioner_step *step = &self->steps[s];
        const size_t *begin = self->buffers[step->src].begin;
        pull_rows(self, step, stair_product_t_next, cotangents, theta, values, slopes, begin[d],
                  begin[d + 1], ld);
    }
}

/* ---- its kind */

static const char *one_width(char *why, size_t size, const void *options)
{
    const conditioner_options *self = options;
    if (!self->residual || self->hidden.n == 1)
        return NULL;
    snprintf(why, size, "wants one width in hidden, not %zu", self->hidden.n);
    return "residual";
}

static const flow_key mlp_keys[] = {
    {FLOW_KEY(conditioner_options, hidden), .type = FLOW_KEY_WHOLES, .min = 1, .max = 16384,
     .n_min = 1, .n_max = FLOW_MAX_WHOLES, .def = "[128, 128]", .unit = "units",
     .doc = "Widths of the hidden layers of each conditioner network."},
    {FLOW_KEY(conditioner_options, residual), .type = FLOW_KEY_WHOLE, .min = 0, .max = 16,
     .def = "0", .unit = "blocks",
     .doc = "Residual blocks of two masked layers each, all of the one width in hidden. 0 is a "
            "plain network."},
    {FLOW_KEY(conditioner_options, activation), .type = FLOW_KEY_WORD, .kinds = &flow_activations,
     .def = "silu", .doc = "Activation of the hidden units."},
    {.name = NULL}};

const flow_kind conditioner_mlp = {
    .name = "mlp",
    .doc = "masked network of any widths, or of residual blocks of one width",
    .keys = mlp_keys,
    .size = sizeof(conditioner_options),
    .conflict = one_width,
};
