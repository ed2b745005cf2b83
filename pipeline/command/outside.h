/* pipeline/command/outside.h -- rows that are not what a model's columns are: below a bound, between two grid points. */
#ifndef PIPELINE_COMMAND_OUTSIDE_H
#define PIPELINE_COMMAND_OUTSIDE_H

#include "files/model.h"

/* All zero at first. */
typedef struct outside {
    size_t seen, count, row, col; /* rows so far; of them outside; the first of those */
    double value;
} outside;

/* x (n, D), in the user's units: the next rows. */
void outside_look(outside *self, const flow_model *model, const double *x, size_t n);

/* Says on stderr how many there were and which is the first, if there were any. source is what they are from. */
void outside_tell(const outside *self, const flow_model *model, const char *source);

#endif
