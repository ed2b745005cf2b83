/* pipeline/stages/seal.h -- what a run directory remembers, in JSON that carries its own digest: a file that was cut, spoilt or edited
 * is known as such, and nothing is concluded from it. "seal" is the SHA-256 of the rest, compact, its keys sorted. */
#ifndef PIPELINE_STAGES_SEAL_H
#define PIPELINE_STAGES_SEAL_H

#include "pipeline/stages/rundir.h"

/* Adds the seal, or another for the one that is there. *object becomes NULL if memory is out. */
void seal_add(json_t **object);
bool seal_is_right(const json_t *object);

/* A new reference; NULL: not there, no plain file, no JSON, or another than was written. */
json_t *seal_read(const char *path);

/* Whether there is something by that name which seal_read does not take. */
bool seal_is_broken(const char *path);

#endif
