#include "teacher/plugin_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

void plugin_process_init(plugin_process *self)
{
    *self = (plugin_process){.socket = -1, .memory = -1};
}

static int failed(const char *what, flow_err *err)
{
    return flow_fail(err, FLOW_EIO, "a worker process cannot be started: %s: %s", what,
                     strerror(errno));
}

/* ---- memory: a name that is gone again at once */

static int open_memory(plugin_process *self, flow_err *err)
{
    static atomic_uint next;
    char name[64];
    if (self->memory >= 0)
        return 0;
    snprintf(name, sizeof name, "/distill-%ld-%u", (long)getpid(), atomic_fetch_add(&next, 1));
    int memory = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (memory < 0)
        return failed("shared memory", err);
    shm_unlink(name);
    self->memory = fcntl(memory, F_DUPFD_CLOEXEC, 10); /* clear of where a worker wants it */
    close(memory);
    return self->memory >= 0 ? 0 : failed("shared memory", err);
}

/* Reserved, so that no write to it can fail later. */
int plugin_process_make_room(plugin_process *self, size_t dim, size_t derived, flow_err *err)
{
    size_t size = plugin_room_size(dim, derived);
    if (self->map)
        return 0;
    int code = posix_fallocate(self->memory, 0, (off_t)size);
    void *map =
        code ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, self->memory, 0);
    if (map == MAP_FAILED)
        return flow_fail(err, FLOW_ENOMEM, "no shared memory for rows of %zu columns: %s", dim,
                         strerror(code ? code : errno));
    self->map = map;
    self->size = size;
    return 0;
}

/* ---- the process */

static int spawn(plugin_process *self, int theirs, const char *program, char *const argv[])
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&how);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawn_file_actions_adddup2(&files, theirs, PLUGIN_SOCKET);
    posix_spawn_file_actions_adddup2(&files, self->memory, PLUGIN_MEMORY);
    int code = posix_spawn(&self->pid, program, &files, &how, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&how);
    if (code)
        self->pid = 0;
    return code;
}

/* Both ends are clear of where a worker wants them. */
static int open_socket(int *theirs, plugin_process *self)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        return -1;
    self->socket = fcntl(ends[0], F_DUPFD_CLOEXEC, 10);
    *theirs = fcntl(ends[1], F_DUPFD_CLOEXEC, 10);
    close(ends[0]);
    close(ends[1]);
    return self->socket < 0 || *theirs < 0 ? -1 : 0;
}

static void close_socket(int *socket)
{
    if (*socket >= 0)
        close(*socket);
    *socket = -1;
}

int plugin_process_start(plugin_process *self, const char *program, const char *path,
                         const char *options, flow_err *err)
{
    char *const argv[] = {(char *)(uintptr_t)program, (char *)(uintptr_t)PLUGIN_WORKER_VERB,
                          (char *)(uintptr_t)path, (char *)(uintptr_t)options, NULL};
    int theirs = -1;
    if (open_memory(self, err))
        return err->code;
    int code = open_socket(&theirs, self) ? errno : spawn(self, theirs, program, argv);
    close_socket(&theirs);
    if (!code)
        return 0;
    close_socket(&self->socket);
    errno = code;
    return failed(program, err);
}

static void tell_end(char *how, int status)
{
    static const struct {
        int number;
        const char *name;
    } known[] = {{SIGSEGV, "SIGSEGV"}, {SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"},
                 {SIGFPE, "SIGFPE"},   {SIGILL, "SIGILL"},   {SIGKILL, "SIGKILL"}};
    if (WIFEXITED(status) && WEXITSTATUS(status) == PLUGIN_CUT_OFF) {
        snprintf(how, PLUGIN_END, "closed the socket that is not its own");
        return;
    }
    if (WIFEXITED(status)) {
        snprintf(how, PLUGIN_END, "called exit(%d)", WEXITSTATUS(status));
        return;
    }
    snprintf(how, PLUGIN_END, "was ended by signal %d", WTERMSIG(status));
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].number == WTERMSIG(status))
            snprintf(how, PLUGIN_END, "was ended by %s", known[i].name);
}

/* One that has gone by itself gets a moment to be seen as gone. */
void plugin_process_bury(plugin_process *self, char *how)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    int status = 0;
    pid_t seen = 0;
    if (self->pid == 0)
        return;
    for (int i = 0; i < 100 && how && (seen = waitpid(self->pid, &status, WNOHANG)) == 0; i++)
        nanosleep(&moment, NULL);
    if (how)
        snprintf(how, PLUGIN_END, "closed its socket");
    if (seen == self->pid && how)
        tell_end(how, status);
    if (seen != self->pid)
        kill(self->pid, SIGKILL);
    while (seen != self->pid && waitpid(self->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    close_socket(&self->socket);
    self->pid = 0;
}

void plugin_process_release(plugin_process *self)
{
    plugin_process_bury(self, NULL);
    close_socket(&self->memory);
    if (self->map)
        munmap(self->map, self->size);
    self->map = NULL;
}
