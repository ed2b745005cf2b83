/* tests/pipeline/golden.h -- the cases of tests/pipeline/config_errors.txt: configs that are wrong, and what is said. */
#ifndef TESTS_PIPELINE_GOLDEN_H
#define TESTS_PIPELINE_GOLDEN_H

#include "tests/pipeline/load.h"

extern const char golden_file[];

typedef struct golden {
    const char *name;
    char *text; /* of the file */
    load_input input;
    char *says;
} golden;

/* The text of the file, to be freed when the last case is done with; *rest: where the cases begin. */
char *golden_open(char **rest);

/* Reads the next case from *rest; false if there is none. */
bool golden_next(golden *out, char **rest);
void golden_release(golden *self);

#endif
