/* pipeline/console/signals.h -- the first SIGINT, SIGTERM or SIGUSR1 asks the program to stop at the end of
 * the step; a second SIGINT makes it leave at once. */
#ifndef PIPELINE_CONSOLE_SIGNALS_H
#define PIPELINE_CONSOLE_SIGNALS_H

/* Until signals_catch: SIGINT, SIGTERM, SIGHUP and SIGUSR1 end the process at once, by 128 + their number, and files that
 * are not whole go. One that was ignored when the program started (nohup) stays so. */
void signals_leave(void);

/* Installs the handlers. To be called before any thread is started. */
void signals_catch(void);

/* The signal that asked to stop, or 0. Cheap; any thread. */
int signals_pending(void);

/* 128 + that signal: 130, 143 or 138; 0 if there was none. */
int signals_exit_code(void);

#endif
