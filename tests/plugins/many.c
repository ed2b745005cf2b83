/* tests/plugins/many.c -- a normal column with as many quantities as the options say: x, x + 1, x + 2, ... */
#include "distill_quantities.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct many {
    char (*text)[32];
    const char **names;
} many;

static int many_open(void **handle, distill_about *about, const char *options, char *message)
{
    (void)handle, (void)options, (void)message;
    about->dim = 1;
    about->flags = DISTILL_THREADS;
    return DISTILL_GOOD;
}

static int many_row(void *handle, double *logp, double *grad, const double *x, char *message)
{
    (void)handle, (void)grad, (void)message;
    *logp = -0.5 * x[0] * x[0];
    return DISTILL_GOOD;
}

static void close_derived(void *handle)
{
    many *self = handle;
    free(self->text);
    free(self->names);
    free(self);
}

static int open_derived(void **handle, distill_quantities_about *about, const char *const *columns,
                        size_t dim, const char *options, char *message)
{
    size_t n = (size_t)atoi(options);
    many *self = *handle = calloc(1, sizeof *self);
    (void)columns, (void)dim, (void)message;
    if (!self)
        return DISTILL_FATAL;
    self->text = calloc(n, sizeof *self->text);
    self->names = calloc(n, sizeof *self->names);
    for (size_t j = 0; self->text && self->names && j < n; j++) {
        snprintf(self->text[j], sizeof self->text[j], "q%zu", j);
        self->names[j] = self->text[j];
    }
    about->count = n;
    about->flags = DISTILL_THREADS;
    about->names = self->names;
    return DISTILL_GOOD;
}

static int derived_rows(void *handle, double *values, size_t k, int *status, const double *x,
                        size_t n, char *message)
{
    (void)handle, (void)status, (void)message;
    for (size_t r = 0; r < n; r++)
        for (size_t j = 0; j < k; j++)
            values[r * k + j] = x[r] + (double)j;
    return DISTILL_GOOD;
}

const distill_target distill_plugin = {DISTILL_TARGET_VERSION, many_open, NULL, NULL, many_row};
const distill_derived distill_quantities = {DISTILL_QUANTITIES_VERSION, open_derived, close_derived,
                                            derived_rows};
