#include "tests/teacher/umami_made.h"

#include "teacher/plugin_workers.h"
#include "tests/common/plugins.h"
#include "tests/teacher/energies.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <stdio.h>

target *umami_make(const char *file, const char *more, flow_err *err)
{
    static char program[PLUGIN_TEXT];
    plugin_set_host(&(plugin_host){.program = built_path(program, "distill")});
    return energy_of_plugin(file, more, err);
}

const char *umami_with(char *more, const char *words, const char *keys)
{
    size_t used = (size_t)sprintf(more, "\"options\": \"{");
    for (; *words; words++)
        used += (size_t)sprintf(more + used, *words == '\'' ? "\\\"" : "%c", *words);
    sprintf(more + used, "}\"%s", keys);
    return more;
}

target *umami_of(const char *file, const char *words, const char *keys)
{
    char more[1000];
    flow_err err;
    target *t = umami_make(file, umami_with(more, words, keys), &err);
    cr_assert(t, "%s: %s", words, err.text);
    return t;
}

int umami_count(const char *symbol)
{
    char path[PLUGIN_TEXT];
    void *library = dlopen(built_path(path, UMAMI_MUONS), RTLD_NOW | RTLD_NOLOAD);
    cr_assert(library, "it is not loaded");
    int out = *(int *)dlsym(library, symbol);
    dlclose(library);
    return out;
}
