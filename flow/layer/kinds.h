/* flow/layer/kinds.h -- the registries of this folder: every kind of layer, transformer and conditioner, a
 * line each. A kind is a file that ends in its table, called layer_NAME, transformer_NAME or
 * conditioner_NAME; nothing else names it. */
#ifndef FLOW_LAYER_KINDS_H
#define FLOW_LAYER_KINDS_H

#define LAYER_KINDS(KIND)                                                                          \
    KIND(autoregressive)                                                                           \
    KIND(inverted)                                                                                 \
    KIND(unrolled)                                                                                 \
    KIND(permutation)                                                                              \
    KIND(lu_linear)                                                                                \
    KIND(actnorm)                                                                                  \
    KIND(context_linear)                                                                           \
    KIND(part)

#define TRANSFORMER_KINDS(KIND)                                                                    \
    KIND(affine)                                                                                   \
    KIND(spline)                                                                                   \
    KIND(circular_spline)                                                                          \
    KIND(additive)

#define CONDITIONER_KINDS(KIND) KIND(mlp)

#endif
