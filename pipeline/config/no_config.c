#include "pipeline/config/no_config.h"

#include "files/read.h"

#include <stdio.h>

bool no_config_table(complaints *out, const char *name)
{
    char help[256];
    if (!file_is_table(name))
        return false;
    snprintf(help, sizeof help, "a .yaml with the line data: {path: %.120s} is a whole one", name);
    complain(out, E_FILE, (place){complaints_source(out, name, NULL, 0), 0, 0, 1}, help,
             "is a table, not a config");
    return true;
}
