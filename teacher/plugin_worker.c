#include "teacher/plugin_worker.h"

#include "teacher/plugin_talk.h"

#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOT_A_WORKER = 64 };

/* ---- the process */

/* Ends it when the other side does, also while the library is at work. */
static void *watch(void *arg)
{
    struct pollfd at = {.fd = PLUGIN_SOCKET, .events = 0};
    (void)arg;
    while (poll(&at, 1, -1) <= 0 || !(at.revents & (POLLHUP | POLLERR | POLLNVAL)))
        continue;
    _exit(at.revents & POLLNVAL ? PLUGIN_CUT_OFF : 0);
}

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

/* Ctrl-C is the other side's affair, whose end is seen; stdin is empty, stdout is stderr; a crash leaves no core. */
static int settle(void)
{
    const struct rlimit none = {0, 0};
    pthread_t watcher;
    int empty = open("/dev/null", O_RDONLY | O_CLOEXEC);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        signal(crashes[i], SIG_DFL); /* how it ends is told by who started it, not by a sanitizer */
    setrlimit(RLIMIT_CORE, &none);
    if (empty >= 0)
        dup2(empty, STDIN_FILENO);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    fcntl(PLUGIN_SOCKET, F_SETFD, FD_CLOEXEC);
    fcntl(PLUGIN_MEMORY, F_SETFD, FD_CLOEXEC);
    return pthread_create(&watcher, NULL, watch, NULL);
}

static bool is_started_as_one(int argc)
{
    struct stat is;
    return argc == 2 && fstat(PLUGIN_SOCKET, &is) == 0 && S_ISSOCK(is.st_mode) &&
           fstat(PLUGIN_MEMORY, &is) == 0;
}

/* ---- serving */

static plugin_heard greet(const plugin *code, const flow_err *err)
{
    plugin_hello hello = {.code = err->code};
    const plugin_about *about = code ? plugin_says(code) : NULL;
    snprintf(hello.text, sizeof hello.text, "%s", err->text);
    if (about) {
        hello.flags = about->flags;
        hello.dim = about->dim;
        hello.log_z = about->log_z;
        hello.names = about->names_size;
        hello.support = about->support ? 3 * about->dim : 0;
        hello.derived.count = about->derived.count;
        hello.derived.usual = about->derived.usual;
        hello.derived.flags = about->derived.flags;
        hello.derived.names = about->derived.names_size;
    }
    plugin_heard heard = plugin_write(PLUGIN_SOCKET, &hello, sizeof hello);
    if (heard == PLUGIN_HEARD && hello.names > 0)
        heard = plugin_write(PLUGIN_SOCKET, about->names, about->names_size);
    if (heard == PLUGIN_HEARD && hello.support > 0)
        heard = plugin_write(PLUGIN_SOCKET, about->support, hello.support * sizeof *about->support);
    if (heard == PLUGIN_HEARD && hello.derived.names > 0)
        heard = plugin_write(PLUGIN_SOCKET, about->derived.names, hello.derived.names);
    return heard;
}

static int derive(const plugin *code, const plugin_room *room, const plugin_ask *ask, flow_err *err)
{
    const plugin_derived *d = &plugin_says(code)->derived;
    bool broken[FLOW_SHARD] = {false};
    char why[QUANTITIES_WHY] = "";
    int failed = plugin_derive(code, room->values, ask->what == PLUGIN_ALL ? d->count : d->usual,
                               broken, why, room->x, ask->n, err);
    for (size_t r = 0; r < ask->n && !failed; r++)
        room->status[r] = broken[r] ? TARGET_BROKEN : TARGET_FINITE;
    memcpy(room->text, why, sizeof why);
    return failed;
}

static int32_t answer(const plugin *code, const plugin_room *room, const plugin_ask *ask)
{
    flow_err err = FLOW_ERR_INIT;
    memset(room->status, 0, ask->n * sizeof *room->status);
    int failed = ask->what >= PLUGIN_USUAL
                     ? derive(code, room, ask, &err)
                     : plugin_rows(code, room->logp, ask->what == PLUGIN_SLOPES ? room->grad : NULL,
                                   room->status, room->x, ask->n, &err);
    if (failed)
        memcpy(room->text, err.text, sizeof err.text);
    fflush(stdout);
    return err.code;
}

/* Whether it is about what there is room for. */
static bool is_sound(const plugin_ask *ask, const plugin_about *about)
{
    size_t most = ask->what >= PLUGIN_USUAL ? plugin_room_rows(about->derived.count) : FLOW_SHARD;
    return ask->dim == about->dim && ask->derived == about->derived.count && ask->n <= most &&
           ask->what <= (about->derived.count ? PLUGIN_ALL : PLUGIN_SLOPES);
}

/* The room is there from the first time on that it is asked. */
static void serve(const plugin *code)
{
    const plugin_about *about = plugin_says(code);
    size_t size = plugin_room_size(about->dim, about->derived.count);
    void *memory = MAP_FAILED;
    plugin_ask ask;
    while (plugin_read(PLUGIN_SOCKET, &ask, sizeof ask, INFINITY) == PLUGIN_HEARD) {
        if (memory == MAP_FAILED)
            memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, PLUGIN_MEMORY, 0);
        if (memory == MAP_FAILED || !is_sound(&ask, about))
            return;
        plugin_room room = plugin_room_in(memory, about->dim, about->derived.count);
        int32_t done = answer(code, &room, &ask);
        if (plugin_write(PLUGIN_SOCKET, &done, sizeof done) != PLUGIN_HEARD)
            return;
    }
}

/* The library is not closed: it ends with the process, whatever it thinks of that. */
int plugin_worker_main(int argc, char **argv)
{
    flow_err err = FLOW_ERR_INIT;
    if (!is_started_as_one(argc) || settle())
        return NOT_A_WORKER;
    plugin *code = plugin_open(argv[0], argv[1], &err);
    if (greet(code, &err) == PLUGIN_HEARD && code)
        serve(code);
    _exit(0);
}
