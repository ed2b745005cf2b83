/* radius.c -- an example of distill_quantities.h: how far a row is from the origin, in the columns that are named in the
 * options, or in all.
 *
 *     cc -O2 -shared -fPIC -I plugin -o radius.so plugin/radius.c -lm
 *     distill estimate runs/banana --function ./radius.so --options x,y --of radius */
#include "distill_quantities.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct radius {
    size_t dim;
    unsigned char counts[]; /* (dim) whether a column is meant */
} radius;

static const char *const names[] = {"radius"};

/* The column of this name; dim: there is none. */
static size_t column_of(const char *const *columns, size_t dim, const char *name, size_t length)
{
    size_t j = 0;
    while (j < dim && (strlen(columns[j]) != length || strncmp(columns[j], name, length) != 0))
        j++;
    return j;
}

static int radius_open(void **handle, distill_quantities_about *about, const char *const *columns,
                       size_t dim, const char *options, char *message)
{
    radius *self = calloc(1, sizeof *self + dim);
    if (!self)
        return DISTILL_FATAL; /* a message is better, but none is needed */
    self->dim = dim;
    memset(self->counts, *options == '\0', dim);
    while (*options) {
        size_t length = strcspn(options, ","), at = column_of(columns, dim, options, length);
        if (at == dim) {
            snprintf(message, DISTILL_MESSAGE, "options: there is no column '%.*s'", (int)length,
                     options);
            free(self);
            return DISTILL_FATAL;
        }
        self->counts[at] = 1;
        options += length + (options[length] == ',');
    }
    *about = (distill_quantities_about){.count = 1, .flags = DISTILL_THREADS, .names = names};
    *handle = self;
    return DISTILL_GOOD;
}

static int radius_rows(void *handle, double *values, size_t k, int *status, const double *x,
                       size_t n, char *message)
{
    const radius *self = handle;
    (void)k, (void)status, (void)message; /* there is one, and every row has it */
    for (size_t r = 0; r < n; r++, x += self->dim) {
        double sum = 0;
        for (size_t j = 0; j < self->dim; j++)
            sum += self->counts[j] ? x[j] * x[j] : 0;
        values[r] = sqrt(sum);
    }
    return DISTILL_GOOD;
}

const distill_derived distill_quantities = {
    .version = DISTILL_QUANTITIES_VERSION, .open = radius_open, .close = free, .rows = radius_rows};
