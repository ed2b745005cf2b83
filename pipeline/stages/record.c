#include "pipeline/stages/record.h"

#include "files/utf8.h"
#include "flow/json.h"
#include "pipeline/console/shell_word.h"
#include "pipeline/console/version.h"
#include "pipeline/stages/file_keys.h"
#include "pipeline/stages/links.h"
#include "pipeline/stages/record_files.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char record_file_config[] = "config.yaml", record_file_overrides[] = "overrides.txt",
           record_file_resolved[] = "resolved.json", record_file_manifest[] = "manifest.json";
const char record_file_sums[] = "SHA256SUMS";
static const char GIVEN[] = "given.json";

/* ---- inputs */

static char *slurp(const char *path, flow_err *err)
{
    enum { STEP = 65536 };
    FILE *in = fopen(path, "rb");
    char *text = NULL;
    size_t size = 0, got = in ? STEP : 0;
    while (in && got == STEP) {
        char *more = realloc(text, size + STEP + 1);
        if (!more)
            break;
        text = more;
        got = fread(text + size, 1, STEP, in);
        size += got;
    }
    bool good = in && got < STEP && !ferror(in);
    if (in)
        fclose(in);
    if (good) {
        text[size] = '\0';
        return text;
    }
    free(text);
    if (in && got == STEP)
        flow_fail(err, FLOW_ENOMEM, "%s: out of memory", path);
    else
        flow_fail(err, FLOW_ENOINPUT, "%s: %s", path, strerror(errno));
    return NULL;
}

/* The lines that are there already, and those of the sources. before: taken over; NULL after an error. */
static char *overrides_of(char *before, const config_sources *s, flow_err *err)
{
    size_t size = before ? strlen(before) + 1 : 0;
    for (size_t i = 0; i < s->n_sets; i++)
        size += strlen(s->sets[i]) + 1;
    char *text = before ? realloc(before, size) : NULL;
    if (!text) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for the overrides");
        free(before);
        return NULL;
    }
    for (size_t i = 0; i < s->n_sets; i++)
        strcat(strcat(text, s->sets[i]), "\n");
    return text;
}

static int make_room(record_texts *out, size_t overlays, flow_err *err)
{
    *out = (record_texts){.overlays = calloc(overlays + 1, sizeof *out->overlays)};
    return out->overlays ? 0 : flow_fail(err, FLOW_ENOMEM, "out of memory for the configuration");
}

int record_read(record_texts *out, const config_sources *sources, flow_err *err)
{
    if (make_room(out, sources->n_overlays, err) || !(out->config = slurp(sources->file, err)))
        return err->code;
    for (size_t i = 0; i < sources->n_overlays; i++, out->n_overlays++)
        if (!(out->overlays[i] = slurp(sources->overlays[i], err)))
            return err->code;
    out->overrides = overrides_of(strdup(""), sources, err);
    return out->overrides ? 0 : err->code;
}

const char *record_file_overlay(char out[RECORD_NAME], size_t i)
{
    snprintf(out, RECORD_NAME, "overlay-%zu.yaml", i + 1);
    return out;
}

static size_t count_overlays(const char *root)
{
    char path[RUNDIR_PATH], name[RECORD_NAME];
    size_t n = 0;
    while (access(rundir_in(path, root, record_file_overlay(name, n)), F_OK) == 0)
        n++;
    return n;
}

int record_read_run(record_texts *out, const char *root, const config_sources *sources,
                    flow_err *err)
{
    char path[RUNDIR_PATH], name[RECORD_NAME];
    size_t n = count_overlays(root);
    if (make_room(out, n, err) ||
        !(out->config = slurp(rundir_in(path, root, record_file_config), err)))
        return err->code;
    for (; out->n_overlays < n; out->n_overlays++) {
        rundir_in(path, root, record_file_overlay(name, out->n_overlays));
        if (!(out->overlays[out->n_overlays] = slurp(path, err)))
            return err->code;
    }
    char *before = slurp(rundir_in(path, root, record_file_overrides), err);
    out->overrides = before ? overrides_of(before, sources, err) : NULL;
    return out->overrides ? 0 : err->code;
}

void record_texts_release(record_texts *self)
{
    for (size_t i = 0; i < self->n_overlays; i++)
        free(self->overlays[i]);
    free(self->overlays);
    free(self->config);
    free(self->overrides);
}

/* ---- where */

/* Every key, files by whole paths: a config that may be read anywhere. as_given: a flow that nobody chose is left for a recipe
 * to choose. */
static char *resolved_text(const config *c, bool as_given)
{
    json_t *shared = config_to_json(c), *out = json_deep_copy(shared);
    json_decref(shared);
    if (out)
        file_keys_make_absolute(out);
    if (as_given && !c->student.flow_given)
        json_object_del(json_object_get(out, "student"), "flow");
    char *text = flow_json_text(out, JSON_INDENT(2) | JSON_SORT_KEYS);
    json_decref(out);
    return text;
}

/* All that the run was told, one behind the other. */
static char *told(size_t *size, const record_texts *texts, const char *given)
{
    char *out = NULL;
    FILE *to = open_memstream(&out, size);
    if (!to)
        return NULL;
    fprintf(to, "%s%c%s%c%s", given, 0, texts->config, 0, texts->overrides);
    for (size_t i = 0; i < texts->n_overlays; i++)
        fprintf(to, "%c%s", 0, texts->overlays[i]);
    bool good = !ferror(to);
    if (fclose(to) == 0 && good)
        return out;
    free(out);
    return NULL;
}

int record_place(rundir *out, const rundir *home, const config *c, const record_texts *texts,
                 flow_err *err)
{
    char key[FILE_SHA256], name[STORE_NAME];
    size_t size = 0;
    char *given = resolved_text(c, true), *all = given ? told(&size, texts, given) : NULL;
    *out = (rundir){.lock = -1, .home = home->root};
    if (all) {
        file_sha256_bytes(key, all, size);
        rundir_in(out->root, home->root, store_name(name, "run", key));
    }
    free(given);
    free(all);
    return all ? 0 : flow_fail(err, FLOW_ENOMEM, "out of memory for the record");
}

bool record_is_whole(const rundir *self)
{
    char path[RUNDIR_PATH];
    return access(rundir_in(path, self->root, record_file_resolved), F_OK) == 0;
}

bool record_is_linked(const rundir *self, const char *name)
{
    char to[RUNDIR_PATH];
    return links_leads(self->home, name, rundir_in(to, rundir_folder(self), name));
}

const char *record_given(char *out, const char *root, flow_err *err)
{
    char link[RUNDIR_PATH], to[RUNDIR_PATH], word[SHELL_WORD];
    ssize_t n = readlink(rundir_in(link, root, record_file_resolved), to, sizeof to - 1);
    to[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(to, '/');
    if (slash) {
        snprintf(slash + 1, sizeof to - (size_t)(slash + 1 - to), "%s", GIVEN);
        rundir_in(out, root, to);
    }
    if (slash && access(out, R_OK) == 0)
        return out;
    flow_fail(err, FLOW_ENOINPUT, "%s: no run with a memory is there: distill run FILE --out %s",
              root, shell_text(word, root));
    return NULL;
}

/* ---- the inputs */

static int write_text(const rundir *self, const char *name, char *text, flow_err *err)
{
    int code = text ? rundir_write_text(self, name, text, err)
                    : flow_fail(err, FLOW_ENOMEM, "out of memory for %s", name);
    free(text);
    return code;
}

static int write_overlays(const rundir *self, const record_texts *texts, flow_err *err)
{
    int code = 0;
    char name[RECORD_NAME];
    for (size_t i = 0; i < texts->n_overlays && !code; i++)
        code = rundir_write_text(self, record_file_overlay(name, i), texts->overlays[i], err);
    return code;
}

int record_begin(const rundir *self, const config *c, const record_texts *texts, flow_err *err)
{
    int code = write_text(self, GIVEN, resolved_text(c, true), err);
    if (!code)
        code = rundir_write_text(self, record_file_config, texts->config, err);
    if (!code)
        code = write_overlays(self, texts, err);
    return code ? code : rundir_write_text(self, record_file_overrides, texts->overrides, err);
}

int record_resolved(const rundir *self, const config *c, flow_err *err)
{
    return write_text(self, record_file_resolved, resolved_text(c, false), err);
}

/* ---- links */

static int visit_if_there(const rundir *self, const char *name,
                          int (*visit)(void *arg, const char *name, flow_err *err), void *arg,
                          flow_err *err)
{
    char path[RUNDIR_PATH];
    return access(rundir_in(path, self->root, name), F_OK) == 0 ? visit(arg, name, err) : 0;
}

int record_each(const rundir *self, int (*visit)(void *arg, const char *name, flow_err *err),
                void *arg, flow_err *err)
{
    static const char *const names[] = {record_file_resolved,  record_file_config,
                                        record_file_overrides, record_file_manifest,
                                        record_file_sums,      NULL};
    char overlay[RECORD_NAME];
    int code = 0;
    for (const char *const *name = names; *name && !code; name++)
        code = visit_if_there(self, *name, visit, arg, err);
    for (size_t i = 0, n = count_overlays(self->root); i < n && !code; i++)
        code = visit(arg, record_file_overlay(overlay, i), err);
    return code;
}

typedef struct showing {
    const rundir *record;
    links_change *into;
} showing;

static int show(void *arg, const char *name, flow_err *err)
{
    const showing *self = arg;
    char to[RUNDIR_PATH];
    rundir_in(to, rundir_folder(self->record), name);
    return links_change_add(self->into, name, to, err);
}

int record_link(links_change *into, const rundir *self, flow_err *err)
{
    return record_each(self, show, &(showing){self, into}, err);
}

int record_link_now(const rundir *self, flow_err *err)
{
    links_change change = {.root = self->home};
    return links_change_finish(&change, record_link(&change, self, err), err);
}

/* ---- how it went */

/* A word of the command line may be any bytes, JSON is UTF-8. NULL: out of memory. */
static json_t *word_json(const char *word)
{
    char *text = strdup(word);
    if (!text)
        return NULL;
    file_mend_utf8(text);
    json_t *out = json_string(text);
    free(text);
    return out;
}

static json_t *argv_json(const record_course *course)
{
    json_t *out = json_array();
    for (int i = 0; i < course->argc; i++)
        flow_json_append(&out, word_json(course->argv[i]));
    return out;
}

static json_t *seconds_json(const record_course *course)
{
    json_t *out = json_object();
    for (size_t i = 0; i < STAGE_COUNT; i++)
        flow_json_set(&out, stages[i]->name, flow_json_real(course->seconds[i]));
    return out;
}

/* {stage: {key, ran}} of all that were asked for. */
static json_t *stages_json(const record_course *course, const plan *of)
{
    json_t *out = json_object();
    for (size_t i = 0; i < STAGE_COUNT; i++)
        if (of->at[i].of)
            flow_json_set(
                &out, stages[i]->name,
                json_pack("{s:s, s:b}", "key", of->at[i].key, "ran", (int)course->ran[i]));
    return out;
}

int record_end(const rundir *self, const stage_work *work, const record_course *course,
               const plan *of, flow_err *err)
{
    const config *c = work->config;
    json_t *out = json_object();
    flow_json_set(&out, "argv", argv_json(course));
    flow_json_set(&out, "versions", version_json());
    flow_json_set(&out, "backend", course->backend ? json_string(course->backend) : json_null());
    flow_json_set(&out, "threads",
                  work->pool ? json_integer((json_int_t)flow_pool_threads(work->pool))
                             : json_null());
    flow_json_set(&out, "seed", json_integer((json_int_t)c->seed));
    flow_json_set(&out, "seed_from", json_string(c->seed_given ? "config" : "drawn"));
    flow_json_set(&out, "files", json_incref(of->files));
    flow_json_set(&out, "started", json_real(course->started));
    flow_json_set(&out, "ended", json_real(course->ended));
    flow_json_set(&out, "seconds", seconds_json(course));
    flow_json_set(&out, "stages", stages_json(course, of));
    flow_json_set(&out, "end", json_string(course->end));
    int code = rundir_write_json(self, record_file_manifest, out, err);
    json_decref(out);
    return code;
}
