#include "pipeline/console/signals.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t pending;

static void on_signal(int number)
{
    static const char text[] = "\nstopping at the end of this step; Ctrl-C again leaves at once\n";
    if (pending && number == SIGINT)
        _exit(128 + SIGINT);
    if (pending)
        return;
    pending = number;
    if (number == SIGINT && write(STDERR_FILENO, text, sizeof text - 1) < 0)
        return; /* nowhere to say it */
}

void signals_catch(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
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
