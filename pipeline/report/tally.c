#include "pipeline/report/tally.h"

#include <math.h>

tally_bins tally_even(const plot_axis *axis, size_t n)
{
    tally_bins out = {.n = n};
    for (size_t i = 1; i < n; i++)
        out.edge[i] = plot_axis_at(axis, (double)i / (double)n);
    out.edge[0] = axis->lo; /* as they are: rounding would leave the farthest rows out */
    out.edge[n] = axis->hi;
    return out;
}

tally_bins tally_whole(const plot_axis *axis, double step)
{
    tally_bins even = tally_even(axis, TALLY_BINS), out = {.edge = {axis->lo}};
    double last = 0;
    for (size_t i = 1; i <= even.n; i++) {
        double steps = round((even.edge[i] - axis->lo) / step);
        if (steps > last)
            out.edge[++out.n] = axis->lo + steps * step;
        last = fmax(last, steps);
    }
    return out;
}

void tally_add(tally *self, const tally_bins *bins, double x, double weight)
{
    size_t bin = 0, end = bins->n;
    self->total += weight;
    if (!(x >= bins->edge[0] && x <= bins->edge[end]))
        return;
    while (bin + 1 < end) {
        size_t half = (bin + end) / 2;
        *(x < bins->edge[half] ? &end : &bin) = half;
    }
    self->count[bin] += weight;
    self->square[bin] += weight * weight;
}

void tally_density(double *out, const tally *self, const tally_bins *bins, bool no_zeros)
{
    for (size_t i = 0; i < bins->n; i++) {
        double width = bins->edge[i + 1] - bins->edge[i];
        out[i] = self->total > 0 ? self->count[i] / self->total / width : 0;
        if (no_zeros && !(out[i] > 0))
            out[i] = NAN;
    }
}

static double quantile(const double *sorted, size_t n, double share)
{
    return sorted[(size_t)(share * (double)(n - 1))];
}

plot_axis tally_axis(const double *sorted, size_t n, double lo, double hi, double step)
{
    plot_axis out = plot_axis_of(lo, hi, 0.01);
    if (n < 10)
        return out;
    double central = fmax(step, quantile(sorted, n, 0.995) - quantile(sorted, n, 0.005));
    double quartiles = quantile(sorted, n, 0.75) - quantile(sorted, n, 0.25);
    if (hi - lo > 4 * central && central > 0) {
        out.middle = quantile(sorted, n, 0.5);
        out.bend = fmax(step, quartiles > 0 ? quartiles : central / 4);
    }
    return out;
}
