/* pipeline/stages/flows.h -- the flows of teacher and student as the config describes them. */
#ifndef PIPELINE_STAGES_FLOWS_H
#define PIPELINE_STAGES_FLOWS_H

#include "pipeline/config/config.h"
#include "teacher/target.h"

#include <stdbool.h>

/* Parameters zero, but of a student that follows its teacher. An error names the section: "teacher.flow: ...". */
flow *flows_teacher(const config *config, size_t dim, size_t context, flow_err *err);
/* teacher: NULL if the target is none. */
flow *flows_student(const config *config, const target *from, const flow *teacher, flow_err *err);

/* Builds all that can be built without reading the data, and throws it away: what `distill check` says
 * yes to, and what `distill run` does before it touches anything. Networks that are too thin are
 * warned of on stderr. *backend: what the flows compute with,
 * NULL if they could not be built because nothing is known of the data. */
int flows_check(const char **backend, const config *config, flow_err *err);

#endif
