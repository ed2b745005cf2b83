/* tests/common/pruned.h -- teachers of one layer and their narrower students, as dense matrices, and a choice
 * of hidden units that is made the slow and obvious way: what pruning is compared with. */
#ifndef TESTS_COMMON_PRUNED_H
#define TESTS_COMMON_PRUNED_H

#include "flow/flow.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    PRUNED_DIM = 7,
    PRUNED_CONTEXT = 2,
    PRUNED_STEPS = 2,
    PRUNED_MAPS = 10,
    PRUNED_SETS = 8,
    PRUNED_UNITS = 256
};

/* ---- a teacher, and its student of PRUNED_STEPS steps that are not tied */

typedef struct pruned_body {
    size_t n, hidden[3], residual, context, groups;
    const char *first, *tau;
} pruned_body;

typedef struct pruned {
    const pruned_body *body;
    double width;
    flow *teacher, *student;
    char name[80];
} pruned;

void pruned_open(pruned *self, const pruned_body *body, const char *activation,
                 flow_precision precision, double width);
/* After a change of the teacher. */
void pruned_renew(pruned *self);
void pruned_close(pruned *self);

/* Plain and of blocks, with and without context, groups of one coordinate and of more; those of these numbers
 * have, at width 0.9, more room in a degree than units. */
enum { PRUNED_PLAIN_ODD = 5, PRUNED_ODD = 6 };
const pruned_body *pruned_body_at(size_t index);

/* All of them in both precisions and in widths from 1 down to one unit a layer. */
void pruned_each(void (*check)(pruned *self));

/* ---- networks as dense matrices between sets of units: 0 are the inputs, the last one the outputs. In
 * a network of blocks set 1 is what runs through them, 2, 3, ... are inside of them. */

typedef struct dense_map {
    size_t rows, cols, from, to;
    bool adds; /* to what is there */
    double *w, *b;
} dense_map;

typedef struct dense_net {
    const pruned_body *body;
    size_t n_maps, n_sets;
    dense_map maps[PRUNED_MAPS];
} dense_net;

/* The network of step `step` of the only layer of f. */
void dense_net_open(dense_net *self, const flow *f, const pruned_body *body, size_t step);
void dense_net_close(dense_net *self);
/* Back to step 0. */
void dense_net_write(const dense_net *self, flow *f);

size_t dense_net_units(const dense_net *self, size_t set);
size_t dense_net_degree(const dense_net *self, size_t set, size_t unit);

/* units (PRUNED_UNITS): which of the wide network's each unit of a set of the narrow one ought to be. */
#define PRUNED_IDLE SIZE_MAX
void dense_net_choose(size_t *units, const dense_net *narrow, const dense_net *wide, size_t set);

#endif
