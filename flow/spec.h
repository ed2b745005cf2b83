/* flow/spec.h -- the usual stacks of layers, as the description that flow_create reads.
 *
 * One block is [lu_linear] [actnorm] autoregressive, and blocks are separated by permutations. The
 * same options give a MAF in one direction and an IAF in the other. */
#ifndef FLOW_SPEC_H
#define FLOW_SPEC_H

#include "flow/flow.h"

typedef enum flow_permute { FLOW_REVERSE, FLOW_RANDOM, FLOW_IN_ORDER } flow_permute;

typedef struct flow_spec {
    size_t dim, context;
    flow_direction direction;
    size_t layers; /* autoregressive ones */
    const size_t *hidden;
    size_t n_hidden;
    size_t residual; /* blocks; 0: plain */
    const char *activation, *transformer;
    size_t bins;        /* spline only */
    double bound;       /* spline only */
    double scale_bound; /* affine only */
    flow_permute permute;
    int lu, actnorm;
    pcg_stream stream; /* of the random permutations: row l for the one after block l */
} flow_spec;

/* A new reference, or NULL (FLOW_ENOMEM). What the options mean is checked by flow_create. */
json_t *flow_spec_describe(const flow_spec *self, flow_err *err);

/* The two together. */
flow *flow_spec_create(const flow_spec *self, flow_precision precision, flow_err *err);

#endif
