/* files/model_pass.h -- a model's work on a shard of rows, in the user's units: one thread, all memory taken at create. Of
 * whole batches model.h makes one a worker; who is called a row at a time keeps one. */
#ifndef FILES_MODEL_PASS_H
#define FILES_MODEL_PASS_H

#include "files/model.h"

#include <stdbool.h>

typedef struct flow_model_pass flow_model_pass;

/* For up to max_rows rows a call, at most FLOW_SHARD. NULL: FLOW_ENOMEM. The model must outlive it. */
flow_model_pass *flow_model_pass_create(const flow_model *self, size_t max_rows, flow_err *err);
void flow_model_pass_free(flow_model_pass *pass); /* accepts NULL */

/* What the model must be able to do for these: FLOW_ECONFIG, with the layer's name, if it is not. */
int flow_model_can_sample(const flow_model *self, bool with_logp, flow_err *err);
int flow_model_can_log_prob(const flow_model *self, flow_err *err);

/* x (n, D) made from the noise z (n, D); logp (n) its log-density as of flow_model_sample, NULL: not wanted. context (n, C). */
void flow_model_pass_transport(flow_model_pass *pass, double *x, double *logp, const double *z,
                               const double *context, size_t n);

/* Rows first .. first + n - 1 of the stream, at a temperature that was checked; otherwise as flow_model_sample_tempered. */
void flow_model_pass_sample(flow_model_pass *pass, double *x, double *logp, const double *context,
                            pcg_stream stream, uint64_t first, size_t n, double temperature);

/* As flow_model_log_prob; rows are numbered from `first` on, for layers whose log-determinant is an estimate. */
void flow_model_pass_log_prob(flow_model_pass *pass, double *logp, const double *x,
                              const double *context, uint64_t first, size_t n);

#endif
