/* library/use.c -- calls of distill.h: arguments looked at, then shard by shard through a desk's passes. */
#include "library/handle.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef enum task { SAMPLE, NOISE, TRANSPORT, EVENT, LOG_PROB } task;

typedef struct call {
    task task;
    const char *name;
    distill_model *model;
    pcg_stream stream;
    uint64_t first;
    size_t n;
    const double *in, *context;
    double *x, *log_q;
    distill_strides strides;
} call;

static size_t dim_of(const distill_model *model)
{
    return flow_dim(model->of->model->flow);
}

static size_t context_of(const distill_model *model)
{
    return flow_context(model->of->model->flow);
}

distill_strides distill_dense(const distill_model *model)
{
    ptrdiff_t dim = (ptrdiff_t)distill_dim(model), context = (ptrdiff_t)distill_context_dim(model);
    return (distill_strides){.x = {dim, 1}, .z = {dim, 1}, .context = {context, 1}, .log_q = 1};
}

/* ---- rows in the caller's memory */

static int is_dense(distill_stride stride, size_t cols)
{
    return stride.row == (ptrdiff_t)cols && stride.column == 1;
}

/* Rows row .. row + n - 1 of an array, dense: as they lie, or gathered in room. NULL of NULL. */
static const double *take(double *room, const double *from, distill_stride stride, size_t row,
                          size_t n, size_t cols)
{
    if (!from)
        return NULL;
    from += (ptrdiff_t)row * stride.row;
    if (is_dense(stride, cols))
        return from;
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < cols; i++)
            room[r * cols + i] = from[(ptrdiff_t)r * stride.row + (ptrdiff_t)i * stride.column];
    return room;
}

static double *place(double *room, double *to, distill_stride stride, size_t row, size_t cols)
{
    return !to || !is_dense(stride, cols) ? room : to + row * cols;
}

/* What was made in room is put where it belongs. */
static void give(double *to, const double *room, distill_stride stride, size_t row, size_t n,
                 size_t cols)
{
    if (!to || is_dense(stride, cols))
        return;
    to += (ptrdiff_t)row * stride.row;
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < cols; i++)
            to[(ptrdiff_t)r * stride.row + (ptrdiff_t)i * stride.column] = room[r * cols + i];
}

/* ---- a shard */

/* weight (n) = 1/q of log q. */
static void weigh(double *weight, size_t n)
{
    for (size_t r = 0; r < n; r++)
        weight[r] = exp(-weight[r]);
}

static void make(const call *c, const desk *at, double *x, double *log_q, const double *in,
                 const double *context, size_t row, size_t n)
{
    const flow *flow_of = c->model->of->model->flow;
    switch (c->task) {
    case SAMPLE:
        flow_model_pass_sample(at->samples, x, log_q, context, c->stream, c->first + row, n, 1);
        return;
    case NOISE:
        flow_noise(flow_of, NULL, x, c->stream, c->first + row, n);
        return;
    case TRANSPORT:
        flow_model_pass_transport(at->samples, x, log_q, in, context, n);
        return;
    case EVENT:
        flow_noise_at(flow_of, at->in, in, n);
        flow_model_pass_transport(at->samples, x, log_q, at->in, context, n);
        weigh(log_q, n);
        return;
    case LOG_PROB:
        flow_model_pass_log_prob(at->densities, log_q, in, context, row, n);
    }
}

static void run_shard(void *arg, size_t index, size_t worker)
{
    const call *c = arg;
    const desk *at = &c->model->desks[worker];
    const distill_strides *s = &c->strides;
    size_t dim = dim_of(c->model), row = index * c->model->shard;
    size_t n = c->n - row < c->model->shard ? c->n - row : c->model->shard;
    const distill_stride log_q = {s->log_q, 1};
    double *x = place(at->x, c->x, s->x, row, dim);
    double *q = c->log_q ? place(at->log_q, c->log_q, log_q, row, 1) : NULL;
    make(c, at, x, q, take(at->in, c->in, c->task == LOG_PROB ? s->x : s->z, row, n, dim),
         take(at->context, c->context, s->context, row, n, context_of(c->model)), row, n);
    give(c->x, x, s->x, row, n, dim);
    give(c->log_q, q, log_q, row, n, 1);
}

static void run_shards(call *c)
{
    size_t shards = (c->n + c->model->shard - 1) / c->model->shard;
    if (c->model->pool) {
        flow_pool_run(c->model->pool, run_shard, c, shards);
        return;
    }
    for (size_t index = 0; index < shards; index++)
        run_shard(c, index, 0);
}

/* ---- arguments */

/* Whether n rows of so many columns can be reached without an overflow. */
static int is_in_memory(const double *at, distill_stride stride, size_t n, size_t cols)
{
    const double most = (double)PTRDIFF_MAX / sizeof(double);
    double rows = (double)n * fabs((double)stride.row);
    return (uintptr_t)at % _Alignof(double) == 0 &&
           rows + (double)cols * fabs((double)stride.column) < most;
}

typedef struct array {
    const char *name;
    const void *at;
    distill_stride stride;
    size_t cols;
    int wanted, output;
} array;

static int check_array(const call *c, const array *a, flow_err *err)
{
    if (!a->at)
        return a->wanted ? flow_fail(err, FLOW_EUSAGE, "%s: %s is NULL", c->name, a->name) : 0;
    if (!is_in_memory(a->at, a->stride, c->n, a->cols))
        return flow_fail(err, FLOW_EUSAGE,
                         "%s: %s cannot be an array of %zu rows: not aligned, or beyond all memory",
                         c->name, a->name, c->n);
    if (a->output && ((c->n > 1 && !a->stride.row) || (a->cols > 1 && !a->stride.column)))
        return flow_fail(err, FLOW_EUSAGE, "%s: %s is written to, and has a stride of 0", c->name,
                         a->name);
    return 0;
}

static int check_arrays(const call *c, flow_err *err)
{
    size_t dim = dim_of(c->model), context = context_of(c->model);
    const distill_strides *s = &c->strides;
    const array arrays[] = {
        {"x", c->x, s->x, dim, c->task != LOG_PROB, 1},
        {c->task == LOG_PROB ? "x"
         : c->task == EVENT  ? "u"
                             : "z",
         c->in, c->task == LOG_PROB ? s->x : s->z, dim, c->task >= TRANSPORT, 0},
        {c->task == EVENT ? "weight" : "log_q", c->log_q, {s->log_q, 1}, 1, c->task >= EVENT, 1},
        {"context", c->context, s->context, context, context > 0 && c->task != NOISE, 0},
    };
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        if (check_array(c, &arrays[i], err))
            return FLOW_EUSAGE;
    if (c->context && !context)
        return flow_fail(err, FLOW_EUSAGE, "%s: context of a model without any", c->name);
    if (c->first + c->n < c->first)
        return flow_fail(err, FLOW_EUSAGE, "%s: there is no row beyond 2^64", c->name);
    return 0;
}

static int check_model(const call *c, flow_err *err)
{
    const weights *of = c->model->of;
    if (c->task == LOG_PROB)
        return flow_model_can_log_prob(&of->precise, err);
    if (c->task == NOISE)
        return 0;
    return flow_model_can_sample(of->model, c->log_q != NULL, err);
}

static int check(const call *c, flow_err *err)
{
    int code = check_model(c, err);
    return code || !c->n ? code : check_arrays(c, err);
}

static int run(call *c, const distill_strides *strides)
{
    flow_err err = FLOW_ERR_INIT;
    distill_error why;
    if (!c->model)
        return DISTILL_EUSAGE;
    if (atomic_flag_test_and_set(&c->model->busy))
        return DISTILL_EBUSY;
    c->strides = strides ? *strides : distill_dense(c->model);
    int code = check(c, &err) ? library_fail(&why, &err) : DISTILL_OK;
    if (code)
        memcpy(c->model->why, why.text, sizeof why.text);
    else
        run_shards(c);
    atomic_flag_clear(&c->model->busy);
    return code;
}

/* ---- calls */

/* The rows of `distill sample`. */
static pcg_stream samples_of(uint64_t seed)
{
    return (pcg_stream){.seed = seed, .stage = STREAM_EXPORT, .purpose = PCG_BASE};
}

int distill_sample(distill_model *model, uint64_t seed, uint64_t first, size_t n, double *x,
                   double *log_q, const double *context, const distill_strides *strides)
{
    call c = {.task = SAMPLE,
              .name = __func__,
              .model = model,
              .stream = samples_of(seed),
              .first = first,
              .n = n,
              .context = context,
              .x = x,
              .log_q = log_q};
    return run(&c, strides);
}

int distill_noise(distill_model *model, uint64_t seed, uint64_t first, size_t n, double *z,
                  const distill_strides *strides)
{
    distill_strides s = strides ? *strides : distill_dense(model);
    s.x = s.z;
    call c = {.task = NOISE,
              .name = __func__,
              .model = model,
              .stream = samples_of(seed),
              .first = first,
              .n = n,
              .x = z};
    return run(&c, &s);
}

int distill_transport(distill_model *model, const double *z, size_t n, double *x, double *log_q,
                      const double *context, const distill_strides *strides)
{
    call c = {.task = TRANSPORT,
              .name = __func__,
              .model = model,
              .n = n,
              .in = z,
              .context = context,
              .x = x,
              .log_q = log_q};
    return run(&c, strides);
}

int distill_event(distill_model *model, const double *u, size_t n, double *x, double *weight,
                  const double *context, const distill_strides *strides)
{
    call c = {.task = EVENT,
              .name = __func__,
              .model = model,
              .n = n,
              .in = u,
              .context = context,
              .x = x,
              .log_q = weight};
    return run(&c, strides);
}

int distill_log_prob(distill_model *model, const double *x, size_t n, double *log_p,
                     const double *context, const distill_strides *strides)
{
    call c = {.task = LOG_PROB,
              .name = __func__,
              .model = model,
              .n = n,
              .in = x,
              .context = context,
              .log_q = log_p};
    return run(&c, strides);
}
