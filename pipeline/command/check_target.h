/* pipeline/command/check_target.h -- distill check-target: the target of a config, or a plug-in, held to its word. */
#ifndef PIPELINE_COMMAND_CHECK_TARGET_H
#define PIPELINE_COMMAND_CHECK_TARGET_H

typedef struct check_target_options {
    const char *file;    /* the .yaml of a run; anything else: a library */
    const char *options; /* of a library; NULL: not given */
} check_target_options;

/* Prints on stdout; returns the exit code of the process: that of wrong data where a student would learn
 * something wrong, or nothing. */
int check_target_verb(const check_target_options *options);

#endif
