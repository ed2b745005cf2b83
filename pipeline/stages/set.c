#include "pipeline/stages/set.h"

#include "files/atomic.h"
#include "flow/json.h"
#include "pipeline/stages/links.h"
#include "pipeline/stages/record_files.h"
#include "pipeline/stages/seal.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool set_is_whole(const plan *p)
{
    bool whole = true;
    for (size_t i = 0; i < STAGE_COUNT; i++)
        whole = whole && (p->at[i].what == PLAN_OUT || p->at[i].entry);
    return whole;
}

static json_t *current_of(const plan *p, const rundir *record)
{
    json_t *keys = json_object(), *out = json_object();
    for (size_t i = 0; i < STAGE_COUNT; i++)
        if (p->at[i].what != PLAN_OUT)
            flow_json_set(&keys, stages[i]->name, json_string(p->at[i].key));
    flow_json_set(&out, "stages", keys);
    flow_json_set(&out, "record", json_string(rundir_folder(record)));
    seal_add(&out);
    return out;
}

/* ---- whether it is shown */

static int check_link(void *arg, const char *name, flow_err *err)
{
    (void)err;
    return !record_is_linked(arg, name);
}

bool set_is_shown(const plan *p, const rundir *record)
{
    json_t *wanted = current_of(p, record);
    bool same = wanted && p->current && json_equal(wanted, p->current);
    json_decref(wanted);
    same =
        same && !record_each(record, check_link, (void *)(uintptr_t)record /* read only */, NULL);
    for (size_t i = 0; i < STAGE_COUNT && same; i++)
        same = !p->at[i].entry || store_is_linked(record->home, p->at[i].entry);
    return same;
}

/* ---- digests for sha256sum -c */

/* A name that would have to be escaped there is left out. */
static void sum_line(FILE *to, const char *sum, const char *name)
{
    if (!strpbrk(name, "\\\n\r"))
        fprintf(to, "%s  %s\n", sum, name);
}

static void sums_of(FILE *to, const json_t *entry)
{
    const char *file;
    json_t *is;
    json_object_foreach(json_object_get(entry, "files"), file, is)
    {
        const char *link = json_string_value(json_object_get(is, "link"));
        if (link)
            sum_line(to, json_string_value(json_object_get(is, "sha256")), link);
    }
}

typedef struct summing {
    const rundir *record;
    FILE *to;
} summing;

/* How it went is no result, and has the time in it. */
static int sum_record(void *arg, const char *name, flow_err *err)
{
    const summing *self = arg;
    char path[RUNDIR_PATH], sum[FILE_SHA256];
    snprintf(path, sizeof path, "%.2000s/%.1000s", self->record->root, name);
    if (strcmp(name, record_file_sums) == 0 || strcmp(name, record_file_manifest) == 0)
        return 0;
    if (file_sha256(sum, path, err))
        return err->code;
    sum_line(self->to, sum, name);
    return 0;
}

static int write_sums(const plan *p, const rundir *record, flow_err *err)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %s", record_file_sums);
    int code = record_each(record, sum_record, &(summing){record, to}, err);
    for (size_t i = 0; i < STAGE_COUNT; i++)
        sums_of(to, p->at[i].entry);
    if (fclose(to) && !code)
        code = flow_fail(err, FLOW_ENOMEM, "out of memory for %s", record_file_sums);
    if (!code)
        code = rundir_write_text(record, record_file_sums, text, err);
    free(text);
    return code;
}

/* ---- showing it */

typedef struct sorting {
    const plan *p;
    const rundir *record;
    links_change *into;
} sorting;

static bool is_in(const char *to, const char *folder)
{
    size_t n = strlen(folder);
    return strncmp(to, folder, n) == 0 && to[n] == '/';
}

static bool is_file_of(const json_t *entry, const char *name)
{
    const char *file;
    json_t *is;
    json_object_foreach(json_object_get(entry, "files"), file, is)
    {
        const char *link = json_string_value(json_object_get(is, "link"));
        if (link && strcmp(link, name) == 0)
            return true;
    }
    return false;
}

/* Links that lead elsewhere than into this set. */
static int drop_other(void *arg, const char *name, const char *to, flow_err *err)
{
    const sorting *self = arg;
    char folder[STORE_NAME];
    if (links_change_has(self->into, name) || name[file_atomic_stem(name)])
        return 0; /* it gets another, or is one that waits */
    for (size_t i = 0; i < STAGE_COUNT; i++)
        if (self->p->at[i].entry &&
            is_in(to, store_name(folder, stages[i]->name, self->p->at[i].key)) &&
            is_file_of(self->p->at[i].entry, name))
            return 0;
    return is_in(to, rundir_folder(self->record)) ? 0
                                                  : links_change_add(self->into, name, NULL, err);
}

static int write_current(const plan *p, const rundir *record, flow_err *err)
{
    const rundir at = rundir_at(record->home);
    json_t *current = current_of(p, record);
    int code = rundir_write_json(&at, RUNDIR_CURRENT, current, err);
    json_decref(current);
    return code;
}

static int gather(links_change *into, const plan *p, const rundir *record, flow_err *err)
{
    int code = 0;
    for (size_t i = 0; i < STAGE_COUNT && !code; i++)
        if (p->at[i].entry)
            code = store_link(into, p->at[i].entry, err);
    return code ? code : record_link(into, record, err);
}

int set_show(const plan *p, const rundir *record, flow_err *err)
{
    links_change change = {.root = record->home};
    int code = write_sums(p, record, err);
    code = code ? code : links_each(record->home, drop_other, &(sorting){p, record, &change}, err);
    code = code ? code : gather(&change, p, record, err);
    code = code ? code : links_change_make(&change, err);
    if (!code && (code = write_current(p, record, err)))
        links_change_undo(&change);
    links_change_end(&change);
    return code;
}
