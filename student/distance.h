/* student/distance.h -- how far two rows are from each other. */
#ifndef STUDENT_DISTANCE_H
#define STUDENT_DISTANCE_H

#include "flow/circle.h"

/* |a - b|^2 of two rows (dim). */
static inline double squared_distance(const double *a, const double *b, size_t dim)
{
    double sum = 0;
    for (size_t i = 0; i < dim; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

/* The way from a to b in column i: the short one, where that is on a circle. circles: NULL, or (dim) 1 where one is. */
static inline double way_between(const double *a, const double *b, size_t i,
                                 const unsigned char *circles)
{
    double way = b[i] - a[i];
    return circles && circles[i] ? flow_circle_point(way) : way;
}

/* The square of its length. */
static inline double squared_way(const double *a, const double *b, size_t dim,
                                 const unsigned char *circles)
{
    double sum = 0;
    for (size_t i = 0; circles && i < dim; i++)
        sum += way_between(a, b, i, circles) * way_between(a, b, i, circles);
    return circles ? sum : squared_distance(a, b, dim);
}

#endif
