/* tests/e2e/failing_disk.h -- a disk that fails when asked to: what takes the place of fopen, write, rename and their kin in faults.c,
 * which alone includes it (the Makefile links it with --wrap). Streams that are written to are of our own, so that what stdio writes by
 * itself comes here, too. A clock that goes on by a second whenever it is looked at, so that nothing is measured for long. */
#ifndef TESTS_E2E_FAILING_DISK_H
#define TESTS_E2E_FAILING_DISK_H

#define _GNU_SOURCE /* fopencookie */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

FILE *__real_fopen(const char *path, const char *mode);
int __real_fileno(FILE *file);
int __real_open(const char *path, int flags, ...);
int __real_close(int fd);
ssize_t __real_write(int fd, const void *from, size_t n);
ssize_t __real_pwrite(int fd, const void *from, size_t n, off_t at);
int __real_ftruncate(int fd, off_t length);
int __real_rename(const char *from, const char *to);
int __real_symlink(const char *to, const char *path);
int __real_link(const char *from, const char *to);
int __real_mkdir(const char *path, mode_t mode);

FILE *__wrap_fopen(const char *path, const char *mode);
int __wrap_fileno(FILE *file);
int __wrap_open(const char *path, int flags, ...);
int __wrap_close(int fd);
ssize_t __wrap_write(int fd, const void *from, size_t n);
ssize_t __wrap_pwrite(int fd, const void *from, size_t n, off_t at);
int __wrap_fsync(int fd);
int __wrap_ftruncate(int fd, off_t length);
int __wrap_rename(const char *from, const char *to);
int __wrap_symlink(const char *to, const char *path);
int __wrap_link(const char *from, const char *to);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_clock_gettime(clockid_t id, struct timespec *out);

/* One call after the other is counted; number fails_at fails by `reason`, and, of a disk that is full, all that need room behind it. */
static struct {
    size_t done, fails_at; /* 0: none fails */
    int reason;
    char what[16], path[4096]; /* the call that failed first; "": none has */
    bool folder;               /* it was one on a directory */
} disk;

enum { FDS = 256 };
static bool written[FDS]; /* descriptors that are for writing */

static bool fails(const char *what, const char *path)
{
    struct stat is;
    bool first = ++disk.done == disk.fails_at;
    if (first) {
        snprintf(disk.what, sizeof disk.what, "%s", what);
        snprintf(disk.path, sizeof disk.path, "%s", path);
        disk.folder = stat(path, &is) == 0 && S_ISDIR(is.st_mode);
    }
    bool full =
        disk.reason == ENOSPC && *disk.what && strcmp(what, "rename") && strcmp(what, "close");
    if (first || full)
        errno = disk.reason;
    return first || full;
}

static const char *path_of(int fd)
{
    static char out[4096];
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(name, out, sizeof out - 1);
    out[n > 0 ? n : 0] = '\0';
    return out;
}

static bool fails_at_fd(const char *what, int fd)
{
    return fails(what, path_of(fd));
}

/* ---- descriptors */

static int opened(int fd)
{
    if (fd >= 0 && fd < FDS)
        written[fd] = true;
    return fd;
}

int __wrap_open(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
    va_end(more);
    if ((flags & O_ACCMODE) == O_RDONLY)
        return __real_open(path, flags, mode);
    return fails("open", path) ? -1 : opened(__real_open(path, flags, mode));
}

static int close_written(int fd)
{
    bool bad = fails_at_fd("close", fd);
    written[fd] = false;
    __real_close(fd);
    errno = bad ? disk.reason : errno;
    return bad ? -1 : 0;
}

int __wrap_close(int fd)
{
    return fd >= 0 && fd < FDS && written[fd] ? close_written(fd) : __real_close(fd);
}

ssize_t __wrap_write(int fd, const void *from, size_t n)
{
    if (fd <= STDERR_FILENO)
        return __real_write(fd, from, n);
    return fails_at_fd("write", fd) ? -1 : __real_write(fd, from, n);
}

ssize_t __wrap_pwrite(int fd, const void *from, size_t n, off_t at)
{
    return fails_at_fd("write", fd) ? -1 : __real_pwrite(fd, from, n, at);
}

/* No cut of the power is played. */
int __wrap_fsync(int fd)
{
    return fails_at_fd("fsync", fd) ? -1 : 0;
}

int __wrap_ftruncate(int fd, off_t length)
{
    return fails_at_fd("ftruncate", fd) ? -1 : __real_ftruncate(fd, length);
}

/* ---- names */

int __wrap_rename(const char *from, const char *to)
{
    return fails("rename", to) ? -1 : __real_rename(from, to);
}

int __wrap_symlink(const char *to, const char *path)
{
    return fails("symlink", path) ? -1 : __real_symlink(to, path);
}

int __wrap_link(const char *from, const char *to)
{
    return fails("link", to) ? -1 : __real_link(from, to);
}

/* One that is there needs no room. */
int __wrap_mkdir(const char *path, mode_t mode)
{
    return access(path, F_OK) != 0 && fails("mkdir", path) ? -1 : __real_mkdir(path, mode);
}

/* ---- streams */

enum { STREAMS = 16 };
static struct {
    FILE *file;
    int fd;
} streams[STREAMS];

/* What was written of a block that did not fit whole is half of it. */
static ssize_t stream_write(void *cookie, const char *from, size_t n)
{
    int fd = *(int *)cookie;
    if (!fails_at_fd("write", fd))
        return __real_write(fd, from, n);
    int reason = errno;
    if (__real_write(fd, from, n / 2) < 0)
        abort();
    errno = reason;
    return 0;
}

static int stream_seek(void *cookie, off64_t *at, int whence)
{
    *at = lseek(*(int *)cookie, *at, whence);
    return *at < 0 ? -1 : 0;
}

static int stream_close(void *cookie)
{
    for (size_t i = 0; i < STREAMS; i++)
        if (&streams[i].fd == cookie)
            streams[i].file = NULL;
    return close_written(*(int *)cookie);
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
    size_t i = 0;
    if (*mode == 'r')
        return __real_fopen(path, mode);
    while (streams[i].file && i < STREAMS - 1)
        i++;
    int exclusive = strchr(mode, 'x') ? O_EXCL : 0;
    int fd = fails("open", path)
                 ? -1
                 : __real_open(path, O_WRONLY | O_CREAT | O_TRUNC | exclusive, 0666);
    if (opened(fd) < 0)
        return NULL;
    streams[i].fd = fd;
    streams[i].file =
        fopencookie(&streams[i].fd, "w",
                    (cookie_io_functions_t){NULL, stream_write, stream_seek, stream_close});
    return streams[i].file;
}

int __wrap_fileno(FILE *file)
{
    for (size_t i = 0; i < STREAMS; i++)
        if (streams[i].file == file)
            return streams[i].fd;
    return __real_fileno(file);
}

/* ---- time */

int __wrap_clock_gettime(clockid_t id, struct timespec *out)
{
    static time_t seconds;
    (void)id;
    *out = (struct timespec){.tv_sec = ++seconds};
    return 0;
}

#endif
