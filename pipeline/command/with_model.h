/* pipeline/command/with_model.h -- what the verbs have in common that use a model file. */
#ifndef PIPELINE_COMMAND_WITH_MODEL_H
#define PIPELINE_COMMAND_WITH_MODEL_H

#include "files/model.h"

/* Reads the model and makes a pool (threads 0: auto), lets `use` work with them and the verb's options,
 * and frees both. Prints the error there was; returns the exit code of the process. */
int with_model(const char *path, uint64_t threads, const void *options,
               int (*use)(flow_model *model, flow_pool *pool, const void *options, flow_err *err));

#endif
