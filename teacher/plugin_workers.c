#include "teacher/plugin_workers.h"

#include "flow/clock.h"
#include "teacher/plugin_lost.h"
#include "teacher/plugin_process.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct worker {
    plugin_process process;
    bool busy;
} worker;

struct plugin_workers {
    char *path, *options;
    double timeout;
    plugin_about about;
    pthread_mutex_t lock; /* of who is busy */
    pthread_cond_t one_is_free;
    plugin_lost lost;
    size_t n;
    worker at[];
};

static plugin_host host;

void plugin_set_host(const plugin_host *of)
{
    host = *of;
}

const plugin_about *plugin_workers_say(const plugin_workers *self)
{
    return &self->about;
}

/* ---- what a worker says at first */

static int nonsense(const plugin_workers *self, flow_err *err)
{
    return flow_fail(err, FLOW_EDATA, "%s: its worker talks nonsense", self->path);
}

static int check_hello(const plugin_workers *self, const plugin_hello *hello, flow_err *err)
{
    const plugin_about *known = &self->about;
    if (hello->code < 0 && hello->code >= FLOW_ELOCKED)
        return flow_fail(err, (flow_code)hello->code, "%.*s", (int)sizeof hello->text - 1,
                         hello->text);
    if (hello->code || hello->dim == 0 || hello->dim > FLOW_MAX_DIM || isinf(hello->log_z) ||
        hello->names > hello->dim * PLUGIN_NAME ||
        (hello->support && hello->support != 3 * hello->dim) ||
        hello->derived.count > PLUGIN_MAX_QUANTITIES ||
        hello->derived.usual > hello->derived.count ||
        !hello->derived.usual != !hello->derived.count ||
        hello->derived.names > hello->derived.count * PLUGIN_NAME)
        return nonsense(self, err);
    if (known->dim && (known->dim != hello->dim || known->flags != hello->flags ||
                       known->derived.count != hello->derived.count))
        return flow_fail(err, FLOW_EDATA, "%s: it is another one than before: %zu columns, now %zu",
                         self->path, known->dim, (size_t)hello->dim);
    return 0;
}

static bool are_names(const char *names, size_t size, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < size; i++)
        count += names[i] == '\0';
    return count == n && (n == 0 || names[size - 1] == '\0');
}

static bool is_support(const plugin_about *about)
{
    char why[DATA_KIND_WHY];
    bool good = true;
    for (size_t j = 0; about->support && j < about->dim; j++) {
        data_kind kind = plugin_kind(about, j);
        good = good && !data_kind_fault(why, &kind);
    }
    return good;
}

static bool makes_sense(const plugin_about *about)
{
    const plugin_derived *d = &about->derived;
    return (!about->names || are_names(about->names, about->names_size, about->dim)) &&
           are_names(d->names, d->names_size, d->count) && is_support(about);
}

static void release_about(plugin_about *about)
{
    free(about->names);
    free(about->support);
    free(about->derived.names);
}

/* What follows a hello; about's fields are to be released whatever happens. */
static int hear_about(plugin_about *about, const plugin_process *p, const plugin_hello *hello,
                      double until, plugin_heard *heard, flow_err *err)
{
    *about = (plugin_about){.dim = hello->dim,
                            .flags = hello->flags,
                            .log_z = hello->log_z,
                            .names_size = hello->names,
                            .derived = {.count = hello->derived.count,
                                        .usual = hello->derived.usual,
                                        .flags = hello->derived.flags,
                                        .names_size = hello->derived.names}};
    about->names = hello->names ? malloc(hello->names) : NULL;
    about->support = hello->support ? malloc(hello->support * sizeof *about->support) : NULL;
    about->derived.names = hello->derived.names ? malloc(hello->derived.names) : NULL;
    if ((hello->names && !about->names) || (hello->support && !about->support) ||
        (hello->derived.names && !about->derived.names))
        return flow_fail(err, FLOW_ENOMEM, "out of memory for what a plug-in says");
    *heard = plugin_read(p->socket, about->names, hello->names, until);
    if (*heard == PLUGIN_HEARD)
        *heard =
            plugin_read(p->socket, about->support, hello->support * sizeof *about->support, until);
    if (*heard == PLUGIN_HEARD)
        *heard = plugin_read(p->socket, about->derived.names, hello->derived.names, until);
    return 0;
}

/* What is known is what the first worker said. */
static int hear(plugin_workers *self, const plugin_process *p, const plugin_hello *hello,
                double until, plugin_heard *heard, flow_err *err)
{
    plugin_about about;
    int code = hear_about(&about, p, hello, until, heard, err);
    if (!code && *heard == PLUGIN_HEARD && !makes_sense(&about))
        code = nonsense(self, err);
    if (code || *heard != PLUGIN_HEARD || self->about.dim)
        release_about(&about);
    else
        self->about = about;
    return code;
}

/* Why a worker is lost, or that it was not heard in time. */
static int not_opened(plugin_workers *self, worker *w, plugin_heard heard, flow_err *err)
{
    char how[PLUGIN_END] = "";
    plugin_process_bury(&w->process, heard == PLUGIN_GONE ? how : NULL);
    if (heard == PLUGIN_LATE)
        return flow_fail(err, FLOW_EDATA, "%s: it was not open after %g s (target.timeout)",
                         self->path, self->timeout);
    return flow_fail(err, FLOW_EDATA, "%s: its worker %s while it was opened", self->path, how);
}

/* ---- a worker that is ready */

static int greet(plugin_workers *self, worker *w, flow_err *err)
{
    plugin_hello hello;
    double until = flow_seconds() + self->timeout;
    plugin_heard heard = plugin_read(w->process.socket, &hello, sizeof hello, until);
    int code = heard == PLUGIN_HEARD ? check_hello(self, &hello, err) : 0;
    if (!code && heard == PLUGIN_HEARD)
        code = hear(self, &w->process, &hello, until, &heard, err);
    if (heard != PLUGIN_HEARD)
        return not_opened(self, w, heard, err);
    return code ? code
                : plugin_process_make_room(&w->process, self->about.dim, self->about.derived.count,
                                           err);
}

static int make_ready(plugin_workers *self, worker *w, flow_err *err)
{
    if (w->process.pid)
        return 0;
    int code = plugin_process_start(&w->process, host.program, self->path, self->options, err);
    if (!code && (code = greet(self, w, err)))
        plugin_process_bury(&w->process, NULL);
    return code;
}

/* The first that is free: so one that runs, if any does. */
static worker *free_one(plugin_workers *self)
{
    for (size_t i = 0; i < self->n; i++)
        if (!self->at[i].busy)
            return &self->at[i];
    return NULL;
}

static worker *take(plugin_workers *self)
{
    worker *w;
    pthread_mutex_lock(&self->lock);
    while (!(w = free_one(self)))
        pthread_cond_wait(&self->one_is_free, &self->lock);
    w->busy = true;
    pthread_mutex_unlock(&self->lock);
    return w;
}

static void give_back(plugin_workers *self, worker *w)
{
    pthread_mutex_lock(&self->lock);
    w->busy = false;
    pthread_cond_signal(&self->one_is_free);
    pthread_mutex_unlock(&self->lock);
}

/* ---- rows */

/* Densities are asked for, and what has values is not there, or quantities, and what has logp is not. */
typedef struct call {
    plugin_what what;
    double *logp, *grad;
    double *values; /* (n, k) */
    size_t k;
    target_status *status;
    char *why; /* (QUANTITIES_WHY) */
    const double *x;
    size_t n, dim;
} call;

/* Rows of k numbers out of the room; to NULL: they were not asked for. */
static void copy(double *to, const double *from, size_t n)
{
    if (to)
        memcpy(to, from, n * sizeof *to);
}

/* Of the first row that is broken, if there was none before. */
static void take_why(const call *c, const plugin_room *room)
{
    char text[QUANTITIES_WHY];
    memcpy(text, room->text, sizeof text);
    if (c->why && !*c->why)
        snprintf(c->why, QUANTITIES_WHY, "%s", plugin_library_tidy(text, sizeof text));
}

static int collect(const plugin_workers *self, const call *c, const plugin_room *room, int32_t code,
                   flow_err *err)
{
    if (code < 0 && code >= FLOW_ELOCKED)
        return flow_fail(err, (flow_code)code, "%.*s", (int)sizeof err->text - 1, room->text);
    bool broken = false;
    copy(c->logp, room->logp, c->n);
    copy(c->grad, room->grad, c->n * c->dim);
    copy(c->values, room->values, c->n * c->k);
    memcpy(c->status, room->status, c->n * sizeof *c->status);
    for (size_t r = 0; r < c->n; r++)
        broken = broken || c->status[r] == TARGET_BROKEN;
    if (broken)
        take_why(c, room);
    for (size_t r = 0; r < c->n && !code; r++)
        code = c->status[r] != TARGET_FINITE && c->status[r] != TARGET_NO_DENSITY &&
               c->status[r] != TARGET_BROKEN;
    return code ? nonsense(self, err) : 0;
}

/* *heard: what became of the worker; how (PLUGIN_END) it ended. It is buried if it was not heard. */
static int ask(plugin_workers *self, worker *w, const call *c, plugin_heard *heard, char *how,
               flow_err *err)
{
    if (make_ready(self, w, err))
        return err->code;
    size_t derived = self->about.derived.count;
    plugin_room room = plugin_room_in(w->process.map, c->dim, derived);
    const plugin_ask ask = {
        .dim = c->dim, .derived = derived, .n = (uint32_t)c->n, .what = (uint32_t)c->what};
    int32_t code = 0;
    memcpy(room.x, c->x, c->n * c->dim * sizeof *c->x);
    *heard = plugin_write(w->process.socket, &ask, sizeof ask);
    if (*heard == PLUGIN_HEARD)
        *heard = plugin_read(w->process.socket, &code, sizeof code, flow_seconds() + self->timeout);
    if (*heard == PLUGIN_HEARD)
        return collect(self, c, &room, code, err);
    plugin_process_bury(&w->process, *heard == PLUGIN_GONE ? how : NULL);
    if (*heard == PLUGIN_LATE)
        snprintf(how, PLUGIN_END, "did not answer within %g s", self->timeout);
    return 0;
}

/* ---- rows that end a worker */

/* "(0.3, -1.2, ...)", as exactly as they are: to be tried by hand. */
static void show_point(char *out, size_t size, const double *x, size_t dim)
{
    size_t at = (size_t)snprintf(out, size, "(");
    for (size_t i = 0; i < dim && i < 12; i++)
        at += (size_t)snprintf(out + at, size - at, "%s%.17g", i ? ", " : "", x[i]);
    snprintf(out + at, size - at, "%s)", dim > 12 ? ", ..." : "");
}

/* One more, of which the surroundings are told. */
static int count(plugin_workers *self, plugin_heard heard, const char *text, flow_err *err)
{
    int code = plugin_lost_count(&self->lost, heard, text, err);
    if (!code && host.tell)
        host.tell(text);
    return code;
}

static call row_of(const call *all, size_t r)
{
    call one = *all;
    one.n = 1;
    one.x += r * all->dim;
    one.status += r;
    if (one.logp)
        one.logp += r;
    if (one.grad)
        one.grad += r * all->dim;
    if (one.values)
        one.values += r * all->k;
    return one;
}

static void blank(double *to, size_t n)
{
    for (size_t i = 0; to && i < n; i++)
        to[i] = NAN;
}

static void spoil(const call *one)
{
    *one->status = TARGET_BROKEN;
    blank(one->logp, 1);
    blank(one->grad, one->dim);
    blank(one->values, one->k);
    if (one->why && !*one->why)
        snprintf(one->why, QUANTITIES_WHY, "its worker ended, or was late, at this row");
}

static int break_row(plugin_workers *self, const call *c, plugin_heard heard, const char *how,
                     flow_err *err)
{
    char point[400], text[900];
    show_point(point, sizeof point, c->x, c->dim);
    snprintf(text, sizeof text, "%.300s: its worker %s at x = %s; this row is broken", self->path,
             how, point);
    spoil(c);
    int code = plugin_lost_remember(&self->lost, c->what, c->x, c->dim, err);
    return code ? code : count(self, heard, text, err);
}

static int batch_alone(plugin_workers *self, size_t n, plugin_heard heard, const char *how,
                       flow_err *err)
{
    char text[600];
    snprintf(text, sizeof text, "%.300s: its worker %s at %zu rows, and at none of them alone",
             self->path, how, n);
    return count(self, heard, text, err);
}

/* After a worker was lost at some of these rows, now or before: one by one in either case, so that what others have met
 * changes no bit. */
static int ask_each(plugin_workers *self, worker *w, const call *all, size_t *broken, flow_err *err)
{
    char how[PLUGIN_END];
    int code = 0;
    *broken = 0;
    for (size_t r = 0; r < all->n && !code; r++) {
        call one = row_of(all, r);
        plugin_heard heard = PLUGIN_GONE;
        bool known = plugin_lost_knows(&self->lost, one.what, one.x, one.dim);
        if (known)
            spoil(&one);
        else
            code = ask(self, w, &one, &heard, how, err);
        if (code || heard == PLUGIN_HEARD)
            continue;
        code = known ? 0 : break_row(self, &one, heard, how, err);
        ++*broken;
    }
    return code;
}

static int ask_all(plugin_workers *self, worker *w, const call *c, flow_err *err)
{
    char how[PLUGIN_END];
    plugin_heard heard;
    size_t broken;
    if (plugin_lost_knows_any(&self->lost, c->what, c->x, c->n, c->dim))
        return ask_each(self, w, c, &broken, err);
    int code = ask(self, w, c, &heard, how, err);
    if (code || heard == PLUGIN_HEARD)
        return code;
    if (c->n == 1)
        return break_row(self, c, heard, how, err);
    code = ask_each(self, w, c, &broken, err);
    return code || broken ? code : batch_alone(self, c->n, heard, how, err);
}

static int serve(plugin_workers *self, const call *c, flow_err *err)
{
    worker *w = take(self);
    int code = ask_all(self, w, c, err);
    give_back(self, w);
    return code;
}

int plugin_workers_rows(plugin_workers *self, double *logp, double *grad, target_status *status,
                        const double *x, size_t n, flow_err *err)
{
    const call c = {.what = grad ? PLUGIN_SLOPES : PLUGIN_DENSITY,
                    .logp = logp,
                    .grad = grad,
                    .status = status,
                    .x = x,
                    .n = n,
                    .dim = self->about.dim};
    return serve(self, &c, err);
}

/* As many rows at a time as there is room for. */
int plugin_workers_derive(plugin_workers *self, double *values, size_t k, bool *broken, char *why,
                          const double *x, size_t n, flow_err *err)
{
    const plugin_derived *d = &self->about.derived;
    size_t most = plugin_room_rows(d->count);
    target_status status[FLOW_SHARD];
    int code = 0;
    for (size_t row = 0; row < n && !code; row += most) {
        const call c = {.what = k == d->usual ? PLUGIN_USUAL : PLUGIN_ALL,
                        .values = values + row * k,
                        .k = k,
                        .status = status + row,
                        .why = why,
                        .x = x + row * self->about.dim,
                        .n = n - row < most ? n - row : most,
                        .dim = self->about.dim};
        code = serve(self, &c, err);
    }
    for (size_t r = 0; r < n && !code; r++)
        broken[r] = status[r] == TARGET_BROKEN;
    return code;
}

/* ---- the whole */

plugin_workers *plugin_workers_create(const char *path, const char *options, size_t n,
                                      double timeout, flow_err *err)
{
    if (!host.program) {
        flow_fail(err, FLOW_EUSAGE, "workers: this program has not said what to start as one");
        return NULL;
    }
    plugin_workers *self = calloc(1, sizeof *self + n * sizeof *self->at);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for %zu workers", n);
        return NULL;
    }
    self->n = n;
    self->timeout = timeout;
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->one_is_free, NULL);
    plugin_lost_init(&self->lost);
    for (size_t i = 0; i < n; i++)
        plugin_process_init(&self->at[i].process);
    self->path = strdup(path);
    self->options = strdup(options);
    int code = self->path && self->options
                   ? make_ready(self, &self->at[0], err)
                   : flow_fail(err, FLOW_ENOMEM, "out of memory for %zu workers", n);
    if (!code)
        return self;
    plugin_workers_free(self);
    return NULL;
}

void plugin_workers_free(plugin_workers *self)
{
    if (!self)
        return;
    for (size_t i = 0; i < self->n; i++)
        plugin_process_release(&self->at[i].process);
    pthread_mutex_destroy(&self->lock);
    pthread_cond_destroy(&self->one_is_free);
    release_about(&self->about);
    plugin_lost_release(&self->lost);
    free(self->path);
    free(self->options);
    free(self);
}
