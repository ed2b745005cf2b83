/* pipeline/command/explain_unknown.h -- what may have been meant by a word that there is nothing to tell of. */
#ifndef PIPELINE_COMMAND_EXPLAIN_UNKNOWN_H
#define PIPELINE_COMMAND_EXPLAIN_UNKNOWN_H

#include "flow/err.h"

/* FLOW_EUSAGE: "there is no key 'PATH'", with the nearest words that explain knows, keys, sections and kinds of all depths; where none is
 * near, with the command that lists those of the section that path begins with, or all. */
int explain_unknown(const char *path, flow_err *err);

#endif
