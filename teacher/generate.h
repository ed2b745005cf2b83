/* teacher/generate.h -- made-up data sets in the plane, each with a known answer.
 *
 * Row r depends on (seed, r) alone. */
#ifndef TEACHER_GENERATE_H
#define TEACHER_GENERATE_H

#include "files/table.h"
#include "flow/kind.h"
#include "flow/pcg.h"

#include <stddef.h>
#include <stdint.h>

typedef struct data_generator {
    flow_kind kind; /* without keys */
    double noise;   /* default standard deviation of the blur; its place is in doc */
    size_t modes;   /* separate pieces, each of weight 1 / modes; 0: it has none */

    /* x (2) from u (4) uniforms on [0, 1) and z (2) standard normals. */
    void (*draw)(double *x, const double *u, const double *z, double noise);
    /* Which piece, 0 .. modes - 1, is nearest to the point x (2). NULL when modes is 0. */
    size_t (*mode_of)(const double *x);
} data_generator;

/* Every generator, ended by draw NULL. */
extern const data_generator data_generators[];
extern const flow_registry data_generator_kinds;

/* FLOW_ECONFIG with a suggestion if there is none of that name. */
const data_generator *data_generator_find(const char *name, flow_err *err);

/* Rows first .. first + n - 1 into x (n, 2), user's units. */
void data_generate(const data_generator *self, double *x, double noise, uint64_t seed,
                   uint64_t first, size_t n);

/* Rows 0 .. n - 1 as a table with columns x1 and x2. */
file_table *data_generate_table(const data_generator *self, double noise, uint64_t seed, size_t n,
                                flow_err *err);

#endif
