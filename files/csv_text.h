/* files/csv_text.h -- the lines of a text file, and files that are no text told apart. */
#ifndef FILES_CSV_TEXT_H
#define FILES_CSV_TEXT_H

#include "flow/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct csv_text {
    FILE *in;
    const char *name; /* of the file, for messages */
    char *line;       /* the current one without its ending; the caller frees it in the end */
    size_t size;
    size_t number; /* of the line, from 1 */
} csv_text;

/* The next line. 1: there is one; 0: end of the file; else an error. */
int csv_text_next(csv_text *self, flow_err *err);

bool csv_is_blank(const char *line);

#endif
