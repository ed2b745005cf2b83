/* student/pieces.h -- whether rows that are near a target lie in one piece: two rows belong together if the density does
 * not dip on the straight way between them, the short one round a circle, and so do those that others join. */
#ifndef STUDENT_PIECES_H
#define STUDENT_PIECES_H

#include "teacher/target.h"

typedef struct pieces {
    size_t n;         /* pieces of at least PIECES_LEAST rows */
    double largest;   /* share of the rows in the largest of all */
    double in_pieces; /* and in those that count */
    size_t *of; /* (rows): the piece of a row, 0 .. n - 1; SIZE_MAX: none that counts. Owned */
    size_t rows;
    size_t evaluations;
} pieces;

enum { PIECES_LEAST = 2, PIECES_NEAR = 10, PIECES_POINTS = 7 };

/* Of x (n, D), with log_p (n) finite: each row is tried with its PIECES_NEAR nearest ones, at PIECES_POINTS points
 * between. A dip of less than 2 nats below the lower end is none. The target's errors; FLOW_ENOMEM. pieces_close also
 * after a failure. */
int pieces_count(pieces *out, const target *t, flow_pool *pool, const double *x,
                 const double *log_p, size_t n, flow_err *err);
void pieces_close(pieces *self); /* accepts one that was never counted, but is zero */

#endif
