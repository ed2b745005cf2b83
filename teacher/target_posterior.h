/* teacher/target_posterior.h -- the models of the posteriors: what each is made of.
 *
 * They are models of posteriordb (Magnusson et al. 2021, github.com/stan-dev/posteriordb), on the unconstrained
 * space and with all constants, as Stan has them (propto = false, jacobian = true). A model file ends in its
 * models. u: the D unconstrained numbers, in Stan's order. */
#ifndef TEACHER_TARGET_POSTERIOR_H
#define TEACHER_TARGET_POSTERIOR_H

#include "teacher/target_density.h"
#include "teacher/target_line.h"
#include "teacher/target_table.h"

typedef struct posterior_options {
    int model;        /* its place in the list below */
    const char *data; /* NULL: not given */
    double sigma1, log_z, log_z_se;
} posterior_options;

extern const target_kind target_posterior;

typedef struct posterior_model {
    flow_kind kind;             /* name and doc */
    const char *const *columns; /* of its table, NULL past the end */
    target_density_ops ops;
} posterior_model;

/* Its table; FLOW_ECONFIG, naming the columns, if there is none. */
file_table *posterior_table(const posterior_model *model, const posterior_options *o,
                            flow_err *err);

/* Every model, a line each. */
/* clang-format off */
#define POSTERIOR_MODELS(MODEL)      \
    MODEL(eight_schools_centered)    \
    MODEL(eight_schools_noncentered) \
    MODEL(kidscore_momiq)            \
    MODEL(logearn_interaction)       \
    MODEL(nes)                       \
    MODEL(blr)                       \
    MODEL(arK)                       \
    MODEL(garch11)                   \
    MODEL(low_dim_gauss_mix)
/* clang-format on */

#define POSTERIOR_DECLARE(NAME) extern const posterior_model posterior_##NAME;
POSTERIOR_MODELS(POSTERIOR_DECLARE)

/* log L(x) and L(x) of the logistic function L. */
double posterior_log_logistic(double x);
double posterior_logistic(double x);

/* log Normal(x | 0, sd) and log Cauchy(x | 0, scale) of x = e^s; *slope += d/ds. */
double posterior_normal(double *slope, double x, double sd);
double posterior_cauchy(double *slope, double x, double scale);

#endif
