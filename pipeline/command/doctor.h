/* pipeline/command/doctor.h -- distill doctor: whether this machine and this directory are fit for runs. */
#ifndef PIPELINE_COMMAND_DOCTOR_H
#define PIPELINE_COMMAND_DOCTOR_H

#include <stdbool.h>

/* Prints each finding with ok or warn and, of a warning, what to do; json: as one object. Returns the exit code of the
 * process: warnings are none. */
int doctor_verb(bool json);

#endif
