/* flow/round.h -- a flow whose networks compute in low precision, for sampling and densities.
 *
 * In a flow's parallel direction the log-determinant is the sum of the transformers' own slopes. Whatever numbers a
 * network gives them, a function of what it may see and of nothing else, the map is a bijection, its density
 * integrates to one and log q is exact, up to the arithmetic of the transformers (mathematics-layers 10). So a rounded
 * flow is a flow of its own, near the one that it was made from; and how near is measured, like all else.
 *
 * What is rounded: weights, and what a map reads (flow/layer/mlp_low.h). Where bytes of a hidden unit begin and end
 * is taken from the flow's own samples, so nothing but the flow is asked for. Sums of products of bytes are exact,
 * so are products of bf16, and nothing else is contracted: a rounded flow gives the same bits with every instruction
 * set. Bytes are what processors multiply faster than reals; bf16 gains nothing without tiles, which have no kernels here
 * yet: it is there to see what it does to a flow. */
#ifndef FLOW_ROUND_H
#define FLOW_ROUND_H

#include "flow/flow.h"
#include "flow/key.h"

/* From the finest to the roughest. */
typedef enum flow_network {
    FLOW_NETWORK_AS_IS,
    FLOW_NETWORK_BF16,
    FLOW_NETWORK_INT16,
    FLOW_NETWORK_INT8
} flow_network;

/* Their words, for keys and options: the finer ones first. */
extern const flow_word flow_networks[];
const char *flow_network_name(flow_network network);
/* FLOW_EUSAGE lists the words. */
int flow_network_take(flow_network *out, const char *word, flow_err *err);

/* Whether a network multiplies bytes. */
static inline int flow_network_in_bytes(flow_network network)
{
    return network == FLOW_NETWORK_INT16 || network == FLOW_NETWORK_INT8;
}

/* The same flow, of the same parameters, whose networks are as `network` says: its own memory. It has no
 * gradients, so passes with FLOW_PASS_TRAIN are refused, and so is flow_tensor_set; flow_convert gives the flow that
 * it was made from, in single precision at most. AS_IS: a copy. FLOW_ECONFIG: it is rounded already, its layers have no
 * inverse where samples need one, none has a network, or a network has too many inputs; FLOW_EDATA: its samples are not finite. */
flow *flow_round(const flow *self, flow_network network, flow_err *err);

/* The first of these errors, without the work. */
int flow_check_round(const flow *self, flow_network network, flow_err *err);

flow_network flow_get_network(const flow *self);

/* Whether networks in that precision are faster here than as they are: in bytes, where the processor multiplies these
 * itself; FLOW_ISA (backend.h) holds here, too. How much faster hangs on their shape: int8 1.2 to 1.4 times and int16 1.02
 * to 1.1 for 128 x 2 and splines, 2.4 and 1.5 for 512 x 2 and affine maps. */
int flow_network_is_faster(flow_network network);

#endif
