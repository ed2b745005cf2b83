/* teacher/probe.h -- a target held to its word at given points: its gradient against differences of its density, the
 * same bits for the same point, places where it is flat, and what a row costs. */
#ifndef TEACHER_PROBE_H
#define TEACHER_PROBE_H

#include "teacher/broken.h"
#include "teacher/target.h"

/* A derivative is wrong if it is off by more than this share of itself. */
#define PROBE_GRADIENT 1e-3
/* Densities of one point are another's if they differ by more than this, relative to the larger of them and 1. */
#define PROBE_SAME 1e-9

/* How the rows that one way of asking gives differ from those of another. */
typedef struct probe_same {
    size_t rows; /* whose bits are others, of density or gradient */
    double
        worst; /* difference of log p, as PROBE_SAME has it; INFINITY: in one way there is none */
    size_t at; /* the row of that */
} probe_same;

typedef struct probe_derivative {
    size_t row, col;
    double given, numeric; /* as it says, and by the differences that come nearest to that */
    double error;          /* relative to the larger of the two; rounding is taken off */
} probe_derivative;

typedef struct probe {
    size_t rows, finite, no_density;
    broken_rows broken;
    size_t compared, wrong; /* derivatives; those off by more than PROBE_GRADIENT */
    probe_derivative worst; /* compared > 0 */
    size_t flat;            /* finite rows whose gradient is 0 in every direction */
    size_t equal;           /* finite rows whose density is that of another one */
    probe_same again;       /* asked a second time */
    probe_same threads;     /* asked by three threads */
    probe_same alone;       /* each row by itself */
    probe_same slopeless;   /* without the gradient */
} probe;

/* x (n, D), n > 0, all of them points, in no context. Derivatives are compared at evenly spaced finite rows, as many as
 * some 2e4 evaluations are enough for, and at one at least. The target's errors; FLOW_ENOMEM. */
int probe_target(probe *out, const target *t, const double *x, size_t n, flow_err *err);

/* Only rows, finite, no_density, broken, flat, equal; the other fields are 0. */
int probe_count(probe *out, const target *t, const double *x, size_t n, flow_err *err);

typedef struct probe_speed {
    double density, gradient; /* seconds a row, in batches of FLOW_SHARD; NAN: no gradient */
    double alone_density, alone_gradient; /* one row at a time */
} probe_speed;

/* On one thread, for about 4 x `seconds`. */
int probe_time(probe_speed *out, const target *t, const double *x, size_t n, double seconds,
               flow_err *err);

#endif
