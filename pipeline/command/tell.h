/* pipeline/command/tell.h -- what a key means, as text of at most 80 columns. */
#ifndef PIPELINE_COMMAND_TELL_H
#define PIPELINE_COMMAND_TELL_H

#include "flow/key.h"
#include "pipeline/config/gates.h"

#include <stdio.h>

enum { TELL_MARGIN = 2 };

/* Writes text word by word; the cursor is at column `column`, further lines start at `indent`. */
void tell_wrap(FILE *to, const char *text, size_t column, size_t indent);
void tell_wrap_at(FILE *to, size_t width, const char *text, size_t column, size_t indent);

/* Everything about a key, which stands at path, or a figure of a validation. only NULL: always. */
void tell_key(FILE *to, const char *path, const flow_key *key, const char *only);
void tell_figure(FILE *to, gate_figure figure, const char *home);

/* The heads of the columns, and a line: name, default, first sentence. */
void tell_head(FILE *to);
void tell_line(FILE *to, const flow_key *key);

#endif
