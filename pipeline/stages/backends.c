#include "pipeline/stages/backends.h"

#include "pipeline/console/notice.h"

#include <string.h>

void backends_compare(const char *stage, const char *how, const json_t *kept, const char *backend)
{
    const char *was = json_string_value(json_object_get(kept, "backend"));
    if (was && backend && strcmp(was, backend) != 0)
        notice_warning("%s %s with %s, and here networks are computed with %s: the last bits may "
                       "be others than of one processor",
                       stage, how, was, backend);
}
