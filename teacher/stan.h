/* teacher/stan.h -- a Stan model that BridgeStan has made a library of, as a plug-in: its functions in the shape of
 * plugin/distill_target.h, so that all that holds for a plug-in holds for it.
 *
 * Source: Roualdes, Ward, Carpenter, Seyboldt, Axen 2023, BridgeStan: efficient in-memory access to the methods
 * of a Stan model; the C interface of its version 2. */
#ifndef TEACHER_STAN_H
#define TEACHER_STAN_H

#include "flow/err.h"
#include "plugin/distill_quantities.h"

#include <stdbool.h>

/* Whether a library (of dlopen) has any function of BridgeStan's. */
bool stan_is_one(void *library);

/* One model per handle. Its `open` is given the library in *handle, and returns a flow_code. Options are the data:
 * the path of a file .json, JSON text, or "". Points are unconstrained, the density is that of the posterior with
 * all constants and the Jacobian. A point that the model throws at has none; a model that throws wherever Stan
 * would start is refused, with what it says. THREADS if it was built for them. */
extern const distill_target stan_table;

/* Its parameters as the model has them, in Stan's order and by Stan's names; all: its transformed parameters and generated
 * quantities behind them. `open` is given the handle of the density in *handle, and returns a flow_code; they are gone with that. A point at which
 * the model throws is broken. Random numbers of generated quantities are of a generator that the bits of the
 * point seed: they are a function of it, whoever asks, and when. */
extern const distill_derived stan_quantities;

#endif
