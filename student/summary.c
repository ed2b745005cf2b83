#include "student/summary.h"

#include "student/energies.h"
#include "student/sum.h"

#include <math.h>
#include <stdlib.h>

const double summary_levels[SUMMARY_QUANTILES] = {0.025, 0.25, 0.5, 0.75, 0.975};

/* One column, and its weights. */
typedef struct column {
    double *x; /* (n) */
    const double *weight;
    size_t n;
} column;

/* ---- moments */

/* Of (x - about)^power. */
static double mean_of(const column *c, double about, int power)
{
    student_sum sum = {0, 0};
    for (size_t i = 0; i < c->n; i++)
        student_sum_add(&sum, c->weight[i] * pow(c->x[i] - about, power));
    return student_sum_get(&sum);
}

/* And the standard error of that, its value being `is`. */
static double error_of(const column *c, double about, int power, double is)
{
    student_sum sum = {0, 0};
    for (size_t i = 0; i < c->n; i++) {
        double off = c->weight[i] * (pow(c->x[i] - about, power) - is);
        student_sum_add(&sum, off * off);
    }
    return sqrt(student_sum_get(&sum));
}

static void moments(student_summary *out, const column *c)
{
    double mean = mean_of(c, 0, 1), variance = mean_of(c, mean, 2), sd = sqrt(variance);
    out->mean = (student_estimate){mean, error_of(c, mean, 1, 0)};
    out->sd = (student_estimate){sd, sd > 0 ? error_of(c, mean, 2, variance) / (2 * sd) : 0};
}

/* ---- quantiles */

/* Of the share of the weight up to `value`, which is `level`. */
static double error_of_share(const column *c, double value, double level)
{
    student_sum sum = {0, 0};
    for (size_t i = 0; i < c->n; i++) {
        double off = c->weight[i] * ((c->x[i] <= value) - level);
        student_sum_add(&sum, off * off);
    }
    return sqrt(student_sum_get(&sum));
}

static student_estimate quantile(const column *c, const energies *sorted, double level)
{
    double value = energies_quantile(sorted, level), se = error_of_share(c, value, level);
    return (student_estimate){value, 0.5 * (energies_quantile(sorted, level + se) -
                                            energies_quantile(sorted, level - se))};
}

int student_summarise(student_summary *out, const double *x, size_t dim, size_t at,
                      const double *weight, size_t n, flow_err *err)
{
    energies sorted = {.n = 0};
    column c = {.x = malloc(n * sizeof *c.x), .weight = weight, .n = n};
    if (!c.x)
        return flow_fail(err, FLOW_ENOMEM, "out of memory to sum up %zu rows", n);
    for (size_t i = 0; i < n; i++)
        c.x[i] = x[i * dim + at];
    int code = energies_make(&sorted, c.x, weight, n, err);
    if (!code)
        moments(out, &c);
    for (size_t k = 0; k < SUMMARY_QUANTILES && !code; k++)
        out->quantile[k] = quantile(&c, &sorted, summary_levels[k]);
    energies_close(&sorted);
    free(c.x);
    return code;
}
