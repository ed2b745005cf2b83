#include "pipeline/report/tally.h"

#include <math.h>

void tally_add(tally *self, const plot_axis *axis, size_t bins, double x, double weight)
{
    double share = plot_axis_share(axis, x);
    self->total += weight;
    if (!(share >= 0 && share <= 1))
        return;
    size_t bin = (size_t)(share * (double)bins);
    bin = bin < bins ? bin : bins - 1;
    self->count[bin] += weight;
    self->square[bin] += weight * weight;
}

void tally_density(double *out, const tally *self, const plot_axis *axis, size_t bins,
                   bool no_zeros)
{
    for (size_t i = 0; i < bins; i++) {
        double width = plot_axis_at(axis, (double)(i + 1) / (double)bins) -
                       plot_axis_at(axis, (double)i / (double)bins);
        out[i] = self->total > 0 ? self->count[i] / self->total / width : 0;
        if (no_zeros && !(out[i] > 0))
            out[i] = NAN;
    }
}

static double quantile(const double *sorted, size_t n, double share)
{
    return sorted[(size_t)(share * (double)(n - 1))];
}

plot_axis tally_axis(const double *sorted, size_t n, double lo, double hi)
{
    plot_axis out = plot_axis_of(lo, hi, 0.01);
    if (n < 10)
        return out;
    double central = quantile(sorted, n, 0.995) - quantile(sorted, n, 0.005);
    double quartiles = quantile(sorted, n, 0.75) - quantile(sorted, n, 0.25);
    if (hi - lo > 4 * central && central > 0) {
        out.middle = quantile(sorted, n, 0.5);
        out.bend = quartiles > 0 ? quartiles : central / 4;
    }
    return out;
}
