#include "pipeline/console/notice.h"

#include <stdarg.h>
#include <stdio.h>

static void tell(const char *what, const char *fmt, va_list args)
{
    fprintf(stderr, "distill: %s: ", what);
    vfprintf(stderr, fmt, args);
    putc('\n', stderr);
}

void notice_warning(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    tell("warning", fmt, args);
    va_end(args);
}

void notice_note(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    tell("note", fmt, args);
    va_end(args);
}
