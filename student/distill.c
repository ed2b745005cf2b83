#include "student/distill.h"
#include "student/distill_check.h"
#include "student/objective.h"
#include "student/place.h"
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
    objective_terms terms;
    term_scene scene;
    const objective_term *only;      /* the term that is tried alone; NULL: none */
    term_sums *sums;                 /* (shards, n_terms) */
    term_sums since[OBJECTIVE_MOST]; /* the last report; loss and rows alone */
    window window;
    struct {
        const char *term; /* NULL: no row has been wild */
        size_t step;
        uint64_t row;
    } wild; /* the first row that was (term.h), since a step went well */
    identity identity;
    int near;             /* it starts at its teacher */
    student_ruler *ruler; /* NULL: it does not */
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
    int code = objective_make_terms(&self->terms, &self->options, self->cuts[1].rows, err);
    if (code)
        return code;
    self->sums = calloc(self->cuts[1].shards * self->terms.n, sizeof *self->sums);
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
                                    .best = self->near,
                                    .scratch = 4 * self->teacher->dim + self->teacher->context + 4,
                                    .lr_name = "student.train.lr"};
    self->trainer = flow_trainer_create(self->flow, self->pool, self->cuts, 2, &options, err);
    return self->trainer ? take_works(self, err) : FLOW_ENOMEM;
}

/* ---- one shard */

/* The seat's scratch laid out, and the rows' contexts drawn. */
static void open_shard(const student_distillation *self, term_shard *s, const flow_slice *slice,
                       const flow_seat *seat, flow_gradient *lane)
{
    size_t block = self->shard * self->teacher->dim;
    const pcg_stream contexts = {
        .seed = self->options.seed, .stage = STREAM_STUDENT, .purpose = PCG_CONTEXT};
    double *at = seat->scratch;
    *s = (term_shard){.student = self->flow,
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

static double weight_now(const student_distillation *self, const objective_term *term)
{
    return self->only ? (self->only == term ? 1 : 0) : term->weight;
}

static int work_on_shard(void *arg, const flow_slice *slice, const flow_seat *seat,
                         flow_gradient *lane, flow_err *err)
{
    student_distillation *self = arg;
    term_shard s;
    open_shard(self, &s, slice, seat, lane);
    for (size_t k = 0; k < self->terms.n; k++) {
        const objective_term *term = self->terms.at[k];
        s.sums = &self->sums[slice->shard * self->terms.n + k];
        *s.sums = (term_sums){0};
        s.weight = weight_now(self, term);
        int code = s.weight > 0 ? term->ops->shard(term, &s, err) : 0;
        if (code)
            return code;
    }
    return 0;
}

/* ---- between steps */

static void add_sums(student_distillation *self, size_t k, const term_sums *from)
{
    distill_state *state = &self->state;
    self->since[k].loss += from->loss;
    self->since[k].rows += from->rows;
    self->window.rows += from->asked;
    state->evaluations += from->asked;
    self->window.broken += from->broken.count;
    state->zero_density += from->no_density;
    if (from->broken.count && !state->broken.count)
        state->broken_step = state->step;
    broken_add(&state->broken, &from->broken);
    if (from->wild && !self->wild.term) {
        self->wild.term = self->terms.at[k]->ops->name;
        self->wild.step = state->step;
        self->wild.row = from->wild_row;
    }
}

static int spread_of(void *arg, double *spread, const objective_term *term, flow_err *err)
{
    student_distillation *self = arg;
    self->only = term;
    int code = flow_trainer_accumulate(self->trainer, self->cut, work_on_shard, self, err);
    self->only = NULL;
    *spread = code ? NAN : flow_trainer_spread(self->trainer);
    return code;
}

static term_step now(student_distillation *self)
{
    return (term_step){.scene = &self->scene,
                       .step = self->state.step,
                       .steps = self->options.steps,
                       .cut = self->cut,
                       .spread = spread_of,
                       .kl = self->state.kl_warm,
                       .arg = self};
}

/* What term k does before a step in which it has a weight. */
static int ready(student_distillation *self, size_t k, const term_step *at, flow_err *err)
{
    objective_term *term = self->terms.at[k];
    if (!(term->weight > 0 && term->ops->before_step))
        return 0;
    *at->sums = (term_sums){0};
    int code = term->ops->before_step(term, at, err);
    add_sums(self, k, at->sums);
    return code;
}

static int prepare(student_distillation *self, flow_err *err)
{
    const distill_options *o = &self->options;
    term_sums sums;
    int code = 0;
    self->cut = &self->cuts[(double)self->state.step >= o->late_from * (double)o->steps];
    term_step at = now(self);
    at.sums = &sums;
    objective_weigh_terms(&self->terms, self->state.step, o->steps);
    for (size_t k = 0; k < self->terms.n && !code; k++)
        code = ready(self, k, &at, err);
    return code;
}

static void wind_up(student_distillation *self)
{
    term_step at = now(self);
    objective_end_step(&self->terms, &at, &self->state);
}

/* ---- a student that starts at its teacher keeps the best of its weights, those that it starts with included */

enum { JUDGEMENTS = 10 };           /* in a training */
static const double MOST_LR = 2e-4; /* of steps whose size is auto */

/* The weights of the moment, which were measured. */
static void keep_the_better(student_distillation *self)
{
    distill_state *state = &self->state;
    if (flow_trainer_judge(self->trainer, state->kl_warm, student_ruler_score(state))) {
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

/* Why the trainer gives up, as far as rows tell it. */
static int diverged(const student_distillation *self, flow_err *err)
{
    flow_err said = *err;
    if (!self->wild.term)
        return flow_fail(err, FLOW_EDIVERGED,
                         "%s. The student's samples were finite: it is their "
                         "gradients that are not",
                         said.text);
    return flow_fail(
        err, FLOW_EDIVERGED,
        "%s. The first row whose sample is not finite is row %llu, at step %zu, in the "
        "term %s: the student has left the numbers",
        said.text, (unsigned long long)self->wild.row, self->wild.step, self->wild.term);
}

/* The batch has been gone through: its rows count, and the weights move. */
static int apply(student_distillation *self, flow_err *err)
{
    const flow_trainer_state *t = flow_trainer_at(self->trainer);
    distill_state *state = &self->state;
    for (size_t s = 0; s < self->cut->shards; s++)
        for (size_t k = 0; k < self->terms.n; k++)
            add_sums(self, k, &self->sums[s * self->terms.n + k]);
    state->rows += self->cut->rows;
    int code = check_broken(self, err);
    if (!code)
        code = flow_trainer_step(self->trainer, err);
    if (code == FLOW_EDIVERGED)
        code = diverged(self, err);
    else if (t->skipped_in_a_row == 0)
        self->wild.term = NULL;
    state->step = t->step;
    state->clipped = t->clipped;
    state->skipped = t->skipped;
    state->lr = t->lr;
    state->gradient_norm = t->gradient_norm;
    return code;
}

static void mean_losses(student_distillation *self)
{
    for (size_t k = 0; k < self->terms.n; k++) {
        term_sums *sums = &self->since[k];
        self->terms.at[k]->loss = sums->rows ? sums->loss / (double)sums->rows : NAN;
        *sums = (term_sums){0};
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
    if (!self->near)
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
    const distill_options *o = &self->options;
    pcg_stream init = {.seed = o->seed, .stage = STREAM_STUDENT, .purpose = PCG_INIT};
    pcg_stream place = {.seed = o->seed, .stage = STREAM_OWN_ROWS, .purpose = PCG_INIT};
    self->near = o->warm;
    if (o->warm)
        return 0;
    int code = student_start(self->flow, &self->near, self->teacher, init, err);
    return code || !o->start.n ? code
                               : student_place(self->flow, self->pool, &o->start, place, err);
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
        code = objective_check_terms(&self->terms, self->flow, self->teacher, err);
    if (!code)
        code = begin_weights(self, err);
    if (!code)
        code = objective_open_terms(&self->terms, &self->scene, &self->state, err);
    code = code ? code : take_ruler(self, err);
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
    if (distill_check_flow(student, teacher, err))
        return NULL;
    student_distillation *self = calloc(1, sizeof *self);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for the distillation");
        return NULL;
    }
    *self = (student_distillation){
        .flow = student,
        .pool = pool,
        .teacher = teacher,
        .contexts = contexts,
        .options = *options,
        .scene = {student, pool, teacher, contexts, options->seed},
        .state = {.steps = options->steps, .beta = 1, .ess = NAN, .kl_warm = NAN, .kl_best = NAN}};
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
    objective_free_terms(&self->terms);
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
    objective_pieces(&self->terms, &pieces);
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
