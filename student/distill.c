#include "student/distill.h"
#include "student/objective.h"
#include "student/ruler.h"
#include "student/start.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* What a block must have been saved from. */
typedef struct identity {
    uint64_t seed, steps, batch, late_batch, shard;
} identity;

/* Rows that the target was asked for since the last check, and how many of them broke. */
typedef struct window {
    uint64_t rows, broken;
} window;

struct student_distillation {
    flow *flow;
    flow_pool *pool;
    const target *teacher;
    const distill_contexts *contexts;
    distill_options options;
    distill_state state;
    flow_trainer *trainer;
    flow_lanes cuts[2];    /* early, late */
    const flow_lanes *cut; /* of the step in work */
    size_t shard;          /* rows of the largest */
    void **works;          /* of the target, one a seat */
    size_t n_terms;
    objective *terms[OBJECTIVE_MOST];
    const objective *only;                /* the term that is tried alone; NULL: none */
    objective_sums *sums;                 /* (shards, n_terms) */
    objective_sums since[OBJECTIVE_MOST]; /* the last report; loss and rows alone */
    window window;
    identity identity;
    student_ruler *ruler; /* NULL: not warm */
};

/* ---- memory */

static void release_works(student_distillation *self)
{
    for (size_t w = 0; self->works && w < flow_trainer_seats(self->trainer); w++)
        self->teacher->ops->work_free(self->teacher, self->works[w]);
    free(self->works);
}

static int take_works(student_distillation *self, flow_err *err)
{
    const target *t = self->teacher;
    size_t seats = flow_trainer_seats(self->trainer);
    self->works = calloc(seats, sizeof *self->works);
    if (!self->works)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the distillation");
    for (size_t w = 0; w < seats; w++)
        if (!(self->works[w] = t->ops->work_create(t, self->shard, err)))
            return flow_fail(err, FLOW_ENOMEM, "out of memory for a shard of the target");
    return 0;
}

static int take_terms(student_distillation *self, flow_err *err)
{
    for (const objective_ops *const *kind = objective_kinds; *kind; kind++) {
        objective *term = (*kind)->create(&self->options, self->cuts[1].rows, err);
        if (!term)
            return FLOW_ENOMEM;
        self->terms[self->n_terms++] = term;
    }
    self->sums = calloc(self->cuts[1].shards * self->n_terms, sizeof *self->sums);
    return self->sums ? 0 : flow_fail(err, FLOW_ENOMEM, "out of memory for the distillation");
}

static int take_trainer(student_distillation *self, flow_err *err)
{
    const distill_options *o = &self->options;
    flow_trainer_options options = {.lr = o->lr,
                                    .warmup = o->warmup,
                                    .steps = o->steps,
                                    .schedule = o->schedule,
                                    .weight_decay = o->weight_decay,
                                    .average = o->average,
                                    .clip = o->clip,
                                    .best = o->warm,
                                    .scratch = 4 * self->teacher->dim + self->teacher->context + 4,
                                    .lr_name = "student.train.lr"};
    self->trainer = flow_trainer_create(self->flow, self->pool, self->cuts, 2, &options, err);
    return self->trainer ? take_works(self, err) : FLOW_ENOMEM;
}

/* ---- what is asked of the target */

static int check_terms(const student_distillation *self, flow_err *err)
{
    for (size_t k = 0; k < self->n_terms; k++)
        if (objective_check(self->terms[k], self->teacher, self->flow, err))
            return FLOW_ECONFIG;
    return 0;
}

static int check_flow(const flow *student, const target *teacher, flow_err *err)
{
    if (flow_get_direction(student) == FLOW_NOISE_TO_DATA && flow_dim(student) == teacher->dim &&
        flow_context(student) == teacher->context)
        return flow_require_transport(student, err);
    return flow_fail(
        err, FLOW_EUSAGE,
        "a student of a target of %zu dimensions, %zu of context, wants a flow of these "
        "that is parallel from noise to data",
        teacher->dim, teacher->context);
}

int student_distillation_check(const flow *student, const target *teacher,
                               const distill_options *options, flow_err *err)
{
    int code = check_flow(student, teacher, err);
    for (const objective_ops *const *kind = objective_kinds; *kind && !code; kind++) {
        objective *term = (*kind)->create(options, 1, err);
        code = term ? objective_check(term, teacher, student, err) : FLOW_ENOMEM;
        if (term)
            (*kind)->free(term);
    }
    return code;
}

/* ---- one shard */

/* The seat's scratch laid out, and the rows' contexts drawn. */
static void open_shard(const student_distillation *self, objective_shard *s,
                       const flow_slice *slice, const flow_seat *seat, flow_gradient *lane)
{
    size_t block = self->shard * self->teacher->dim;
    const pcg_stream contexts = {
        .seed = self->options.seed, .stage = STREAM_STUDENT, .purpose = PCG_CONTEXT};
    double *at = seat->scratch;
    *s = (objective_shard){.student = self->flow,
                           .target = self->teacher,
                           .work = self->works[slice->worker],
                           .seed = self->options.seed,
                           .first = self->state.rows + slice->row,
                           .row = slice->row,
                           .n = slice->n,
                           .pass = seat->pass,
                           .lane = lane};
    s->x = at;
    s->z = s->x + block;
    s->grad = s->z + block;
    s->score = s->grad + block;
    s->logp = s->score + block;
    s->logq = s->logp + self->shard;
    s->dlogq = s->logq + self->shard;
    double *u = s->dlogq + self->shard;
    s->context = u + self->shard;
    if (self->teacher->context)
        distill_contexts_of_rows(self->contexts, s->context, u, s->first, s->n,
                                 self->teacher->context, contexts);
}

static double weight_now(const student_distillation *self, const objective *term)
{
    return self->only ? (self->only == term ? 1 : 0) : term->weight;
}

static int work_on_shard(void *arg, const flow_slice *slice, const flow_seat *seat,
                         flow_gradient *lane, flow_err *err)
{
    student_distillation *self = arg;
    objective_shard s;
    open_shard(self, &s, slice, seat, lane);
    for (size_t k = 0; k < self->n_terms; k++) {
        const objective *term = self->terms[k];
        s.sums = &self->sums[slice->shard * self->n_terms + k];
        *s.sums = (objective_sums){0};
        s.weight = weight_now(self, term);
        int code = s.weight > 0 ? term->ops->shard(term, &s, err) : 0;
        if (code)
            return code;
    }
    return 0;
}

/* ---- between steps */

static int spread_of(void *arg, double *spread, const objective *term, flow_err *err)
{
    student_distillation *self = arg;
    self->only = term;
    int code = flow_trainer_accumulate(self->trainer, self->cut, work_on_shard, self, err);
    self->only = NULL;
    *spread = code ? NAN : flow_trainer_spread(self->trainer);
    return code;
}

static objective_step now(student_distillation *self)
{
    return (objective_step){.step = self->state.step,
                            .steps = self->options.steps,
                            .cut = self->cut,
                            .spread = spread_of,
                            .kl = self->state.kl_warm,
                            .arg = self};
}

static int prepare(student_distillation *self, flow_err *err)
{
    const distill_options *o = &self->options;
    double share = o->steps > 1 ? (double)self->state.step / (double)(o->steps - 1) : 0;
    self->cut = &self->cuts[(double)self->state.step >= o->late_from * (double)o->steps];
    objective_step at = now(self);
    for (size_t k = 0; k < self->n_terms; k++)
        self->terms[k]->weight = self->terms[k]->ops->weight(self->terms[k], share);
    for (size_t k = 0; k < self->n_terms; k++) {
        objective *term = self->terms[k];
        if (term->weight > 0 && term->ops->before_step && term->ops->before_step(term, &at, err))
            return err->code;
    }
    return 0;
}

static void wind_up(student_distillation *self)
{
    objective_step at = now(self);
    for (size_t k = 0; k < self->n_terms; k++) {
        objective *term = self->terms[k];
        if (term->ops->after_step)
            term->ops->after_step(term, &at);
        term->ops->report(term, &self->state);
    }
}

/* ---- a warm student keeps the best of its weights, those that it starts with included */

enum { JUDGEMENTS = 10 };           /* in a training */
static const double MOST_LR = 2e-4; /* of steps whose size is auto */

/* The weights of the moment, which were measured. */
static void keep_the_better(student_distillation *self)
{
    distill_state *state = &self->state;
    if (flow_trainer_judge(self->trainer, state->kl_warm, state->kl_warm)) {
        state->best_step = state->step;
        state->kl_best = state->kl_warm;
    }
    state->went_back = state->step > 0 && state->best_step == 0;
}

/* The average of the weights up to now. */
static int judge(student_distillation *self, flow_err *err)
{
    flow_trainer_swap_average(self->trainer);
    int code = student_ruler_measure(self->ruler, &self->state.kl_warm, err);
    if (!code)
        keep_the_better(self);
    flow_trainer_swap_average(self->trainer);
    return code;
}

/* On the way; the last weights are judged when the training is finished. */
static int judge_in_time(student_distillation *self, flow_err *err)
{
    size_t every = (self->options.steps + JUDGEMENTS - 1) / JUDGEMENTS;
    if (!self->ruler || self->state.step % every || student_distillation_over(self))
        return 0;
    return judge(self, err);
}

/* ---- one step */

static void add_sums(student_distillation *self, size_t k, const objective_sums *from)
{
    distill_state *state = &self->state;
    self->since[k].loss += from->loss;
    self->since[k].rows += from->rows;
    self->window.rows += from->asked;
    self->window.broken += from->broken.count;
    state->zero_density += from->no_density;
    if (from->broken.count && !state->broken.count)
        state->broken_step = state->step;
    broken_add(&state->broken, &from->broken);
}

/* At the end of a window of rows, and at the last step. */
static int check_broken(student_distillation *self, flow_err *err)
{
    const distill_state *state = &self->state;
    window w = self->window;
    char where[64];
    if (w.rows < BROKEN_WINDOW && state->step + 1 < state->steps)
        return 0;
    self->window = (window){0};
    snprintf(where, sizeof where, "step %zu (first at step %zu)", state->step, state->broken_step);
    return broken_check(&state->broken, w.broken, w.rows, where, err);
}

/* The batch has been gone through: its rows count, and the weights move. */
static int apply(student_distillation *self, flow_err *err)
{
    const flow_trainer_state *t = flow_trainer_at(self->trainer);
    distill_state *state = &self->state;
    for (size_t s = 0; s < self->cut->shards; s++)
        for (size_t k = 0; k < self->n_terms; k++)
            add_sums(self, k, &self->sums[s * self->n_terms + k]);
    state->rows += self->cut->rows;
    int code = check_broken(self, err);
    if (!code)
        code = flow_trainer_step(self->trainer, err);
    state->step = t->step;
    state->clipped = t->clipped;
    state->skipped = t->skipped;
    state->lr = t->lr;
    state->gradient_norm = t->gradient_norm;
    return code;
}

static void mean_losses(student_distillation *self)
{
    for (size_t k = 0; k < self->n_terms; k++) {
        objective_sums *sums = &self->since[k];
        self->terms[k]->loss = sums->rows ? sums->loss / (double)sums->rows : NAN;
        *sums = (objective_sums){0};
    }
}

int student_distillation_step(student_distillation *self, int *probed, flow_err *err)
{
    flow_err local = FLOW_ERR_INIT;
    int code = prepare(self, &local);
    *probed = 0;
    if (!code)
        code = flow_trainer_accumulate(self->trainer, self->cut, work_on_shard, self, &local);
    if (!code)
        code = apply(self, &local);
    if (!code)
        code = judge_in_time(self, &local);
    if (code)
        return flow_fail(err, (flow_code)code, "%s", local.text);
    *probed = self->state.step % DISTILL_PROBE == 0 || student_distillation_over(self);
    if (*probed)
        mean_losses(self);
    wind_up(self);
    return 0;
}

/* ---- the whole */

/* And how far the student is, which tells the size of its steps where that is auto. */
static int take_ruler(student_distillation *self, flow_err *err)
{
    distill_options *o = &self->options;
    if (!o->warm)
        return 0;
    self->ruler = student_ruler_create(self->flow, self->pool, self->teacher, self->contexts,
                                       o->seed, RULER_ROWS, err);
    int code =
        self->ruler ? student_ruler_measure(self->ruler, &self->state.kl_warm, err) : FLOW_ENOMEM;
    if (!(o->lr > 0))
        o->lr = student_ruler_lr(self->state.kl_warm, MOST_LR);
    return code;
}

static int begin_weights(student_distillation *self, flow_err *err)
{
    pcg_stream init = {.seed = self->options.seed, .stage = STREAM_STUDENT, .purpose = PCG_INIT};
    return self->options.warm ? 0 : student_start(self->flow, self->teacher, init, err);
}

static int take(student_distillation *self, flow_err *err)
{
    const distill_options *o = &self->options;
    self->cuts[0] = flow_lanes_cut(o->batch, o->shard);
    self->cuts[1] = flow_lanes_cut(o->batch * o->late_batch, o->shard);
    self->shard =
        self->cuts[0].shard > self->cuts[1].shard ? self->cuts[0].shard : self->cuts[1].shard;
    self->identity = (identity){o->seed, o->steps, o->batch, o->late_batch, self->shard};
    if (self->teacher->context && !(self->contexts && self->contexts->n))
        return flow_fail(err, FLOW_EDATA, "no rows of context to train with");
    int code = take_terms(self, err);
    if (!code)
        code = check_terms(self, err);
    if (!code)
        code = begin_weights(self, err);
    if (code)
        return code;
    for (size_t k = 0; k < self->n_terms; k++)
        self->terms[k]->ops->report(self->terms[k], &self->state);
    code = take_ruler(self, err);
    code = code ? code : take_trainer(self, err);
    if (!code && self->ruler)
        keep_the_better(self);
    return code;
}

student_distillation *student_distillation_create(flow *student, flow_pool *pool,
                                                  const target *teacher,
                                                  const distill_contexts *contexts,
                                                  const distill_options *options, flow_err *err)
{
    if (check_flow(student, teacher, err))
        return NULL;
    student_distillation *self = calloc(1, sizeof *self);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for the distillation");
        return NULL;
    }
    *self =
        (student_distillation){.flow = student,
                               .pool = pool,
                               .teacher = teacher,
                               .contexts = contexts,
                               .options = *options,
                               .state = {.steps = options->steps, .kl_warm = NAN, .kl_best = NAN}};
    if (!take(self, err))
        return self;
    student_distillation_free(self);
    return NULL;
}

void student_distillation_free(student_distillation *self)
{
    if (!self)
        return;
    release_works(self);
    flow_trainer_free(self->trainer);
    for (size_t k = 0; k < self->n_terms; k++)
        self->terms[k]->ops->free(self->terms[k]);
    student_ruler_free(self->ruler);
    free(self->sums);
    free(self);
}

int student_distillation_over(const student_distillation *self)
{
    return self->state.step >= self->options.steps;
}

const distill_state *student_distillation_at(const student_distillation *self)
{
    return &self->state;
}

int student_distillation_finish(student_distillation *self, flow_err *err)
{
    flow_err local = FLOW_ERR_INIT;
    int code = self->ruler ? judge(self, &local) : 0;
    flow_trainer_finish(self->trainer);
    if (code)
        return flow_fail(err, (flow_code)code, "%s", local.text);
    if (flow_trainer_finite(self->trainer))
        return 0;
    return flow_fail(err, FLOW_EDIVERGED, /* too few steps to be caught by the trainer */
                     "step %zu: weights are not finite; try a smaller student.train.lr",
                     self->state.step);
}

/* ---- saving */

static flow_pieces pieces_of(student_distillation *self, distill_state *state)
{
    flow_pieces pieces = {.n = 0};
    flow_pieces_add_fixed(&pieces, "seed, steps or batches", &self->identity,
                          sizeof self->identity);
    flow_trainer_pieces(self->trainer, &pieces);
    for (size_t k = 0; k < self->n_terms; k++)
        if (self->terms[k]->ops->pieces)
            self->terms[k]->ops->pieces(self->terms[k], &pieces);
    for (size_t k = 0; k < self->n_terms; k++)
        flow_pieces_add(&pieces, "mean losses", &self->terms[k]->loss, sizeof self->terms[k]->loss);
    flow_pieces_add(&pieces, "losses since the last report", self->since, sizeof self->since);
    flow_pieces_add(&pieces, "window of rows", &self->window, sizeof self->window);
    flow_pieces_add(&pieces, "state of the distillation", state, sizeof *state);
    return pieces;
}

int student_distillation_save(student_distillation *self, void **block, size_t *size, flow_err *err)
{
    flow_pieces pieces = pieces_of(self, &self->state);
    return flow_snapshot_save(block, size, &pieces, err);
}

int student_distillation_load(student_distillation *self, const void *block, size_t size,
                              flow_err *err)
{
    distill_state state;
    flow_pieces pieces = pieces_of(self, &state);
    int code = flow_snapshot_load(&pieces, block, size, err);
    if (code)
        return code;
    if (state.steps != self->options.steps || state.step > state.steps ||
        state.step != flow_trainer_at(self->trainer)->step)
        return flow_fail(err, FLOW_EDATA, "saved state: step %zu of %zu, there are %zu", state.step,
                         state.steps, self->options.steps);
    self->state = state;
    return 0;
}
