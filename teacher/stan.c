#include "teacher/stan.h"

#include "flow/pcg.h"
#include "teacher/data_text.h"
#include "teacher/streams.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of random numbers in a model's transformed data: a run has the same ones each time, in each worker. */
enum { SEED = 1 };

/* Points of (-2, 2)^D, of which one must not make the model throw: as many as Stan itself tries to start at. */
enum { STARTS = 100 };

enum { NEWEST = 2 }; /* version whose functions these are */

typedef struct bs_model bs_model;

typedef struct functions {
    bs_model *(*construct)(const char *data, unsigned seed, char **why);
    void (*destruct)(bs_model *model);
    void (*free_message)(char *why);
    const char *(*info)(const bs_model *model);
    const char *(*names)(const bs_model *model);
    int (*dim)(const bs_model *model);
    int (*density)(const bs_model *model, bool propto, bool jacobian, const double *x, double *logp,
                   char **why);
    int (*gradient)(const bs_model *model, bool propto, bool jacobian, const double *x,
                    double *logp, double *grad, char **why);
} functions;

static const struct {
    const char *symbol;
    size_t at;
} wanted[] = {
    {"bs_model_construct", offsetof(functions, construct)},
    {"bs_model_destruct", offsetof(functions, destruct)},
    {"bs_free_error_msg", offsetof(functions, free_message)},
    {"bs_model_info", offsetof(functions, info)},
    {"bs_param_unc_names", offsetof(functions, names)},
    {"bs_param_unc_num", offsetof(functions, dim)},
    {"bs_log_density", offsetof(functions, density)},
    {"bs_log_density_gradient", offsetof(functions, gradient)},
};
enum { N_WANTED = sizeof wanted / sizeof *wanted };

typedef struct stan {
    functions call;
    bs_model *model;
    char *text;         /* names, each with its '\0' */
    const char **names; /* (D), into text */
} stan;

static int refuse(char *message, flow_code code, const char *text)
{
    snprintf(message, DISTILL_MESSAGE, "%s", text);
    return code;
}

/* ---- the library */

bool stan_is_one(void *library)
{
    for (size_t i = 0; i < N_WANTED; i++)
        if (dlsym(library, wanted[i].symbol))
            return true;
    return false;
}

/* Before version 2 there was no such symbol. */
static int check_version(void *library, char *message)
{
    const int *major = dlsym(library, "bs_major_version");
    if (!major || (*major >= 1 && *major <= NEWEST))
        return DISTILL_GOOD;
    snprintf(message, DISTILL_MESSAGE,
             "it was built with BridgeStan %d; the interface of version %d is known here", *major,
             NEWEST);
    return FLOW_EDATA;
}

/* A pointer to a function has the bits of dlsym's (POSIX). */
static int find_functions(functions *call, void *library, char *message)
{
    for (size_t i = 0; i < N_WANTED; i++) {
        void *symbol = dlsym(library, wanted[i].symbol);
        if (!symbol) {
            snprintf(message, DISTILL_MESSAGE,
                     "it has functions of BridgeStan, but no symbol '%s'; build it with version %d",
                     wanted[i].symbol, NEWEST);
            return FLOW_EDATA;
        }
        memcpy((char *)call + wanted[i].at, &symbol, sizeof symbol);
    }
    return DISTILL_GOOD;
}

/* ---- the model */

/* What BridgeStan would take for text, or say of a file in its own way. */
static int check_data(const char *data, char *message)
{
    bool path = data_text_is_path(data);
    int file = path ? open(data, O_RDONLY | O_CLOEXEC) : -1;
    if (path && file < 0) {
        snprintf(message, DISTILL_MESSAGE, "data: %.300s: %s", data, strerror(errno));
        return FLOW_ENOINPUT;
    }
    if (file >= 0)
        close(file);
    if (path || *data == '\0' || data[strspn(data, " \t\r\n")] == '{')
        return DISTILL_GOOD;
    snprintf(message, DISTILL_MESSAGE,
             "data: wanted a file .json, or JSON text that begins with '{', got '%.200s'", data);
    return FLOW_EDATA;
}

static int construct(stan *self, const char *data, char *message)
{
    char *why = NULL;
    self->model = self->call.construct(*data ? data : NULL, SEED, &why);
    if (!self->model)
        refuse(message, FLOW_EDATA, why ? why : "no model, and it did not say why");
    if (why)
        self->call.free_message(why);
    return self->model ? DISTILL_GOOD : FLOW_EDATA;
}

/* ---- names */

static size_t count_names(const char *text)
{
    size_t n = *text != '\0';
    for (; *text; text++)
        n += *text == ',';
    return n;
}

/* "mu,theta.1,theta.2" in text; dim of them. */
static void split(const char **names, char *text)
{
    *names++ = text;
    for (; *text; text++)
        if (*text == ',') {
            *text = '\0';
            *names++ = text + 1;
        }
}

static int take_names(stan *self, size_t dim, char *message)
{
    const char *text = self->call.names(self->model);
    size_t n = text ? count_names(text) : 0;
    if (n != dim) {
        snprintf(message, DISTILL_MESSAGE, "bs_param_unc_names has %zu names for %zu parameters", n,
                 dim);
        return FLOW_EDATA;
    }
    self->text = strdup(text);
    self->names = malloc(dim * sizeof *self->names);
    if (!self->text || !self->names)
        return refuse(message, FLOW_ENOMEM, "out of memory for names");
    split(self->names, self->text);
    return DISTILL_GOOD;
}

static int describe(stan *self, distill_about *about, char *message)
{
    const char *info = self->call.info(self->model);
    int dim = self->call.dim(self->model);
    if (dim <= 0)
        return refuse(message, FLOW_EDATA, "the model has no parameters");
    about->dim = (size_t)dim;
    about->flags = DISTILL_GRADIENT;
    if (info && strstr(info, "STAN_THREADS=true"))
        about->flags |= DISTILL_THREADS;
    int code = take_names(self, about->dim, message);
    about->names = self->names;
    return code;
}

/* ---- whether it works at all */

/* Whether the model throws at x, and what it says. */
static bool throws_at(const stan *self, const double *x, char *message)
{
    double logp;
    char *why = NULL;
    int code = self->call.density(self->model, false, true, x, &logp, &why);
    if (code == -1)
        snprintf(message, DISTILL_MESSAGE, "the model throws at each of %d points of (-2, 2): %s",
                 STARTS, why ? why : "it did not say why");
    if (why)
        self->call.free_message(why);
    return code == -1;
}

static int check_starts(const stan *self, size_t dim, char *message)
{
    const pcg_stream stream = {.stage = STREAM_PROBE, .purpose = PCG_BASE};
    double *x = malloc(dim * sizeof *x);
    bool throws = true;
    if (!x)
        return refuse(message, FLOW_ENOMEM, "out of memory for a point");
    for (size_t r = 0; r < STARTS && throws; r++) {
        pcg_uniforms(x, stream, r, 1, dim);
        for (size_t i = 0; i < dim; i++)
            x[i] = 4 * x[i] - 2;
        throws = throws_at(self, x, message);
    }
    free(x);
    return throws ? FLOW_EDATA : DISTILL_GOOD;
}

/* ---- the table */

static void stan_close(void *handle)
{
    stan *self = handle;
    if (self->model)
        self->call.destruct(self->model);
    free(self->names);
    free(self->text);
    free(self);
}

static int open_in(stan *self, distill_about *about, void *library, const char *data, char *message)
{
    int code = check_version(library, message);
    if (!code)
        code = find_functions(&self->call, library, message);
    if (!code)
        code = check_data(data, message);
    if (!code)
        code = construct(self, data, message);
    if (!code)
        code = describe(self, about, message);
    return code ? code : check_starts(self, about->dim, message);
}

static int stan_open(void **handle, distill_about *about, const char *data, char *message)
{
    void *library = *handle;
    stan *self = calloc(1, sizeof *self);
    if (!self)
        return refuse(message, FLOW_ENOMEM, "out of memory for a model");
    int code = open_in(self, about, library, data, message);
    if (code)
        stan_close(self);
    else
        *handle = self;
    return code;
}

/* -1 is a model that throws: a scale of 0, an overflow. Its message is not kept: there may be many. */
static int stan_row(void *handle, double *logp, double *grad, const double *x, char *message)
{
    const stan *self = handle;
    char *why = NULL;
    int code = grad ? self->call.gradient(self->model, false, true, x, logp, grad, &why)
                    : self->call.density(self->model, false, true, x, logp, &why);
    if (why)
        self->call.free_message(why);
    if (code == 0)
        return DISTILL_GOOD;
    if (code == -1)
        return DISTILL_NO_DENSITY;
    snprintf(message, DISTILL_MESSAGE, "its log density returned %d, which is neither 0 nor -1",
             code);
    return DISTILL_FATAL;
}

const distill_target stan_table = {
    .version = DISTILL_TARGET_VERSION, .open = stan_open, .close = stan_close, .row = stan_row};
