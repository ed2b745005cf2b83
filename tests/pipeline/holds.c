#include "tests/pipeline/holds.h"

#include <ctype.h>

bool holds(const char *text, const char *part)
{
    for (const char *start = text; *start; start++) {
        const char *at = start, *want = part;
        while (*want && (*at == *want || (isspace((unsigned char)*at) && *want == ' '))) {
            at++;
            if (*want++ == ' ')
                while (isspace((unsigned char)*at))
                    at++;
        }
        if (!*want)
            return true;
    }
    return false;
}
