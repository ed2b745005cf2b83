/* pipeline/stages/shipped.h -- the student as it is shipped: its networks in the precision of compute.network. */
#ifndef PIPELINE_STAGES_SHIPPED_H
#define PIPELINE_STAGES_SHIPPED_H

#include "files/model.h"
#include "pipeline/stages/validate.h"

/* A model whose flow alone is its own, or nothing is: all else is the student's. */
typedef struct shipped {
    flow_model model;
    flow *rounded; /* NULL: the student as it was trained */
} shipped;

/* Errors: those of flow_round, with the key; then there is nothing to release. */
int shipped_open(shipped *out, const flow_model *student, flow_network network, flow_err *err);
void shipped_release(shipped *self);

/* The networks to be tried, the fastest first, in an order that no clock decides: out (TRIALS_MOST). Of auto those that are
 * faster on this processor (flow/round.h), the rougher first, and the student as it was trained. Returns how many. */
size_t shipped_candidates(flow_network *out, const config *c);

/* What compute.network says, or, where it is auto, what the validation took. */
flow_network shipped_network(const config *c, const validate_product *validated);

/* Whether the choice is left to the validation. */
bool shipped_is_chosen(const config *c);

#endif
