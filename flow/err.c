#include "flow/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int flow_fail(flow_err *err, flow_code code, const char *fmt, ...)
{
    if (err) {
        va_list args;
        va_start(args, fmt);
        err->code = (int)code;
        vsnprintf(err->text, sizeof err->text, fmt, args);
        va_end(args);
    }
    return (int)code;
}

int flow_fail_prefix(flow_err *err, const char *prefix)
{
    if (!err)
        return FLOW_EBUG;
    char text[sizeof err->text];
    memcpy(text, err->text, sizeof text);
    snprintf(err->text, sizeof err->text, "%.200s: %.800s", prefix, text);
    return err->code;
}
