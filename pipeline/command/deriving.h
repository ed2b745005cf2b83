/* pipeline/command/deriving.h -- what a verb takes a row of a model for: which quantities of its target, and what a library of the
 * user's makes of it; and the target itself, where it is wanted for that or for weights. */
#ifndef PIPELINE_COMMAND_DERIVING_H
#define PIPELINE_COMMAND_DERIVING_H

#include "pipeline/stages/derived.h"
#include "pipeline/stages/reference.h"

typedef struct deriving_options {
    bool given; /* --quantities is, and says `what`; else what the model file says is usual */
    derived_options with; /* its library, and that one's options */
    const char *names;    /* that are wanted, with commas between; NULL: nobody looks for a name */
} deriving_options;

/* By its word in --quantities: FLOW_EUSAGE lists them. */
int deriving_take(deriving_options *out, const char *word, flow_err *err);
/* FLOW_EUSAGE names an option that would have no effect. */
int deriving_check(const deriving_options *options, flow_err *err);

typedef struct deriving {
    reference *against; /* NULL: it was not wanted */
    derived *derived;
} deriving;

/* Of the model at path; made_for: as reference_open has it; weighed: it is wanted in any case. Errors say what is missing, and
 * what the columns are without it. To be closed also after one. */
int deriving_open(deriving *self, const flow_model *model, const char *path, const char *made_for,
                  bool weighed, const deriving_options *options, flow_err *err);
void deriving_close(deriving *self);

#endif
