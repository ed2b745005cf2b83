/* pipeline/stages/slices.h -- what the result of each stage hangs on, as JSON: its slice of the config, the content of the
 * files that it reads, the keys of the stages before it. The digest of that is the key of its result. */
#ifndef PIPELINE_STAGES_SLICES_H
#define PIPELINE_STAGES_SLICES_H

#include "files/sha256.h"
#include "pipeline/stages/known.h"
#include "pipeline/stages/stage.h"

typedef struct slices {
    json_t *resolved; /* every key but those that name files */
    json_t *files;    /* {key: {file, sha256}} of those; null: not known */
} slices;

int slices_make(slices *out, const config *c, known *memory, flow_err *err);
void slices_release(slices *self);

/* {stage, abi, slice: {key: value}, inputs: {stage: key}, digests: {key: sha256}}: a new reference, NULL without memory.
 * keys: of the stages before it; NULL: the config does not ask for that one. */
json_t *slices_of(const slices *self, const stage *s, const config *c,
                  const char *const keys[STAGE_COUNT]);

/* The digest of that. FLOW_ENOMEM. */
int slices_key(char key[FILE_SHA256], const json_t *of, flow_err *err);

/* Whether all files that it reads are of a content that is known. */
bool slices_is_certain(const json_t *of);

#endif
