/* Log-densities in the units of the user: what rows in the units of the flow weigh. */
#include "teacher/volume.h"

#include "teacher/fit.h"
#include "tests/common/check.h"
#include "tests/common/examples.h"

#include <criterion/criterion.h>
#include <math.h>

enum { ROWS = 600, DIM = 2 }; /* more than two of its blocks */

static flow_err err;
static double u[ROWS * DIM];

/* A column that is scaled, one in an interval. */
static flow_units *made(void)
{
    flow_units *units = flow_units_create(DIM, &err);
    units->column[0].shift = 5000;
    units->column[0].scale = 100;
    units->column[1] = (flow_unit){
        .support = FLOW_BETWEEN, .lo = -1, .hi = 2.385, .alpha = 1e-6, .shift = 0.3, .scale = 0.7};
    random_numbers(u, ROWS * DIM, 1.5, 3);
    return units;
}

/* log|det dx/du| by central differences. */
static double volume_by_differences(const flow_units *units, const double *row)
{
    double sum = 0, h = 1e-5;
    for (size_t i = 0; i < DIM; i++) {
        double from[2 * DIM] = {row[0], row[1], row[0], row[1]}, x[2 * DIM];
        from[i] -= h;
        from[DIM + i] += h;
        flow_units_to_user(units, x, NULL, from, 2);
        sum += log((x[DIM + i] - x[i]) / (2 * h));
    }
    return sum;
}

Test(volume, mean)
{
    flow_units *units = made();
    const data_part rows = {.x = data_numbers_of(u, DIM), .n = ROWS}, none = {.x = rows.x};
    double mean, wanted_mean = 0;
    for (size_t r = 0; r < ROWS; r++)
        wanted_mean += volume_by_differences(units, u + r * DIM) / ROWS;
    cr_assert_eq(volume_mean(&mean, units, &rows, &err), 0);
    check_close(&mean, &wanted_mean, 1, 1e-7, 0, "mean");
    cr_assert_eq(volume_mean(&mean, units, &none, &err), 0);
    cr_expect_eq(mean, 0);
    flow_units_free(units);
}
