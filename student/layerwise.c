#include "student/layerwise.h"
#include "flow/alone.h"
#include "flow/block.h"
#include "flow/circle.h"
#include "student/ruler.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Half the mean squared error of a column, in noise, below which a layer is an inverse but for rounding. */
static const double EXACT = 5e-9;

/* A layer alone takes larger steps than the whole flow can. */
static const double MOST_LR = 1e-3;

typedef struct layerwise {
    flow *student;
    flow *teacher; /* in the student's precision */
    target *target;
    flow_pool *pool;
    student_layers_options options;
    student_layers_state *state;
    student_layers_watch watch;
    void *arg; /* of watch */
    student_ruler *ruler;
    void *start;           /* the student's first weights */
    double *u, *x, *w;     /* (rows, D): before and after the layer in work; back again */
    double *context, *row; /* (rows, C), NULL if C = 0; (rows) */
    size_t rows, dim, c;
} layerwise;

/* A layer and the teacher's, alone. */
typedef struct pair {
    const layerwise *whole;
    flow *student, *teacher;
    flow_trainer *trainer;
    flow_pass **passes; /* of the teacher, one a seat */
    size_t first;       /* row of the step in work */
} pair;

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

static void pair_close(pair *self)
{
    for (size_t s = 0; self->passes && s < flow_trainer_seats(self->trainer); s++)
        flow_pass_free(self->passes[s]);
    free(self->passes);
    flow_trainer_free(self->trainer);
    flow_free(self->student);
    flow_free(self->teacher);
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

static int take_trainer(pair *self, const flow_lanes *cut, flow_err *err)
{
    const layerwise *all = self->whole;
    const student_layers_options *o = &all->options;
    const double lr = o->lr > 0 ? o->lr : student_ruler_lr(all->state->kl_before, MOST_LR);
    const flow_trainer_options options = {.lr = lr,
                                          .warmup = o->warmup,
                                          .steps = o->steps,
                                          .schedule = FLOW_COSINE,
                                          .average = o->average,
                                          .clip = o->clip,
                                          .scratch = 4 * all->dim + all->c + 1,
                                          .lr_name = "student.layerwise.lr"};
    self->trainer = flow_trainer_create(self->student, all->pool, cut, 1, &options, err);
    return self->trainer ? take_passes(self, err) : FLOW_ENOMEM;
}

static int one_step(pair *self, const flow_lanes *cut, flow_err *err)
{
    const layerwise *all = self->whole;
    student_layers_state *state = all->state;
    self->first = state->step * cut->rows % all->rows;
    int code = flow_trainer_accumulate(self->trainer, cut, work_on_shard, self, err);
    code = code ? code : flow_trainer_step(self->trainer, err);
    if (code)
        return code;
    state->step++;
    if (all->watch && state->step % DISTILL_PROBE == 0)
        all->watch(all->arg, state);
    if (all->options.stop && all->options.stop())
        return flow_fail(err, FLOW_ESTOPPED, "stopped after step %zu of layer %zu", state->step,
                         state->layer);
    return 0;
}

static int train(pair *self, flow_err *err)
{
    const student_layers_options *o = &self->whole->options;
    const flow_lanes cut = flow_lanes_cut(o->batch, o->shard);
    size_t *step = &self->whole->state->step;
    int code = take_trainer(self, &cut, err);
    for (*step = 0; *step < o->steps && !code;)
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

/* What the layer does to all rows with the weights that the student has. */
static int leave(const pair *self, size_t layer, flow_err *err)
{
    const layerwise *all = self->whole;
    flow *same = flow_alone(all->student, layer, err);
    int code =
        same ? flow_transport(same, all->pool, all->x, NULL, all->u, all->context, all->rows, err)
             : err->code;
    flow_free(same);
    return code;
}

/* The layer's weights go back to the student if they are better. */
static int judge(const pair *self, size_t layer, double before, flow_err *err)
{
    const layerwise *all = self->whole;
    double after;
    int code = measure(self, &after, err);
    if (code)
        return code;
    if (!(after < before) && !(isnan(before) && !isnan(after)))
        return leave(self, layer, err);
    all->state->better++;
    flow_alone_back(all->student, layer, self->student);
    return 0;
}

static int improve(pair *self, size_t layer, flow_err *err)
{
    flow_err late = FLOW_ERR_INIT, course = FLOW_ERR_INIT;
    double before;
    int code = measure(self, &before, err);
    if (code || before <= EXACT * (double)self->whole->dim)
        return code;
    self->whole->state->trained++;
    code = train(self, &course);
    if (code == FLOW_EDIVERGED)
        return leave(self, layer, err);
    if (!code || code == FLOW_ESTOPPED)
        code = judge(self, layer, before, &late) ? late.code : code;
    return code ? flow_fail(err, (flow_code)code, "%s", late.code ? late.text : course.text) : 0;
}

/* u becomes what comes out of the layer. */
static int work_on_layer(layerwise *self, size_t layer, flow_err *err)
{
    pair p = {.whole = self};
    p.student = flow_alone(self->student, layer, err);
    p.teacher =
        p.student ? flow_alone(self->teacher, flow_n_layers(self->teacher) - 1 - layer, err) : NULL;
    int code = p.teacher ? improve(&p, layer, err) : err->code;
    double *out = self->x;
    self->x = self->u;
    self->u = out;
    pair_close(&p);
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

static void close_all(layerwise *self)
{
    student_ruler_free(self->ruler);
    target_free(self->target);
    flow_free(self->teacher);
    free(self->start);
    free(self->u);
    free(self->x);
    free(self->w);
    free(self->row);
    free(self->context);
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

static void go_back(layerwise *self)
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
        go_back(self);
    return code;
}

static int run(layerwise *self, flow_err *err)
{
    flow_err late = FLOW_ERR_INIT;
    int code = work_on_layers(self, err);
    if ((!code || code == FLOW_ESTOPPED) && judge_all(self, &late))
        code = flow_fail(err, (flow_code)late.code, "%s", late.text);
    if (code && code != FLOW_ESTOPPED)
        go_back(self);
    return code;
}

static size_t usual_rows(size_t dim)
{
    size_t rows = dim > 64 ? 64 * (size_t)LAYERS_ROWS / dim : LAYERS_ROWS;
    return rows > LAYERS_FEWEST ? rows : LAYERS_FEWEST;
}

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
    layerwise self = {.student = student,
                      .pool = pool,
                      .options = *options,
                      .rows = options->rows ? options->rows : usual_rows(flow_dim(student)),
                      .state = state,
                      .watch = watch,
                      .arg = arg,
                      .dim = flow_dim(student),
                      .c = flow_context(student)};
    code = open_all(&self, teacher, contexts, err);
    if (!code)
        code = run(&self, err);
    close_all(&self);
    return code;
}
