/* pipeline/config/field.h -- memory that a configuration points into, and its fields as JSON. */
#ifndef PIPELINE_CONFIG_FIELD_H
#define PIPELINE_CONFIG_FIELD_H

#include "pipeline/config/schema.h"

/* The default state of the field: "none", or "auto" where that is allowed. What may be said of the items of a
 * list goes with it. */
void field_clear(config *self, const flow_key *key);

/* A new reference; "auto" for auto and null for none. NULL if out of memory. */
json_t *field_json(const config *self, const flow_key *key);

/* Memory that lives as long as the config; NULL if there is none left. */
void *field_memory(config *self, size_t size);

/* Takes over the reference, which lives as long; false, and it is gone, if there is no memory. */
bool field_keep(config *self, json_t *value);

void field_memory_free(config *self);

#endif
