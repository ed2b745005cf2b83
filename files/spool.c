#include "files/spool.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct file_spool {
    double *held; /* (room): numbers written .. count - 1 */
    size_t room, count;
    size_t written; /* those before are in the file */
    int fd;         /* -1: there is no file */
    bool nowhere;   /* none could be made */
};

file_spool *file_spool_create(flow_err *err)
{
    file_spool *self = calloc(1, sizeof *self);
    if (self)
        self->fd = -1;
    else
        flow_fail(err, FLOW_ENOMEM, "no memory for a table");
    return self;
}

void file_spool_free(file_spool *self)
{
    if (!self)
        return;
    if (self->fd >= 0)
        close(self->fd);
    free(self->held);
    free(self);
}

size_t file_spool_count(const file_spool *self)
{
    return self->count;
}

/* ---- the file */

static const char *folder(void)
{
    const char *given = getenv("TMPDIR");
    return given && *given ? given : "/tmp";
}

/* Its name is taken away at once. */
static void open_file(file_spool *self)
{
    char path[4096];
    int len = snprintf(path, sizeof path, "%s/distill-XXXXXX", folder());
    if (len > 0 && (size_t)len < sizeof path)
        self->fd = mkstemp(path);
    if (self->fd >= 0)
        unlink(path);
    self->nowhere = self->fd < 0;
}

static int write_held(file_spool *self, flow_err *err)
{
    const char *from = (const char *)self->held;
    size_t left = (self->count - self->written) * sizeof *self->held;
    off_t at = (off_t)(self->written * sizeof *self->held);
    while (left > 0) {
        ssize_t got = pwrite(self->fd, from, left, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return flow_fail(
                err, FLOW_EIO,
                "a file of numbers in %s does not take more than %lld bytes: %s; TMPDIR "
                "can name a folder that has room",
                folder(), (long long)at, strerror(got < 0 ? errno : ENOSPC));
        from += got;
        left -= (size_t)got;
        at += got;
    }
    self->written = self->count;
    return FLOW_OK;
}

static int read_file(const file_spool *self, double *to, size_t first, size_t n, flow_err *err)
{
    char *into = (char *)to;
    size_t left = n * sizeof *to;
    off_t at = (off_t)(first * sizeof *to);
    while (left > 0) {
        ssize_t got = pread(self->fd, into, left, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return flow_fail(err, FLOW_EIO, "a file of numbers in %s cannot be read: %s", folder(),
                             strerror(got < 0 ? errno : EIO));
        into += got;
        left -= (size_t)got;
        at += got;
    }
    return FLOW_OK;
}

/* ---- numbers */

static int grow(file_spool *self, flow_err *err)
{
    size_t room = self->room ? 2 * self->room : 4096, bytes;
    double *held = NULL;
    if (!__builtin_mul_overflow(room, sizeof *held, &bytes))
        held = realloc(self->held, bytes);
    if (!held)
        return flow_fail(err, FLOW_ENOMEM, "no memory for %zu numbers", room);
    self->held = held;
    self->room = room;
    return FLOW_OK;
}

/* Room for one number more at least. */
static int make_room(file_spool *self, flow_err *err)
{
    if (self->count - self->written < self->room)
        return FLOW_OK;
    if (self->room < FILE_SPOOL_HELD)
        return grow(self, err);
    if (self->fd < 0 && !self->nowhere)
        open_file(self);
    return self->nowhere ? grow(self, err) : write_held(self, err);
}

int file_spool_append(file_spool *self, const double *numbers, size_t n, flow_err *err)
{
    for (size_t done = 0, some; done < n; done += some) {
        int code = make_room(self, err);
        if (code)
            return code;
        size_t held = self->count - self->written;
        some = n - done < self->room - held ? n - done : self->room - held;
        memcpy(self->held + held, numbers + done, some * sizeof *numbers);
        self->count += some;
    }
    return FLOW_OK;
}

int file_spool_read(const file_spool *self, double *to, size_t first, size_t n, flow_err *err)
{
    size_t in_file = first >= self->written ? 0 : self->written - first;
    in_file = in_file < n ? in_file : n;
    int code = read_file(self, to, first, in_file, err);
    if (!code && in_file < n)
        memcpy(to + in_file, self->held + (first + in_file - self->written),
               (n - in_file) * sizeof *to);
    return code;
}
