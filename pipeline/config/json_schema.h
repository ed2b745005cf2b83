/* pipeline/config/json_schema.h -- the table of keys as JSON Schema, draft-07: what editors know of a config.
 *
 * It says of every key its type, range, words, default and sentence, and of every kind its own keys. What hangs on
 * two keys at once (rules.h) it does not say: what it refuses the program refuses, not the other way round. */
#ifndef PIPELINE_CONFIG_JSON_SCHEMA_H
#define PIPELINE_CONFIG_JSON_SCHEMA_H

#include <jansson.h>

/* The name of the file that configs refer to. */
#define JSON_SCHEMA_FILE "distill.schema.json"

/* A new reference; its text, to be freed. NULL if out of memory. */
json_t *json_schema(void);
char *json_schema_text(void);

#endif
