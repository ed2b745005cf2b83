/* pipeline/config/settings.h -- what the config says, in the words of the floors below. */
#ifndef PIPELINE_CONFIG_SETTINGS_H
#define PIPELINE_CONFIG_SETTINGS_H

#include "flow/spec.h"
#include "pipeline/config/config.h"
#include "student/distill.h"
#include "teacher/fit.h"

/* columns, context and dequantise of the result point into the config. */
data_options settings_data(const config *self);

/* A teacher (data to noise) or a student (noise to data). hidden (CONFIG_MAX_WHOLES) is filled and
 * pointed to by the result. */
flow_spec settings_flow(const config *self, size_t *hidden, flow_direction direction, size_t dim,
                        size_t context);

teacher_fit_options settings_fit(const config *self);
distill_options settings_distill(const config *self);

#endif
