#include "pipeline/stages/known.h"

#include "files/hdf5_path.h"
#include "files/sha256.h"
#include "flow/json.h"
#include "pipeline/console/notice.h"
#include "pipeline/stages/seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int known_read(known *out, const char *root, flow_err *err)
{
    char path[RUNDIR_PATH];
    json_t *all = seal_read(rundir_in(path, root, RUNDIR_MEMORY));
    if (!all && seal_is_broken(path))
        notice_warning(
            "%s was changed since it was written: it is left aside, and so is the seed that was "
            "drawn, if none was given",
            path);
    const json_t *seed = json_object_get(all, "seed"), *files = json_object_get(all, "files");
    *out = (known){.files = json_is_object(files) ? json_deep_copy(files) : json_object(),
                   .has_seed = json_is_integer(seed),
                   .seed = (uint64_t)json_integer_value(seed)};
    json_decref(all);
    return out->files ? 0 : flow_fail(err, FLOW_ENOMEM, "out of memory for " RUNDIR_MEMORY);
}

int known_write(const known *self, const char *root, flow_err *err)
{
    const rundir at = rundir_at(root);
    json_t *out = json_object();
    flow_json_set(&out, "files", json_incref(self->files));
    flow_json_set(&out, "seed",
                  self->has_seed ? json_integer((json_int_t)self->seed) : json_null());
    seal_add(&out);
    int code = rundir_write_json(&at, RUNDIR_MEMORY, out, err);
    json_decref(out);
    return code;
}

void known_release(known *self)
{
    json_decref(self->files);
    self->files = NULL;
}

/* ---- files */

static long long time_of(const struct stat *is)
{
    return (long long)is->st_mtim.tv_sec * 1000000000 + is->st_mtim.tv_nsec;
}

static bool is_of(const json_t *entry, const struct stat *is)
{
    return json_integer_value(json_object_get(entry, "size")) == is->st_size &&
           json_integer_value(json_object_get(entry, "time")) == time_of(is) &&
           json_integer_value(json_object_get(entry, "place")) == (json_int_t)is->st_ino;
}

bool known_is_same(const known *self, const char *named)
{
    struct stat is;
    char room[FILE_OF_DATASET];
    const char *path = file_of_dataset(room, named);
    const json_t *entry = json_object_get(self->files, path);
    return !entry || (stat(path, &is) == 0 && is_of(entry, &is));
}

/* As the file was before it was read: one that changes meanwhile is another one afterwards. */
static json_t *remember(known *self, const char *path, const struct stat *is, const char *sum)
{
    json_t *entry =
        json_pack("{s:I, s:I, s:I, s:s}", "size", (json_int_t)is->st_size, "time",
                  (json_int_t)time_of(is), "place", (json_int_t)is->st_ino, "sha256", sum);
    if (entry)
        json_object_set_new(self->files, path, entry);
    return json_string(sum);
}

json_t *known_digest(known *self, const char *named)
{
    struct stat is;
    char room[FILE_OF_DATASET];
    const char *path = file_of_dataset(room, named);
    char sum[FILE_SHA256];
    if (stat(path, &is) || !S_ISREG(is.st_mode))
        return json_null();
    const json_t *entry = json_object_get(self->files, path);
    if (entry && is_of(entry, &is))
        return json_incref(json_object_get(entry, "sha256"));
    return file_sha256(sum, path, NULL) ? json_null() : remember(self, path, &is, sum);
}
