#include "files/hdf5_path.h"

#include "files/hdf5.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Whether the n first characters end like the name of such a file. */
static bool is_file(const char *path, size_t n)
{
    static const char *const endings[] = {".h5", ".hdf5", ".hdf"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t len = strlen(endings[i]);
        if (n >= len && strncasecmp(path + n - len, endings[i], len) == 0)
            return true;
    }
    return false;
}

const char *file_dataset_of(const char *path)
{
    for (const char *at = strstr(path, ":/"); at; at = strstr(at + 1, ":/"))
        if (is_file(path, (size_t)(at - path)))
            return at + 1;
    return NULL;
}

const char *file_of_dataset(char room[FILE_OF_DATASET], const char *path)
{
    const char *dataset = file_dataset_of(path);
    if (!dataset)
        return path;
    snprintf(room, FILE_OF_DATASET, "%.*s", (int)(dataset - 1 - path), path);
    return room;
}

bool file_is_hdf5(const char *path)
{
    return file_dataset_of(path) || is_file(path, strlen(path));
}
