/* tests/pipeline/load.h -- a configuration from texts, in the temporary directory of the test,
 * which becomes the working directory. */
#ifndef TESTS_PIPELINE_LOAD_H
#define TESTS_PIPELINE_LOAD_H

#include "pipeline/config/config.h"

enum { LOAD_SETS = 8 };

typedef struct load_input {
    const char *text;    /* of t.yaml */
    size_t size;         /* 0: strlen */
    const char *overlay; /* of o.yaml; NULL: none */
    const char *sets[LOAD_SETS];
} load_input;

/* What every configuration needs; lines 1 and 2. */
#define LOAD_HEAD "schema: 1\ndata: {generator: rings}\n"

/* temp_open, chdir into it, and the files ok.csv, ok.npy and ok.txt there. */
void load_open(void);

/* The config, or NULL. What was complained is in *said (to be freed), "" if nothing was; *status is
 * the exit code for it. Both may be NULL. */
config *load_text(const load_input *input, char **said, int *status);

/* The same of one text that must be good, or must not be. */
config *load_good(const char *text);
void load_says(const char *text, const char *expected);

/* Whether every key of `part`, JSON text, has the same value in whole, at every depth; lists are equal. */
bool load_has(const json_t *whole, const char *part);

#endif
