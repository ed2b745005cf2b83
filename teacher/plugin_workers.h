/* teacher/plugin_workers.h -- a plug-in in processes of its own, so that it may crash, hang, exit, print and leak as it
 * likes: a worker that is lost is replaced, and the row that it was lost at is found and broken (plugin_lost.h).
 *
 * A worker is this program once more (exec: no thread is lost in it, no lock is left held), with a socket and a piece of memory.
 * Each call goes to a worker that is free; which one it is changes no bit. */
#ifndef TEACHER_PLUGIN_WORKERS_H
#define TEACHER_PLUGIN_WORKERS_H

#include "teacher/plugin.h"

enum { PLUGIN_MAX_WORKERS = 256 };
/* What the surroundings have to offer. */
typedef struct plugin_host {
    const char *program; /* that calls plugin_worker_main for PLUGIN_WORKER_VERB; NULL: none */
    void (*tell)(
        const char
            *text); /* of each row that ended a worker, on any thread; NULL: nobody hears it */
} plugin_host;

/* Of the whole process; once, before there are any workers. */
void plugin_set_host(const plugin_host *host);

typedef struct plugin_workers plugin_workers;

/* Starts one worker, the others when there is work. timeout: seconds that opening, or a call, may take. The errors of
 * plugin_open; FLOW_EDATA: the worker ended or was late; FLOW_EUSAGE: there is no program. */
plugin_workers *plugin_workers_create(const char *path, const char *options, size_t n,
                                      double timeout, flow_err *err);
void plugin_workers_free(plugin_workers *self); /* accepts NULL */

const plugin_about *plugin_workers_say(const plugin_workers *self);

/* As plugin_rows; any number of threads, of which those beyond n wait. */
int plugin_workers_rows(plugin_workers *self, double *logp, double *grad, target_status *status,
                        const double *x, size_t n, flow_err *err);

/* As plugin_derive, likewise. */
int plugin_workers_derive(plugin_workers *self, double *values, size_t k, bool *broken, char *why,
                          const double *x, size_t n, flow_err *err);

#endif
