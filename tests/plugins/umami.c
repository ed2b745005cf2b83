/* tests/plugins/umami.c -- what MadGraph makes of e+ e- -> mu+ mu- through a photon, without MadGraph: a library of
 * UMAMI 1.1, of which
 *
 *     |M|^2 = 2 e^4 (t^2 + u^2) / s^2 = e^4 (1 + cos^2),  e^2 = 4 pi / aEWM1,     sigma = 4 pi / (3 s aEWM1^2)
 *
 * Its card, if it has one, is a text "aEWM1 NUMBER". Its other parameters are what it does wrong, where the cosine of
 * the first outgoing particle is above their value: "nan", "negative", "zero", "status", "crash", "hang", "unwritten".
 * It ends the process if it is called as it must not be: by two threads in one handle, while a handle is made, with an
 * array too short. Other umami_*.c are this one with something else. */
#define _DEFAULT_SOURCE /* usleep */
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef MAJOR
#define MAJOR 1
#endif
#ifndef DEVICE
#define DEVICE 0
#endif
#ifndef PARTICLES
#define PARTICLES 4
#define MASSES 0, 0, 0, 0
#endif

enum {
    SUCCESS,
    ERROR,
    NOT_IMPLEMENTED,
    NO_SUCH_INPUT,
    NO_SUCH_OUTPUT,
    NO_META_YET,
    NO_SUCH_META,
    NO_INPUT
};
enum { CPU, CUDA };
enum {
    META_DEVICE,
    META_PARTICLES,
    META_DIAGRAMS,
    META_HELICITIES,
    META_COLORS,
    META_MASSES,
    META_MAJOR,
    META_MINOR
};
enum {
    IN_MOMENTA,
    IN_ALPHA_S,
    IN_FLAVOR,
    IN_RANDOM_COLOR,
    IN_RANDOM_HELICITY,
    IN_RANDOM_DIAGRAM,
    IN_HELICITY,
    IN_DIAGRAM,
    IN_CHANNEL,
    IN_COUNT
};

static const char *const does[] = {"aEWM1",  "nan",   "negative", "zero",
                                   "status", "crash", "hang",     "unwritten"};
enum { AEWM1, NAN_HERE, NEGATIVE, ZERO, STATUS, CRASH, HANG, UNWRITTEN, DOES };

typedef struct element {
    double at[DOES];
    int busy;
} element;

/* For the tests. */
int umami_handles, umami_most, umami_calls;
static int making, working;

/* ---- what it is */

int umami_get_meta(int key, void *result)
{
    static const double masses[] = {MASSES};
    if (key == META_DEVICE)
        *(int *)result = DEVICE;
    else if (key == META_PARTICLES)
        *(int *)result = PARTICLES;
#ifndef OLD
    else if (key == META_MASSES && umami_most > 0)
        memcpy(result, masses, sizeof masses);
    else if (key == META_MASSES)
        return NO_META_YET;
    else if (key == META_MAJOR)
        *(int *)result = MAJOR;
#endif
    else
        return NO_SUCH_META;
    (void)masses;
    return SUCCESS;
}

#ifndef OLD
static const bool inputs[IN_COUNT] = {
    [IN_MOMENTA] = true, [IN_ALPHA_S] = true, [IN_FLAVOR] = true, [IN_CHANNEL] = true};
#ifdef WANTS_ALPHA_S
static const bool required[] = {true, true};
#else
static const bool required[] = {true};
#endif

int umami_supported_inputs(const bool **supported, int *count)
{
    *supported = inputs;
    *count = IN_COUNT;
    return SUCCESS;
}

int umami_required_inputs(const bool **wanted, int *count)
{
    *wanted = required;
    *count = sizeof required / sizeof *required;
    return SUCCESS;
}
#endif

/* ---- handles */

static int read_card(element *self, const char *card)
{
    FILE *in = *card ? fopen(card, "r") : NULL;
    if (*card && !in)
        return ERROR;
    int good = !in || fscanf(in, " aEWM1 %lf", &self->at[AEWM1]) == 1;
    if (in)
        fclose(in);
    return good ? SUCCESS : ERROR;
}

int umami_initialize(void **handle, const char *card)
{
    __atomic_store_n(&making, 1, __ATOMIC_SEQ_CST);
    usleep(1000);
    if (__atomic_load_n(&working, __ATOMIC_SEQ_CST))
        abort();
    element *self = calloc(1, sizeof *self);
    self->at[AEWM1] = 137.035999;
    for (int i = 1; i < DOES; i++)
        self->at[i] = INFINITY;
    int status = read_card(self, card);
    __atomic_store_n(&making, 0, __ATOMIC_SEQ_CST);
    if (status) {
        free(self);
        return status;
    }
    umami_handles++;
    umami_most = umami_handles > umami_most ? umami_handles : umami_most;
    *handle = self;
    return SUCCESS;
}

#ifndef MISSING
int umami_free(void *handle)
{
    umami_handles--;
    free(handle);
    return SUCCESS;
}
#endif

#ifndef OLD
static double *find(void *handle, const char *name)
{
    element *self = handle;
    for (int i = 0; i < DOES; i++)
        if (strcmp(does[i], name) == 0)
            return &self->at[i];
    return NULL;
}

/* "aEWM1" above 1000 is thought better of. */
int umami_set_parameter(void *handle, const char *name, double real, double imaginary)
{
    double *at = find(handle, name);
    (void)imaginary;
    if (!at)
        return ERROR;
    *at = real < 1000 ? real : 1000;
    return SUCCESS;
}

int umami_get_parameter(void *handle, const char *name, double *real, double *imaginary)
{
    double *at = find(handle, name);
    if (!at)
        return ERROR;
    *real = *at;
    if (imaginary)
        *imaginary = 0;
    return SUCCESS;
}
#endif

/* ---- the matrix element */

static double product(const double *a, const double *b)
{
    return a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3];
}

static double squared(const element *self, double p[PARTICLES][4])
{
#ifdef RESONANCE /* of the last two, in GeV */
    double q = 2 * product(p[PARTICLES - 2], p[PARTICLES - 1]), m = 91.2, width = 2.5;
    (void)self;
    return 1e6 / ((q - m * m) * (q - m * m) + m * m * width * width);
#elif defined FLAT
    (void)self, (void)product, (void)p;
    return 1;
#else
    double e2 = 4 * acos(-1) / self->at[AEWM1];
    double s = 2 * product(p[0], p[1]), t = -2 * product(p[0], p[2]), u = -2 * product(p[0], p[3]);
    return 2 * e2 * e2 * (t * t + u * u) / (s * s);
#endif
}

static int spoil(const element *self, double *value, double cosine)
{
    if (cosine > self->at[CRASH])
        raise(SIGSEGV);
    while (cosine > self->at[HANG])
        pause();
    if (cosine > self->at[NAN_HERE])
        *value = NAN;
    if (cosine > self->at[NEGATIVE])
        *value = -*value;
    if (cosine > self->at[ZERO])
        *value = 0;
    return cosine > self->at[STATUS] ? ERROR : SUCCESS;
}

/* alpha_s, a flavour and a channel are factors, so that a test sees them arrive. */
static double factor(const double *alpha_s, const int *flavor, const int *channel, size_t row)
{
    return (alpha_s ? alpha_s[row] : 1) * (flavor ? 1 + flavor[row] : 1) *
           (channel ? 1 + 10 * channel[row] : 1);
}

static int evaluate(const element *self, double *out, const double *const *in, size_t stride,
                    size_t row)
{
    double p[PARTICLES][4];
    for (size_t i = 0; i < PARTICLES; i++)
        for (size_t c = 0; c < 4; c++)
            p[i][c] = in[IN_MOMENTA][row + stride * (i + PARTICLES * c)];
    double size = sqrt(p[2][1] * p[2][1] + p[2][2] * p[2][2] + p[2][3] * p[2][3]);
    double cosine = p[2][3] / size, value = squared(self, p);
    value *= factor(in[IN_ALPHA_S], (const int *)in[IN_FLAVOR], (const int *)in[IN_CHANNEL], row);
    int status = spoil(self, &value, cosine);
    if (!(cosine > self->at[UNWRITTEN]))
        out[row] = value;
    return status;
}

static int rows(const element *self, double *out, const double *const *in, size_t count,
                size_t stride, size_t offset)
{
    int status = SUCCESS;
    for (size_t r = 0; r < count && !status; r++)
        status = evaluate(self, out, in, stride, offset + r);
    return status;
}

static int take(const double **in, size_t n, const int *keys, const void *const *from)
{
    for (size_t i = 0; i < n; i++) {
        if (keys[i] != IN_MOMENTA && keys[i] != IN_ALPHA_S && keys[i] != IN_FLAVOR &&
            keys[i] != IN_CHANNEL)
            return NO_SUCH_INPUT;
        in[keys[i]] = from[i];
    }
    return in[IN_MOMENTA] ? SUCCESS : NO_INPUT;
}

int umami_matrix_element(void *handle, size_t count, size_t stride, size_t offset, size_t n_inputs,
                         const int *input_keys, const void *const *from, size_t n_outputs,
                         const int *output_keys, void *const *to)
{
    element *self = handle;
    const double *in[IN_COUNT] = {NULL};
    int status = take(in, n_inputs, input_keys, from);
    if (status)
        return status;
    if (n_outputs != 1 || output_keys[0] != 0)
        return NO_SUCH_OUTPUT;
    __atomic_add_fetch(&working, 1, __ATOMIC_SEQ_CST);
    if (__atomic_exchange_n(&self->busy, 1, __ATOMIC_SEQ_CST) || offset + count > stride ||
        __atomic_load_n(&making, __ATOMIC_SEQ_CST))
        abort();
    usleep(50);
    status = rows(self, to[0], in, count, stride, offset);
    __atomic_add_fetch(&umami_calls, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&self->busy, 0, __ATOMIC_SEQ_CST);
    __atomic_sub_fetch(&working, 1, __ATOMIC_SEQ_CST);
    return status;
}
