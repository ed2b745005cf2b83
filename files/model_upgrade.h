/* files/model_upgrade.h -- flows as files of an earlier format described them. */
#ifndef FILES_MODEL_UPGRADE_H
#define FILES_MODEL_UPGRADE_H

#include "flow/err.h"

#include <jansson.h>

/* The description that a file of this format holds, as flow_create wants it today; a new reference. Format 1
 * had a transformer and its network flat among the keys of their layer, and numbers that were the same for
 * all left out. FLOW_EDATA: the format is unknown, or something is missing. */
json_t *model_upgrade(const json_t *description, const char *format, flow_err *err);

/* The format that is written today. */
extern const char model_format[];

#endif
