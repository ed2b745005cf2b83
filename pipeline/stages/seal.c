#define _XOPEN_SOURCE 700 /* fdopen */

#include "pipeline/stages/seal.h"

#include "files/sha256.h"
#include "flow/json.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char SEAL[] = "seal";

/* Of all but the seal; false: out of memory. */
static bool digest(char out[FILE_SHA256], const json_t *object)
{
    json_t *rest = json_copy((json_t *)(uintptr_t)object /* read only */);
    if (rest)
        json_object_del(rest, SEAL);
    char *text = flow_json_text(rest, JSON_COMPACT | JSON_SORT_KEYS);
    if (text)
        file_sha256_bytes(out, text, strlen(text));
    bool good = text != NULL;
    free(text);
    json_decref(rest);
    return good;
}

void seal_add(json_t **object)
{
    char sum[FILE_SHA256];
    bool good = digest(sum, *object);
    flow_json_set(object, SEAL, good ? json_string(sum) : NULL);
}

bool seal_is_right(const json_t *object)
{
    char sum[FILE_SHA256];
    const char *is = json_string_value(json_object_get(object, SEAL));
    return is && digest(sum, object) && strcmp(sum, is) == 0;
}

/* A pipe by that name is not waited for. */
static FILE *open_plain(const char *path)
{
    struct stat is;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    FILE *out = fd >= 0 && fstat(fd, &is) == 0 && S_ISREG(is.st_mode) ? fdopen(fd, "rb") : NULL;
    if (fd >= 0 && !out)
        close(fd);
    return out;
}

json_t *seal_read(const char *path)
{
    FILE *in = open_plain(path);
    json_t *out = in ? json_loadf(in, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (in)
        fclose(in);
    if (seal_is_right(out))
        return out;
    json_decref(out);
    return NULL;
}

bool seal_is_broken(const char *path)
{
    struct stat is;
    json_t *read = lstat(path, &is) == 0 ? seal_read(path) : json_null();
    json_decref(read);
    return !read;
}
