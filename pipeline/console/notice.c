#include "pipeline/console/notice.h"

#include <stdarg.h>
#include <stdio.h>

void notice_warning(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fputs("distill: warning: ", stderr);
    vfprintf(stderr, fmt, args);
    putc('\n', stderr);
    va_end(args);
}

void notice_note(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fputs("distill: note: ", stderr);
    vfprintf(stderr, fmt, args);
    putc('\n', stderr);
    va_end(args);
}
