/* pipeline/stages/gc.h -- distill gc: results that users of a run directory see no more, removed from it. */
#ifndef PIPELINE_STAGES_GC_H
#define PIPELINE_STAGES_GC_H

#include <stdbool.h>

/* Everything below stages/ that no link leads to and that is not of the current set; says what on stdout, and how many bytes. dry:
 * only says so. Returns the exit code. */
int gc_verb(const char *root, bool dry);

#endif
