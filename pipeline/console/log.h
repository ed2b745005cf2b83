/* pipeline/console/log.h -- stderr for programs: a JSON object a line.
 *
 *   {"level": "progress", "stage": "teacher", "done": 3, "total": 40, "seconds": 1.2, "rate": 2.5, "left": 14.8, "text": "loss 1.2"}
 *   {"level": "warning", "text": "..."}      note, error and info likewise
 *
 * Every whole line that is printed on stderr becomes one; its level is told by how it begins. What a plug-in prints does not
 * go through here and stays as it is. */
#ifndef PIPELINE_CONSOLE_LOG_H
#define PIPELINE_CONSOLE_LOG_H

#include "flow/err.h"

#include <jansson.h>
#include <stdbool.h>

/* "text", as it is without a word, or "json", from here on. FLOW_EUSAGE: neither, or it cannot be done here. */
int log_format(const char *word, flow_err *err);

bool log_is_json(void);

/* A line of its own, whose reference is taken over. Nothing but in JSON. */
void log_line(json_t *line);

#endif
