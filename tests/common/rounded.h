/* tests/common/rounded.h -- flows of the conformance kit in low precision. */
#ifndef TESTS_COMMON_ROUNDED_H
#define TESTS_COMMON_ROUNDED_H

#include "flow/round.h"
#include "tests/common/examples.h"

/* The words of FLOW_ISA that run here, NULL at the end; those with bytes last of their kind. */
const char *const *rounded_isas(void);

/* How networks can be rounded: 0 .. ROUNDED_NETWORKS - 1. */
enum { ROUNDED_NETWORKS = 3 };
extern const flow_network rounded_networks[ROUNDED_NETWORKS];

/* Whether a test of all examples takes the k-th with this one: all of them in int8, of the others every second. */
int rounded_takes(size_t k, size_t example);

/* An example (examples.h) with random parameters in single precision, and the same rounded, made with FLOW_ISA = isa,
 * NULL: none, which stays in the environment; inputs z (n, D), contexts (n, C). */
typedef struct rounded_case {
    flow *flow, *rounded;
    size_t dim, context, n;
    double *z, *c;
    char name[192];
} rounded_case;

void rounded_case_open(rounded_case *self, size_t example, size_t dim, size_t context,
                       flow_direction direction, size_t n, flow_network network, const char *isa);
void rounded_case_close(rounded_case *self);

/* flow_round, or the test fails. */
flow *rounded_new(const flow *f, flow_network network, const char *isa);

#endif
