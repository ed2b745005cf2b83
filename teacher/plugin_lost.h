/* teacher/plugin_lost.h -- rows that a worker of a plug-in was lost at: counted, too many refused, and their points known, so that no
 * worker is lost at them twice, whoever asks. Any number of threads. */
#ifndef TEACHER_PLUGIN_LOST_H
#define TEACHER_PLUGIN_LOST_H

#include "teacher/plugin_talk.h"

#include <pthread.h>

/* Rows that may end a worker, and rows that may keep it beyond its time: the next one ends the run. A row that is
 * asked for again counts once. */
enum { PLUGIN_MAX_LOST = 20, PLUGIN_MAX_LATE = 2 };
enum { PLUGIN_MAX_POINTS = PLUGIN_MAX_LOST + PLUGIN_MAX_LATE };

typedef struct plugin_lost {
    pthread_mutex_t lock;                 /* of what follows */
    size_t gone, late;                    /* rows */
    double *points;                       /* (PLUGIN_MAX_POINTS, D) */
    plugin_what asked[PLUGIN_MAX_POINTS]; /* (n_points): what of them */
    size_t n_points;
} plugin_lost;

void plugin_lost_init(plugin_lost *self);
void plugin_lost_release(plugin_lost *self);

/* One more row; FLOW_EDATA, with the text, if that is one too many. */
int plugin_lost_count(plugin_lost *self, plugin_heard heard, const char *text, flow_err *err);

/* The point x (dim) of one, at which that was asked. FLOW_ENOMEM. */
int plugin_lost_remember(plugin_lost *self, plugin_what what, const double *x, size_t dim,
                         flow_err *err);
bool plugin_lost_knows(plugin_lost *self, plugin_what what, const double *x, size_t dim);
/* Whether it knows any of n rows. */
bool plugin_lost_knows_any(plugin_lost *self, plugin_what what, const double *x, size_t n,
                           size_t dim);

#endif
