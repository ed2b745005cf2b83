/* teacher/likelihood.h -- how likely rows of a data set are under a model, as its user counts. */
#ifndef TEACHER_LIKELIHOOD_H
#define TEACHER_LIKELIHOOD_H

#include "files/model.h"
#include "teacher/dataset.h"

/* Mean over the rows of a part, counted by their weights, of what flow_model_log_prob gives for them in the user's
 * units: the probability of grid values, the wrapped density of angles. se: its standard error. NaN for no
 * rows. The part is in the units of the model. */
int teacher_model_log_likelihood(const flow_model *model, flow_pool *pool, double *mean, double *se,
                                 const data_part *part, flow_err *err);

#endif
