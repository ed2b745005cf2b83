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
typedef struct bs_rng bs_rng;

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
    const char *(*derived_names)(const bs_model *model, bool transformed, bool generated);
    int (*derived_count)(const bs_model *model, bool transformed, bool generated);
    int (*constrain)(const bs_model *model, bool transformed, bool generated, const double *x,
                     double *values, bs_rng *rng, char **why);
    bs_rng *(*rng_construct)(unsigned seed, char **why);
    void (*rng_destruct)(bs_rng *rng);
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
    {"bs_param_names", offsetof(functions, derived_names)},
    {"bs_param_num", offsetof(functions, derived_count)},
    {"bs_param_constrain", offsetof(functions, constrain)},
    {"bs_rng_construct", offsetof(functions, rng_construct)},
    {"bs_rng_destruct", offsetof(functions, rng_destruct)},
};
enum { N_WANTED = sizeof wanted / sizeof *wanted };

/* Some names. */
typedef struct stan_names {
    char *text;        /* each with its '\0' */
    const char **list; /* into text */
} stan_names;

typedef struct stan {
    functions call;
    bs_model *model;
    stan_names names; /* (D), of the parameters as they are unconstrained */
    stan_names
        derived; /* (count), as they are constrained; transformed ones; generated quantities */
    size_t dim, usual, count;
    bool threads, generates; /* generates: some of them, with random numbers */
} stan;

static int refuse(char *message, int code, const char *text)
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

/* n names, as the function `from` gives them. */
static int take_names(stan_names *out, const char *text, size_t n, const char *from, char *message)
{
    size_t there = text ? count_names(text) : 0;
    if (there != n) {
        snprintf(message, DISTILL_MESSAGE, "%s has %zu names for %zu parameters", from, there, n);
        return FLOW_EDATA;
    }
    out->text = strdup(text);
    out->list = malloc(n * sizeof *out->list);
    if (!out->text || !out->list)
        return refuse(message, FLOW_ENOMEM, "out of memory for names");
    split(out->list, out->text);
    return DISTILL_GOOD;
}

static void release_names(stan_names *names)
{
    free(names->list);
    free(names->text);
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
    self->threads = about->flags & DISTILL_THREADS;
    int code = take_names(&self->names, self->call.names(self->model), about->dim,
                          "bs_param_unc_names", message);
    about->names = self->names.list;
    self->dim = about->dim;
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
    release_names(&self->names);
    release_names(&self->derived);
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

/* ---- its parameters as the model has them */

static int count_derived(stan *self, char *message)
{
    int usual = self->call.derived_count(self->model, false, false);
    int exact = self->call.derived_count(self->model, true, false);
    int count = self->call.derived_count(self->model, true, true);
    if (usual <= 0 || exact < usual || count < exact)
        return refuse(message, FLOW_EDATA, "bs_param_num gives numbers that make no sense");
    self->usual = (size_t)usual;
    self->count = (size_t)count;
    self->generates = count > exact;
    return DISTILL_GOOD;
}

/* The handle is that of the density, and stays it. */
static int derived_open(void **handle, distill_quantities_about *about, const char *const *columns,
                        size_t dim, const char *options, char *message)
{
    stan *self = *handle;
    (void)columns, (void)dim, (void)options;
    int code = count_derived(self, message);
    if (!code)
        code = take_names(&self->derived, self->call.derived_names(self->model, true, true),
                          self->count, "bs_param_names", message);
    if (code)
        return code;
    *about = (distill_quantities_about){.count = self->count,
                                        .usual = self->usual,
                                        .flags = DISTILL_INSTEAD |
                                                 (self->threads ? DISTILL_THREADS : 0u),
                                        .names = self->derived.list};
    return DISTILL_GOOD;
}

/* FNV-1a of the bits of x: what a row's random numbers are of, so that they are a function of it. */
static unsigned seed_of(const double *x, size_t dim)
{
    const unsigned char *bytes = (const unsigned char *)x;
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < dim * sizeof *x; i++)
        hash = (hash ^ bytes[i]) * 1099511628211u;
    return (unsigned)(hash ^ hash >> 32);
}

static int constrain(const stan *self, double *values, bool all, bs_rng *rng, const double *x,
                     char *message)
{
    char *why = NULL;
    int code = self->call.constrain(self->model, all, rng != NULL, x, values, rng, &why);
    if (code == -1 && !*message)
        snprintf(message, DISTILL_MESSAGE, "%s", why ? why : "it did not say why");
    if (code != 0 && code != -1)
        snprintf(message, DISTILL_MESSAGE,
                 "bs_param_constrain returned %d, which is neither 0 nor -1", code);
    if (why)
        self->call.free_message(why);
    return code == 0 ? DISTILL_GOOD : code == -1 ? DISTILL_BROKEN : DISTILL_FATAL;
}

static int generate(const stan *self, double *values, const double *x, char *message)
{
    char *why = NULL;
    bs_rng *rng = self->call.rng_construct(seed_of(x, self->dim), &why);
    int code = rng ? constrain(self, values, true, rng, x, message)
                   : refuse(message, DISTILL_FATAL, why ? why : "there are no random numbers");
    if (why)
        self->call.free_message(why);
    if (rng)
        self->call.rng_destruct(rng);
    return code;
}

static int derived_rows(void *handle, double *values, size_t k, int *status, const double *x,
                        size_t n, char *message)
{
    const stan *self = handle;
    bool all = k > self->usual;
    for (size_t r = 0; r < n; r++) {
        double *to = values + r * k;
        const double *row = x + r * self->dim;
        status[r] = all && self->generates ? generate(self, to, row, message)
                                           : constrain(self, to, all, NULL, row, message);
        if (status[r] == DISTILL_FATAL)
            return DISTILL_FATAL;
    }
    return DISTILL_GOOD;
}

const distill_derived stan_quantities = {
    .version = DISTILL_QUANTITIES_VERSION, .open = derived_open, .rows = derived_rows};
