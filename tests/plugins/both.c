/* tests/plugins/both.c -- a density, banana.c, with quantities beside it: one that is usual, and another. */
#include "../../plugin/banana.c"
#include "distill_quantities.h"

static const char *const quantity[] = {"radius", "angle"};

static int both_open(void **handle, distill_quantities_about *about, const char *const *columns,
                     size_t dim, const char *options, char *message)
{
    (void)handle, (void)options, (void)message;
    *about = (distill_quantities_about){
        .count = 2, .usual = 1, .flags = DISTILL_THREADS, .names = quantity};
    return dim == 2 && columns[0][0] == 'x' && columns[1][0] == 'y' ? DISTILL_GOOD : DISTILL_FATAL;
}

static int both_rows(void *handle, double *values, size_t k, int *status, const double *x, size_t n,
                     char *message)
{
    (void)handle, (void)status, (void)message;
    for (size_t r = 0; r < n; r++) {
        values[k * r] = hypot(x[2 * r], x[2 * r + 1]);
        if (k == 2)
            values[k * r + 1] = atan2(x[2 * r + 1], x[2 * r]);
    }
    return DISTILL_GOOD;
}

const distill_derived distill_quantities = {DISTILL_QUANTITIES_VERSION, both_open, NULL, both_rows};
