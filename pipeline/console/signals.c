#include "pipeline/console/signals.h"

#include "files/atomic.h"
#include "pipeline/console/log.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t pending;

/* By write alone, as a handler must. */
static void say(const char *text, const char *json)
{
    const char *what = log_is_json() ? json : text;
    if (write(STDERR_FILENO, what, strlen(what)) < 0)
        return; /* nowhere to say it */
}

/* Files that are not whole go. */
static void leave(int number)
{
    file_atomic_abandon();
    _exit(128 + number);
}

static void on_last_signal(int number)
{
    say("\ndistill: error: stopped by a signal\n",
        "{\"level\":\"error\",\"text\":\"stopped by a signal\"}\n");
    leave(number);
}

static void on_signal(int number)
{
    if (pending && number == SIGINT)
        leave(number);
    if (pending)
        return;
    pending = number;
    if (number == SIGINT)
        say("\nstopping at the end of this step; Ctrl-C again leaves at once\n",
            "{\"level\":\"note\",\"text\":\"stopping at the end of this step\"}\n");
}

static void handle(int number, void (*handler)(int))
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

void signals_leave(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};
    struct sigaction was;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (sigaction(numbers[i], NULL, &was) == 0 && was.sa_handler == SIG_DFL)
            handle(numbers[i], on_last_signal);
}

void signals_catch(void)
{
    handle(SIGINT, on_signal);
    handle(SIGTERM, on_signal);
    handle(SIGUSR1, on_signal);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of its write */
}

int signals_pending(void)
{
    return (int)pending;
}

int signals_exit_code(void)
{
    return pending ? 128 + (int)pending : 0;
}
