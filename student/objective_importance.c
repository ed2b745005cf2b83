/* student/objective_importance.c -- an alpha-divergence of the target from the student, on weighed rows of the
 * student's own: minimises the integral of p^a q^(1 - a), whose gradient is that of -sum c log q at fixed x,
 * c = p^a q^(1 - a) / r for draws of r. a = 1 is forward KL, a = 2 chi-square, which minds the tails.
 *
 * r is q, or (1 - e) q + e q_wide, q_wide the student with its noise stretched: rows far out, with the density that
 * they were drawn from (Hesterberg 1995). Weights are tempered as far as their effective share wants it, then held
 * or smoothed. They are normalised over a buffer, whose Z is therefore older than the student by some steps. */
#include "student/objective.h"
#include "student/term_weighed.h"
#include "student/weigh.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef enum tails { TAILS_RAW, TAILS_TRUNCATE, TAILS_PARETO } tails;

typedef struct importance_options {
    uint64_t buffer, every;
    double alpha, ess, widen, widen_by, start, polish;
    tails tails;
} importance_options;

typedef struct importance {
    term_weighed base;
    importance_options options;
} importance;

static int importance_weigh(term_weighed *base, flow_err *err)
{
    const importance_options *o = &((importance *)base)->options;
    own_rows *rows = &base->rows;
    double *c = rows->weight, b, khat;
    int code = 0;
    for (size_t r = 0; r < rows->n; r++)
        c[r] = rows->log_p[r] > -INFINITY
                   ? o->alpha * rows->log_p[r] + (1 - o->alpha) * rows->log_q[r] - rows->log_r[r]
                   : -INFINITY;
    b = weigh_temper(c, o->ess, rows->n);
    for (size_t r = 0; r < rows->n; r++)
        c[r] *= c[r] > -INFINITY ? b : 1;
    if (o->tails == TAILS_TRUNCATE)
        weigh_truncate(c, rows->n);
    if (o->tails == TAILS_PARETO)
        code = weigh_pareto(&khat, c, rows->n, err);
    weigh_normalise(c, c, rows->n);
    base->now.first = b;
    return code;
}

static void importance_report(const objective_term *base, distill_state *state)
{
    const term_weighed *self = (const term_weighed *)base;
    term_weighed_report(self, state);
    if (self->now.filled)
        state->beta = self->now.first;
}

static const term_ops term_importance = {
    .name = "importance",
    .doc = "an alpha-divergence of the target from the student, on weighed own rows",
    .remedy = "use student.train.objective: kl",
    TERM_WEIGHED_OPS,
    .report = importance_report,
    .free = term_weighed_free,
};

/* ---- the kind */

static const flow_word tail_words[] = {
    {"raw", TAILS_RAW, "as they are"},
    {"truncate", TAILS_TRUNCATE, "at most the root of their number times their mean"},
    {"pareto", TAILS_PARETO, "the largest as a Pareto tail that is fitted to them expects"},
    {.name = NULL}};

static const flow_key importance_keys[] = {
    {FLOW_KEY(importance_options, alpha), .type = FLOW_KEY_REAL, .min = 1, .max = 2, .def = "1",
     .doc = "1: forward KL. 2: chi-square, which minds rows that the student hardly draws."},
    {FLOW_KEY(importance_options, ess), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MAX, .min = 0,
     .max = 1, .def = "0.1", .unit = "share of the rows",
     .doc = "Weights are raised to a power below 1 where a smaller share of the rows is effective; "
            "below 1 at the end, it is told as beta, and the student has learned another target."},
    {FLOW_KEY(importance_options, tails), .type = FLOW_KEY_WORD, .words = tail_words,
     .def = "truncate", .doc = "What is done about the largest weights."},
    {FLOW_KEY(importance_options, widen), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MAX,
     .min = 0, .max = 1, .def = "0", .unit = "share of the rows",
     .doc = "Rows that are drawn with their noise stretched, and weighed for it."},
    {FLOW_KEY(importance_options, widen_by), .type = FLOW_KEY_REAL, .min = 1, .max = 10,
     .def = "1.3", .only = "widen > 0", .doc = "Factor on their noise."},
    TERM_WEIGHED_KEYS(importance_options, "0"),
    {.name = NULL}};

static int importance_terms(objective_terms *out, const objective_plan *plan, flow_err *err)
{
    const importance_options *own = plan->own;
    importance *self = calloc(1, sizeof *self);
    if (!self)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the importance objective");
    self->base = (term_weighed){.base = {.ops = &term_importance},
                                .buffer = (size_t)own->buffer,
                                .every = (size_t)own->every,
                                .width = {own->widen, own->widen_by, 1},
                                .weigh = importance_weigh};
    self->options = *own;
    return objective_add_between(out, &self->base.base, plan, own->start, own->polish, err);
}

static const char *importance_conflict(char *why, size_t size, const void *options)
{
    const importance_options *own = options;
    return objective_parts_conflict(why, size, own->start, own->polish);
}

static const char *const importance_unused[] = {"forward", "forward_end",  "widen", "widen_by",
                                                "temper",  "temper_until", NULL};

const objective_kind objective_importance = {
    .kind = {.name = "importance",
             .doc = "forward KL or chi-square on weighed own rows: as good as draws of the target "
                    "where the student is near, and asks for no gradient",
             .keys = importance_keys,
             .size = sizeof(importance_options),
             .conflict = importance_conflict},
    .example = "{\"kind\": \"importance\", \"alpha\": 2}",
    .unused = importance_unused,
    .terms = importance_terms,
};
