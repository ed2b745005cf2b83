/* tests/common/bases.h -- an example of every base: what the conformance kit runs over. A new kind
 * needs one line in the table of bases.c, and base_missing names it until it has one. */
#ifndef TESTS_COMMON_BASES_H
#define TESTS_COMMON_BASES_H

#include "flow/backend.h"
#include "flow/base.h"

/* Examples are numbered 0 .. base_count() - 1. */
size_t base_count(void);

/* A new reference, and the same as text. */
json_t *base_example(size_t example);
const char *base_text(size_t example);

/* A description with defaults filled in: a new reference; NULL with *err. */
json_t *base_complete(const char *text, flow_err *err);

/* A registered kind that has no example; NULL: none. */
const char *base_missing(void);

/* A flow of `layers` small smooth layers on an example's base, with random parameters. */
flow *flow_on_base(const flow_backend *backend, size_t example, size_t dim, size_t layers,
                   flow_direction direction);

/* The parameters of its base. */
base_view base_theta(const flow *f);

/* 1, 2, 17 */
extern const size_t base_dims[3];

/* An example in D dimensions on the first f64 backend, without layers. The rest is for the tests. */
typedef struct base_case {
    flow *flow;
    const flow_base *base;
    size_t example, dim, n;
    double *z, *dlogp;     /* (n, D), (n) */
    const double *weights; /* (n) */
} base_case;

base_case base_open(size_t example, size_t dim);

/* Whether its column i is on a circle; log p, -inf beyond one turn of each circle. */
int base_on_circle(const base_case *c, size_t i);
void base_log_prob(const base_case *c, double *logp, const double *z, size_t n);

#endif
