/* tests/common/examples.h -- an example of every layer: what the conformance kit runs over.
 *
 * Kinds, transformers and activations come from the registries of flow/layer/. A new activation is
 * tested because it is there; a new kind or transformer needs one line in a table of examples.c,
 * and example_missing names it until it has one. */
#ifndef TESTS_COMMON_EXAMPLES_H
#define TESTS_COMMON_EXAMPLES_H

#include "flow/backend.h"
#include "tests/common/spec.h"

/* Examples are numbered 0 .. example_count() - 1. */
size_t example_count(void);

/* A new reference to the description of a layer on R^dim, or of a stack: then it is a list. */
json_t *example_layer(size_t example, size_t dim);

/* Whether the example is a layer of this kind. */
int example_is(size_t example, const char *kind);

/* Of an autoregressive or unrolled layer: its groups, and the name of its transformer. Of another: 0 and
 * "". */
size_t example_groups(size_t example, size_t dim);
void example_transformer(size_t example, char name[32]);

/* A registered kind or transformer that has no example; NULL: none. */
const char *example_missing(void);

/* {"dim", "context", "direction", "layers": [layer]} with defaults filled in; layer may be a list of
 * layers. Takes over its reference. */
json_t *describe_one(size_t dim, size_t context, const char *direction, json_t *layer);

/* flow_tensor_set of values whose masked entries become 0 first. */
void set_tensor(flow *target, size_t t, double *values);

/* Every parameter that takes part becomes uniform on +- width, a matrix's divided by the root of
 * its columns, rounded to single precision so that all backends can hold it. */
void randomise_parameters(flow *target, double width, uint64_t seed);

/* A stack as the options say, with such parameters. */
flow *random_flow(const flow_backend *backend, const flow_spec *spec, double width);

/* A small teacher in double: two affine layers, each with LU and a reversal, that a few steps do not invert. */
flow *random_teacher(size_t dim, size_t context, double width);

/* count normals times width, rounded to single precision. */
void random_numbers(double *out, size_t count, double width, uint64_t seed);

/* The same in new memory. */
double *random_numbers_new(size_t count, double width, uint64_t seed);

/* One layer with random parameters, a training pass, and random inputs and cotangents for it. The
 * same on every backend. */
typedef struct flow_case {
    flow *flow;
    flow_pass *pass;
    size_t dim, context, n;
    double *x, *c, *dy, *dlogdet; /* (n, D), (n, C), (n, D), (n): inputs */
    double *y, *logdet, *dx;      /* (n, D), (n), (n, D): room for results */
    void *gradient;               /* a parameter block, zero */
    char name[192];
} flow_case;

void flow_case_open(flow_case *self, const flow_backend *backend, size_t example, size_t dim,
                    size_t context, size_t n);
void flow_case_close(flow_case *self);

/* Opens and closes a case of n rows for every example in D = 1, 2, 3, 5, 17 up to max_dim and C = 0
 * and 2, and hands it to check; under sanitizers every third example, D up to 5. */
void flow_case_each(const flow_backend *backend, size_t max_dim, size_t n,
                    void (*check)(flow_case *self));

/* Sets gradient to zero; y, logdet, dx and gradient become those of x, dy, dlogdet. */
void flow_case_run(flow_case *self);

#endif
