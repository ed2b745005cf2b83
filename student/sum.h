/* student/sum.h -- a compensated sum (Neumaier 1974): exact to about one rounding of the result for
 * any number of terms, so a diagnostic does not lose digits to the length of the sample. Not finite
 * once a term is not finite. */
#ifndef STUDENT_SUM_H
#define STUDENT_SUM_H

#include <math.h>

typedef struct student_sum {
    double total, lost;
} student_sum;

static inline void student_sum_add(student_sum *self, double x)
{
    double next = self->total + x;
    if (fabs(self->total) >= fabs(x))
        self->lost += (self->total - next) + x;
    else
        self->lost += (x - next) + self->total;
    self->total = next;
}

static inline double student_sum_get(const student_sum *self)
{
    return isfinite(self->total) ? self->total + self->lost : self->total;
}

#endif
