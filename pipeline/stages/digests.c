#include "pipeline/stages/digests.h"

#include "files/sha256.h"
#include "flow/json.h"
#include "pipeline/console/notice.h"
#include "teacher/target.h"

#include <stdio.h>
#include <string.h>

enum { PATH = 256, SHOWN = 12 };

static json_t *digest_of(const char *file)
{
    char sum[FILE_SHA256];
    bool there = file_sha256(sum, file, NULL) == 0;
    return json_pack("{s:s, s:o}", "file", file, "sha256", there ? json_string(sum) : json_null());
}

static void add(json_t **out, const char *path, const flow_registry *kinds, const json_t *object);

static void add_key(json_t **out, const char *path, const flow_key *key, const json_t *value)
{
    char whole[PATH];
    snprintf(whole, sizeof whole, "%.180s.%.60s", path, key->name);
    if (key->flags & FLOW_KEY_FILE && json_is_string(value))
        flow_json_set(out, whole, digest_of(json_string_value(value)));
    else if (key->type == FLOW_KEY_KIND && json_is_object(value))
        add(out, whole, key->kinds, value);
}

static void add(json_t **out, const char *path, const flow_registry *kinds, const json_t *object)
{
    const flow_kind *kind = flow_kind_of(kinds, object, NULL);
    for (const flow_key *key = kind ? kind->keys : NULL; key && key->name; key++)
        add_key(out, path, key, json_object_get(object, key->name));
}

json_t *digests_of_target(const json_t *description)
{
    json_t *out = json_object();
    if (description)
        add(&out, "target", &target_registry, description);
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
