/* student/objective_mass_transport.c -- constrained mass transport: from what the student is at first to the
 * target, by densities each of which is near enough to the one before to be learned from its draws alone
 * (von Klitzing 2026). Every `every` steps the student draws a buffer; trust.h says which density q' is next and
 * weighs the rows; the steps minimise -sum om log q, forward KL from q' to the student, and ask the target for
 * nothing. The last part of the course is reverse KL on fresh rows, which has less noise than weights. */
#include "student/objective.h"
#include "student/own_rows.h"
#include "student/trust.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct transport_options {
    uint64_t buffer, every;
    double trust, cooling, start, polish;
} transport_options;

typedef struct mass_transport {
    objective_term base;
    transport_options options;
    own_rows rows;
    struct {
        double lam, eta, kl_reverse, kl_forward, ess;
        uint64_t filled; /* whether there are rows */
    } now;
    double u;     /* where a batch starts in the sums of weights */
    size_t batch; /* of the step in work */
} mass_transport;

static const mass_transport *down(const objective_term *self)
{
    return (const mass_transport *)self;
}

/* ---- between steps */

static void weigh(mass_transport *self)
{
    own_rows *rows = &self->rows;
    const trust_bounds bounds = {self->options.trust, self->options.cooling};
    const size_t enough = 4096, n = rows->n < enough ? rows->n : enough; /* for the multipliers */
    trust_step step;
    trust_solve(&step, &bounds, rows->log_p, rows->log_q, n);
    trust_weights(rows->weight, &step, rows->log_p, rows->log_q, rows->n);
    own_rows_weighed(rows);
    own_rows_figures(rows, &self->now.kl_reverse, &self->now.kl_forward, &self->now.ess);
    self->now.lam = step.lam;
    self->now.eta = step.eta;
}

static int transport_before_step(objective_term *base, const term_step *at, flow_err *err)
{
    mass_transport *self = (mass_transport *)base;
    const pcg_stream stream = {
        .seed = at->scene->seed, .stage = STREAM_OWN_ROWS, .purpose = PCG_SHUFFLE};
    size_t every = (size_t)self->options.every;
    pcg rng = pcg_at(stream, at->step, 1);
    self->u = pcg_uniform(&rng);
    self->batch = at->cut->rows;
    if (at->step % every && self->now.filled)
        return 0;
    self->now.filled = 1;
    int code =
        own_rows_draw(&self->rows, at->scene, at->step / every * self->rows.n, at->sums, err);
    if (!code)
        weigh(self);
    return code;
}

/* ---- a shard */

static void take_row(const mass_transport *self, term_shard *s, size_t r)
{
    const own_rows *rows = &self->rows;
    size_t from = own_rows_pick(rows, s->row + r, self->batch, self->u);
    for (size_t i = 0; i < rows->dim; i++)
        s->x[r * rows->dim + i] = rows->x[from * rows->dim + i];
    for (size_t i = 0; i < rows->context; i++)
        s->context[r * rows->context + i] = rows->contexts[from * rows->context + i];
    s->dlogq[r] = -s->weight;
}

static int transport_shard(const objective_term *base, term_shard *s, flow_err *err)
{
    (void)err;
    for (size_t r = 0; r < s->n; r++)
        take_row(down(base), s, r);
    flow_pass_log_prob(s->pass, NULL, s->logq, s->z, s->x, s->context, s->n);
    flow_pass_density_backward(s->pass, NULL, NULL, s->lane, s->dlogq);
    return 0;
}

/* ---- the term */

static unsigned transport_needs(const objective_term *self)
{
    (void)self;
    return TERM_LOG_PROB;
}

static double transport_weight(const objective_term *self, double share)
{
    (void)self, (void)share;
    return 1;
}

/* Weights are compared across contexts, each of which has a log Z of its own. */
static int transport_check(objective_term *self, const flow *student, const target *teacher,
                           flow_err *err)
{
    (void)self, (void)student;
    if (!teacher->context || teacher->log_z == 0)
        return 0;
    return flow_fail(err, FLOW_ECONFIG,
                     "student.train.objective: with context, mass_transport wants a target that is "
                     "normalised, and '%s' is not; use kl",
                     teacher->ops->name);
}

static int transport_open(objective_term *base, const term_scene *scene, flow_err *err)
{
    mass_transport *self = (mass_transport *)base;
    return own_rows_open(&self->rows, (size_t)self->options.buffer, scene, err);
}

static void transport_report(const objective_term *base, distill_state *state)
{
    const mass_transport *self = down(base);
    state->kl_reverse = self->now.kl_reverse;
    state->kl_forward = self->now.kl_forward;
    state->trust = self->now.lam;
    state->cooling = self->now.eta;
    state->ess = self->now.ess;
}

static void transport_pieces(objective_term *base, flow_pieces *pieces)
{
    mass_transport *self = (mass_transport *)base;
    own_rows_pieces(&self->rows, pieces);
    flow_pieces_add(pieces, "multipliers", &self->now, sizeof self->now);
}

static void transport_free(objective_term *base)
{
    mass_transport *self = (mass_transport *)base;
    own_rows_close(&self->rows);
    free(self);
}

static const term_ops term_mass_transport = {
    .name = "mass_transport",
    .doc = "forward KL from the next density on the way to the target, on weighed own rows",
    .remedy = "use student.train.objective: kl",
    .needs = transport_needs,
    .free = transport_free,
    .open = transport_open,
    .weight = transport_weight,
    .check = transport_check,
    .shard = transport_shard,
    .before_step = transport_before_step,
    .report = transport_report,
    .pieces = transport_pieces,
};

/* ---- the kind */

static const flow_key transport_keys[] = {
    {FLOW_KEY(transport_options, buffer), .type = FLOW_KEY_WHOLE, .min = 64, .max = 1048576,
     .def = "8192", .unit = "rows", .doc = "Rows that the student draws at a time, to learn from."},
    {FLOW_KEY(transport_options, every), .type = FLOW_KEY_WHOLE, .min = 1, .max = 100000,
     .def = "32", .unit = "steps", .doc = "Steps on a buffer before it is drawn anew."},
    {FLOW_KEY(transport_options, trust), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MIN,
     .min = 0, .max = 5, .def = "0.3", .unit = "nats",
     .doc = "KL of the next density on the way from the student, at most."},
    {FLOW_KEY(transport_options, cooling), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MIN,
     .min = 0, .max = 1e6, .def = "1000", .unit = "nats",
     .doc = "Entropy that it may have less than the student, at most."},
    {FLOW_KEY(transport_options, start), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MAX,
     .min = 0, .max = 1, .def = "0.1", .unit = "share of the steps",
     .doc = "The first part of the training, by forward KL on the rows of a pilot, where there was "
            "one."},
    {FLOW_KEY(transport_options, polish), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MAX,
     .min = 0, .max = 1, .def = "0.2", .unit = "share of the steps",
     .doc =
         "The last part of the training, by reverse KL with the estimator student.train.gradient."},
    {.name = NULL}};

static int transport_terms(objective_terms *out, const objective_plan *plan, flow_err *err)
{
    const transport_options *own = plan->own;
    mass_transport *self = calloc(1, sizeof *self);
    if (!self)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for mass transport");
    *self = (mass_transport){.base = {.ops = &term_mass_transport,
                                      .from = objective_start_share(plan, own->start),
                                      .until = 1 - own->polish},
                             .options = *own,
                             .now = {NAN, NAN, NAN, NAN, NAN, 0}};
    objective_add(out, &self->base);
    int code = objective_add_start(out, plan, own->start, err);
    return code ? code : objective_add_polish(out, plan, own->polish, err);
}

/* Each part of the course comes before the next. */
static const char *transport_conflict(char *why, size_t size, const void *options)
{
    const transport_options *own = options;
    if (own->start + own->polish < 1)
        return NULL;
    snprintf(why, size, "with polish %.3g no step is left between them", own->polish);
    return "start";
}

static const char *const transport_unused[] = {"forward", "forward_end",  "widen", "widen_by",
                                               "temper",  "temper_until", NULL};

const objective_kind objective_mass_transport = {
    .kind = {.name = "mass_transport",
             .doc = "from wide to the target by steps within a trust region, on weighed own rows: "
                    "finds modes, and asks for no gradient but in the polish",
             .keys = transport_keys,
             .size = sizeof(transport_options),
             .conflict = transport_conflict},
    .example = "{\"kind\": \"mass_transport\"}",
    .unused = transport_unused,
    .terms = transport_terms,
};
