/* pipeline/stages/kept.h -- numbers of a struct as JSON, and back with the same bits: what a stage keeps of its product
 * beside its files. A table says which; what it leaves out, no later stage asks for. */
#ifndef PIPELINE_STAGES_KEPT_H
#define PIPELINE_STAGES_KEPT_H

#include "flow/err.h"

#include <jansson.h>
#include <stddef.h>

/* WHOLE is of size_t and uint64_t alike, INT of int and enums. */
typedef enum kept_type { KEPT_REAL, KEPT_WHOLE, KEPT_INT, KEPT_BOOL } kept_type;

typedef struct kept_field {
    const char *name; /* NULL ends a table */
    kept_type type;
    size_t offset;
    size_t n; /* of an array; 0: one number */
} kept_field;

#define KEPT(OF, FIELD, TYPE)                                                                      \
    {                                                                                              \
#FIELD, TYPE, offsetof(OF, FIELD), 0                                                       \
    }
/* FIELD may be an array of arrays. */
#define KEPT_LIST(OF, FIELD, TYPE, N)                                                              \
    {                                                                                              \
#FIELD, TYPE, offsetof(OF, FIELD), N                                                       \
    }

/* A new reference; NULL: no memory. What is not finite is "nan", "inf" or "-inf". */
json_t *kept_json(const kept_field *fields, const void *from);

/* FLOW_EDATA, naming the first field that is not there or not what it should be. */
int kept_read(void *into, const kept_field *fields, const json_t *json, flow_err *err);

#endif
