#include "teacher/plugin_lost.h"

#include <stdlib.h>
#include <string.h>

void plugin_lost_init(plugin_lost *self)
{
    *self = (plugin_lost){.points = NULL};
    pthread_mutex_init(&self->lock, NULL);
}

void plugin_lost_release(plugin_lost *self)
{
    pthread_mutex_destroy(&self->lock);
    free(self->points);
}

int plugin_lost_count(plugin_lost *self, plugin_heard heard, const char *text, flow_err *err)
{
    pthread_mutex_lock(&self->lock);
    bool late = heard == PLUGIN_LATE;
    size_t n = late ? ++self->late : ++self->gone;
    pthread_mutex_unlock(&self->lock);
    size_t most = late ? PLUGIN_MAX_LATE : PLUGIN_MAX_LOST;
    if (n > most)
        return flow_fail(err, FLOW_EDATA, "%s; that is one more than the %zu that are put up with",
                         text, most);
    return 0;
}

int plugin_lost_remember(plugin_lost *self, plugin_what what, const double *x, size_t dim,
                         flow_err *err)
{
    pthread_mutex_lock(&self->lock);
    if (!self->points)
        self->points = malloc(PLUGIN_MAX_POINTS * dim * sizeof *self->points);
    bool room = self->points != NULL;
    if (room && self->n_points < PLUGIN_MAX_POINTS) {
        self->asked[self->n_points] = what;
        memcpy(self->points + self->n_points++ * dim, x, dim * sizeof *x);
    }
    pthread_mutex_unlock(&self->lock);
    return room ? 0 : flow_fail(err, FLOW_ENOMEM, "out of memory for rows that ended a worker");
}

bool plugin_lost_knows(plugin_lost *self, plugin_what what, const double *x, size_t dim)
{
    bool known = false;
    pthread_mutex_lock(&self->lock);
    for (size_t i = 0; i < self->n_points && !known; i++)
        known = self->asked[i] == what && memcmp(self->points + i * dim, x, dim * sizeof *x) == 0;
    pthread_mutex_unlock(&self->lock);
    return known;
}

bool plugin_lost_knows_any(plugin_lost *self, plugin_what what, const double *x, size_t n,
                           size_t dim)
{
    pthread_mutex_lock(&self->lock);
    bool any = self->n_points > 0, known = false;
    pthread_mutex_unlock(&self->lock);
    for (size_t r = 0; r < n && any && !known; r++)
        known = plugin_lost_knows(self, what, x + r * dim, dim);
    return known;
}
