/* pipeline/stages/backends.h -- results of two instruction sets differ in their last bits. */
#ifndef PIPELINE_STAGES_BACKENDS_H
#define PIPELINE_STAGES_BACKENDS_H

#include <jansson.h>

/* A warning where what is kept of a stage has another "backend" than the one that networks are computed with here. how: "was made". Either
 * may be NULL, not known. */
void backends_compare(const char *stage, const char *how, const json_t *kept, const char *backend);

#endif
