#include "pipeline/console/foreign.h"

#include "pipeline/console/exit.h"
#include "teacher/plugin.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
static int own_stdout = -1; /* while stdout is where stderr is */
static FILE *own;           /* the same, if it was asked for */

/* ---- the end of the process: from a signal too, so by write alone */

static void put(const char *text)
{
    size_t n = strlen(text);
    while (n > 0) {
        ssize_t done = write(STDERR_FILENO, text, n);
        if (done <= 0)
            return;
        text += done;
        n -= (size_t)done;
    }
}

static void blame(plugin_role role, const char *path, const char *what)
{
    bool is_target = role == PLUGIN_TARGET;
    put(isatty(STDERR_FILENO) ? "\ndistill: error: " : "distill: error: ");
    put(is_target ? "target: " : "function: ");
    put(path);
    put(what);
    put(is_target ? "; with target.workers = 1 the row is found and the run goes on\n" : "\n");
}

/* The handler is gone by now: raised once more, the signal does what it always does. */
static void on_crash(int number)
{
    plugin_role role;
    const char *path = plugin_inside(&role);
    if (path)
        blame(role, path,
              number == SIGSEGV   ? ": the plug-in crashed (SIGSEGV)"
              : number == SIGABRT ? ": the plug-in called abort()"
                                  : ": the plug-in crashed");
    raise(number);
}

static void on_exit_of_others(void)
{
    plugin_role role;
    const char *path = plugin_inside(&role);
    if (!path)
        return;
    blame(role, path, ": the plug-in called exit()");
    _exit(EXIT_DATA);
}

static void watch(void)
{
    static bool watching;
    struct sigaction was, ours;
    memset(&ours, 0, sizeof ours);
    ours.sa_handler = on_crash;
    ours.sa_flags = (int)(SA_RESETHAND | SA_NODEFER);
    sigemptyset(&ours.sa_mask);
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes && !watching; i++)
        if (sigaction(crashes[i], NULL, &was) == 0 && !(was.sa_flags & SA_SIGINFO) &&
            was.sa_handler == SIG_DFL)
            sigaction(crashes[i], &ours, NULL);
    if (!watching && atexit(on_exit_of_others))
        put("distill: warning: an exit() of a plug-in will not be told\n");
    watching = true;
}

/* ---- the whole */

void foreign_begin(void)
{
    watch();
    fflush(stdout);
    own_stdout = dup(STDOUT_FILENO); /* none, if there is no stdout */
    if (own_stdout >= 0)
        dup2(STDERR_FILENO, STDOUT_FILENO);
}

void foreign_end(void)
{
    if (own_stdout < 0)
        return;
    fflush(stdout);
    dup2(own_stdout, STDOUT_FILENO);
    if (own)
        fclose(own);
    else
        close(own_stdout);
    own = NULL;
    own_stdout = -1;
}

FILE *foreign_stdout(void)
{
    if (own_stdout >= 0 && !own)
        own = fdopen(own_stdout, "w");
    return own_stdout >= 0 ? own : stdout;
}
