/* student/hunt_edge.c -- hunt_source.h: from the edge of what a student covers. */
#include "student/hunt_source.h"

#include "flow/sort.h"
#include "student/chains.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What the chains' second density needs. */
typedef struct edge {
    hunt_source *out;
    target_asker *student; /* as a target: log q and its slopes, the guide's */
    double limit;
    chains chains;
} edge;

/* log_0 = EDGE_PULL min(0, log p~ - log q - limit), and its slope. */
static int pull(void *arg, const chains *c, cloud *at, flow_err *err)
{
    edge *e = arg;
    int code = target_ask(e->student, at->log_0, c->slopes ? at->slope_0 : NULL, NULL, at->x, NULL,
                          c->n, err);
    for (size_t r = 0; r < c->n && !code; r++) {
        double short_of = at->log_p[r] - at->log_0[r] - e->limit;
        bool drawn = short_of < 0;
        at->log_0[r] = drawn ? EDGE_PULL * short_of : 0;
        for (size_t k = r * c->dim; k < (r + 1) * c->dim && c->slopes; k++)
            at->slope_0[k] = drawn ? EDGE_PULL * (at->slope_p[k] - at->slope_0[k]) : 0;
    }
    return code;
}

/* ---- the start */

static double excess(const student_side *own, size_t r)
{
    return own->status[r] == TARGET_FINITE ? own->log_p[r] - own->log_q[r] : -INFINITY;
}

/* Of the samples at least the n-th largest excess: their first n are where chains begin. */
static int least_of(double *least, const student_side *own, size_t n, flow_err *err)
{
    double *sorted = malloc(own->n * sizeof *sorted);
    if (!sorted)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu samples", own->n);
    for (size_t r = 0; r < own->n; r++)
        sorted[r] = excess(own, r);
    flow_sort_numbers(sorted, own->n);
    *least = sorted[own->n - n];
    free(sorted);
    return 0;
}

static int begin(edge *e, const student_sides *sides, flow_err *err)
{
    const student_side *own = &sides->own;
    chains *c = &e->chains;
    double least = 0, *widths = malloc(c->dim * sizeof *widths);
    int code = widths ? least_of(&least, own, c->n, err)
                      : flow_fail(err, FLOW_ENOMEM, "out of memory for chains");
    for (size_t r = 0, at = 0; r < own->n && at < c->n && !code; r++)
        if (excess(own, r) >= least)
            memcpy(c->at.x + at++ * c->dim, own->x + r * c->dim, c->dim * sizeof *c->at.x);
    for (size_t i = 0; i < c->dim && !code; i++)
        widths[i] = 1;
    if (!code) {
        code = chains_look(c, &c->at, err);
        chains_measure(c, widths);
    }
    free(widths);
    return code;
}

/* ---- moving */

/* Widths follow the chains, which leave the samples that they began at. */
static int settle(chains *c, flow_err *err)
{
    int code = 0;
    for (size_t i = 0; i < EDGE_BURN && !code; i++) {
        code = chains_move(c, 1, 1, 1, EDGE_LEAPS, err);
        if (i % 8 == 7)
            chains_measure(c, c->widths);
    }
    return code;
}

static int record(edge *e, flow_err *err)
{
    chains *c = &e->chains;
    hunt_source *out = e->out;
    int code = settle(c, err);
    for (size_t k = 0; k < EDGE_STATES && !code; k++) {
        code = chains_move(c, 1, 1, EDGE_THIN, EDGE_LEAPS, err);
        memcpy(out->x + k * c->n * c->dim, c->at.x, c->n * c->dim * sizeof *out->x);
        memcpy(out->log_p + k * c->n, c->at.log_p, c->n * sizeof *out->log_p);
    }
    return code;
}

/* ---- */

static int run(edge *e, const student_sides *sides, const flow *student, size_t most, flow_err *err)
{
    hunt_source *out = e->out;
    size_t n = sides->own.n < most ? sides->own.n : most;
    int code = hunt_source_open(out, n * EDGE_STATES, sides->dim, err);
    code = code ? code : chains_open(&e->chains, n, err);
    code = code ? code : begin(e, sides, err);
    code = code ? code : record(e, err);
    out->evaluations = e->chains.evaluations;
    return code ? code
                : flow_log_prob(student, sides->pool, out->log_q, NULL, out->x, NULL, out->n, err);
}

int hunt_from_edge(hunt_source *out, const student_sides *sides, const flow *student,
                   const flow *guide, double limit, size_t most, flow_err *err)
{
    edge e = {.out = out,
              .limit = limit,
              .chains = {.target = sides->teacher,
                         .pool = sides->pool,
                         .start = pull,
                         .decades = EDGE_DECADES,
                         .stream = {.seed = sides->seed, .stage = STREAM_HUNT_EDGE}}};
    *out = (hunt_source){.n = 0};
    target *density = target_from_flow(guide, err);
    e.student = density ? target_asker_create(density, sides->pool, err) : NULL;
    e.chains.arg = &e;
    int code = e.student ? run(&e, sides, student, most, err) : err->code;
    chains_close(&e.chains);
    target_asker_free(e.student);
    target_free(density);
    return code;
}
