#include "student/term.h"

#include <math.h>
#include <string.h>

int term_is_on(const objective_term *self, size_t step, size_t steps)
{
    double share = (double)step / (double)steps;
    return share >= self->from && (share < self->until || self->until >= 1);
}

double term_line(double first, double last, double share)
{
    return first + (last - first) * share;
}

static void drop(term_shard *s, size_t r)
{
    size_t dim = s->target->dim;
    memset(s->grad + r * dim, 0, dim * sizeof *s->grad);
    memset(s->score + r * dim, 0, dim * sizeof *s->score);
    s->dlogq[r] = 0;
}

int term_keeps(term_shard *s, size_t r)
{
    size_t dim = s->target->dim;
    const double *x = s->x + r * dim;
    if (s->status[r] == TARGET_FINITE)
        return 1;
    if (s->status[r] == TARGET_BROKEN && !broken_is_point(x, dim)) {
        s->dlogq[r] = NAN;
        if (s->sums->wild++ == 0)
            s->sums->wild_row = s->first + r;
        return 1;
    }
    if (s->status[r] == TARGET_NO_DENSITY)
        s->sums->no_density++;
    else
        broken_note(&s->sums->broken, s->first + r, s->logp[r], x, dim);
    drop(s, r);
    return 0;
}

int term_check(objective_term *term, const target *t, const flow *student, flow_err *err)
{
    const term_ops *ops = term->ops;
    if (!(fmax(ops->weight(term, 0), ops->weight(term, 1)) > 0))
        return 0;
    unsigned needs = ops->needs(term);
    int sampler = (needs & TERM_SAMPLER) && !t->ops->sample;
    int gradient = (needs & TERM_GRADIENT) && !(t->flags & TARGET_GRADIENT);
    if (sampler || gradient)
        return flow_fail(err, FLOW_ECONFIG,
                         "the target '%s' has no %s, which the term %s needs; %s", t->ops->name,
                         sampler ? "sampler" : "gradient", ops->name, ops->remedy);
    if ((needs & TERM_LOG_PROB) && flow_require_log_prob(student, err))
        return FLOW_ECONFIG;
    if ((needs & TERM_PATH) && flow_get_direction(student) == FLOW_DATA_TO_NOISE)
        return flow_fail(err, FLOW_ECONFIG,
                         "student.flow: no gradient goes through the samples of a flow that is "
                         "parallel from data to noise, which %s needs; set student.train.gradient "
                         "to log_variance, or student.train.objective to importance or "
                         "mass_transport",
                         ops->name);
    if ((needs & TERM_PATH) && flow_check_path(student, err))
        return FLOW_ECONFIG;
    return ops->check ? ops->check(term, student, t, err) : 0;
}

int term_check_scale(const objective_term *self, const target *t, flow_err *err)
{
    if (!t->context || t->log_z == 0)
        return 0;
    return flow_fail(err, FLOW_ECONFIG,
                     "student.train.objective: with context, %s wants a target that is normalised, "
                     "and '%s' is not; %s",
                     self->ops->name, t->ops->name, self->ops->remedy);
}
