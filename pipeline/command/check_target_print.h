/* pipeline/command/check_target_print.h -- what check-target saw, in words. */
#ifndef PIPELINE_COMMAND_CHECK_TARGET_PRINT_H
#define PIPELINE_COMMAND_CHECK_TARGET_PRINT_H

#include "pipeline/command/check_quantities.h"
#include "teacher/probe.h"

/* Rows of x that are from one place. */
typedef struct check_target_group {
    const char *where;
    size_t n;
    probe rows; /* of these alone: only its counts are used */
} check_target_group;

enum { CHECK_TARGET_GROUPS = 4 };

typedef struct check_target_seen {
    const char *file;
    size_t dim;
    unsigned flags;
    double log_z;
    const char **names; /* (D), its own */
    double *x;          /* (n, D), in its units */
    size_t n;
    check_target_group groups[CHECK_TARGET_GROUPS];
    size_t n_groups;
    bool mapped; /* it has a support, which is mapped to the line: derivatives are those there */
    const char *no_pilot; /* why no rows were annealed; NULL: they were */
    probe probe;          /* of all rows */
    probe_speed speed;
    check_quantities quantities;
} check_target_seen;

/* Prints all of it. Returns how many errors there are. */
size_t check_target_print(const check_target_seen *seen);

/* One finding, "LEVEL: what" and its remedy below. Returns 1 if it is an error. */
__attribute__((format(printf, 3, 4))) size_t check_target_say(const char *level, const char *remedy,
                                                              const char *fmt, ...);

#endif
