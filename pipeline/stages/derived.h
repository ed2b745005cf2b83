/* pipeline/stages/derived.h -- what is written of a row of a model: its columns, or the quantities that stand in their place;
 * behind them other quantities of the target, and what a library makes of the row (teacher/quantities.h). */
#ifndef PIPELINE_STAGES_DERIVED_H
#define PIPELINE_STAGES_DERIVED_H

#include "files/model.h"
#include "pipeline/config/config.h"
#include "teacher/quantities.h"

typedef struct derived_options {
    config_derived what;  /* of those of the target */
    const char *function; /* a library with quantities of its own; NULL: none */
    const char *options;  /* that it is opened with; NULL: "" */
} derived_options;

typedef struct derived derived;

/* of: those of the target, borrowed; NULL: it has none, and what is NONE. The library is given the columns of the model, or what usually
 * stands in their place. FLOW_EDATA: two columns would have one name. */
derived *derived_open(const flow_model *model, const quantities *of, const derived_options *options,
                      flow_err *err);
void derived_free(derived *self); /* accepts NULL */

size_t derived_width(const derived *self);
bool derived_is_plain(const derived *self);            /* values are x */
const char *const *derived_names(const derived *self); /* (width) */

/* values (n, width) of x (n, D), rows first .. first + n - 1. What a row has none of is NaN, and counted. */
int derived_rows(derived *self, flow_pool *pool, double *values, const double *x, size_t n,
                 uint64_t first, flow_err *err);

/* After all rows: warns of those that have none, and of values that are not finite. FLOW_EDATA: no row had any. */
int derived_end(const derived *self, flow_err *err);

/* What a model file says of them (files/model.h), new; NULL: there are none, or no memory. */
json_t *derived_describe(const quantities *of);

#endif
