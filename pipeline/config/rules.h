/* pipeline/config/rules.h -- what must hold between keys once each has a good value. */
#ifndef PIPELINE_CONFIG_RULES_H
#define PIPELINE_CONFIG_RULES_H

#include "pipeline/config/schema.h"

/* What became of one key. */
typedef struct given {
    enum { GIVEN_NOT, GIVEN_GOOD, GIVEN_BAD } state;
    place at; /* of its value */
} given;

typedef struct rules_view {
    const config *config;
    const given *keys;  /* (schema_n_keys) */
    const given *gates; /* (GATE_COUNT): the figures of validate.require */
    size_t source;      /* of the first file: where a missing key is missing from */
    bool unknown;       /* some key was not recognised: do not call others missing or useless */
    complaints *out;
} rules_view;

/* Runs all rules. A rule is left out if a key it looks at has no good value. */
void rules_check(const rules_view *self);

#endif
