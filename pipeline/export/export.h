/* pipeline/export/export.h -- a model as something that other programs take: source, a graph. Each kind is one table, and
 * a line of export.c. */
#ifndef PIPELINE_EXPORT_EXPORT_H
#define PIPELINE_EXPORT_EXPORT_H

#include "files/model.h"

#include <stdio.h>

typedef struct export_kind {
    const char *name; /* the word of --to */
    const char *doc;
    const char *suffix; /* of its files: ".c" */
    /* The model, which is as it was trained or converted, as text. stem names it: export_check_stem. FLOW_ECONFIG
     * names a layer that it cannot say, or what else of the model; FLOW_ENOMEM. */
    int (*write)(FILE *out, const flow_model *model, const char *stem, flow_err *err);
} export_kind;

/* NULL-terminated. */
extern const export_kind *const export_kinds[];

/* FLOW_EUSAGE lists them. */
int export_find(const export_kind **out, const char *name, flow_err *err);

/* A name of letters, digits and _, that begins with a letter and is no word of C or C++: FLOW_EUSAGE. */
int export_check_stem(const char *stem, flow_err *err);

/* The file, whole or not at all. stem NULL: the path's own name without its suffix. */
int export_file(const export_kind *kind, const flow_model *model, const char *path,
                const char *stem, flow_err *err);

#endif
