#include "pipeline/config/name_after.h"

#include "pipeline/config/field.h"

#include <string.h>

bool name_after(config *self, const char *file)
{
    const char *slash = strrchr(file, '/'), *start = slash ? slash + 1 : file;
    const char *dot = strrchr(start, '.');
    size_t size = dot && dot > start ? (size_t)(dot - start) : strlen(start);
    char *name = field_memory(self, size + 2);
    if (!name)
        return false;
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    for (size_t i = 0; i < size; i++)
        name[i] = start[i];
    name[size] = '\0';
    for (size_t i = strspn(name, allowed); name[i]; i += strspn(name + i, allowed))
        name[i] = '_';
    if (*name == '.' || *name == '-')
        *name = '_';
    self->name = *name ? name : "run";
    return true;
}
