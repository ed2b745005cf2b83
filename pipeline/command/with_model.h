/* pipeline/command/with_model.h -- what the verbs have in common that use a model file. */
#ifndef PIPELINE_COMMAND_WITH_MODEL_H
#define PIPELINE_COMMAND_WITH_MODEL_H

#include "files/model.h"

typedef struct opened {
    flow_model *model;
    const char *path; /* of its file */
    flow_pool *pool;
} opened;

/* The network that a verb was not told of: that which the student of a run was validated with, or as the model file has it. */
enum { NETWORK_NOT_SAID = -1 };

/* Its number, by its word in `--network`: FLOW_EUSAGE lists them. */
int network_take(int *out, const char *word, flow_err *err);

/* The model in double, for densities that are as exact as can be; one whose networks are rounded is another then, and stays. */
int opened_be_precise(const opened *what, flow_err *err);

/* Reads the model, rounds its networks as they shall be and makes a pool (threads 0: auto), lets `use` work with them and the verb's options,
 * and frees both. path: a model file, or the directory of a run, of which it is the `role`'s. Prints the error there was; returns the
 * exit code of the process. */
int with_model(const char *path, const char *role, int network, uint64_t threads,
               const void *options,
               int (*use)(const opened *what, const void *options, flow_err *err));

#endif
