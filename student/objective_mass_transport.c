/* student/objective_mass_transport.c -- constrained mass transport: from what the student is at first to the
 * target, by densities each of which is near enough to the one before to be learned from its draws alone
 * (von Klitzing 2026). trust.h says which density q' is next and weighs the rows of a buffer; the steps minimise
 * forward KL from q' to the student. Where neither bound binds any more q' is the target. */
#include "student/objective.h"
#include "student/term_weighed.h"
#include "student/trust.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct transport_options {
    uint64_t buffer, every;
    double trust, cooling, start, polish;
} transport_options;

typedef struct mass_transport {
    term_weighed base;
    trust_bounds bounds;
} mass_transport;

enum { ENOUGH = 4096 }; /* rows for the multipliers */

static int transport_weigh(term_weighed *base, flow_err *err)
{
    own_rows *rows = &base->rows;
    size_t n = rows->n < ENOUGH ? rows->n : ENOUGH;
    trust_step step;
    (void)err;
    trust_solve(&step, &((mass_transport *)base)->bounds, rows->log_p, rows->log_q, n);
    trust_weights(rows->weight, &step, rows->log_p, rows->log_q, rows->n);
    base->now.first = step.lam;
    base->now.second = step.eta;
    return 0;
}

static void transport_report(const objective_term *base, distill_state *state)
{
    const term_weighed *self = (const term_weighed *)base;
    term_weighed_report(self, state);
    state->trust = self->now.first;
    state->cooling = self->now.second;
}

static const term_ops term_mass_transport = {
    .name = "mass_transport",
    .doc = "forward KL from the next density on the way to the target, on weighed own rows",
    .remedy = "use student.train.objective: kl",
    TERM_WEIGHED_OPS,
    .report = transport_report,
    .free = term_weighed_free,
};

/* ---- the kind */

static const flow_key transport_keys[] = {
    {FLOW_KEY(transport_options, trust), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MIN,
     .min = 0, .max = 5, .def = "0.3", .unit = "nats",
     .doc = "KL of the next density on the way from the student, at most."},
    {FLOW_KEY(transport_options, cooling), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MIN,
     .min = 0, .max = 1e6, .def = "1000", .unit = "nats",
     .doc = "Entropy that it may have less than the student, at most."},
    TERM_WEIGHED_KEYS(transport_options, "0"),
    {.name = NULL}};

static int transport_terms(objective_terms *out, const objective_plan *plan, flow_err *err)
{
    const transport_options *own = plan->own;
    mass_transport *self = calloc(1, sizeof *self);
    if (!self)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for mass transport");
    self->base = (term_weighed){.base = {.ops = &term_mass_transport},
                                .buffer = (size_t)own->buffer,
                                .every = (size_t)own->every,
                                .weigh = transport_weigh};
    self->bounds = (trust_bounds){own->trust, own->cooling};
    return objective_add_between(out, &self->base.base, plan, own->start, own->polish, err);
}

static const char *transport_conflict(char *why, size_t size, const void *options)
{
    const transport_options *own = options;
    return objective_parts_conflict(why, size, own->start, own->polish);
}

static const char *const transport_unused[] = {"forward", "forward_end",  "widen", "widen_by",
                                               "temper",  "temper_until", NULL};

const objective_kind objective_mass_transport = {
    .kind = {.name = "mass_transport",
             .doc = "from wide to the target by steps within a trust region, on weighed own rows: "
                    "keeps modes, and asks for no gradient but in the polish",
             .keys = transport_keys,
             .size = sizeof(transport_options),
             .conflict = transport_conflict},
    .example = "{\"kind\": \"mass_transport\"}",
    .unused = transport_unused,
    .terms = transport_terms,
};
