/* pipeline/command/sweep_points.h -- the points of a sweep: where each lies, by what command, and how it stands. */
#ifndef PIPELINE_COMMAND_SWEEP_POINTS_H
#define PIPELINE_COMMAND_SWEEP_POINTS_H

#include "pipeline/command/sweep_verb.h"
#include "pipeline/config/sweep.h"

#include <jansson.h>

typedef enum point_state { POINT_LEFT, POINT_RUNNING, POINT_DONE, POINT_FAILED } point_state;

typedef struct sweep_point_of {
    char *dir; /* its run directory */
    char *
        name; /* "student.flow.layers=8,seed=2": what it is called, and the last part of dir unless that would not do */
    char **argv; /* of its command, without the program; ends in NULL */
    char
        *wanted; /* digest of its whole config: a point that is done with another one is not done */
    size_t
        leader; /* the first point with the same teacher; itself, if there is none before, or no teacher */
    point_state state;
    int code; /* exit code, of DONE and FAILED */
    double seconds;
} sweep_point_of;

typedef struct sweep_list {
    config *config;
    char root[4096];
    size_t n;
    sweep_point_of *points;
} sweep_list;

/* Loads the config of every point; *status and NULL after complaints, which are shown. Reads how they stand from ROOT/points.json. */
sweep_list *sweep_list_create(int *status, const sweep_options *options);
void sweep_list_free(sweep_list *self); /* accepts NULL */

/* Writes ROOT/points.json. */
int sweep_list_save(const sweep_list *self, flow_err *err);

/* The commands as a shell has them, one a line. */
void sweep_list_print_commands(const sweep_list *self);

#endif
