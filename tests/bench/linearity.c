#include "tests/bench/linearity.h"
#include "tests/bench/common.h"

#include <math.h>
#include <stdlib.h>

#define LONGEST 10.0 /* seconds of a call */
#define MOST 2e9     /* bytes of samples */

static double rate_of(const flow *student, flow_pool *pool, double *x, double *logq, size_t n,
                      double least)
{
    const pcg_stream stream = {.seed = 13, .stage = PCG_TEST, .purpose = PCG_BASE};
    flow_err err = FLOW_ERR_INIT;
    double start = seconds(), took = 0, rows = 0;
    while (took < least || rows == 0) {
        if (flow_sample(student, pool, x, logq, NULL, stream, 0, n, &err))
            die("%s", err.text);
        rows += (double)n;
        took = seconds() - start;
    }
    return rows / took;
}

static double median_rate(const flow *student, flow_pool *pool, size_t n, size_t rounds,
                          double least)
{
    double *x = take(n * flow_dim(student), sizeof *x), *logq = take(n, sizeof *logq);
    double *rates = take(rounds, sizeof *rates);
    for (size_t r = 0; r < rounds; r++)
        rates[r] = rate_of(student, pool, x, logq, n, least);
    double out = median(rates, rounds);
    free(rates);
    free(logq);
    free(x);
    return out;
}

void linearity_measure(linearity *out, const flow *student, flow_pool *pool, size_t rounds,
                       double least)
{
    double before = INFINITY;
    size_t n = 1000;
    for (size_t i = 0; i < LINEARITY_STEPS; i++, n *= 10) {
        int fits = (double)n / before < LONGEST &&
                   (double)n * (double)flow_dim(student) * sizeof(double) < MOST;
        out->rows[i] = n;
        out->rate[i] = fits ? median_rate(student, pool, n, rounds, least) : NAN;
        before = fits ? out->rate[i] : before;
    }
}
