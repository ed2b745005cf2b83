/* files/model.h -- a flow together with the user's units: what a model file holds.
 *
 * The file is safetensors. Tensors are the flow's ("layers.0.conditioner.0.weight", dense, masked
 * entries zero), in the flow's precision. Metadata:
 *   format          "distill.model.2"; files of format 1 are read, too (model_upgrade.h)
 *   flow            the description (flow.h), JSON text
 *   units           the map between user's and flow's units (units.h), JSON text
 *   context_units   likewise for the context columns; absent without context
 *   names           JSON list of column names; context_names likewise
 *   ranges          JSON list of [min, max], a column each: what the training rows had, in the user's units;
 *                   context_ranges likewise. Files that were written before there were any have none
 *   quantities      JSON object: what its target derives from a row unless it is asked for more, "names", and whether
 *                   that stands in the place of the columns, "instead"; absent if there is nothing
 *   role            "teacher" or "student"
 *
 * With u = units(x): log p(x) = log p_flow(u) + log|det du/dx|; grids and circles: sums over points (flow/units_points.h). */
#ifndef FILES_MODEL_H
#define FILES_MODEL_H

#include "flow/flow.h"
#include "flow/round.h"
#include "flow/units.h"

typedef struct flow_model {
    flow *flow;
    flow_units *units;
    flow_units *context_units; /* NULL without context */
    json_t *names;             /* list of D strings */
    json_t *context_names;     /* list of C strings; NULL without context */
    double *ranges;            /* (D, 2) min and max of the training rows; NULL: not known */
    double *context_ranges;    /* (C, 2) likewise */
    json_t *quantities;        /* {names: list of strings, instead: boolean}; NULL: none */
    char role[16];
} flow_model;

/* Writes the file atomically. */
int flow_model_write(const flow_model *self, const char *path, flow_err *err);

/* Treats the file as hostile. NULL: *err names the file and what is wrong. */
flow_model *flow_model_read(const char *path, flow_err *err);
flow_model *flow_model_read_bytes(const void *bytes, size_t len, const char *name, flow_err *err);
void flow_model_free(flow_model *self); /* accepts NULL */

/* In another precision from here on: densities are computed in double, whatever the weights are. FLOW_ENOMEM. */
int flow_model_convert(flow_model *self, flow_precision precision, flow_err *err);

/* With networks in low precision from here on (flow/round.h), for samples and densities; not to be written or converted
 * any more. AS_IS changes nothing. Errors: those of flow_round. */
int flow_model_round(flow_model *self, flow_network network, flow_err *err);

/* n samples in user's units, rows first .. of the stream; logp (NULL: not wanted) is their density
 * in user's units, as below. context (n, C) in user's units. */
int flow_model_sample(const flow_model *self, flow_pool *pool, double *x, double *logp,
                      const double *context, pcg_stream stream, uint64_t first, size_t n,
                      flow_err *err);
/* The same at a temperature (flow_sample_tempered). */
int flow_model_sample_tempered(const flow_model *self, flow_pool *pool, double *x, double *logp,
                               const double *context, pcg_stream stream, uint64_t first, size_t n,
                               double temperature, flow_err *err);

/* logp (n) of rows x (n, D) in user's units: a density in the continuous columns, the probability of the
 * cell in those with a step (an average over fixed points: flow/units_points.h); -inf outside of the
 * support of a column or off its grid. */
int flow_model_log_prob(const flow_model *self, flow_pool *pool, double *logp, const double *x,
                        const double *context, size_t n, flow_err *err);

#endif
