/* student/normal_look.h -- how far rows of a target, in units of a student, are from a normal with their moments; on
 * circles, which a normal does not know, from von Mises laws with their mean directions. */
#ifndef STUDENT_NORMAL_LOOK_H
#define STUDENT_NORMAL_LOOK_H

#include "flow/err.h"

#include <stddef.h>

typedef struct normal_look {
    /* Half the variance of log p~ less that of the normal, over the rows: nats. Of rows that lie in a plane infinite. */
    double distance;
    /* Of columns on lines: the farthest of a row, in standard deviations; the least fourth moment, in widths, 3 of a
     * normal and of no columns. */
    double farthest, flattest;
} normal_look;

/* Of u (n, D), with mean 0 and width 1 in each column on a line, and log p~ (n) there; circles: NULL, or (D) 1 where a
 * column is on one, in radians. n > 1. FLOW_ENOMEM. */
int normal_look_at(normal_look *out, const double *u, const double *log_p, size_t n, size_t dim,
                   const unsigned char *circles, flow_err *err);

/* The concentration of a von Mises law whose mean resultant length is r, 0 <= r < 1, within 1 % (Best, Fisher 1981). */
double normal_look_concentration(double r);

#endif
