/* pipeline/stages/reference.h -- what the samples of a model are weighed against: the density that it was made for. */
#ifndef PIPELINE_STAGES_REFERENCE_H
#define PIPELINE_STAGES_REFERENCE_H

#include "files/model.h"
#include "teacher/target.h"

typedef struct reference reference;

/* path: a model file, or the .yaml of a run with a `target`; NULL: what the run learned from in whose directory the
 * sampler's file lies (RUN/student/model.safetensors), as its resolved.json and RUN/teacher have it.
 * NULL: *err says what is missing, or does not go with the sampler. Files of a target that are others than manifest.json
 * there says are warned of. */
reference *reference_open(const char *path, const flow_model *sampler, const char *sampler_path,
                          flow_err *err);
void reference_free(reference *self); /* accepts NULL */

/* Functions of a row that it offers, borrowed; NULL: none. */
const quantities *reference_quantities(const reference *self);

/* logp (n) = log p~ of x (n, D) at context (n, C; NULL without), all in the user's units; -inf where there is no
 * density. FLOW_EDIVERGED names the first row where it is NaN or infinite, counted from `first`. */
int reference_log_p(const reference *self, flow_pool *pool, double *logp, const double *x,
                    const double *context, size_t n, uint64_t first, flow_err *err);

/* The same density in the units of the sampler's flow, with slopes if it has them, in double; it borrows both. Without context
 * (FLOW_EUSAGE), on columns without grids and wrapped circles, and of a model that has the sampler's units. NULL: *err says why not. */
target *reference_in_units(const reference *self, const flow_model *sampler, flow_err *err);

#endif
