/* flow/json.h -- JSON documents that are whole or not there.
 *
 * A document is built from its parts; out of memory, jansson returns NULL for a part. These put a part
 * where it belongs and remember: once something could not be made, the whole is freed and NULL, and
 * stays so. One look at the end is enough:
 *     json_t *out = json_object();
 *     flow_json_set(&out, "value", flow_json_real(x));
 *     return out; */
#ifndef FLOW_JSON_H
#define FLOW_JSON_H

#include <jansson.h>

/* A number; null if it is not finite, since JSON has no word for that. */
json_t *flow_json_real(double value);

/* Both take over the reference to value, which may be NULL: out of memory. */
void flow_json_set(json_t **object, const char *key, json_t *value);
void flow_json_append(json_t **array, json_t *value);

/* The text of a document, to be freed; NULL if memory is out, or value is. flags: those of json_dumps, which
 * (jansson 2.14) goes on without a key that there was no memory for. */
char *flow_json_text(const json_t *value, size_t flags);

/* The same with a newline at its end. */
char *flow_json_line(const json_t *value, size_t flags);

/* What stands at "a.b.c", a borrowed reference; NULL: nothing. */
json_t *flow_json_below(const json_t *at, const char *path);

#endif
