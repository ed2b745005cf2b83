#include "pipeline/console/json_print.h"

#include <stdio.h>

int json_print(const json_t *document, flow_err *err)
{
    if (document && json_dumpf(document, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(17)) == 0) {
        putchar('\n');
        return 0;
    }
    return flow_fail(err, FLOW_ENOMEM, "out of memory for JSON");
}
