/* flow/sort.h -- numbers in rising order. */
#ifndef FLOW_SORT_H
#define FLOW_SORT_H

#include <stddef.h>

/* x (n), in place; of many numbers without memory beside them. With a NaN among them the order is not said. */
void flow_sort_numbers(double *x, size_t n);

#endif
