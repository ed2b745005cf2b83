/* flow/flow.h -- a normalizing flow: a base, which is a density that can be drawn from, a list of
 * invertible layers and a direction, in single or double precision.
 *
 * A layer's forward is its parallel direction. What it means is the flow's choice:
 *   FLOW_DATA_TO_NOISE  z = forward(x): density is parallel, sampling sequential (a MAF)
 *   FLOW_NOISE_TO_DATA  x = forward(z): sampling is parallel, density sequential (an IAF)
 *
 * Shapes: n rows, D = flow_dim, C = flow_context. x, y, z, scores are (n, D), context is (n, C) and
 * NULL when C = 0, log-densities are (n). All of them double and row-major, whatever the precision of
 * the network. A parameter block is flow_n_params numbers of the flow's precision (void * here).
 *
 * Threads: a flow is read-only while passes use it, but for what it counts. A pass belongs to one
 * thread at a time. */
#ifndef FLOW_FLOW_H
#define FLOW_FLOW_H

#include "flow/err.h"
#include "flow/pcg.h"
#include "flow/pool.h"

#include <jansson.h>
#include <stddef.h>

enum {
    FLOW_MAX_DIM = 1 << 16,
    FLOW_MAX_LAYERS = 1024
}; /* columns of data or context; layers of a list */

typedef enum flow_precision { FLOW_F32 = 32, FLOW_F64 = 64 } flow_precision;
typedef enum flow_direction { FLOW_DATA_TO_NOISE, FLOW_NOISE_TO_DATA } flow_direction;

/* "data_to_noise", "noise_to_data": the words of descriptions. */
const char *flow_direction_name(flow_direction direction);

typedef struct flow flow;

/* ---- making one */

/* From a description, the same object that flow_describe returns and that model files carry:
 *   {"dim": 2, "context": 0, "direction": "data_to_noise" | "noise_to_data", "base": {"kind": "normal", ...},
 *    "layers": [{"kind": "autoregressive", ...}, ...]}
 * Each layer kind and base kind documents its own keys; a base may be its kind alone, "normal", or be
 * left out, which means the same. Parameters start at zero: call flow_init or load them. */
flow *flow_create(const json_t *description, flow_precision precision, flow_err *err);
/* The same, refusing more than max_weights live weights before their memory is taken: for
 * descriptions from files, which cannot hold more weights than the file has numbers. */
flow *flow_create_within(const json_t *description, flow_precision precision, size_t max_weights,
                         flow_err *err);
void flow_free(flow *self);

/* A new reference that the caller must json_decref. */
json_t *flow_describe(const flow *self);

/* Draws the initial parameters. Output layers start at zero, so that a fresh flow is its base, with
 * the dimensions reordered at most. Layer l reads row l << 32 of the stream and on, layers inside layers
 * take the numbers after all that a list can have, and the base row 1 << 63. */
void flow_init(flow *self, pcg_stream stream);

/* Layers whose initial parameters depend on data (actnorm) see these n rows, in data space if the
 * flow is DATA_TO_NOISE and in noise space otherwise, pushed through the layers before them. */
int flow_init_data(flow *self, const double *rows, const double *context, size_t n, flow_err *err);

/* The same map in another precision: same description, same weights (rounded on the way down). */
flow *flow_convert(const flow *self, flow_precision precision, flow_err *err);

/* ---- looking at one */

size_t flow_dim(const flow *self);
size_t flow_context(const flow *self);
size_t flow_n_params(const flow *self);  /* with padding: the length of a parameter block */
size_t flow_n_weights(const flow *self); /* live weights: what a paper would count */
/* Full passes that an inverse takes where nothing is incremental: the most groups of a layer (D for a
 * MAF, 2 for couplings), 1 if there are none. */
size_t flow_passes_of_inverse(const flow *self);
/* (dim) 1 where a column of the data is on a circle (circle.h), in radians; NULL: none is. */
const unsigned char *flow_circles(const flow *self);
/* Whether column i of the noise is on one, which cannot be stretched. */
int flow_noise_turns(const flow *self, size_t i);
flow_precision flow_get_precision(const flow *self);
flow_direction flow_get_direction(const flow *self);
const char *flow_backend_name(const flow *self); /* "f32/avx512" */

void *flow_params(flow *self); /* the parameter block; aligned to 64 bytes */
const void *flow_params_const(const flow *self);
size_t flow_params_bytes(const flow *self);

/* A layer may have no inverse; then there is only what the flow's parallel direction gives, and
 * flow_pass_inverse and what is made of it must not be called. */
int flow_can_invert(const flow *self);

/* FLOW_ECONFIG, with the layer's name, if the flow lacks the inverse that it needs for log_prob or for
 * transport and samples. Who will call those asks when he is made. */
int flow_require_log_prob(const flow *self, flow_err *err);
int flow_require_transport(const flow *self, flow_err *err);

/* What happened in passes without stopping them. */
typedef struct flow_counters {
    uint64_t unconverged; /* rows in which an iterative layer did not reach its tolerance */
} flow_counters;

/* The sum over all passes of this flow that have been freed, those of the whole-batch functions below
 * among them. */
flow_counters flow_counted(const flow *self);

/* Parameters by name, for files: "layers.0.conditioner.0.weight", "base.shift", dense and row-major, masked
 * entries zero. flow_tensor_get and _set copy rows * cols doubles. */
enum { FLOW_TENSOR_NAME = 96 };
typedef struct flow_tensor_info {
    char name[FLOW_TENSOR_NAME];
    size_t rows, cols; /* cols = 0: a vector of `rows` numbers */
} flow_tensor_info;

size_t flow_n_tensors(const flow *self);
void flow_tensor(const flow *self, flow_tensor_info *info, size_t index);
/* The number of the tensor of that name, or flow_n_tensors. */
size_t flow_tensor_find(const flow *self, const char *name);
void flow_tensor_get(const flow *self, double *values, size_t index);
/* FLOW_EDATA, and nothing is set, if a masked entry is not zero; FLOW_EUSAGE of a rounded flow (round.h). */
int flow_tensor_set(flow *self, const double *values, size_t index, flow_err *err);
/* live (cols) = which entries of a row of a matrix are not masked. */
void flow_tensor_live(const flow *self, unsigned char *live, size_t index, size_t row);

/* ---- a shard's work: one thread, up to max_rows rows, all memory taken at create. From inside a
 * task of a pool, wide networks share what they do forwards (a single row, too) and backwards with its
 * idle threads, with the same bits: for latency, flow_pool_run a single task. */

typedef struct flow_pass flow_pass;

enum { FLOW_SHARD = 128 };    /* most rows of a shard */
enum { FLOW_PASS_TRAIN = 1 }; /* room for what backward and score need */

flow_pass *flow_pass_create(const flow *self, size_t max_rows, unsigned flags, flow_err *err);
void flow_pass_free(flow_pass *pass);

/* Since the pass was made, all directions together. */
const flow_counters *flow_pass_counters(const flow_pass *pass);

/* Layers whose log-determinant is an estimate draw from rows first .. of this stream in the passes
 * that follow, each layer from one of its own. Without it, from the rows 0 .. of one that is fixed. */
void flow_pass_set_noise(flow_pass *pass, pcg_stream stream, uint64_t first);
extern const pcg_stream flow_fixed_noise;

/* The layers in order, without the base. logdet is log|det dy/dx|. forward keeps what backward and
 * score need when the pass was made with FLOW_PASS_TRAIN. params NULL: the flow's own. */
void flow_pass_forward(flow_pass *pass, const void *params, double *y, double *logdet,
                       const double *x, const double *context, size_t n);

/* x = forward^-1(y); logdet = log|det dx/dy|. Incremental: about the work of one forward. Leaves what
 * backward and score need, as forward at x does. */
void flow_pass_inverse(flow_pass *pass, const void *params, double *x, double *logdet,
                       const double *y, const double *context, size_t n);

/* A block like the parameters that gradients are summed in. The first backward finds it empty and
 * writes all of it, the next ones add: it need not be zeroed, nor read the first time. */
typedef struct flow_gradient {
    void *block; /* flow_params_bytes, aligned to 64 */
    int filled;
} flow_gradient;

/* After forward or inverse: with L = sum(dy * y) + sum(dlogdet * logdet), y and logdet of forward, dx =
 * dL/dx (NULL: not wanted) and gradient += dL/dparams (NULL: frozen). dlogdet NULL means 0. */
void flow_pass_backward(flow_pass *pass, const void *params, double *dx, flow_gradient *gradient,
                        const double *dy, const double *dlogdet);

/* After forward or inverse: carries a score through the layers. score_x = grad_x log p(x) before
 * them, score_y = grad_y log q(y) after them, q the push-forward of p. (mathematics: J^-T products.) */
void flow_pass_score(flow_pass *pass, const void *params, double *score_y, const double *score_x);

/* ---- density and sampling of a shard of up to FLOW_SHARD rows, base included, in whichever direction
 * the flow has. z and logp are always written. Both leave the pass ready for what follows here, which
 * wants FLOW_PASS_TRAIN, and z as it is. */

void flow_pass_log_prob(flow_pass *pass, const void *params, double *logp, double *z,
                        const double *x, const double *context, size_t n);
void flow_pass_transport(flow_pass *pass, const void *params, double *x, double *logp,
                         const double *z, const double *context, size_t n);

/* After log_prob or transport: score (n, D) = grad_x log q(x), q the density of the flow. */
void flow_pass_density_score(flow_pass *pass, const void *params, double *score);

/* After log_prob or transport: with L = sum(dlogp * log q(x)), dx = dL/dx (NULL: not wanted) and
 * gradient += dL/dparams at fixed x (NULL: frozen). */
void flow_pass_density_backward(flow_pass *pass, const void *params, double *dx,
                                flow_gradient *gradient, const double *dlogp);

/* After transport of a NOISE_TO_DATA flow: x and its log q as functions of the parameters, those of the
 * base included, for fixed random numbers. With L = sum(dx * x) + sum(dlogq * log q(x)), gradient +=
 * dL/dparams. dlogq NULL means 0. Where flow_check_path fails, what no path reaches gets its share of
 * dlogq alone. */
void flow_pass_sample_backward(flow_pass *pass, const void *params, flow_gradient *gradient,
                               const double *dx, const double *dlogq);

/* 0 if samples depend on every parameter in a way that can be differentiated, so that own samples can
 * train the flow; otherwise FLOW_ECONFIG and what they do not. */
int flow_check_path(const flow *self, flow_err *err);

/* Whether the density has an edge where it jumps to 0. A gradient with dlogq left out (a path
 * gradient: Roeder 2017) is then wrong, for E_q[d log q(x)/dparams, x fixed] is not 0. */
int flow_has_edge(const flow *self);

/* ---- the base */

/* z (n, D): noise, rows first .. first + n - 1 of the stream. params NULL: the flow's own. */
void flow_noise(const flow *self, const void *params, double *z, pcg_stream stream, uint64_t first,
                size_t n);

/* z (n, D; may be u): the noise at the points u (n, D) of the unit hypercube, by a map under which uniform points are
 * noise. Points on the very ends, 0 and 1, are taken for their neighbours; beyond them there is NaN. */
void flow_noise_at(const flow *self, double *z, const double *u, size_t n);

/* 0 if the noise can have that temperature; otherwise FLOW_EUSAGE, as of flow_sample_tempered. */
int flow_check_temperature(const flow *self, double temperature, flow_err *err);

/* z (n, D): noise of a temperature that was checked; shift (n): what a log-density that transport gives at z must be
 * raised by to be that of samples made of such noise. */
void flow_noise_tempered(const flow *self, double *z, double *shift, pcg_stream stream,
                         uint64_t first, size_t n, double temperature);

/* shift (n): what the log-density of rows whose noise is z (n, D; up to FLOW_SHARD rows, and lost) must be raised by to be
 * that of samples of this temperature. */
void flow_temper_shift(const flow *self, double *shift, double *z, double temperature, size_t n);

/* z (n, D) = m + temperature (z - m), m the middle of the base: noise of another temperature. FLOW_EUSAGE as for
 * flow_sample_tempered. */
int flow_noise_temper(const flow *self, double *z, double temperature, size_t n, flow_err *err);

/* logp (n): log-density of the noise z (n, D). */
void flow_base_log_prob(const flow *self, const void *params, double *logp, const double *z,
                        size_t n);

/* ---- whole batches, spread over a pool by shards of up to FLOW_SHARD rows. Row r of the result depends
 * on row r of the input alone, so the first k of n rows do not depend on n or on the pool. Estimating
 * layers draw from row r of the stream of flow_sample, or of a fixed one. FLOW_ECONFIG if the
 * inverse is needed and there is none. */

/* Rows of a shard of a batch of n: fewer of large networks. */
size_t flow_shard_rows(const flow *self, size_t n);

/* logp[r] = log density at x[r]; z (NULL: not wanted) the noise it comes from. */
int flow_log_prob(const flow *self, flow_pool *pool, double *logp, double *z, const double *x,
                  const double *context, size_t n, flow_err *err);

/* x = sample made from the noise z; logp (NULL: not wanted) its log-density. */
int flow_transport(const flow *self, flow_pool *pool, double *x, double *logp, const double *z,
                   const double *context, size_t n, flow_err *err);

/* n samples, rows first .. first + n - 1 of the stream. */
int flow_sample(const flow *self, flow_pool *pool, double *x, double *logp, const double *context,
                pcg_stream stream, uint64_t first, size_t n, flow_err *err);

/* The same with noise whose distances from the middle of the base are scaled by temperature: below 1 nearer
 * to where most samples are, 1 is flow_sample. logp is the log-density of these samples. FLOW_EUSAGE for
 * a temperature that is not finite and above 0, or a base that has none (base.h, temper). */
int flow_sample_tempered(const flow *self, flow_pool *pool, double *x, double *logp,
                         const double *context, pcg_stream stream, uint64_t first, size_t n,
                         double temperature, flow_err *err);

#endif
