#include "pipeline/stages/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { HOLDER = 160 }; /* bytes of "pid 4711 on host a since 12:03" */

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
        flow_fail(err, FLOW_ECREATE, "%s: %s", path, strerror(errno));
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB))
        return refuse(fd, directory, err);
    sign(fd);
    return fd;
}
