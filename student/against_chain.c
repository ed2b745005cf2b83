#include "student/against_chain.h"

#include "flow/clock.h"
#include "student/long_chain.h"
#include "student/sum.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Standard errors of the mean share, twice: sqrt(1 / n + 1 / m) of two samples of one distribution is exceeded by their
 * distance with a chance of 2 exp(-2 * 2^2) (Smirnov 1939). */
static const double CHANCE = 2;

/* Quantiles of the student and the chains that the bins reach to: the 1 % ones, and so much more of the width. */
static const double MARGIN = 0.15;

const student_against_chain student_against_no_chain = {
    .seconds = NAN,
    .rhat = NAN,
    .rhat_column = NAN,
    .effective = NAN,
    .acceptance = NAN,
    .eubo = {NAN, NAN},
    .kl_forward = NAN,
    .worst = NAN,
    .apart = NAN,
    .weighed_apart = NAN,
    .chance = NAN,
    .hunt = STUDENT_NO_HUNT,
};

/* ---- the chains' rows */

static double user_energy(const flow_units *units, double log_p, const double *u, double *x)
{
    double logdet = 0;
    if (units)
        flow_units_to_user(units, x, &logdet, u, 1);
    return log_p - logdet;
}

/* ruler: of the student's densities. */
static int densities(double *log_q, const student_sides *sides, const flow *ruler,
                     const long_chain *chain, flow_err *err)
{
    int code = flow_log_prob(ruler, sides->pool, log_q, NULL, chain->x, NULL, chain->n, err);
    for (size_t r = 0; r < chain->n && !code; r++)
        if (isnan(log_q[r]))
            code = flow_fail(err, FLOW_EDIVERGED,
                             "the student's density is not a number at row %zu of the chain", r);
    return code;
}

/* excess (n): log p~ - log q. */
static void take_excess(student_against_chain *out, const double *excess, size_t n, double log_z)
{
    student_sum sum = {0, 0}, squares = {0, 0};
    out->worst = -INFINITY;
    for (size_t r = 0; r < n; r++) {
        student_sum_add(&sum, excess[r]);
        out->worst = fmax(out->worst, excess[r] - log_z);
        for (size_t k = 0; k < STUDENT_UNCOVERED; k++)
            out->uncovered[k] += excess[r] - log_z > student_uncovered_nats[k];
    }
    double mean = student_sum_get(&sum) / (double)n;
    for (size_t r = 0; r < n; r++)
        student_sum_add(&squares, (excess[r] - mean) * (excess[r] - mean));
    /* as many independent rows as of log p~ */
    double variance = student_sum_get(&squares) / (double)(n - 1);
    out->eubo = (student_estimate){mean, sqrt(variance / out->effective)};
    out->kl_forward = mean - log_z;
}

/* guide: the student in double; log_q: (n) room. */
static int cover_with(student_against_chain *out, const student_sides *sides, const flow *guide,
                      const long_chain *chain, double *log_q, const student_chain_question *q,
                      flow_err *err)
{
    const flow *ruler = student_sides_ruler(q->student, guide);
    const hunt_input hunt = {.sides = sides,
                             .student = ruler,
                             .guide = guide,
                             .found = {chain->n, chain->dim, chain->x, chain->log_p, log_q, 0},
                             .chains = chain->chains,
                             .log_z = q->log_z,
                             .units = q->units,
                             .effort = hunt_effort_of(q->effort)};
    int code = densities(log_q, sides, ruler, chain, err);
    code = code ? code : student_hunt_run(&out->hunt, &hunt, err);
    for (size_t r = 0; r < chain->n && !code; r++)
        log_q[r] = chain->log_p[r] - log_q[r];
    if (!code)
        take_excess(out, log_q, chain->n, q->log_z);
    return code;
}

static int cover(student_against_chain *out, const student_sides *sides, const long_chain *chain,
                 const student_chain_question *q, flow_err *err)
{
    double *log_q = malloc(chain->n * sizeof *log_q);
    if (!log_q)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu densities", chain->n);
    flow *guide = flow_convert(q->student, FLOW_F64, err);
    int code = guide ? cover_with(out, sides, guide, chain, log_q, q, err) : err->code;
    flow_free(guide);
    free(log_q);
    return code;
}

/* ---- energies */

/* Of the rows where the target did not break: energy (n) and weight (n); returns how many. */
static size_t own_energies(double *energy, double *weight, const student_side *own, size_t dim,
                           const flow_units *units, double *room)
{
    size_t n = 0;
    double top = -INFINITY;
    for (size_t r = 0; r < own->n; r++) {
        if (own->status[r] == TARGET_BROKEN)
            continue;
        energy[n] = user_energy(units, own->log_p[r], own->x + r * dim, room);
        weight[n] = own->log_p[r] - own->log_q[r];
        top = fmax(top, weight[n++]);
    }
    for (size_t i = 0; i < n; i++)
        weight[i] = top > -INFINITY ? exp(weight[i] - top) : 1;
    return n;
}

static void set_range(student_against_chain *out)
{
    double lo = INFINITY, hi = -INFINITY;
    for (int k = 0; k < STUDENT_ENERGY_COUNT; k++) {
        lo = fmin(lo, isfinite(out->quantiles[k][0]) ? out->quantiles[k][0] : lo);
        hi = fmax(hi, out->quantiles[k][ENERGY_QUANTILES - 1]);
    }
    /* a student that is far off does not make the chains a line */
    const double *chain = out->quantiles[STUDENT_ENERGY_CHAIN];
    double width = chain[ENERGY_QUANTILES - 1] - chain[0];
    lo = fmax(lo, chain[0] - 3 * width);
    width = fmax(hi - lo, 1e-6 * (1 + fabs(hi)));
    out->lo = lo - MARGIN * width;
    out->hi = hi + MARGIN * width;
}

static void compare(student_against_chain *out, const energies all[STUDENT_ENERGY_COUNT])
{
    const energies *chain = &all[STUDENT_ENERGY_CHAIN];
    for (int k = 0; k < STUDENT_ENERGY_COUNT; k++)
        energies_quantiles(out->quantiles[k], &all[k]);
    set_range(out);
    for (int k = 0; k < STUDENT_ENERGY_COUNT; k++)
        energies_bins(out->bins[k], &all[k], out->lo, out->hi);
    out->apart = energies_apart(&all[STUDENT_ENERGY_OWN], chain);
    out->weighed_apart = energies_apart(&all[STUDENT_ENERGY_WEIGHED], chain);
    out->chance = CHANCE * sqrt(1 / (double)all[STUDENT_ENERGY_OWN].n + 1 / out->effective);
}

static int weigh_energies(student_against_chain *out, const student_sides *sides,
                          const long_chain *chain, const flow_units *units, double *room,
                          flow_err *err)
{
    energies all[STUDENT_ENERGY_COUNT] = {{0}};
    double *energy = room + sides->dim, *weight = energy + sides->n;
    size_t n = own_energies(energy, weight, &sides->own, sides->dim, units, room);
    int code = energies_make(&all[STUDENT_ENERGY_OWN], energy, NULL, n, err);
    if (!code)
        code = energies_make(&all[STUDENT_ENERGY_WEIGHED], energy, weight, n, err);
    for (size_t r = 0; r < chain->n; r++)
        weight[sides->n + r] = user_energy(units, chain->log_p[r], chain->x + r * chain->dim, room);
    if (!code)
        code = energies_make(&all[STUDENT_ENERGY_CHAIN], weight + sides->n, NULL, chain->n, err);
    if (!code)
        compare(out, all);
    for (int k = 0; k < STUDENT_ENERGY_COUNT; k++)
        energies_close(&all[k]);
    return code;
}

static int compare_energies(student_against_chain *out, const student_sides *sides,
                            const long_chain *chain, const flow_units *units, flow_err *err)
{
    double *room = malloc((sides->dim + 2 * sides->n + chain->n) * sizeof *room);
    if (!room)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for energies");
    int code = weigh_energies(out, sides, chain, units, room, err);
    free(room);
    return code;
}

/* ---- */

static void take_chain(student_against_chain *out, const long_chain *chain)
{
    out->rows = chain->n;
    out->chains = chain->chains;
    out->evaluations = chain->evaluations;
    out->rhat = chain->rhat;
    out->rhat_column = chain->rhat_column;
    out->column = chain->column;
    out->effective = chain->effective;
    out->acceptance = chain->acceptance;
}

static int keep(student_chain_rows *out, const long_chain *chain, const flow_units *units,
                flow_err *err)
{
    size_t n = chain->n < STUDENT_CHAIN_KEPT ? chain->n : STUDENT_CHAIN_KEPT, dim = chain->dim;
    out->x = malloc(n * dim * sizeof *out->x);
    if (!out->x)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows of chains", n);
    out->n = n;
    for (size_t i = 0; i < n; i++)
        memcpy(out->x + i * dim, chain->x + i * chain->n / n * dim, dim * sizeof *out->x);
    if (units)
        flow_units_to_user(units, out->x, NULL, out->x, n);
    return FLOW_OK;
}

int student_against_chain_measure(student_against_chain *out, const student_sides *sides,
                                  const student_chain_question *question, flow_err *err)
{
    long_chain chain;
    double begun = flow_seconds();
    *out = student_against_no_chain;
    int code = long_chain_run(&chain, sides->teacher, sides->pool, question->rows, question->chains,
                              sides->seed, err);
    if (!code)
        code = broken_check(&chain.broken, chain.broken.count, chain.evaluations,
                            "rows of the chain", err);
    if (!code) {
        take_chain(out, &chain);
        code = cover(out, sides, &chain, question, err);
    }
    if (!code)
        code = compare_energies(out, sides, &chain, question->units, err);
    if (!code && question->kept)
        code = keep(question->kept, &chain, question->units, err);
    out->seconds = flow_seconds() - begun;
    long_chain_close(&chain);
    return code;
}
