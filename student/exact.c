#include "student/exact.h"

#include "student/sum.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/* The first row of positive weight in *first. */
static int check_weights(size_t *first, double *largest, const double *log_w, size_t n,
                         flow_err *err)
{
    *first = n;
    *largest = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        if (isnan(log_w[i]) || log_w[i] == INFINITY)
            return flow_fail(err, FLOW_EDIVERGED, "exact draws: log weight of row %zu is %g", i,
                             log_w[i]);
        if (*first == n && log_w[i] > -INFINITY)
            *first = i;
        *largest = fmax(*largest, log_w[i]);
    }
    if (*first == n && n > 0)
        return flow_fail(err, FLOW_EDIVERGED, "exact draws: all %zu rows have weight zero", n);
    return FLOW_OK;
}

/* ---- resampling */

/* cumulative (n): running sum of the weights over the largest, not decreasing. */
static void accumulate(double *cumulative, const double *log_w, size_t n, double largest)
{
    student_sum sum = {0, 0};
    double before = 0;
    for (size_t i = 0; i < n; i++) {
        student_sum_add(&sum, exp(log_w[i] - largest));
        before = fmax(before, student_sum_get(&sum));
        cumulative[i] = before;
    }
}

/* The first row whose cumulative weight exceeds point: a row of weight zero never does first. */
static size_t search(const double *cumulative, size_t n, double point)
{
    size_t low = 0, high = n - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (cumulative[middle] > point)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static size_t count_distinct(const size_t *index, size_t k, unsigned char *seen)
{
    size_t count = 0;
    for (size_t i = 0; i < k; i++) {
        count += !seen[index[i]];
        seen[index[i]] = 1;
    }
    return count;
}

int student_resample(size_t *index, double *distinct, size_t k, student_resampling method,
                     const double *log_w, size_t n, pcg_stream stream, flow_err *err)
{
    size_t first;
    double largest;
    int code = check_weights(&first, &largest, log_w, n, err);
    if (code)
        return code;
    if (n == 0 && k > 0)
        return flow_fail(err, FLOW_EUSAGE, "exact draws: %zu wanted out of no rows", k);
    *distinct = NAN;
    if (k == 0)
        return FLOW_OK;
    double *cumulative = n > SIZE_MAX / sizeof *cumulative ? NULL : malloc(n * sizeof *cumulative);
    unsigned char *seen = calloc(n, 1);
    if (!cumulative || !seen) {
        code = flow_fail(err, FLOW_ENOMEM, "exact draws: no memory for %zu rows", n);
        goto done;
    }
    accumulate(cumulative, log_w, n, largest);
    const double total = cumulative[n - 1];
    pcg rng = pcg_at(stream, 0, 1);
    double u = pcg_uniform(&rng);
    for (size_t i = 0; i < k; i++) {
        double point = method == STUDENT_SYSTEMATIC ? ((double)i + u) / (double)k : u;
        index[i] = search(cumulative, n, fmin(point * total, nextafter(total, 0)));
        if (method == STUDENT_MULTINOMIAL)
            u = pcg_uniform(&rng);
    }
    *distinct = (double)count_distinct(index, k, seen) / (double)k;
done:
    free(cumulative);
    free(seen);
    return code;
}

/* ---- chains */

int student_metropolis(size_t *index, double *acceptance, const double *log_w, size_t n,
                       pcg_stream stream, flow_err *err)
{
    size_t first, accepted = 0;
    double largest;
    int code = check_weights(&first, &largest, log_w, n, err);
    if (code)
        return code;
    pcg rng = pcg_at(stream, 0, 1);
    size_t state = first;
    for (size_t i = 0; i < n; i++) {
        /* log of a uniform on (0, 1]: equal weights are always accepted */
        double log_u = log(1 - pcg_uniform(&rng));
        if (i > first && log_u <= log_w[i] - log_w[state]) {
            state = i;
            accepted++;
        }
        index[i] = state;
    }
    *acceptance = n > first + 1 ? (double)accepted / (double)(n - first - 1) : NAN;
    return FLOW_OK;
}

static double autocovariance(const double *series, double mean, size_t n, size_t lag)
{
    student_sum sum = {0, 0};
    for (size_t i = 0; i + lag < n; i++)
        student_sum_add(&sum, (series[i] - mean) * (series[i + lag] - mean));
    return student_sum_get(&sum) / (double)n;
}

double student_chain_size(const double *series, size_t n)
{
    student_sum sum = {0, 0};
    for (size_t i = 0; i < n; i++)
        student_sum_add(&sum, series[i]);
    double mean = student_sum_get(&sum) / (double)n;
    double variance = autocovariance(series, mean, n, 0), time = -1, before = INFINITY;
    for (size_t lag = 0; lag + 1 < n && variance > 0; lag += 2) {
        double pair =
            (autocovariance(series, mean, n, lag) + autocovariance(series, mean, n, lag + 1)) /
            variance;
        if (pair <= 0)
            break;
        before = fmin(before, pair);
        time += 2 * before;
    }
    return time > 1 ? (double)n / time : (double)n;
}

/* ---- rejection */

int student_reject(size_t *index, size_t *kept, size_t *above, double log_bound,
                   const double *log_w, size_t n, pcg_stream stream, flow_err *err)
{
    size_t first;
    double largest;
    assert(isfinite(log_bound));
    int code = check_weights(&first, &largest, log_w, n, err);
    if (code)
        return code;
    pcg rng = pcg_at(stream, 0, 1);
    *kept = *above = 0;
    for (size_t i = 0; i < n; i++) {
        double log_u = log(1 - pcg_uniform(&rng));
        *above += log_w[i] > log_bound;
        if (log_u <= log_w[i] - log_bound)
            index[(*kept)++] = i;
    }
    return FLOW_OK;
}
