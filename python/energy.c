/* energy.c -- the plug-in behind distill.run(energy=f): rows go over a Unix-domain socket to the Python process that the
 * options name, and log-densities come back (python/distill/energy.py). A connection a handle. */
#include "distill_target.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* What the other end says first, asks, and answers: native numbers. */
typedef struct about {
    uint64_t dim;
    uint32_t gradient, name_bytes;
    double log_z;
} about;

typedef struct ask {
    uint64_t rows;
    uint32_t gradient, unused;
} ask;

typedef struct answer {
    int32_t status;
    uint32_t text_bytes;
} answer;

typedef struct energy {
    int socket;
    size_t dim;
    int gradient;
    char *text;         /* names, one after the other */
    const char **names; /* (dim), into text */
} energy;

static int take(int from, void *to, size_t size)
{
    for (char *at = to; size > 0;) {
        ssize_t n = recv(from, at, size, 0);
        if (n == 0 || (n < 0 && errno != EINTR))
            return -1;
        at += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static int give(int to, const void *from, size_t size)
{
    for (const char *at = from; size > 0;) {
        ssize_t n = send(to, at, size, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            return -1;
        at += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static int lost(char *message)
{
    snprintf(message, DISTILL_MESSAGE, "the Python process of this energy is gone");
    return DISTILL_FATAL;
}

static void energy_close(void *handle)
{
    energy *self = handle;
    close(self->socket);
    free(self->text);
    free(self->names);
    free(self);
}

static int dial(energy *self, const char *path, char *message)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (!*path || strlen(path) >= sizeof to.sun_path) {
        snprintf(message, DISTILL_MESSAGE, "options want the socket of a Python process");
        return DISTILL_FATAL;
    }
    strcpy(to.sun_path, path);
    self->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (self->socket >= 0 && connect(self->socket, (struct sockaddr *)&to, sizeof to) == 0)
        return DISTILL_GOOD;
    snprintf(message, DISTILL_MESSAGE,
             "no Python process answers at %.100s (%s): such a run goes on by distill.run with the "
             "same energy",
             path, strerror(errno));
    return DISTILL_FATAL;
}

static int read_names(energy *self, const about *is)
{
    self->dim = (size_t)is->dim;
    self->gradient = is->gradient != 0;
    self->text = calloc(is->name_bytes + 1, 1);
    self->names = calloc(self->dim + 1, sizeof *self->names);
    if (!self->text || !self->names || take(self->socket, self->text, is->name_bytes))
        return -1;
    const char *at = self->text;
    for (size_t i = 0; i < self->dim; at += strlen(at) + 1, i++)
        self->names[i] = at < self->text + is->name_bytes ? at : "";
    return 0;
}

static int energy_open(void **handle, distill_about *out, const char *options, char *message)
{
    about is;
    energy *self = calloc(1, sizeof *self);
    if (!self)
        return DISTILL_FATAL;
    self->socket = -1;
    int code = dial(self, options, message);
    if (!code && (take(self->socket, &is, sizeof is) || read_names(self, &is)))
        code = lost(message);
    if (code) {
        energy_close(self);
        return code;
    }
    *out = (distill_about){.dim = self->dim,
                           .flags = self->gradient ? DISTILL_GRADIENT : 0,
                           .log_z = is.log_z,
                           .names = self->names};
    *handle = self;
    return DISTILL_GOOD;
}

static int energy_rows(void *handle, double *logp, double *grad, int *status, const double *x,
                       size_t n, char *message)
{
    const energy *self = handle;
    const ask wanted = {.rows = n, .gradient = grad != NULL};
    answer is;
    (void)status;
    if (give(self->socket, &wanted, sizeof wanted) ||
        give(self->socket, x, n * self->dim * sizeof *x) || take(self->socket, &is, sizeof is) ||
        is.text_bytes >= DISTILL_MESSAGE)
        return lost(message);
    if (is.status != 0) {
        message[is.text_bytes] = '\0';
        return take(self->socket, message, is.text_bytes) ? lost(message) : DISTILL_FATAL;
    }
    if (take(self->socket, logp, n * sizeof *logp) ||
        (grad && take(self->socket, grad, n * self->dim * sizeof *grad)))
        return lost(message);
    return DISTILL_GOOD;
}

const distill_target distill_plugin = {.version = DISTILL_TARGET_VERSION,
                                       .open = energy_open,
                                       .close = energy_close,
                                       .rows = energy_rows};
