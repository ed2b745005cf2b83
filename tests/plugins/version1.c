/* tests/plugins/version1.c -- a library as the first version of the header had it, whose about ended at upper: an exponential
 * law of x, and a normal one of y. It needs no header of today. */
#include <math.h>
#include <stddef.h>

typedef struct old_about {
    size_t dim;
    unsigned flags;
    double log_z;
    const char *const *names;
    const double *lower, *upper;
} old_about;

typedef struct old_target {
    int version;
    int (*open)(void **handle, old_about *about, const char *options, char *message);
    void (*close)(void *handle);
    int (*rows)(void *handle, double *logp, double *grad, int *status, const double *x, size_t n,
                char *message);
    int (*row)(void *handle, double *logp, double *grad, const double *x, char *message);
} old_target;

static int old_open(void **handle, old_about *about, const char *options, char *message)
{
    static const double lower[] = {0, -INFINITY};
    (void)handle, (void)options, (void)message;
    *about = (old_about){.dim = 2, .flags = 2, .log_z = 0.91893853320467274178, .lower = lower};
    return 0;
}

static int old_row(void *handle, double *logp, double *grad, const double *x, char *message)
{
    (void)handle, (void)grad, (void)message;
    *logp = -x[0] - 0.5 * x[1] * x[1];
    return 0;
}

extern const old_target distill_plugin;
const old_target distill_plugin = {1, old_open, NULL, NULL, old_row};
