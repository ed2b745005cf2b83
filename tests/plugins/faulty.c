/* tests/plugins/faulty.c -- a plug-in that does what its options say: a standard normal of two columns and,
 * "WORD" or "WORD:EDGE", something wrong, while it is opened or at rows whose first number is above the edge
 * (default 2). */
#include "distill_target.h"

#include <fenv.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const twice[] = {"x", "x"}, *const empty[] = {"x", ""},
                         *const good[] = {"u", "v"};

typedef struct faulty {
    char word[32];
    double edge;
    unsigned calls;
} faulty;

static int is(const faulty *f, const char *word)
{
    return strcmp(f->word, word) == 0;
}

/* ---- while it is opened */

static void say(const faulty *f, distill_about *about)
{
    about->dim = is(f, "dim0") ? 0 : is(f, "dim") ? (size_t)-1 : 2;
    about->flags = is(f, "flags") ? 64 : DISTILL_GRADIENT | DISTILL_THREADS;
    about->log_z = is(f, "log_z") ? INFINITY : log(2 * 3.14159265358979323846);
    about->names = is(f, "twice") ? twice : is(f, "empty") ? empty : good;
}

static int faulty_open(void **handle, distill_about *about, const char *options, char *message)
{
    faulty *f = malloc(sizeof *f);
    if (!f)
        return DISTILL_FATAL;
    *f = (faulty){.edge = 2};
    sscanf(options, "%31[a-z_0-9]:%lf", f->word, &f->edge);
    say(f, about);
    if (is(f, "open_crash"))
        raise(SIGSEGV);
    if (is(f, "open_hang"))
        pause();
    if (is(f, "open_exit"))
        exit(0);
    *handle = f;
    if (!is(f, "open") && !is(f, "silent"))
        return DISTILL_GOOD;
    if (is(f, "open"))
        snprintf(message, DISTILL_MESSAGE, "there is no such\nmodel");
    free(f);
    return DISTILL_FATAL;
}

/* ---- at a row */

static void misbehave(const faulty *f)
{
    if (is(f, "crash"))
        raise(SIGSEGV);
    if (is(f, "abort"))
        abort();
    if (is(f, "exit"))
        exit(3);
    if (is(f, "hang"))
        for (;;)
            pause();
    if (is(f, "close")) { /* everything that it did not open */
        for (int fd = 0; fd < 64; fd++)
            close(fd);
        pause();
    }
}

/* The status of a row above the edge. */
static int spoil(const faulty *f, double *logp, double *grad)
{
    if (is(f, "nan"))
        *logp = NAN;
    if (is(f, "inf"))
        *logp = INFINITY;
    if (is(f, "minus"))
        *logp = -INFINITY;
    if (is(f, "slope") && grad)
        grad[1] = NAN;
    if (is(f, "lie") && grad)
        grad[1] += 0.3;
    if (is(f, "sign") && grad)
        grad[1] = -grad[1];
    return is(f, "none_here") ? DISTILL_NO_DENSITY
           : is(f, "broken")  ? DISTILL_BROKEN
           : is(f, "garbage") ? 17
                              : DISTILL_GOOD;
}

static int normal(const faulty *f, double *logp, double *grad, const double *x)
{
    if (x[0] > f->edge)
        misbehave(f);
    if (x[0] > f->edge && is(f, "unwritten"))
        return DISTILL_GOOD;
    *logp = -0.5 * (x[0] * x[0] + x[1] * x[1]);
    for (int i = 0; grad && i < 2; i++)
        grad[i] = -x[i];
    return x[0] > f->edge ? spoil(f, logp, grad) : DISTILL_GOOD;
}

static int of_the_whole(const faulty *f, char *message)
{
    if (is(f, "print"))
        printf("a word on stdout\n");
    if (is(f, "rounding"))
        fesetround(FE_UPWARD);
    if (is(f, "fatal"))
        snprintf(message, DISTILL_MESSAGE, "the data are gone");
    if (is(f, "endless"))
        memset(message, 'x', DISTILL_MESSAGE);
    return is(f, "fatal") || is(f, "mute") || is(f, "endless") ? DISTILL_FATAL
           : is(f, "code")                                     ? 99
           : is(f, "nowhere")                                  ? DISTILL_NO_DENSITY
                                                               : DISTILL_GOOD;
}

static int faulty_rows(void *handle, double *logp, double *grad, int *status, const double *x,
                       size_t n, char *message)
{
    faulty *f = handle;
    if (is(f, "position"))
        status[n / 2] = DISTILL_BROKEN;
    for (size_t r = 0; r < n; r++) {
        int how = normal(f, logp + r, grad ? grad + 2 * r : NULL, x + 2 * r);
        status[r] = status[r] ? status[r] : how;
        logp[r] += is(f, "noise") ? 1e-9 * ++f->calls : 0;
        logp[r] = is(f, "flat") ? 0 : logp[r];
        for (size_t i = 0; i < 2 && grad && is(f, "flat"); i++)
            grad[2 * r + i] = 0;
    }
    return of_the_whole(f, message);
}

static void faulty_close(void *handle)
{
    faulty *f = handle;
    if (is(f, "close_crash"))
        raise(SIGSEGV);
    free(f);
}

const distill_target distill_plugin = {DISTILL_TARGET_VERSION, faulty_open, faulty_close,
                                       faulty_rows, NULL};
