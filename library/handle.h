/* library/handle.h -- what is behind a distill_model (distill.h): weights that handles share, and the memory that one handle
 * works in, all of it taken when it is made. */
#ifndef LIBRARY_HANDLE_H
#define LIBRARY_HANDLE_H

#include "files/model_pass.h"
#include "library/distill.h"

#include <stdatomic.h>

typedef struct weights {
    atomic_size_t handles;
    flow_model *model;
    flow_model
        precise; /* for densities: the same, but for its flow in double, unless that is its own */
    char *description;
} weights;

/* Of one worker: passes, and rows that are gathered from strides and scattered to them. */
typedef struct desk {
    flow_model_pass *samples, *densities;
    double *in, *x, *context, *log_q; /* (shard, D), (shard, D), (shard, C), (shard) */
} desk;

struct distill_model {
    weights *of;
    flow_pool *pool; /* NULL: the caller's thread alone */
    size_t shard;    /* rows */
    size_t n_desks;
    desk *desks; /* (n_desks) */
    atomic_flag busy;
    char why[sizeof((distill_error *)0)->text];
};

/* The code that a flow_code is to a user. */
int library_code(int code);

/* Into *to (NULL: nowhere); returns the code. */
int library_fail(distill_error *to, const flow_err *why);

#endif
