/* student/means.h -- rows told apart by the nearest of k means.
 *
 * Lloyd's algorithm from a greedy k-means++ start (Arthur, Vassilvitskii 2007, "k-means++: the advantages of careful
 * seeding"): 50 rounds. */
#ifndef STUDENT_MEANS_H
#define STUDENT_MEANS_H

#include "flow/err.h"
#include "flow/pcg.h"

typedef struct means {
    size_t n, dim, k;
    const double *z;  /* (n, D), borrowed */
    double *centre;   /* (k, D) */
    double *count;    /* (k): rows of each */
    double *distance; /* (n): squared, of each row to its own */
    size_t *of;       /* (n): 0 .. k - 1 */
} means;

/* n, k > 0. FLOW_ENOMEM; to be closed also then. */
int means_open(means *self, const double *z, size_t n, size_t dim, size_t k, flow_err *err);
void means_close(means *self); /* accepts one that was never opened, but is zero */

void means_find(means *self, pcg_stream stream);

#endif
