/* student/uncovered.h -- where the teacher goes and the student does not: the draws of the teacher at which log p - log q
 * is largest. How many there are is in the diagnostics; this is where. */
#ifndef STUDENT_UNCOVERED_H
#define STUDENT_UNCOVERED_H

#include "flow/units.h"
#include "student/sides.h"

enum { STUDENT_UNCOVERED_ROWS = 5 };

typedef struct student_uncovered_row {
    size_t row;      /* of the teacher's side */
    double nats;     /* log p - log q - log Z; +inf: out of the student's reach */
    size_t column;   /* the one that is furthest out */
    double value;    /* of it, in the user's units if they are known, else in the flow's */
    double distance; /* of it from the mean of the teacher's rows, in their standard deviations */
} student_uncovered_row;

typedef struct student_uncovered {
    size_t
        n; /* rows that are listed: those above the least of student_uncovered_nats, the largest first */
    student_uncovered_row rows[STUDENT_UNCOVERED_ROWS];
} student_uncovered;

/* After student_sides_meet. log_z: the target's own, or the best that is known of it. units: of the rows; NULL: not
 * known. FLOW_ENOMEM. */
int student_uncovered_find(student_uncovered *out, const student_sides *sides, double log_z,
                           const flow_units *units, flow_err *err);

#endif
