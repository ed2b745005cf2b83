#include "student/energies.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const double energy_shares[ENERGY_QUANTILES] = {0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99};

typedef struct pair {
    double value, weight;
} pair;

static int by_value(const void *a, const void *b)
{
    double x = ((const pair *)a)->value, y = ((const pair *)b)->value;
    return (x > y) - (x < y);
}

/* Rows of one value are one step: in which order they were sorted is of no matter but for rounding, so they are put into the
 * order of their weights. */
static int by_both(const void *a, const void *b)
{
    int first = by_value(a, b);
    double x = ((const pair *)a)->weight, y = ((const pair *)b)->weight;
    return first ? first : (x > y) - (x < y);
}

int energies_make(energies *self, const double *value, const double *weight, size_t n,
                  flow_err *err)
{
    pair *pairs = malloc(n * sizeof *pairs);
    double sum = 0;
    *self = (energies){.n = n, .value = malloc(2 * n * sizeof *self->value)};
    if (!pairs || !self->value) {
        free(pairs);
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu energies", n);
    }
    self->up_to = self->value + n;
    for (size_t i = 0; i < n; i++)
        pairs[i] = (pair){value[i], weight ? weight[i] : 1};
    qsort(pairs, n, sizeof *pairs, by_both);
    for (size_t i = 0; i < n; i++) {
        self->value[i] = pairs[i].value;
        self->up_to[i] = sum += pairs[i].weight;
    }
    for (size_t i = 0; i < n; i++)
        self->up_to[i] /= sum;
    free(pairs);
    return 0;
}

void energies_close(energies *self)
{
    free(self->value);
    *self = (energies){.n = 0};
}

double energies_quantile(const energies *self, double share)
{
    size_t low = 0, high = self->n - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (self->up_to[middle] < share)
            low = middle + 1;
        else
            high = middle;
    }
    return self->value[low];
}

void energies_quantiles(double quantile[ENERGY_QUANTILES], const energies *self)
{
    for (size_t q = 0; q < ENERGY_QUANTILES; q++)
        quantile[q] = energies_quantile(self, energy_shares[q]);
}

void energies_bins(double share[ENERGY_BINS], const energies *self, double lo, double hi)
{
    memset(share, 0, ENERGY_BINS * sizeof *share);
    for (size_t i = 0; i < self->n; i++) {
        double at = ENERGY_BINS * ((self->value[i] - lo) / (hi - lo));
        if (at >= 0 && at <= ENERGY_BINS)
            share[at < ENERGY_BINS ? (size_t)at : ENERGY_BINS - 1] +=
                self->up_to[i] - (i ? self->up_to[i - 1] : 0);
    }
}

double energies_apart(const energies *a, const energies *b)
{
    double most = 0;
    for (size_t i = 0, j = 0; i < a->n && j < b->n;) {
        double at = fmin(a->value[i], b->value[j]);
        while (i < a->n && a->value[i] <= at)
            i++;
        while (j < b->n && b->value[j] <= at)
            j++;
        double of_a = i ? a->up_to[i - 1] : 0, of_b = j ? b->up_to[j - 1] : 0;
        most = fmax(most, fabs(of_a - of_b));
    }
    return most;
}
