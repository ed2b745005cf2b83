#include "flow/sort.h"

#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of a heap but for its root, a heap (Williams, Floyd 1964). */
static void sink(double *x, size_t root, size_t n)
{
    double value = x[root];
    for (size_t child; (child = 2 * root + 1) < n; root = child) {
        child += child + 1 < n && x[child + 1] > x[child];
        if (!(x[child] > value))
            break;
        x[root] = x[child];
    }
    x[root] = value;
}

static void sort_in_place(double *x, size_t n)
{
    for (size_t root = n / 2; root-- > 0;)
        sink(x, root, n);
    for (size_t last = n; last-- > 1;) {
        double largest = x[0];
        x[0] = x[last];
        x[last] = largest;
        sink(x, 0, last);
    }
}

/* qsort of the GNU C library is faster, and takes as much memory again. */
enum { FEW = 1 << 18 };

void flow_sort_numbers(double *x, size_t n)
{
    if (n > FEW)
        sort_in_place(x, n);
    else
        qsort(x, n, sizeof *x, ascending);
}
