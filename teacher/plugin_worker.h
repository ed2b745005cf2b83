/* teacher/plugin_worker.h -- a worker process of a plug-in: what a program does that was started as one. */
#ifndef TEACHER_PLUGIN_WORKER_H
#define TEACHER_PLUGIN_WORKER_H

/* argv (argc): the library and its options, behind the hidden verb (plugin_talk.h); socket and memory are open. Serves
 * until the other side is gone. Returns the exit code of the process; 64: nobody started it as a worker. */
int plugin_worker_main(int argc, char **argv);

#endif
