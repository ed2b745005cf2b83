/* pipeline/stages/store.h -- the results of stages, each in a directory of its own that is named by what it hangs on:
 *
 *   stages/teacher-3f9a1c2e/        whole: its stage.json was the last file that was written
 *   stages/teacher-3f9a1c2e.part/   at work, or stopped
 *
 * stage.json is what the stage hangs on (slices.h), with its key, its files, each with size, digest and the name that users know it
 * by ("link"; null: it is only for later stages), seconds, and what the networks were computed with. product.json has
 * what else later stages are given (stage.h). */
#ifndef PIPELINE_STAGES_STORE_H
#define PIPELINE_STAGES_STORE_H

#include "pipeline/stages/links_change.h"
#include "pipeline/stages/stage.h"

enum { STORE_NAME = 96, STORE_WHY = 200 };

/* "stages/teacher-3f9a1c2e", in the run's directory; name: of the stage. out (STORE_NAME) is returned. */
const char *store_name(char *out, const char *name, const char *key);

/* stage.json of a folder as it was written: a new reference. NULL: it is not there, or another. */
#define STORE_ENTRY "stage.json"
json_t *store_entry(const char *root, const char *folder);

/* Its stage.json, if the result is whole and of that key, as far as sizes tell it and, of files that were written to later, digests: a
 * new reference. NULL: why says what is missing, "" where
 * there is nothing at all. */
json_t *store_find(char why[STORE_WHY], const char *root, const char *name, const char *key);

/* Whether there is one of that key that was stopped. */
bool store_is_part(const char *root, const char *name, const char *key);

/* Whether it can go on from where it was stopped. */
bool store_goes_on(const char *root, const stage *s, const char *key);

/* A directory to work in, empty but where it goes on. home: the run's; kept until the end. shown: links are made at once. */
int store_begin(rundir *out, const rundir *home, const char *name, const char *key, bool goes_on,
                bool shown, flow_err *err);

/* How it went. */
typedef struct store_end {
    const char *key;
    json_t *of;      /* slices_of; borrowed */
    json_t *product; /* of stage.store; NULL: none. Taken over */
    double seconds;
    const char *backend; /* NULL: not known */
} store_end;

/* The stage in `part` is whole: it takes its place, and stage.json is returned, a new reference; NULL after an error. */
json_t *store_keep(const rundir *part, const stage *s, store_end *end, flow_err *err);

/* What a stage that did not come to its end has written is linked, and temporary files of it are removed. In the text of
 * *why its files get the names that users know. */
int store_abandon(const rundir *part, const stage *s, flow_err *why);

/* Its product.json, after a look whether all its files are as they were written: a new reference, NULL after FLOW_EDATA. */
json_t *store_product(const char *root, const json_t *entry, flow_err *err);

/* Every file of a result that is not as it was written, worst first: FLOW_EDATA with its name, in the words of
 * the user if it has any; FLOW_EIO: it cannot be read. */
typedef void (*store_fault)(void *arg, const char *file, const char *what);
int store_check(const char *root, const json_t *entry, store_fault tell, void *arg);

/* FLOW_EDATA: a file, by whatever name, that a stage wrote and that is another now. */
int store_check_file(const char *path, flow_err *err);

/* Links all files of a result; with others, or now. */
int store_link(links_change *into, const json_t *entry, flow_err *err);
int store_link_now(const char *root, const json_t *entry, flow_err *err);
/* Whether all are linked already. */
bool store_is_linked(const char *root, const json_t *entry);

#endif
