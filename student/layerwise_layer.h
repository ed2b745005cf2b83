/* student/layerwise_layer.h -- one layer of a student that is brought nearer layer by layer (layerwise.h): what a layer's
 * training works with, and the training. Of layerwise.c alone. */
#ifndef STUDENT_LAYERWISE_LAYER_H
#define STUDENT_LAYERWISE_LAYER_H

#include "student/layerwise.h"
#include "student/ruler.h"

#include <stdbool.h>
#include <stdint.h>

struct layerwise;

/* A layer and the teacher's, alone. */
typedef struct pair {
    struct layerwise *whole;
    flow *student, *teacher;
    flow_trainer *trainer; /* NULL: not begun */
    flow_pass **passes;    /* of the teacher, one a seat */
    double before;         /* what is to be brought down, untrained */
    size_t first;          /* row of the step in work */
} pair;

/* What a block must have been saved from. */
typedef struct identity {
    uint64_t seed, steps, batch, shard, rows, layers;
} identity;

typedef struct layerwise {
    flow *student;
    flow *teacher; /* in the student's precision */
    target *target;
    flow_pool *pool;
    student_layers_options options;
    student_layers_state *state;
    student_layers_watch watch;
    void *arg; /* of watch */
    student_ruler *ruler;
    void *start;           /* the student's first weights */
    double *u, *x, *w;     /* (rows, D): before and after the layer in work; back again */
    double *context, *row; /* (rows, C), NULL if C = 0; (rows) */
    size_t rows, dim, c;
    identity identity;
    pair now; /* the layer in work; no flows: none yet */
} layerwise;

/* Layer k and its teacher's, as they are now, in self->now. */
int layerwise_open_layer(layerwise *self, size_t layer, flow_err *err);
void layerwise_close_layer(layerwise *self);

/* Before its first step: measures it, and makes the trainer; none is left where it is an inverse already. */
int layerwise_begin_layer(layerwise *self, flow_err *err);

/* Trains it, from where it is; the student gets its weights if they are better. x is then what comes out of the layer
 * as the student has it. */
int layerwise_train_layer(layerwise *self, size_t layer, flow_err *err);

/* x alone. */
int layerwise_leave_layer(layerwise *self, size_t layer, flow_err *err);

/* The student gets the weights back that it came with. */
void layerwise_go_back(layerwise *self);

/* Keeps how it stands if it is time to, or it stops here (layerwise.c). */
int layerwise_keep(layerwise *self, bool stopping, flow_err *err);

#endif
