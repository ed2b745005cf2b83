/* pipeline/stages/verify.h -- distill verify: whether the results of a run are as they were written, and what it was judged. */
#ifndef PIPELINE_STAGES_VERIFY_H
#define PIPELINE_STAGES_VERIFY_H

/* Every file of the set that users see, by its digest, and every link; says each that is not right. Returns the exit code: 0, 1 if
 * a gate failed, 65 if a file is another or gone, 74 if one cannot be read. */
int verify_verb(const char *root);

#endif
