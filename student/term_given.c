/* student/term_given.c -- forward KL on rows that are given once and for all, of equal weight: -log q(x) at fixed x.
 * They are gone through batch by batch, in an order that is new each time they are used up. */
#include "student/term_given.h"
#include "teacher/streams.h"

#include <stdlib.h>

typedef struct given {
    objective_term base;
    distill_rows rows;
    size_t *order;               /* (n): of the round in work */
    uint64_t seed, round, first; /* first row of the batch, counted over all rounds */
    size_t dim;
} given;

static const given *down(const objective_term *self)
{
    return (const given *)self;
}

static void given_free(objective_term *self)
{
    free(((given *)self)->order);
    free(self);
}

objective_term *term_given_create(const distill_options *o, flow_err *err)
{
    given *self = calloc(1, sizeof *self);
    size_t *order = self ? malloc(o->start.n * sizeof *order + 1) : NULL;
    if (!order) {
        free(self);
        flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows to start from", o->start.n);
        return NULL;
    }
    *self = (given){.base = {.ops = &term_given, .until = 1},
                    .rows = o->start,
                    .order = order,
                    .seed = o->seed,
                    .round = UINT64_MAX};
    return &self->base;
}

static unsigned given_needs(const objective_term *self)
{
    (void)self;
    return TERM_LOG_PROB;
}

static double given_weight(const objective_term *self, double share)
{
    (void)self, (void)share;
    return 1;
}

static int given_check(objective_term *self, const flow *student, const target *teacher,
                       flow_err *err)
{
    (void)student;
    if (!down(self)->rows.n)
        return flow_fail(err, FLOW_EUSAGE, "there are no rows to start from");
    if (teacher->context)
        return flow_fail(err, FLOW_ECONFIG, "rows to start from are for targets without context");
    return 0;
}

/* A batch stays within a round: rows that do not fill one are left out of it. */
static int given_before_step(objective_term *base, const term_step *at, flow_err *err)
{
    given *self = (given *)base;
    size_t n = self->rows.n, batches = n / at->cut->rows ? n / at->cut->rows : 1;
    uint64_t round = at->step / batches;
    (void)err;
    self->first = at->step % batches * at->cut->rows;
    self->dim = at->scene->target->dim;
    if (round != self->round)
        pcg_permutation(
            self->order, n,
            (pcg_stream){.seed = self->seed, .stage = STREAM_OWN_ROWS, .purpose = PCG_PERMUTE},
            round);
    self->round = round;
    return 0;
}

static int given_shard(const objective_term *base, term_shard *s, flow_err *err)
{
    const given *self = down(base);
    size_t dim = self->dim;
    (void)err;
    for (size_t r = 0; r < s->n; r++) {
        size_t from = self->order[(self->first + s->row + r) % self->rows.n];
        for (size_t i = 0; i < dim; i++)
            s->x[r * dim + i] = self->rows.x[from * dim + i];
        s->dlogq[r] = -s->weight;
    }
    flow_pass_log_prob(s->pass, NULL, s->logq, s->z, s->x, s->context, s->n);
    flow_pass_density_backward(s->pass, NULL, NULL, s->lane, s->dlogq);
    return 0;
}

static void given_report(const objective_term *self, distill_state *state)
{
    (void)self, (void)state;
}

const term_ops term_given = {
    .name = "given",
    .doc = "forward KL on rows that are given",
    .remedy = "use student.train.objective: kl",
    .needs = given_needs,
    .free = given_free,
    .weight = given_weight,
    .check = given_check,
    .shard = given_shard,
    .before_step = given_before_step,
    .report = given_report,
};
