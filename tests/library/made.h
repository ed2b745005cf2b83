/* tests/library/made.h -- model files for the library to load: small flows of random weights in units of their own. */
#ifndef TESTS_LIBRARY_MADE_H
#define TESTS_LIBRARY_MADE_H

#include "files/model.h"
#include "library/distill.h"

enum { MADE_DIM = 3, MADE_CONTEXT = 2 };

/* What distill.h should be like: the same file by the floors below, and one thread. */
typedef struct made {
    const char *path;
    flow_model *model;
    flow_pool *pool;
} made;

/* layers: JSON text; base: likewise, NULL: normal. Numbers of the context (C = 0 or MADE_CONTEXT) are around 0. */
made made_of(const char *layers, const char *base, size_t context, flow_precision precision);
void made_close(made *self);

/* Two autoregressive layers with a reversal, from noise to data. */
made made_plain(size_t context);

/* It must load. */
distill_model *made_load(const made *self, const char *network, size_t threads);

#endif
