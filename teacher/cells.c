#include "teacher/cells.h"

#include <math.h>

/* Of the two numbers of single precision around u the farther one. */
static double other_side(double u)
{
    float nearest = (float)u;
    return (double)nextafterf(nearest, (double)nearest < u ? INFINITY : -INFINITY);
}

static bool differ(double a, double b)
{
    return a < b || a > b;
}

void data_cells_round(const flow_units *units, double *u, size_t n, double *work)
{
    size_t dim = units->dim, count = n * dim;
    double *value = work, *of_rounded = work + count;
    flow_units_to_user(units, value, NULL, u, n);
    for (size_t i = 0; i < count; i++)
        of_rounded[i] = (double)(float)u[i];
    flow_units_to_user(units, of_rounded, NULL, of_rounded, n);
    for (size_t i = 0; i < count; i++) {
        bool left = units->column[i % dim].step > 0 && differ(value[i], of_rounded[i]);
        u[i] = left ? other_side(u[i]) : (double)(float)u[i];
    }
}
