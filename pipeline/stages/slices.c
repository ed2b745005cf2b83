#include "pipeline/stages/slices.h"

#include "files/hdf5_path.h"
#include "flow/json.h"
#include "pipeline/config/schema.h"
#include "pipeline/stages/file_keys.h"

#include <stdlib.h>
#include <string.h>

/* ---- of a config */

typedef struct reading {
    slices *out;
    known *memory;
} reading;

static json_t *file_json(const char *file, json_t *digest)
{
    json_t *out = json_object();
    flow_json_set(&out, "file", json_string(file));
    flow_json_set(&out, "sha256", digest);
    return out;
}

/* A file is its content, wherever it lies. */
static void take_file(void *arg, const char *key, json_t *object, const char *name)
{
    reading *self = arg;
    const char *file = json_string_value(json_object_get(object, name));
    flow_json_set(&self->out->files, key, file_json(file, known_digest(self->memory, file)));
    json_object_del(object, name);
}

int slices_make(slices *out, const config *c, known *memory, flow_err *err)
{
    json_t *shared = config_to_json(c);
    *out = (slices){json_deep_copy(shared), json_object()};
    json_decref(shared);
    if (out->resolved)
        file_keys_each(out->resolved, take_file, &(reading){out, memory});
    return out->resolved && out->files
               ? 0
               : flow_fail(err, FLOW_ENOMEM, "out of memory for what the stages hang on");
}

void slices_release(slices *self)
{
    json_decref(self->resolved);
    json_decref(self->files);
}

/* ---- of a stage */

static json_t *keys_of(const slices *self, const stage *s, const config *c)
{
    json_t *out = json_object();
    for (size_t i = 0; i < schema_n_keys; i++) {
        json_t *value = flow_json_below(self->resolved, schema_keys[i].name);
        if (value && stage_reads_here(s, schema_keys[i].name, c))
            flow_json_set(&out, schema_keys[i].name, json_incref(value));
    }
    if (s->derives)
        s->derives(&out, c);
    return out;
}

/* Of a dataset in a file the file's, and which one. */
static json_t *digest_of(const json_t *file)
{
    json_t *sum = json_object_get(file, "sha256");
    const char *dataset = file_dataset_of(json_string_value(json_object_get(file, "file")));
    return dataset && json_is_string(sum) ? json_sprintf("%s:%s", json_string_value(sum), dataset)
                                          : json_incref(sum);
}

static json_t *digests_of(const slices *self, const stage *s)
{
    json_t *out = json_object(), *file;
    const char *key;
    json_object_foreach(self->files, key, file) if (stage_reads(s, key))
        flow_json_set(&out, key, digest_of(file));
    return out;
}

/* What one has settled is read by all behind it. */
static bool is_behind(const stage *s, const stage *before, const config *c)
{
    return stage_takes(s, before, c) || (before->settled && stage_index(before) < stage_index(s));
}

static json_t *inputs_of(const stage *s, const config *c, const char *const keys[STAGE_COUNT])
{
    json_t *out = json_object();
    for (size_t i = 0; i < stage_index(s); i++)
        if (keys[i] && is_behind(s, stages[i], c))
            flow_json_set(&out, stages[i]->name, json_string(keys[i]));
    return out;
}

json_t *slices_of(const slices *self, const stage *s, const config *c,
                  const char *const keys[STAGE_COUNT])
{
    json_t *out = json_object();
    flow_json_set(&out, "stage", json_string(s->name));
    flow_json_set(&out, "abi", json_integer(s->abi));
    flow_json_set(&out, "slice", keys_of(self, s, c));
    flow_json_set(&out, "inputs", inputs_of(s, c, keys));
    flow_json_set(&out, "digests", digests_of(self, s));
    return out;
}

int slices_key(char key[FILE_SHA256], const json_t *of, flow_err *err)
{
    char *text = flow_json_text(of, JSON_COMPACT | JSON_SORT_KEYS);
    if (!text)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for what the stages hang on");
    file_sha256_bytes(key, text, strlen(text));
    free(text);
    return 0;
}

bool slices_is_certain(const json_t *of)
{
    const char *key;
    json_t *sum;
    json_object_foreach(json_object_get(of, "digests"), key,
                        sum) if (json_is_null(sum)) return false;
    return true;
}
