#include "student/temper.h"

#include <math.h>

#define TEMPER_ESS 0.5   /* beta rises as far as this share of the sample stays effective */
#define TEMPER_RISE 1.25 /* and at most by this factor from one step to the next */

/* Effective share of the rows under p~^beta; NaN if none has a weight. */
static double ess_at(double beta, const double *log_p, const double *log_q, size_t n)
{
    double top = -INFINITY, sum = 0, square = 0;
    for (size_t r = 0; r < n; r++)
        top = fmax(top, beta * log_p[r] - log_q[r]);
    for (size_t r = 0; r < n; r++) {
        double w = exp(beta * log_p[r] - log_q[r] - top);
        sum += w;
        square += w * w;
    }
    return sum * sum / ((double)n * square);
}

/* The largest beta that keeps TEMPER_ESS of the sample, between low and low * TEMPER_RISE. */
static double measured(double low, const double *log_p, const double *log_q, size_t n)
{
    double high = fmin(1, low * TEMPER_RISE);
    if (ess_at(high, log_p, log_q, n) >= TEMPER_ESS)
        return high;
    for (int i = 0; i < 20; i++) {
        double middle = 0.5 * (low + high);
        if (ess_at(middle, log_p, log_q, n) >= TEMPER_ESS)
            low = middle;
        else
            high = middle;
    }
    return low;
}

double temper_raise(double beta, const temper_line *line, size_t step, size_t steps,
                    const double *log_p, const double *log_q, size_t n)
{
    double end = line->until * (double)steps, at = (double)step;
    double least = at >= end ? 1 : exp(log(line->start) * (1 - at / end));
    return fmax(least, n ? measured(beta, log_p, log_q, n) : beta);
}
