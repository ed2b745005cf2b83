/* tests/plugins/derived.c -- quantities without a density, of rows with columns x0 and x1, or as "of=NAME" says of another and
 * x1; "does=WORD" is what is wrong with them. */
#include "distill_quantities.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct derived {
    size_t at, dim; /* at: of the column */
    char does[16];
} derived;

static const char *const names[] = {"exp", "square", "mean"}, *const twice[] = {"exp", "exp",
                                                                                "mean"};

static const char *const column[] = {"exp", "x0", "mean"};

static const char *const *names_of(const char *does)
{
    return strcmp(does, "nameless") == 0 ? NULL
           : strcmp(does, "twice") == 0  ? twice
           : strcmp(does, "column") == 0 ? column
                                         : names;
}

static size_t find(const char *name, const char *const *columns, size_t dim)
{
    size_t j = 0;
    while (j < dim && strcmp(columns[j], name) != 0)
        j++;
    return j;
}

static int derived_open(void **handle, distill_quantities_about *about, const char *const *columns,
                        size_t dim, const char *options, char *message)
{
    char name[64] = "x0";
    derived *d = calloc(1, sizeof *d);
    if (!d)
        return DISTILL_FATAL;
    sscanf(options, "of=%63s", name);
    sscanf(options, "does=%15s", d->does);
    d->dim = dim;
    d->at = find(name, columns, dim);
    if (d->at == dim) {
        snprintf(message, DISTILL_MESSAGE, "there is no column '%s'", name);
        free(d);
        return DISTILL_FATAL;
    }
    *handle = d;
    about->count = strcmp(d->does, "none") == 0 ? 0 : 3;
    about->usual = strcmp(d->does, "usual") == 0 ? 4 : 2;
    about->flags = strcmp(d->does, "flags") == 0 ? 64 : 0;
    about->names = names_of(d->does);
    return DISTILL_GOOD;
}

/* Where the column is above 1. */
static int misbehave(const derived *d, double *to, char *message)
{
    if (strcmp(d->does, "broken") == 0 && !*message)
        snprintf(message, DISTILL_MESSAGE, "it is\nmore than 1");
    if (strcmp(d->does, "crash") == 0)
        raise(SIGSEGV);
    if (strcmp(d->does, "nan") == 0)
        to[1] = (double)NAN;
    return strcmp(d->does, "broken") == 0 ? DISTILL_BROKEN : strcmp(d->does, "code") == 0 ? 9 : 0;
}

static int derived_rows(void *handle, double *values, size_t k, int *status, const double *x,
                        size_t n, char *message)
{
    const derived *d = handle;
    if (strcmp(d->does, "fatal") == 0)
        return snprintf(message, DISTILL_MESSAGE, "no more"), DISTILL_FATAL;
    if (strcmp(d->does, "print") == 0)
        puts("a word on stdout");
    for (size_t r = 0; r < n; r++, values += k, x += d->dim) {
        double u = x[d->at], sum = 0;
        for (size_t j = 0; j < d->dim; j++)
            sum += x[j];
        values[0] = exp(u);
        values[1] = u * u;
        if (k == 3)
            values[2] = sum / (double)d->dim;
        if (u > 1)
            status[r] = misbehave(d, values, message);
    }
    return DISTILL_GOOD;
}

const distill_derived distill_quantities = {DISTILL_QUANTITIES_VERSION, derived_open, free,
                                            derived_rows};
