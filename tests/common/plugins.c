#include "tests/common/plugins.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *built_path(char *out, const char *file)
{
    char own[PLUGIN_TEXT / 2] = "";
    if (readlink("/proc/self/exe", own, sizeof own - 1) < 0)
        return NULL;
    char *at = own, *tests = own;
    while ((at = strstr(at, "/tests/")))
        tests = at++;
    *tests = '\0';
    snprintf(out, PLUGIN_TEXT, "%s/%s", own, file);
    return out;
}

const char *plugin_text(char *out, const char *file, const char *more)
{
    char path[PLUGIN_TEXT];
    built_path(path, file);
    snprintf(out, PLUGIN_TEXT, "{\"kind\": \"plugin\", \"path\": \"%.4000s\"%s%.3000s}", path,
             *more ? ", " : "", more);
    return out;
}
