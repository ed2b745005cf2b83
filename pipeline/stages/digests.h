/* pipeline/stages/digests.h -- which files a target was made of: a library, its data, tables, models. */
#ifndef PIPELINE_STAGES_DIGESTS_H
#define PIPELINE_STAGES_DIGESTS_H

#include <jansson.h>

/* Warns on stderr of each file that is another one than `known` says, which is as the manifest has them:
 * {"target.path": {"file": "banana.so", "sha256": "..."}, ...}. NULL says nothing. */
void digests_compare(const json_t *known, const json_t *description);

#endif
