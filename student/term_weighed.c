#include "student/term_weighed.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdlib.h>

static const term_weighed *down(const objective_term *self)
{
    return (const term_weighed *)self;
}

unsigned term_weighed_needs(const objective_term *self)
{
    (void)self;
    return TERM_LOG_PROB;
}

double term_weighed_weight(const objective_term *self, double share)
{
    (void)self, (void)share;
    return 1;
}

int term_weighed_check(objective_term *self, const flow *student, const target *teacher,
                       flow_err *err)
{
    if (term_check_scale(self, teacher, err))
        return FLOW_ECONFIG;
    return own_rows_check(&down(self)->width, student, err);
}

int term_weighed_open(objective_term *base, const term_scene *scene, flow_err *err)
{
    term_weighed *self = (term_weighed *)base;
    return own_rows_open(&self->rows, self->buffer, scene, err);
}

/* ---- between steps */

static int refill(term_weighed *self, const term_step *at, flow_err *err)
{
    uint64_t first = at->step / self->every * self->buffer;
    int code = own_rows_draw(&self->rows, at->scene, &self->width, first, at->sums, err);
    code = code ? code : self->weigh(self, err);
    if (code)
        return code;
    own_rows_weighed(&self->rows);
    own_rows_figures(&self->rows, &self->now.kl_reverse, &self->now.kl_forward, &self->now.ess);
    self->now.filled = 1;
    return 0;
}

int term_weighed_before_step(objective_term *base, const term_step *at, flow_err *err)
{
    term_weighed *self = (term_weighed *)base;
    const pcg_stream stream = {
        .seed = at->scene->seed, .stage = STREAM_OWN_ROWS, .purpose = PCG_SHUFFLE};
    pcg_uniforms(&self->u, stream, at->step, 1, 1);
    self->batch = at->cut->rows;
    return at->step % self->every && self->now.filled ? 0 : refill(self, at, err);
}

/* ---- a shard */

static void take_row(const term_weighed *self, term_shard *s, size_t r)
{
    const own_rows *rows = &self->rows;
    size_t from = own_rows_pick(rows, s->row + r, self->batch, self->u);
    for (size_t i = 0; i < rows->dim; i++)
        s->x[r * rows->dim + i] = rows->x[from * rows->dim + i];
    for (size_t i = 0; i < rows->context; i++)
        s->context[r * rows->context + i] = rows->contexts[from * rows->context + i];
    s->dlogq[r] = -s->weight;
}

int term_weighed_shard(const objective_term *base, term_shard *s, flow_err *err)
{
    (void)err;
    for (size_t r = 0; r < s->n; r++)
        take_row(down(base), s, r);
    flow_pass_log_prob(s->pass, NULL, s->logq, s->z, s->x, s->context, s->n);
    flow_pass_density_backward(s->pass, NULL, NULL, s->lane, s->dlogq);
    return 0;
}

/* ---- */

void term_weighed_report(const term_weighed *self, distill_state *state)
{
    state->kl_reverse = self->now.filled ? self->now.kl_reverse : NAN;
    state->kl_forward = self->now.filled ? self->now.kl_forward : NAN;
    state->ess = self->now.filled ? self->now.ess : NAN;
}

void term_weighed_pieces(objective_term *base, flow_pieces *pieces)
{
    term_weighed *self = (term_weighed *)base;
    own_rows_pieces(&self->rows, pieces);
    flow_pieces_add(pieces, "figures of the rows", &self->now, sizeof self->now);
}

void term_weighed_free(objective_term *base)
{
    term_weighed *self = (term_weighed *)base;
    own_rows_close(&self->rows);
    free(self);
}
