/* student/term_forward_kl.c -- lambda KL(p || q) on the target's own samples: d(-log q(x)) at
 * fixed x (mathematics 4). The student's inverse leaves the pass ready for it. A share of the samples may be
 * widened (target.h).
 *
 * There is a path gradient for this term too (Vaitl 2024): g - grad log p on x and nothing on the log-det.
 * It is not used. Where q is p up to a factor on each of two modes, both scores agree and it is zero but on
 * the bridge between them: it learns the shapes of modes and not their shares, which is what this term is
 * there for. */
#include "student/term_kl.h"
#include "teacher/streams.h"

#include <stdlib.h>

typedef struct forward_kl {
    objective_term base;
    double forward, forward_end; /* its weight, at first and at last */
    double widen, widen_by;
} forward_kl;

static const forward_kl *down(const objective_term *self)
{
    return (const forward_kl *)self;
}

static void forward_free(objective_term *self)
{
    free(self);
}

objective_term *term_forward_kl_create(const distill_options *o, size_t most_rows, flow_err *err)
{
    forward_kl *self = malloc(sizeof *self);
    (void)most_rows;
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for the forward term");
        return NULL;
    }
    *self = (forward_kl){.base = {.ops = &term_forward_kl, .until = 1},
                         .forward = o->forward,
                         .forward_end = o->forward_end,
                         .widen = o->widen,
                         .widen_by = o->widen_by};
    return &self->base;
}

static unsigned forward_needs(const objective_term *self)
{
    (void)self;
    return TERM_SAMPLER | TERM_LOG_PROB;
}

static double forward_weight(const objective_term *self, double share)
{
    return term_line(down(self)->forward, down(self)->forward_end, share);
}

static int forward_check(objective_term *self, const flow *student, const target *teacher,
                         flow_err *err)
{
    (void)student;
    if (down(self)->widen > 0 && !(teacher->flags & TARGET_WIDENS))
        return flow_fail(
            err, FLOW_ECONFIG,
            "student.train.widen: the target '%s' cannot widen its samples; set it to 0",
            teacher->ops->name);
    return 0;
}

static int forward_shard(const objective_term *base, term_shard *s, flow_err *err)
{
    const forward_kl *self = down(base);
    const target_rows rows = {
        .stream = {.seed = s->seed, .stage = STREAM_STUDENT, .purpose = PCG_TARGET},
        .first = s->first,
        .widen = self->widen,
        .widen_by = self->widen_by};
    s->sums->asked += s->n;
    int code = target_shard_sample(s->target, s->x, s->logp, s->status, s->context, &rows, s->n,
                                   s->work, err);
    if (code)
        return code;
    flow_pass_log_prob(s->pass, NULL, s->logq, s->z, s->x, s->context, s->n);
    for (size_t r = 0; r < s->n; r++) {
        s->dlogq[r] = -s->weight;
        int counts = term_keeps(s, r) && !target_is_wide(&rows, s->first + r);
        s->sums->loss += counts ? s->logp[r] - s->logq[r] : 0;
        s->sums->rows += (size_t)counts;
    }
    flow_pass_density_backward(s->pass, NULL, NULL, s->lane, s->dlogq);
    return 0;
}

static void forward_report(const objective_term *self, distill_state *state)
{
    state->kl_forward = self->loss;
    state->lambda = self->weight;
}

const term_ops term_forward_kl = {
    .name = "forward_kl",
    .doc = "KL(p || q) on the target's own samples",
    .needs = forward_needs,
    .remedy = "set student.train.forward and forward_end to 0",
    .free = forward_free,
    .weight = forward_weight,
    .check = forward_check,
    .shard = forward_shard,
    .report = forward_report,
};
