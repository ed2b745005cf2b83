/* pipeline/command/hunt.h -- distill hunt: what a model's samples miss of the density that it was made for. */
#ifndef PIPELINE_COMMAND_HUNT_H
#define PIPELINE_COMMAND_HUNT_H

#include <stdbool.h>
#include <stdint.h>

typedef struct hunt_options {
    const char *model;
    const char *target; /* as reference_open has it */
    uint64_t n, rows;   /* samples of the model; rows of the chains */
    double effort;      /* times the usual */
    uint64_t seed;
    int network;      /* as with_model has it */
    uint64_t threads; /* 0: auto */
    bool json;
} hunt_options;

/* Says on stdout, or as one JSON object, what is missed and where; returns the exit code of the process: that of a gate
 * that fails where the figure missed_mass is beyond its limit. */
int hunt_verb(const hunt_options *options);

#endif
