#include "student/layerwise_layer.h"
#include "flow/alone.h"
#include "flow/circle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Half the mean squared error of a column, in noise, below which a layer is an inverse but for rounding. */
static const double EXACT = 5e-9;

/* A layer alone takes larger steps than the whole flow can. */
static const double MOST_LR = 1e-3;

/* ---- one shard of a layer */

/* Rows from number `first` on, over and over. */
static void gather(double *to, const double *from, size_t cols, size_t rows, size_t first, size_t n)
{
    for (size_t r = 0; r < n && cols; r++)
        memcpy(to + r * cols, from + (first + r) % rows * cols, cols * sizeof *to);
}

/* w -= u, the noise of n rows: on a circle by the shorter way. */
static void subtract(const flow *f, double *w, const double *u, size_t n)
{
    size_t dim = flow_dim(f);
    for (size_t i = 0; i < n * dim; i++) {
        w[i] -= u[i];
        if (flow_noise_turns(f, i % dim))
            w[i] = flow_circle_point(w[i]);
    }
}

static int work_on_shard(void *arg, const flow_slice *slice, const flow_seat *seat,
                         flow_gradient *lane, flow_err *err)
{
    const pair *p = arg;
    const layerwise *all = p->whole;
    size_t n = slice->n, block = n * all->dim, first = p->first + slice->row;
    double *u = seat->scratch, *x = u + block, *w = x + block, *dx = w + block;
    double *logdet = dx + block, *context = logdet + n;
    flow_pass *back = p->passes[slice->worker];
    gather(u, all->u, all->dim, all->rows, first, n);
    gather(context, all->context, all->c, all->rows, first, n);
    flow_pass_forward(seat->pass, NULL, x, logdet, u, context, n);
    flow_pass_forward(back, NULL, w, logdet, x, context, n);
    subtract(p->student, w, u, n);
    flow_pass_backward(back, NULL, dx, NULL, w, NULL);
    flow_pass_backward(seat->pass, NULL, NULL, lane, dx, NULL);
    (void)err;
    return 0;
}

/* ---- a layer */

void layerwise_close_layer(layerwise *whole)
{
    pair *self = &whole->now;
    for (size_t s = 0; self->passes && s < flow_trainer_seats(self->trainer); s++)
        flow_pass_free(self->passes[s]);
    free(self->passes);
    flow_trainer_free(self->trainer);
    flow_free(self->student);
    flow_free(self->teacher);
    *self = (pair){.whole = whole};
}

static int take_passes(pair *self, flow_err *err)
{
    size_t seats = flow_trainer_seats(self->trainer);
    self->passes = calloc(seats, sizeof *self->passes);
    if (!self->passes)
        return flow_fail(err, FLOW_ENOMEM, "out of memory to train a layer");
    for (size_t s = 0; s < seats; s++)
        if (!(self->passes[s] = flow_pass_create(self->teacher, FLOW_SHARD, FLOW_PASS_TRAIN, err)))
            return FLOW_ENOMEM;
    return 0;
}

static int take_trainer(pair *self, flow_err *err)
{
    const layerwise *all = self->whole;
    const student_layers_options *o = &all->options;
    const flow_lanes cut = flow_lanes_cut(o->batch, o->shard);
    const double lr = o->lr > 0 ? o->lr : student_ruler_lr(all->state->kl_before, MOST_LR);
    const flow_trainer_options options = {.lr = lr,
                                          .warmup = o->warmup,
                                          .steps = o->steps,
                                          .schedule = FLOW_COSINE,
                                          .average = o->average,
                                          .clip = o->clip,
                                          .scratch = 4 * all->dim + all->c + 1,
                                          .lr_name = "student.layerwise.lr"};
    self->trainer = flow_trainer_create(self->student, all->pool, &cut, 1, &options, err);
    return self->trainer ? take_passes(self, err) : FLOW_ENOMEM;
}

static int one_step(pair *self, const flow_lanes *cut, flow_err *err)
{
    layerwise *all = self->whole;
    student_layers_state *state = all->state;
    self->first = state->step * cut->rows % all->rows;
    int code = flow_trainer_accumulate(self->trainer, cut, work_on_shard, self, err);
    code = code ? code : flow_trainer_step(self->trainer, err);
    if (code)
        return code;
    state->step++;
    if (all->watch && state->step % DISTILL_PROBE == 0)
        all->watch(all->arg, state);
    bool stop = all->options.stop && all->options.stop();
    if (layerwise_keep(all, stop, err))
        return err->code;
    return stop ? flow_fail(err, FLOW_ESTOPPED, "stopped after step %zu of layer %zu", state->step,
                            state->layer)
                : 0;
}

static int train(pair *self, flow_err *err)
{
    const student_layers_options *o = &self->whole->options;
    const flow_lanes cut = flow_lanes_cut(o->batch, o->shard);
    int code = 0;
    while (self->whole->state->step < o->steps && !code)
        code = one_step(self, &cut, err);
    if (!code || code == FLOW_ESTOPPED)
        flow_trainer_finish(self->trainer);
    return code;
}

/* x of all rows as the layer is, and the mean of what it is to bring down. */
static int measure(const pair *self, double *loss, flow_err *err)
{
    const layerwise *all = self->whole;
    int code = flow_transport(self->student, all->pool, all->x, NULL, all->u, all->context,
                              all->rows, err);
    if (!code)
        code = flow_log_prob(self->teacher, all->pool, all->row, all->w, all->x, all->context,
                             all->rows, err);
    *loss = 0;
    if (!code)
        subtract(self->student, all->w, all->u, all->rows);
    for (size_t i = 0; i < all->rows * all->dim && !code; i++)
        *loss += 0.5 * all->w[i] * all->w[i] / (double)all->rows;
    return code;
}

int layerwise_leave_layer(layerwise *self, size_t layer, flow_err *err)
{
    flow *same = flow_alone(self->student, layer, err);
    int code = same ? flow_transport(same, self->pool, self->x, NULL, self->u, self->context,
                                     self->rows, err)
                    : err->code;
    flow_free(same);
    return code;
}

/* The layer's weights go back to the student if they are better. */
static int judge(const pair *self, size_t layer, flow_err *err)
{
    layerwise *all = self->whole;
    double after;
    int code = measure(self, &after, err);
    if (code)
        return code;
    if (!(after < self->before) && !(isnan(self->before) && !isnan(after)))
        return layerwise_leave_layer(all, layer, err);
    all->state->better++;
    flow_alone_back(all->student, layer, self->student);
    return 0;
}

int layerwise_begin_layer(layerwise *self, flow_err *err)
{
    int code = measure(&self->now, &self->now.before, err);
    if (code || self->now.before <= EXACT * (double)self->dim)
        return code;
    self->state->trained++;
    self->state->step = 0;
    return take_trainer(&self->now, err);
}

int layerwise_train_layer(layerwise *self, size_t layer, flow_err *err)
{
    flow_err late = FLOW_ERR_INIT, course = FLOW_ERR_INIT;
    int code = self->now.trainer ? 0 : layerwise_begin_layer(self, err);
    if (code || !self->now.trainer)
        return code;
    code = train(&self->now, &course);
    if (code == FLOW_EDIVERGED)
        return layerwise_leave_layer(self, layer, err);
    if (!code || code == FLOW_ESTOPPED)
        code = judge(&self->now, layer, &late) ? late.code : code;
    return code ? flow_fail(err, (flow_code)code, "%s", late.code ? late.text : course.text) : 0;
}

int layerwise_open_layer(layerwise *self, size_t layer, flow_err *err)
{
    pair *p = &self->now;
    *p = (pair){.whole = self};
    p->student = flow_alone(self->student, layer, err);
    p->teacher = p->student
                     ? flow_alone(self->teacher, flow_n_layers(self->teacher) - 1 - layer, err)
                     : NULL;
    return p->teacher ? 0 : err->code;
}
