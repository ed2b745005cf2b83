#include "pipeline/command/config_of.h"

#include "pipeline/stages/record.h"

#include <string.h>
#include <sys/stat.h>

bool config_of_directory(const char *path)
{
    struct stat is;
    return stat(path, &is) == 0 && S_ISDIR(is.st_mode);
}

bool config_of_is(const char *path)
{
    const char *dot = strrchr(path, '.');
    return config_of_directory(path) ||
           (dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0));
}

const char *config_of(char *room, const char *path, flow_err *err)
{
    return config_of_directory(path) ? record_given(room, path, err) : path;
}
