#include "pipeline/stages/lock.h"

#include "files/atomic.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { HOLDER = LOCK_HOLDER };

/* Only for the eye: a failure to write it does not matter, since the lock is held. */
static void sign(int fd)
{
    char host[65] = "", since[16] = "", text[HOLDER];
    time_t now = time(NULL);
    struct tm local;
    gethostname(host, sizeof host - 1);
    if (localtime_r(&now, &local))
        strftime(since, sizeof since, "%H:%M", &local);
    int length =
        snprintf(text, sizeof text, "pid %ld on host %s since %s\n", (long)getpid(), host, since);
    if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)length, 0) < 0)
        return;
}

/* The first line of the file; control characters could spoil a terminal. */
static void read_holder(char out[HOLDER], int fd)
{
    ssize_t length = pread(fd, out, HOLDER - 1, 0);
    out[length > 0 ? length : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    for (char *c = out; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    if (!*out)
        strcpy(out, "another process");
}

static int refuse(int fd, const char *directory, flow_err *err)
{
    char holder[HOLDER];
    if (errno == EWOULDBLOCK) {
        read_holder(holder, fd);
        flow_fail(err, FLOW_ELOCKED, "%s is in use by %s", directory, holder);
    } else {
        flow_fail(err, FLOW_ECREATE, "%s: cannot be locked: %s", directory, strerror(errno));
    }
    close(fd);
    return -1;
}

/* Somebody who only looks (lock_is_held) has it for an instant. */
static bool lock_exclusive(int fd)
{
    enum { TRIES = 5 };
    const struct timespec instant = {.tv_nsec = 10000000};
    int tries = 1;
    while (flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK && tries++ < TRIES)
        nanosleep(&instant, NULL);
    return tries <= TRIES && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

int lock_take(const char *directory, flow_err *err)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s", directory, LOCK_FILE);
    if (length < 0 || (size_t)length >= sizeof path) {
        flow_fail(err, FLOW_ECREATE, "%.60s...: the path is too long", directory);
        return -1;
    }
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) {
        flow_fail(err, (flow_code)file_create_code(errno), "%s: %s", path, file_why(errno));
        return -1;
    }
    if (!lock_exclusive(fd))
        return refuse(fd, directory, err);
    sign(fd);
    return fd;
}

bool lock_is_held(char holder[LOCK_HOLDER], const char *directory)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s", directory, LOCK_FILE);
    int fd = length > 0 && (size_t)length < sizeof path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    bool held = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
    if (held)
        read_holder(holder, fd);
    if (fd >= 0)
        close(fd);
    return held;
}
