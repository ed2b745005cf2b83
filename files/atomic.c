#define _XOPEN_SOURCE 700 /* realpath */

#include "files/atomic.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- temporaries that are open, where a signal handler finds them: nothing here is ever freed */

enum { SLOTS = 16, SLOT_PATH = 4096 };
enum { SLOT_FREE, SLOT_TAKEN, SLOT_OPEN };

static struct {
    atomic_int state;
    char path[SLOT_PATH];
} slots[SLOTS];

/* The number of the slot, or -1: there is none that is free, or the name is too long. */
static int remember(const char *path)
{
    for (int i = 0; i < SLOTS && strlen(path) < SLOT_PATH; i++) {
        int is = SLOT_FREE;
        if (!atomic_compare_exchange_strong(&slots[i].state, &is, SLOT_TAKEN))
            continue;
        strcpy(slots[i].path, path);
        atomic_store(&slots[i].state, SLOT_OPEN);
        return i;
    }
    return -1;
}

static void forget(int slot)
{
    if (slot >= 0)
        atomic_store(&slots[slot].state, SLOT_FREE);
}

void file_atomic_abandon(void)
{
    for (int i = 0; i < SLOTS; i++)
        if (atomic_load(&slots[i].state) == SLOT_OPEN)
            unlink(slots[i].path);
}

/* ---- a file */

struct file_atomic {
    FILE *file;
    char *path;      /* where it shall appear, symbolic links resolved */
    char *temporary; /* where it is now; NULL: path is no regular file and is written directly */
    int slot;        /* -1: none */
};

static int is_full(int number)
{
    return number == ENOSPC || number == EDQUOT;
}

const char *file_why(int number)
{
    return number == EDQUOT  ? "the disk is full: the quota is used up"
           : is_full(number) ? "the disk is full: no space is left on it"
                             : strerror(number);
}

int file_create_code(int number)
{
    return is_full(number) ? FLOW_EIO : FLOW_ECREATE;
}

static void release(file_atomic *self)
{
    if (!self)
        return;
    if (self->file)
        fclose(self->file);
    forget(self->slot);
    free(self->path);
    free(self->temporary);
    free(self);
}

void file_atomic_discard(file_atomic *self)
{
    if (self && self->file && self->temporary)
        unlink(self->temporary);
    release(self);
}

static const char TEMPORARY[] = ".tmp.";

static char *temporary_name(const char *path)
{
    size_t size = strlen(path) + 32;
    char *name = malloc(size);
    if (name)
        snprintf(name, size, "%s%s%ld", path, TEMPORARY, (long)getpid());
    return name;
}

size_t file_atomic_stem(const char *name)
{
    size_t whole = strlen(name), stem = whole, mark = strlen(TEMPORARY);
    while (stem > 0 && name[stem - 1] >= '0' && name[stem - 1] <= '9')
        stem--;
    if (stem == whole || stem <= mark || strncmp(name + stem - mark, TEMPORARY, mark) != 0)
        return whole;
    return stem - mark;
}

file_atomic *file_atomic_open(const char *path, flow_err *err)
{
    struct stat status;
    bool there = stat(path, &status) == 0;
    if (there && S_ISDIR(status.st_mode)) {
        flow_fail(err, FLOW_ECREATE, "%s: cannot be written: it is a directory", path);
        return NULL;
    }
    file_atomic *self = calloc(1, sizeof *self);
    if (!self)
        goto no_memory;
    self->slot = -1;
    bool direct = there && !S_ISREG(status.st_mode);
    self->path = there && !direct ? realpath(path, NULL) : strdup(path);
    if (!self->path)
        goto no_memory;
    if (!direct && !(self->temporary = temporary_name(self->path)))
        goto no_memory;
    self->slot = direct ? -1 : remember(self->temporary);
    self->file = fopen(direct ? self->path : self->temporary, "wb");
    if (self->file)
        return self;
    flow_fail(err, (flow_code)file_create_code(errno), "%s: cannot be created: %s", path,
              file_why(errno));
    goto fail;
no_memory:
    flow_fail(err, FLOW_ENOMEM, "%s: no memory to open it", path);
fail:
    file_atomic_discard(self);
    return NULL;
}

FILE *file_atomic_file(file_atomic *self)
{
    return self->file;
}

/* So that the new name survives a power cut. Some file systems refuse; they then offer no more. */
static void sync_directory(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash)
        slash[slash == path] = '\0';
    int directory = open(slash ? path : ".", O_RDONLY);
    if (directory >= 0) {
        fsync(directory);
        close(directory);
    }
}

/* Why a write failed whose errno is gone: that of one more, into a file that will not be. */
static int ask_why(const file_atomic *self)
{
    static const char block[4096];
    ssize_t n = 1;
    errno = 0;
    for (size_t left = sizeof block; self->temporary && left && n > 0; left -= (size_t)n)
        n = write(fileno(self->file), block, left);
    return errno;
}

/* Whether all that was written has reached the disk (or, written directly, its reader). */
static bool finish(file_atomic *self)
{
    bool bad = ferror(self->file) != 0;
    errno = 0;
    bool good =
        !bad && fflush(self->file) == 0 && (!self->temporary || fsync(fileno(self->file)) == 0);
    int reason = bad ? ask_why(self) : errno;
    if (fclose(self->file) != 0 && good) {
        good = false;
        reason = errno;
    }
    self->file = NULL;
    errno = reason ? reason : EIO;
    return good;
}

int file_atomic_commit(file_atomic *self, flow_err *err)
{
    bool good = finish(self);
    if (good && self->temporary)
        good = rename(self->temporary, self->path) == 0;
    if (!good) {
        int code =
            flow_fail(err, FLOW_EIO, "%s: cannot be written: %s", self->path, file_why(errno));
        if (self->temporary)
            unlink(self->temporary);
        release(self);
        return code;
    }
    if (self->temporary)
        sync_directory(self->path);
    release(self);
    return FLOW_OK;
}

int file_atomic_write(const char *path, const void *bytes, size_t len, flow_err *err)
{
    file_atomic *file = file_atomic_open(path, err);
    if (!file)
        return err ? err->code : FLOW_ECREATE;
    if (len > 0)
        (void)!fwrite(bytes, 1, len, file->file); /* commit sees a failure */
    return file_atomic_commit(file, err);
}
