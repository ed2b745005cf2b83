#include "pipeline/stages/digests.h"

#include "files/hdf5_path.h"
#include "files/sha256.h"
#include "flow/json.h"
#include "pipeline/console/notice.h"
#include "pipeline/stages/file_keys.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { SHOWN = 12 };

static json_t *digest_of(const char *file)
{
    char sum[FILE_SHA256];
    char room[FILE_OF_DATASET];
    bool there = file_sha256(sum, file_of_dataset(room, file), NULL) == 0;
    return json_pack("{s:s, s:o}", "file", file, "sha256", there ? json_string(sum) : json_null());
}

static void add(void *arg, const char *key, json_t *object, const char *name)
{
    json_t **out = arg;
    flow_json_set(out, key, digest_of(json_string_value(json_object_get(object, name))));
}

static json_t *digests_of_target(const json_t *description)
{
    json_t *out = json_object();
    if (description)
        file_keys_of_target((json_t *)(uintptr_t)description /* read only */, add, &out);
    return out;
}

static const char *sum_of(const json_t *digest)
{
    return json_string_value(json_object_get(digest, "sha256"));
}

static void compare(const char *key, const json_t *was, const json_t *is)
{
    const char *before = sum_of(was), *now = sum_of(is);
    if (before && now && strcmp(before, now) != 0)
        notice_warning("%s: %s is not the file that the student was trained on: its SHA-256 is "
                       "%.*s..., and was %.*s...",
                       key, json_string_value(json_object_get(is, "file")), SHOWN, now, SHOWN,
                       before);
}

void digests_compare(const json_t *known, const json_t *description)
{
    json_t *now = json_object_size(known) > 0 ? digests_of_target(description) : NULL;
    for (void *at = json_object_iter(now); at; at = json_object_iter_next(now, at))
        compare(json_object_iter_key(at), json_object_get(known, json_object_iter_key(at)),
                json_object_iter_value(at));
    json_decref(now);
}
