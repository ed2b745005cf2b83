/* student/distance.h -- how far two rows are from each other. */
#ifndef STUDENT_DISTANCE_H
#define STUDENT_DISTANCE_H

#include <stddef.h>

/* |a - b|^2 of two rows (dim). */
static inline double squared_distance(const double *a, const double *b, size_t dim)
{
    double sum = 0;
    for (size_t i = 0; i < dim; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

#endif
