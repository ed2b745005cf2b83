/* teacher/plugin_process.h -- one worker of a plug-in, as the process sees it that started it. */
#ifndef TEACHER_PLUGIN_PROCESS_H
#define TEACHER_PLUGIN_PROCESS_H

#include "teacher/plugin_talk.h"

#include <sys/types.h>

typedef struct plugin_process {
    pid_t pid; /* 0: it does not run */
    int socket, memory;
    void *map; /* NULL: there is no room yet */
    size_t size;
} plugin_process;

/* Nothing runs yet. */
void plugin_process_init(plugin_process *self);

/* Starts it; FLOW_EIO. What it says at first is still to be read. */
int plugin_process_start(plugin_process *self, const char *program, const char *path,
                         const char *options, flow_err *err);

/* Makes room for rows of dim numbers and their quantities; FLOW_ENOMEM. */
int plugin_process_make_room(plugin_process *self, size_t dim, size_t derived, flow_err *err);

/* Ends it, one way or the other. how (PLUGIN_END): "was killed by SIGSEGV", "called exit(3)". */
enum { PLUGIN_END = 80 };
void plugin_process_bury(plugin_process *self, char *how);

/* Ends it for good. */
void plugin_process_release(plugin_process *self);

#endif
