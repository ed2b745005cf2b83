/* tests/bench/case.h -- one size of the benchmark: flows, room, and the operations that are timed.
 */
#ifndef TESTS_BENCH_CASE_H
#define TESTS_BENCH_CASE_H

#include "tests/bench/network.h"

typedef enum bench_op {
    BENCH_STEP,     /* teacher: gather, forward, backward, Adam */
    BENCH_DENSITY,  /* teacher: flow_log_prob */
    BENCH_SAMPLE,   /* teacher: flow_sample, incremental, log p with it */
    BENCH_NAIVE,    /* teacher: the same by D dense passes a layer (naive.h) */
    BENCH_STUDENT,  /* student: flow_sample, log q with it */
    BENCH_ONE,      /* student: the same a row at a time, on one thread, in a pass that is kept */
    BENCH_INT8,     /* student in bytes (flow/round.h): as BENCH_STUDENT */
    BENCH_INT8_ONE, /* and as BENCH_ONE */
    BENCH_DISTILL,  /* student: a step of student_distill (distilling.h) */
    BENCH_OPS
} bench_op;

extern const char *const bench_op_keys[BENCH_OPS]; /* "step", "density", ... */

typedef struct bench_case bench_case;

/* Borrows the pool. */
bench_case *bench_case_create(const bench_size *size, flow_pool *pool);
void bench_case_free(bench_case *self); /* accepts NULL */

/* Rows a second of an operation, over `least` seconds or one call, whichever is longer. */
double bench_case_rate(bench_case *self, bench_op op, double least);

/* Floating-point operations a row that an operation cannot do without: 2 for each live weight,
 *   once    density, sampling (a MAF uses each weight once, however it is inverted)
 *   3 times a training step: outputs, input gradients, weight gradients
 *   5 times a distillation step: student forward, teacher forward and input gradients, student
 *           backward, which counts for two
 * Element-wise work, biases and the optimiser are not counted. D dense passes are counted as D
 * times once. */
double bench_case_flops(const bench_case *self, bench_op op);

const flow *bench_case_teacher(const bench_case *self);
const flow *bench_case_student(const bench_case *self);

#endif
