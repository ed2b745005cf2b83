/* student/repeats.h -- test rows that the fit has seen. */
#ifndef STUDENT_REPEATS_H
#define STUDENT_REPEATS_H

#include "teacher/dataset.h"

/* NaN for a table whose rows repeat because its columns have few values: of one column, of a few counts. Else the share
 * of the test rows, of up to 20,000 spread over them, that are training rows too, number for number, contexts
 * included. By hashes of 64 bits: one pass over the training rows, and memory for the test rows alone. There
 * are test rows. FLOW_ENOMEM. */
int student_repeats(double *share, const data_set *data, flow_err *err);

#endif
