/* tests/teacher/energies.h -- every target that can be made from a description: what the conformance tests walk. */
#ifndef TESTS_TEACHER_ENERGIES_H
#define TESTS_TEACHER_ENERGIES_H

#include "teacher/target.h"

/* The example of every kind in the registry, and then what else is worth a look; NULL past the end. A new kind is
 * tested because it is there. */
const char *energy_text(size_t i);

/* A target that must be made. */
target *energy_create(const char *text);

/* A plug-in that was built with the tests, and more keys (common/plugins.h); NULL as target_create. */
target *energy_of_plugin(const char *file, const char *more, flow_err *err);

/* One that must be refused with FLOW_ECONFIG and a message that has `want` in it. */
void energy_refuse(const char *text, const char *want);

/* (n, D), where the target is at home: its own draws, else normals times `width`. */
double *energy_points(const target *t, size_t n, double width, uint64_t seed);

/* New arrays of n draws: x (n, D) and, unless NULL, their log-densities. */
double *energy_draws(const target *t, double *logp, size_t n, uint64_t seed);

typedef struct energy_mean {
    double value, se;
} energy_mean;

energy_mean energy_mean_of(const double *values, size_t n);

/* The mode of x (D) in one of the target's partitions. */
size_t energy_mode(const target *t, size_t partition, const double *x);

#endif
