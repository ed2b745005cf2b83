/* pipeline/stages/links_change.h -- many links that are switched together. What needs room on the disk is done before the first of them
 * leads elsewhere: every new link under a temporary name, and one more to where it led before, by which all is undone if anything fails. */
#ifndef PIPELINE_STAGES_LINKS_CHANGE_H
#define PIPELINE_STAGES_LINKS_CHANGE_H

#include "pipeline/stages/links.h"

typedef struct links_change {
    const char *root;
    struct links_one *at; /* (n) */
    size_t n;
} links_change;

/* RUN/name shall lead to RUN/to; to NULL: there shall be none. Nothing is seen of it yet. */
int links_change_add(links_change *self, const char *name, const char *to, flow_err *err);

/* Whether the name was added, and leads elsewhere now. */
bool links_change_has(const links_change *self, const char *name);

/* All at once, as far as a disk has that. After an error they are as they were, links_change_undo has been called. */
int links_change_make(links_change *self, flow_err *err);
void links_change_undo(links_change *self);

/* Removes what was made for an undo, or never came to use. */
void links_change_end(links_change *self);

/* Makes all, unless code says that they could not all be added, and ends. Returns the first error. */
int links_change_finish(links_change *self, int code, flow_err *err);

/* One alone: of a file in a stage's directory. */
int links_show(const rundir *dir, const char *name, flow_err *err);

#endif
