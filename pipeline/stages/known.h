/* pipeline/stages/known.h -- what a run directory knows from one run to the next: digests of the files that were read, each
 * for as long as size, time and place of its file stay, and the seed where none was given. stages/memory.json. */
#ifndef PIPELINE_STAGES_KNOWN_H
#define PIPELINE_STAGES_KNOWN_H

#include "flow/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct known {
    json_t *files; /* {path: {size, time, place, sha256}} */
    bool has_seed;
    uint64_t seed;
} known;

/* Of the run directory `root`, which need not be one. What cannot be read is not known. FLOW_ENOMEM. */
int known_read(known *out, const char *root, flow_err *err);
int known_write(const known *self, const char *root, flow_err *err);
void known_release(known *self);

/* The digest of a file's content: a new reference to a string, or to null: it cannot be read, or is none whose content
 * stays, a pipe. NULL: no memory. */
json_t *known_digest(known *self, const char *path);

/* Whether the file is still the one that was read. */
bool known_is_same(const known *self, const char *path);

#endif
