/* pipeline/command/ladder.h -- distill ladder: a teacher's sampler, unrolled for 1, 2, 3, ... parallel steps and
 * untrained: how near it is, and how fast. */
#ifndef PIPELINE_COMMAND_LADDER_H
#define PIPELINE_COMMAND_LADDER_H

#include "pipeline/command/context.h"

#include <stdint.h>

typedef struct ladder_options {
    const char *model;       /* of a teacher */
    context_options context; /* rows to draw from */
    uint64_t most;           /* the last T; fewer if an earlier one is the teacher itself */
    uint64_t n;              /* rows of either side */
    uint64_t seed;
    uint64_t threads;    /* 0: auto */
    int network;         /* a flow_network: of the rungs, not of the teacher */
    const char *picture; /* a PNG of the same figures, or NULL */
} ladder_options;

extern const ladder_options ladder_defaults;

/* The table goes to stdout, a line as soon as it is known. Prints errors; returns the exit code of the
 * process. */
int ladder_verb(const ladder_options *options);

#endif
