#include "student/long_chain.h"

#include "student/chains.h"
#include "student/pilot.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Its starts are not those of a recipe that had the same seed. */
static const uint64_t OTHER_SEED = 0x9e3779b97f4a7c15;

/* ---- how well chains agree */

/* Mean of states from .. to - 1 of one chain; *variance is theirs. */
static double mean_of(double *variance, const double *values, size_t from, size_t to, size_t step)
{
    double mean = 0, square = 0, n = (double)(to - from);
    for (size_t k = from; k < to; k++)
        mean += values[k * step] / n;
    for (size_t k = from; k < to; k++)
        square += (values[k * step] - mean) * (values[k * step] - mean);
    *variance = square / (n - 1);
    return mean;
}

/* Mean variance within sequences of `length` states of every chain, and the variance of their means. */
typedef struct spread {
    double within, between;
} spread;

static spread spread_of(const double *values, size_t n, size_t sequences, size_t stride,
                        size_t length)
{
    size_t parts = n / sequences / length, many = parts * sequences;
    double sum = 0, squares = 0, within = 0, variance, shift = values[0];
    for (size_t c = 0; c < sequences; c++)
        for (size_t p = 0; p < parts; p++) {
            double mean = mean_of(&variance, values + c * stride, p * length, (p + 1) * length,
                                  sequences * stride) -
                          shift;
            sum += mean;
            squares += mean * mean;
            within += variance / (double)many;
        }
    double between = (squares - sum * sum / (double)many) / (double)(many - 1);
    return (spread){within, fmax(0, between)};
}

/* The variance of all, from both. */
static double whole(spread s, size_t length)
{
    return s.within * (1 - 1 / (double)length) + s.between;
}

double long_chain_rhat(double *effective, const double *values, size_t n, size_t sequences,
                       size_t stride)
{
    size_t states = n / sequences;
    spread halves = spread_of(values, n, sequences, stride, states / 2);
    spread all = spread_of(values, n, sequences, stride, states);
    if (effective)
        *effective = all.between > 0
                         ? fmin((double)n, (double)sequences * whole(all, states) / all.between)
                         : (double)n;
    return sqrt(whole(halves, states / 2) / halves.within);
}

static void judge(long_chain *self)
{
    self->rhat = long_chain_rhat(&self->effective, self->log_p, self->n, self->chains, 1);
    for (size_t i = 0; i < self->dim; i++) {
        double rhat = long_chain_rhat(NULL, self->x + i, self->n, self->chains, self->dim);
        if (i == 0 || !(rhat <= self->rhat_column)) {
            self->rhat_column = rhat;
            self->column = i;
        }
    }
}

/* ---- moving */

/* With a step size that no longer looks at the rows. */
static int move_on(chains *c, size_t moves, double step, flow_err *err)
{
    int code = 0;
    for (size_t i = 0; i < moves && !code; i++) {
        c->step = step;
        code = chains_move(c, 0, 1, 1, LONG_CHAIN_LEAPS, err);
    }
    return code;
}

/* The frame is that of the starts for half of it, and then of rows that have been along the ridges. */
static int burn(chains *c, flow_err *err)
{
    int code = 0;
    for (size_t half = 0; half < 2 && !code; half++) {
        code = chains_tie(c, err);
        code = code ? code : chains_move(c, 0, 1, LONG_CHAIN_BURN / 2, LONG_CHAIN_LEAPS, err);
    }
    return code;
}

static int record(long_chain *self, chains *c, flow_err *err)
{
    int code = burn(c, err);
    double step = c->step, accepted = 0;
    size_t states = self->n / self->chains, row = 0;
    for (size_t k = 0; k < states && !code; k++, row += self->chains) {
        code = move_on(c, LONG_CHAIN_THIN, step, err);
        accepted += c->acceptance / (double)states;
        memcpy(self->x + row * self->dim, c->at.x, c->n * c->dim * sizeof *self->x);
        memcpy(self->log_p + row, c->at.log_p, c->n * sizeof *self->log_p);
    }
    self->acceptance = accepted;
    return code;
}

/* ---- */

static int run(long_chain *self, chains *c, const student_pilot *pilot, flow_err *err)
{
    int code = chains_open(c, self->chains, err);
    if (code)
        return code;
    memcpy(c->at.x, pilot->rows.x, c->n * c->dim * sizeof *c->at.x);
    code = chains_look(c, &c->at, err);
    chains_measure(c, pilot->scale);
    return code ? code : record(self, c, err);
}

static int take(long_chain *self, const target *t, size_t rows, size_t many, flow_err *err)
{
    many = many ? many : LONG_CHAIN_CHAINS;
    size_t states = (rows + many - 1) / many;
    *self = (long_chain){.dim = t->dim, .chains = many};
    self->n = self->chains * (states < LONG_CHAIN_LEAST ? LONG_CHAIN_LEAST : states);
    self->x = malloc(self->n * self->dim * sizeof *self->x);
    self->log_p = malloc(self->n * sizeof *self->log_p);
    return self->x && self->log_p
               ? 0
               : flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows of a chain", self->n);
}

int long_chain_run(long_chain *self, const target *t, flow_pool *pool, size_t rows, size_t many,
                   uint64_t seed, flow_err *err)
{
    student_pilot pilot = {.rounds = 0};
    chains c = {.target = t, .pool = pool, .stream = {.seed = seed, .stage = STREAM_LONG_CHAIN}};
    int code = take(self, t, rows, many, err);
    if (!code)
        code = student_pilot_run(&pilot, t, pool, &pilot_effort_usual, self->chains,
                                 seed ^ OTHER_SEED, err);
    if (!code)
        code = run(self, &c, &pilot, err);
    self->evaluations = pilot.evaluations + c.evaluations;
    self->no_density = pilot.rows.no_density + c.no_density;
    self->broken = c.broken.count ? c.broken : pilot.rows.broken;
    student_pilot_close(&pilot);
    chains_close(&c);
    if (!code)
        judge(self);
    return code;
}

void long_chain_close(long_chain *self)
{
    free(self->x);
    free(self->log_p);
    *self = (long_chain){.n = 0};
}
