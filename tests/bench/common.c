#include "tests/bench/common.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void die(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fputs("bench: ", stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

void *take(size_t count, size_t size)
{
    if (count > (SIZE_MAX - 128) / size)
        die("a buffer of %zu objects is too large", count);
    size_t bytes = (count * size + 64) / 64 * 64;
    void *at = aligned_alloc(64, bytes);
    if (!at)
        die("out of memory for %zu bytes", bytes);
    memset(at, 0, bytes);
    return at;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double median(const double *values, size_t count)
{
    double sorted[64];
    for (size_t i = 0; i < count; i++)
        if (isnan(values[i]))
            return NAN;
    if (count == 0 || count > sizeof sorted / sizeof sorted[0])
        die("a median of %zu numbers", count);
    memcpy(sorted, values, count * sizeof *values);
    qsort(sorted, count, sizeof *sorted, ascending);
    return 0.5 * (sorted[(count - 1) / 2] + sorted[count / 2]);
}
