#include "flow/sort.h"

#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void flow_sort_numbers(double *x, size_t n)
{
    qsort(x, n, sizeof *x, ascending);
}
