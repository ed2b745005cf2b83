/* pipeline/console/term.h -- what the terminal behind a file descriptor can do. */
#ifndef PIPELINE_CONSOLE_TERM_H
#define PIPELINE_CONSOLE_TERM_H

#include <stdbool.h>
#include <stddef.h>

/* A line on it can be rewritten: a terminal, and TERM is set and not "dumb". */
bool term_live(int fd);

/* Live, and NO_COLOR is not set to anything (https://no-color.org). */
bool term_colour(int fd);

/* Columns; 80 if it does not say. */
size_t term_width(int fd);

#endif
