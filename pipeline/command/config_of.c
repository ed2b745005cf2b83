#include "pipeline/command/config_of.h"

#include "pipeline/stages/record.h"

#include <string.h>

bool config_of_is(const char *path)
{
    const char *dot = strrchr(path, '.');
    return rundir_is_folder(path) ||
           (dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0));
}

const char *config_of(char *room, const char *path, flow_err *err)
{
    return rundir_is_folder(path) ? record_given(room, path, err) : path;
}
