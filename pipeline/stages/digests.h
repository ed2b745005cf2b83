/* pipeline/stages/digests.h -- which files a target was made of: a library, its data, tables, models. */
#ifndef PIPELINE_STAGES_DIGESTS_H
#define PIPELINE_STAGES_DIGESTS_H

#include <jansson.h>

/* {"target.path": {"file": "banana.so", "sha256": "..."}, ...} of every key of a description that names a file; "sha256" is null
 * of one that cannot be read. A new reference; NULL: no memory. NULL, there is no target: {}. */
json_t *digests_of_target(const json_t *description);

/* Warns on stderr of each file that is another one than `known` says, an object as above; NULL says nothing. */
void digests_compare(const json_t *known, const json_t *description);

#endif
