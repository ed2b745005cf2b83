/* pipeline/stages/links.h -- the names that users know, RUN/teacher/model.safetensors, as symbolic links to what the stages
 * wrote below RUN/stages/. A link is switched at once: a reader sees the old file or the new one. */
#ifndef PIPELINE_STAGES_LINKS_H
#define PIPELINE_STAGES_LINKS_H

#include "pipeline/stages/rundir.h"

/* What stood in the way of a link: it may be the user's own. */
#define LINKS_EARLIER "stages/earlier"

/* What a link RUN/name holds that leads to RUN/to, "stages/teacher-3f9a1c2e/model.safetensors"; out has RUNDIR_PATH bytes. */
void links_text(char *out, const char *name, const char *to);
/* Its folder is made. A plain file of that name, which is of an earlier program or of somebody else, is moved to
 * stages/earlier/. links_change.h makes the link. */
int links_make_way(const char *root, const char *name, flow_err *err);

/* Whether it leads there already. */
bool links_leads(const char *root, const char *name, const char *to);

/* Every link of the run into stages/: name and where to, from RUN. Stops at the first that is not 0. */
typedef int (*links_visit)(void *arg, const char *name, const char *to, flow_err *err);
int links_each(const char *root, links_visit visit, void *arg, flow_err *err);

/* Removes links that were to take the place of others when their process was killed. */
int links_sweep(const char *root, flow_err *err);

/* Takes the link away, and its folder if that is then empty. */
int links_remove(const char *root, const char *name, flow_err *err);
void links_drop_folder(const char *root, const char *name);

#endif
