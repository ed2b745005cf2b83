/* pipeline/config/json_schema_value.h -- the schema of one value, by its row: all types but those that choose a kind. */
#ifndef PIPELINE_CONFIG_JSON_SCHEMA_VALUE_H
#define PIPELINE_CONFIG_JSON_SCHEMA_VALUE_H

#include "flow/key.h"

/* Where a key stands decides what OWN and items mean. */
typedef enum json_schema_home { SCHEMA_OF_CONFIG, SCHEMA_OF_KIND } json_schema_home;

/* Of a type that is not KIND or KINDS: a new reference, without words about it. */
json_t *json_schema_value(const flow_key *key, json_schema_home home);

/* Adds description and default to the schema of the key. */
void json_schema_describe(json_t **schema, const flow_key *key);

#endif
