/* pipeline/config/field.h -- the fields of struct config by their rows: what is in them, and the memory
 * that they point to. */
#ifndef PIPELINE_CONFIG_FIELD_H
#define PIPELINE_CONFIG_FIELD_H

#include "pipeline/config/schema.h"

void *field_of(config *self, const schema_key *key);

/* Stores "none", or "auto" where that is allowed. */
void field_clear(config *self, const schema_key *key);

/* True unless the field holds "none" or "auto". */
bool field_is_set(const config *self, const schema_key *key);

/* Of SCHEMA_ENUM and SCHEMA_BOOL: the word as YAML has it; NULL for none. */
const char *field_word(const config *self, const schema_key *key);

/* Of SCHEMA_WHOLE and SCHEMA_REAL; NAN for none and auto. */
double field_number(const config *self, const schema_key *key);

/* A new reference; "auto" for auto and null for none. NULL if out of memory. */
json_t *field_json(const config *self, const schema_key *key);

/* Memory that lives as long as the config; NULL if there is none left. */
void *field_memory(config *self, size_t size);
void field_memory_free(config *self);

#endif
