/* distill_target.h -- a density of your own for distill: a shared library with one table in it.
 *
 *     cc -O2 -shared -fPIC -I DIR_OF_THIS_HEADER -o banana.so banana.c -lm
 *     target: {kind: plugin, path: banana.so, options: "bend=0.3"}
 *
 * Numbers are double. x and grad are n rows of dim columns without gaps. Every array is the caller's and
 * yours only during the call; every point is finite. C11 and C++. The README beside this file has more. */
#ifndef DISTILL_TARGET_H
#define DISTILL_TARGET_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DISTILL_TARGET_VERSION 2 /* 1, whose about ends behind upper, is taken, too */
#define DISTILL_MESSAGE 512      /* bytes of a message, its '\0' included; "" at first */

/* How a row turned out. Told by the numbers, too: logp -inf is NO_DENSITY; NaN, +inf, or a gradient that is
 * not finite is BROKEN, and so is whatever was left unwritten. FATAL ends the run with your message. */
enum { DISTILL_GOOD = 0, DISTILL_NO_DENSITY = 1, DISTILL_BROKEN = 2, DISTILL_FATAL = -1 };

/* GRADIENT: grad is filled in. THREADS: several threads may call at once on one handle. */
enum { DISTILL_GRADIENT = 1, DISTILL_THREADS = 2 };

/* For open to fill in; zero at first, log_z NaN. */
typedef struct distill_about {
    size_t dim;
    unsigned flags;           /* DISTILL_GRADIENT | DISTILL_THREADS */
    double log_z;             /* log of the integral of exp(logp); NaN: not known */
    const char *const *names; /* (dim) of the columns, yours until close; NULL: none */
    /* (dim) ends of the support, -+INFINITY where there is none; yours until close; NULL: R^dim. logp stays
     * the density of x, and points are inside, or so near to an end that they are rounded to it. */
    const double *lower, *upper;
    /* (dim) periods of columns on circles, else 0; NULL: none. Points are in [0, period), or from lower to upper. */
    const double *period;
} distill_about;

typedef struct distill_target {
    int version; /* DISTILL_TARGET_VERSION */
    /* options: what the config says, "" if nothing. DISTILL_GOOD, or FATAL with a message. */
    int (*open)(void **handle, distill_about *about, const char *options, char *message);
    void (*close)(void *handle); /* after a good open; NULL: there is nothing to do */
    /* logp (n), up to a constant; grad (n, dim) unless NULL: not wanted; status (n), GOOD at first.
     * Returns what holds for all rows: GOOD (see status), NO_DENSITY, BROKEN or FATAL. */
    int (*rows)(void *handle, double *logp, double *grad, int *status, const double *x, size_t n,
                char *message);
    /* One row, for the lazy: asked only if rows is NULL. Returns how it turned out, or FATAL. */
    int (*row)(void *handle, double *logp, double *grad, const double *x, char *message);
} distill_target;

/* Yours to define, by this name. */
extern __attribute__((visibility("default"))) const distill_target distill_plugin;

#ifdef __cplusplus
}
#endif
#endif
