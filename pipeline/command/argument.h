/* pipeline/command/argument.h -- what the name of an argument says: "FILE", "npy|csv", "KEY=VALUE", "RUN|MODEL -n N",
 * "NETWORK". */
#ifndef PIPELINE_COMMAND_ARGUMENT_H
#define PIPELINE_COMMAND_ARGUMENT_H

#include <stddef.h>

typedef enum argument_sort {
    ARGUMENT_OTHER, /* a number or a text */
    ARGUMENT_FILE,
    ARGUMENT_DIRECTORY,
    ARGUMENT_KEY,     /* of the config */
    ARGUMENT_SETTING, /* KEY=VALUE */
    ARGUMENT_WORDS    /* one of some */
} argument_sort;

enum { ARGUMENT_WORDS_MAX = 16 };

typedef struct argument {
    argument_sort sort;
    size_t n_words;
    struct {
        const char *text; /* in the name; not ended */
        size_t size;
    } words[ARGUMENT_WORDS_MAX];
} argument;

/* The first word of the name counts; brackets around it do not. */
void argument_read(argument *out, const char *name);

#endif
