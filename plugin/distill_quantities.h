/* distill_quantities.h -- numbers of your own that are functions of a row, for distill: a radius, a difference of two columns,
 * what a reader calls a parameter where the density has its logarithm. A shared library with one table in it: beside
 * a density (distill_target.h) samples have them, too; alone it is for `--function`.
 *
 *     cc -O2 -shared -fPIC -I DIR_OF_THIS_HEADER -o radius.so radius.c -lm
 *     distill estimate runs/banana --function ./radius.so --of radius
 *
 * As in distill_target.h: numbers are double, arrays are the caller's and without gaps. The README beside this file has more. */
#ifndef DISTILL_QUANTITIES_H
#define DISTILL_QUANTITIES_H

#include "distill_target.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DISTILL_QUANTITIES_VERSION 1

/* INSTEAD: they say all that the columns do, and stand in their place; without it they stand behind them. */
enum { DISTILL_INSTEAD = 4 };

/* For open to fill in; zero at first. */
typedef struct distill_quantities_about {
    size_t count;             /* K */
    size_t usual;             /* so many, the first ones, unless all are asked for; 0: all */
    unsigned flags;           /* DISTILL_THREADS | DISTILL_INSTEAD */
    const char *const *names; /* (count), yours until close */
} distill_quantities_about;

typedef struct distill_derived {
    int version; /* DISTILL_QUANTITIES_VERSION */
    /* columns (dim): what the numbers of a row are called, ours during the call; options: those of the density, or "".
     * DISTILL_GOOD, or FATAL with a message. */
    int (*open)(void **handle, distill_quantities_about *about, const char *const *columns,
                size_t dim, const char *options, char *message);
    void (*close)(void *handle); /* after a good open; NULL: there is nothing to do */
    /* values (n, k) of x (n, dim), the first k: usual or count; status (n), GOOD at first. A row that is marked BROKEN has none;
     * a message then says of the first why. What is left unwritten is NaN. Returns what holds for all rows:
     * GOOD (see status), BROKEN or FATAL. */
    int (*rows)(void *handle, double *values, size_t k, int *status, const double *x, size_t n,
                char *message);
} distill_derived;

/* Yours to define, by this name. */
extern __attribute__((visibility("default"))) const distill_derived distill_quantities;

#ifdef __cplusplus
}
#endif
#endif
