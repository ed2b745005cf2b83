/* pipeline/command/exact.h -- samples of a model that are weighed against the density it was made for, and draws of
 * that density out of them. */
#ifndef PIPELINE_COMMAND_EXACT_H
#define PIPELINE_COMMAND_EXACT_H

#include "pipeline/stages/output.h"
#include "pipeline/stages/reference.h"

typedef enum exact_method { EXACT_NONE, EXACT_SIR, EXACT_IMH, EXACT_REJECTION } exact_method;

/* By its name in `sample --exact`: FLOW_EUSAGE lists them. */
int exact_method_of(exact_method *out, const char *name, flow_err *err);

typedef struct exact_options {
    exact_method method;
    bool weights;       /* a last column log_w */
    const char *target; /* as reference_open has it */
    uint64_t proposals; /* 0: auto */
    double bound;       /* on log_w, nats; NaN: the largest of as many other rows */
} exact_options;

/* Whether anything of this is wanted. */
bool exact_is_wanted(const exact_options *options);

/* FLOW_EUSAGE names an option that would have no effect. */
int exact_check(const exact_options *options, flow_err *err);

/* Completes a request for samples: which rows of the stream to write, and their weights, and tells on stderr what they
 * are worth. What hangs on it is freed by exact_free, also after a failure. */
typedef struct exact_choice {
    double *log_w;
    size_t *rows;
} exact_choice;

int exact_choose(exact_choice *self, output_request *request, const exact_options *options,
                 const reference *against, flow_err *err);
void exact_free(exact_choice *self);

#endif
