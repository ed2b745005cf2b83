/* pipeline/command/outside.h -- rows that a model gives no density at all. */
#ifndef PIPELINE_COMMAND_OUTSIDE_H
#define PIPELINE_COMMAND_OUTSIDE_H

#include "files/model.h"

/* Says on stderr how many of the rows x (n, D) are outside of the support of a column or off its grid, and which
 * is the first: their log-density is -inf, which is an answer and no error. source: where they are from. */
void outside_tell(const flow_model *model, const char *source, const double *x, size_t n);

#endif
