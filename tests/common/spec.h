/* tests/common/spec.h -- a preset of autoregressive layers as a struct, for tests that make many. */
#ifndef TESTS_COMMON_SPEC_H
#define TESTS_COMMON_SPEC_H

#include "flow/order.h"
#include "flow/preset.h"

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
    flow_pattern permute;
    int lu, actnorm, context_linear;
    pcg_stream stream; /* of the random permutations: row l for the one after block l */
} flow_spec;

/* The object of a maf or an iaf, with defaults filled in; a new reference, NULL if it makes no sense. */
json_t *flow_spec_preset(const flow_spec *self, flow_err *err);

/* What flow_preset_describe and flow_preset_create make of it. */
json_t *flow_spec_describe(const flow_spec *self, flow_err *err);
flow *flow_spec_create(const flow_spec *self, flow_precision precision, flow_err *err);

#endif
