#include "teacher/umami.h"

#include "teacher/hypercube.h"
#include "teacher/umami_cuts.h"
#include "teacher/umami_library.h"

#include "flow/flow.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST = PHASE_SPACE_MOST + 2,
    MOST_INPUTS = UMAMI_IN_CHANNEL + 1,
    MOST_DIM = 3 * PHASE_SPACE_MOST - 4
};

/* (hbar c)^2 in pb GeV^2 (CODATA 2018). */
static const double PICOBARNS = 3.893793721e8;

/* What one thread at a time works with. */
typedef struct slot {
    struct slot *next;
    void *handle;
    double *momenta, *value;   /* (4, particles, FLOW_SHARD), (FLOW_SHARD) */
    double weight[FLOW_SHARD]; /* log, of rows that are not cut, */
    size_t row[FLOW_SHARD];    /* which are these */
    size_t n;
} slot;

typedef union input {
    double real[FLOW_SHARD];
    int whole[FLOW_SHARD];
} input;

typedef struct umami {
    umami_functions call;
    umami_given given;
    phase_space space;
    size_t particles;
    momentum in[2];
    double log_flux;
    size_t n_inputs;
    int key[MOST_INPUTS]; /* (n_inputs), momenta first */
    input *constant;      /* (n_inputs) the same number for each row; the first is not used */
    pthread_mutex_t lock; /* of: */
    slot *idle;
    char text[MOST_DIM][32];
    const char *names[MOST_DIM];
    char parts[4 * PHASE_SPACE_MOST][32]; /* what the momenta are called */
    const char *part[4 * PHASE_SPACE_MOST];
} umami;

/* Calls read it, what makes a handle writes it: a library may have state of its own that all handles share. */
static pthread_rwlock_t gate = PTHREAD_RWLOCK_INITIALIZER;

/* ---- slots */

static void slot_free(const umami *self, slot *s)
{
    if (s && s->handle)
        self->call.free(s->handle);
    if (s)
        free(s->momenta);
    free(s);
}

static slot *slot_create(const umami *self, flow_err *err)
{
    size_t numbers = 4 * self->particles * FLOW_SHARD;
    slot *s = calloc(1, sizeof *s);
    if (!s || !(s->momenta = calloc(numbers + FLOW_SHARD, sizeof *s->momenta))) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for momenta");
        free(s);
        return NULL;
    }
    s->value = s->momenta + numbers;
    pthread_rwlock_wrlock(&gate);
    int code = umami_handle(&self->call, &s->handle, &self->given, err);
    pthread_rwlock_unlock(&gate);
    if (!code)
        return s;
    s->handle = NULL;
    slot_free(self, s);
    return NULL;
}

static void put_back(umami *self, slot *s)
{
    pthread_mutex_lock(&self->lock);
    s->next = self->idle;
    self->idle = s;
    pthread_mutex_unlock(&self->lock);
}

/* One that nobody is using, or a new one. */
static slot *take(umami *self, flow_err *err)
{
    pthread_mutex_lock(&self->lock);
    slot *s = self->idle;
    self->idle = s ? s->next : NULL;
    pthread_mutex_unlock(&self->lock);
    return s ? s : slot_create(self, err);
}

/* ---- rows */

static void store(const umami *self, slot *s, size_t particle, momentum p)
{
    const double parts[4] = {p.e, p.x, p.y, p.z};
    for (size_t c = 0; c < 4; c++)
        s->momenta[s->n + FLOW_SHARD * (particle + self->particles * c)] = parts[c];
}

/* The momenta of rows that are not cut, and what each is of the hypercube. */
static void fill(const umami *self, slot *s, const double *x, size_t n)
{
    size_t dim = phase_space_dim(self->space.n), incoming = self->particles - self->space.n;
    s->n = 0;
    for (size_t r = 0; r < n; r++) {
        momentum p[PHASE_SPACE_MOST];
        double u[MOST_DIM], weight = hypercube_of(u, x + r * dim, dim);
        weight += phase_space_momenta(&self->space, p, u);
        if (!umami_cuts_pass(self->given.o, p, self->space.n))
            continue;
        for (size_t i = 0; i < self->particles; i++)
            store(self, s, i, i < incoming ? self->in[i] : p[i - incoming]);
        s->weight[s->n] = weight;
        s->row[s->n] = r;
        s->value[s->n++] = NAN; /* unless it is written */
    }
}

static int evaluate(const umami *self, slot *s)
{
    const void *in[MOST_INPUTS] = {s->momenta};
    const int key[] = {UMAMI_OUT_MATRIX_ELEMENT};
    void *const out[] = {s->value};
    for (size_t i = 1; i < self->n_inputs; i++)
        in[i] = &self->constant[i];
    pthread_rwlock_rdlock(&gate);
    int status = self->call.matrix_element(s->handle, s->n, FLOW_SHARD, 0, self->n_inputs,
                                           self->key, in, 1, key, out);
    pthread_rwlock_unlock(&gate);
    return status;
}

static void tell(const umami *self, double *logp, int *how, const slot *s, size_t n)
{
    for (size_t r = 0; r < n; r++)
        how[r] = DISTILL_NO_DENSITY;
    for (size_t i = 0; i < s->n; i++) {
        double value = s->value[i];
        size_t r = s->row[i];
        how[r] = value == 0 ? DISTILL_NO_DENSITY : value > 0 ? DISTILL_GOOD : DISTILL_BROKEN;
        logp[r] = value > 0 ? log(value) + s->weight[i] + self->log_flux : NAN;
    }
}

static int umami_rows(void *handle, double *logp, double *grad, int *how, const double *x, size_t n,
                      char *message)
{
    umami *self = handle;
    char text[UMAMI_TEXT];
    flow_err err = FLOW_ERR_INIT;
    slot *s = take(self, &err);
    (void)grad; /* there is none */
    if (!s) {
        snprintf(message, DISTILL_MESSAGE, "%.*s", DISTILL_MESSAGE - 1, err.text);
        return DISTILL_FATAL;
    }
    fill(self, s, x, n);
    int status = s->n > 0 ? evaluate(self, s) : UMAMI_SUCCESS;
    if (status)
        snprintf(message, DISTILL_MESSAGE, "umami_matrix_element failed: %s",
                 umami_status(text, status));
    else
        tell(self, logp, how, s, n);
    put_back(self, s);
    return status ? DISTILL_FATAL : DISTILL_GOOD;
}

/* ---- opening it */

static void set_constant(input *to, int key, const umami_options *o)
{
    uint64_t whole = key == UMAMI_IN_FLAVOR     ? o->flavor
                     : key == UMAMI_IN_HELICITY ? o->helicity
                     : key == UMAMI_IN_DIAGRAM  ? o->diagram
                                                : o->channel;
    for (size_t r = 0; r < FLOW_SHARD && key == UMAMI_IN_ALPHA_S; r++)
        to->real[r] = o->alpha_s;
    for (size_t r = 0; r < FLOW_SHARD && key != UMAMI_IN_ALPHA_S; r++)
        to->whole[r] = (int)whole;
}

static int take_inputs(umami *self, flow_err *err)
{
    if (!(self->constant = calloc(MOST_INPUTS, sizeof *self->constant)))
        return flow_fail(err, FLOW_ENOMEM, "out of memory for inputs");
    for (int key = UMAMI_IN_MOMENTA; key < MOST_INPUTS; key++) {
        if (key != UMAMI_IN_MOMENTA && !umami_options_has(&self->given, umami_input_name(key)))
            continue;
        set_constant(&self->constant[self->n_inputs], key, self->given.o);
        self->key[self->n_inputs++] = key;
    }
    return umami_check_inputs(&self->call, self->key, self->n_inputs, err);
}

/* Along z, in the frame of the centre of mass. */
static int bring_in(umami *self, const double *mass, flow_err *err)
{
    double energy = self->given.o->energy;
    if (self->given.o->incoming == 1) {
        self->in[0] = (momentum){.e = energy};
        self->log_flux = -log(2 * energy);
        return fabs(energy - mass[0]) <= 1e-6 * energy
                   ? 0
                   : flow_fail(err, FLOW_ECONFIG,
                               "energy is %g, and the particle that decays has the mass %g", energy,
                               mass[0]);
    }
    double p = phase_space_two(energy, mass[0], mass[1]);
    if (!(p > 0))
        return flow_fail(err, FLOW_ECONFIG,
                         "an energy of %g is not enough for incoming particles of masses %g and %g",
                         energy, mass[0], mass[1]);
    self->in[0] = (momentum){.e = hypot(p, mass[0]), .z = p};
    self->in[1] = (momentum){.e = hypot(p, mass[1]), .z = -p};
    self->log_flux = log(PICOBARNS / (4 * p * energy));
    return 0;
}

static int take_masses(umami *self, flow_err *err)
{
    double mass[MOST];
    size_t in = (size_t)self->given.o->incoming, out = self->particles - in;
    if (out < PHASE_SPACE_LEAST || out > PHASE_SPACE_MOST)
        return flow_fail(err, FLOW_EDATA,
                         "%zu of its %zu particles come in, and %zu go out; %d .. %d can be", in,
                         self->particles, out, PHASE_SPACE_LEAST, PHASE_SPACE_MOST);
    int code = umami_masses(&self->call, mass, self->particles, &self->given, err);
    code = code ? code : bring_in(self, mass, err);
    return code ? code : phase_space_init(&self->space, self->given.o->energy, mass + in, out, err);
}

static void describe(umami *self, distill_about *about)
{
    size_t n = self->space.n, dim = phase_space_dim(n);
    for (size_t j = 0; j < dim; j++) {
        bool mass = j < n - 2;
        size_t at = mass ? j + 2 : (j - (n - 2)) / 2 + 1;
        const char *what = mass ? "mass" : (j - (n - 2)) % 2 ? "phi" : "cos";
        snprintf(self->text[j], sizeof self->text[j], "%s%zu", what, at);
        self->names[j] = self->text[j];
    }
    *about = (distill_about){.dim = dim,
                             .flags = self->given.o->threads ? DISTILL_THREADS : 0,
                             .log_z = NAN,
                             .names = self->names};
}

/* Whether it answers at all. */
static int ask_once(umami *self, flow_err *err)
{
    char message[DISTILL_MESSAGE] = "";
    double x[MOST_DIM] = {0}, logp;
    int how = DISTILL_GOOD;
    return umami_rows(self, &logp, NULL, &how, x, 1, message)
               ? flow_fail(err, FLOW_EDATA, "%s", message)
               : 0;
}

static void umami_close(void *handle)
{
    umami *self = handle;
    for (slot *s = self->idle, *next; s; s = next) {
        next = s->next;
        slot_free(self, s);
    }
    umami_options_release(&self->given);
    pthread_mutex_destroy(&self->lock);
    free(self->constant);
    free(self);
}

static int open_in(umami *self, distill_about *about, void *library, const char *options,
                   flow_err *err)
{
    slot *first = NULL;
    int code = umami_find(&self->call, library, err);
    code = code ? code : umami_options_read(&self->given, options, err);
    code = code ? code : umami_particles(&self->call, &self->particles, err);
    if (!code && !(first = slot_create(self, err)))
        code = err->code;
    if (first)
        put_back(self, first);
    code = code ? code : take_masses(self, err);
    code = code ? code : take_inputs(self, err);
    if (!code)
        describe(self, about);
    return code ? code : ask_once(self, err);
}

static int umami_open(void **handle, distill_about *about, const char *options, char *message)
{
    void *library = *handle;
    flow_err err = FLOW_ERR_INIT;
    umami *self = calloc(1, sizeof *self);
    if (!self || pthread_mutex_init(&self->lock, NULL)) {
        free(self);
        snprintf(message, DISTILL_MESSAGE, "out of memory for a matrix element");
        return FLOW_ENOMEM;
    }
    int code = open_in(self, about, library, options, &err);
    snprintf(message, DISTILL_MESSAGE, "%.*s", DISTILL_MESSAGE - 1, err.text);
    if (code)
        umami_close(self);
    else
        *handle = self;
    return code;
}

const distill_target umami_table = {.version = DISTILL_TARGET_VERSION,
                                    .open = umami_open,
                                    .close = umami_close,
                                    .rows = umami_rows};

/* ---- momenta */

static int momenta_open(void **handle, distill_quantities_about *about, const char *const *columns,
                        size_t dim, const char *options, char *message)
{
    static const char *const parts[] = {"e", "px", "py", "pz"};
    umami *self = *handle;
    size_t incoming = self->particles - self->space.n;
    (void)columns, (void)dim, (void)options, (void)message;
    for (size_t k = 0; k < 4 * self->space.n; k++) {
        snprintf(self->parts[k], sizeof self->parts[k], "%s%zu", parts[k % 4],
                 incoming + k / 4 + 1);
        self->part[k] = self->parts[k];
    }
    *about = (distill_quantities_about){.count = 4 * self->space.n,
                                        .flags = DISTILL_INSTEAD | DISTILL_THREADS,
                                        .names = self->part};
    return DISTILL_GOOD;
}

/* k is all of them. Nothing of the library is asked. */
static int momenta_rows(void *handle, double *values, size_t k, int *how, const double *x, size_t n,
                        char *message)
{
    const umami *self = handle;
    size_t dim = phase_space_dim(self->space.n);
    (void)how, (void)message;
    for (size_t r = 0; r < n; r++) {
        momentum p[PHASE_SPACE_MOST];
        double u[MOST_DIM];
        hypercube_of(u, x + r * dim, dim);
        phase_space_momenta(&self->space, p, u);
        memcpy(values + r * k, p, k * sizeof *values);
    }
    return DISTILL_GOOD;
}

const distill_derived umami_quantities = {
    .version = DISTILL_QUANTITIES_VERSION, .open = momenta_open, .rows = momenta_rows};
