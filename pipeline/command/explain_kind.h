/* pipeline/command/explain_kind.h -- the documentation of sections that offer a choice of kinds. */
#ifndef PIPELINE_COMMAND_EXPLAIN_KIND_H
#define PIPELINE_COMMAND_EXPLAIN_KIND_H

#include "flow/kind.h"

#include <stdbool.h>
#include <stdio.h>

/* The keys of the section's usual kind, and which other kinds there are. path is the section's. */
void explain_kinds(FILE *to, const char *path, const flow_key *section);

/* What `rest` means below the section: a key of a kind, or a kind's name, or those of a choice within, as
 * in "layers.autoregressive.transformer.spline.bins". False: nothing. */
bool explain_below(FILE *to, const char *path, const char *rest, const flow_key *section);

/* Hands every key of the usual kind to `take`, with its path. */
void explain_each(const char *path, const flow_key *section,
                  void (*take)(void *arg, const char *path, const flow_key *key), void *arg);

#endif
