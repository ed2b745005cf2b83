/* tests/bench/distilling.h -- student_distill, timed from inside: reverse KL by the path gradient
 * against a MAF. */
#ifndef TESTS_BENCH_DISTILLING_H
#define TESTS_BENCH_DISTILLING_H

#include "flow/flow.h"

/* Seconds that `steps` steps take, between the first use of the teacher in the third step and in
 * step `steps` + 3: set-up and warm-up are not in it. Trains the student anew. */
double distilling_seconds(flow *student, const flow *teacher, flow_pool *pool, size_t batch,
                          size_t steps);

#endif
