/* pipeline/command/check_quantities.h -- the quantities of a target held to their word, at the points of check-target: that a row has
 * them, and the same ones each time. */
#ifndef PIPELINE_COMMAND_CHECK_QUANTITIES_H
#define PIPELINE_COMMAND_CHECK_QUANTITIES_H

#include "teacher/quantities.h"

typedef struct check_quantities {
    size_t count, usual; /* 0: there are none */
    bool instead;
    char names[200], more[200]; /* the first of the usual ones, and of the others */
    size_t rows, others; /* others: of those, with other numbers when they are asked for again */
    quantities_broken broken;
} check_quantities;

/* Of x (n, D); of NULL: there are none. */
int check_quantities_look(check_quantities *out, const quantities *of, const double *x, size_t n,
                          flow_err *err);

/* Prints a line, and what is wrong; returns how many errors there are. */
void check_quantities_print(const check_quantities *seen);
size_t check_quantities_judge(const check_quantities *seen);

#endif
