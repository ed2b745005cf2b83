#include "pipeline/stages/record.h"

#include "files/utf8.h"
#include "flow/json.h"
#include "pipeline/console/version.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* resolved.json is not among them: it marks a directory as that of a run (rundir.h), so it is never
 * missing, but replaced. So are config.yaml and overrides.txt, by every run. */
static const char RESOLVED[] = "resolved.json", CONFIG[] = "config.yaml",
                  OVERRIDES[] = "overrides.txt", MANIFEST[] = "manifest.json";
static const char *const stale[] = {"overlay-[0-9]*.yaml", MANIFEST, NULL};

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

int record_read(record_texts *out, const config_sources *sources, flow_err *err)
{
    *out = (record_texts){.overlays = calloc(sources->n_overlays + 1, sizeof *out->overlays)};
    if (!out->overlays)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the configuration");
    if (!(out->config = slurp(sources->file, err)))
        return err->code;
    for (size_t i = 0; i < sources->n_overlays; i++, out->n_overlays++)
        if (!(out->overlays[i] = slurp(sources->overlays[i], err)))
            return err->code;
    return FLOW_OK;
}

void record_texts_release(record_texts *self)
{
    for (size_t i = 0; i < self->n_overlays; i++)
        free(self->overlays[i]);
    free(self->overlays);
    free(self->config);
}

static int remove_all(const rundir *dir, const char *const *patterns, flow_err *err)
{
    int code = 0;
    for (; *patterns && !code; patterns++)
        code = rundir_remove(dir, *patterns, err);
    return code;
}

static int write_overrides(const rundir *dir, const config_sources *s, flow_err *err)
{
    size_t size = 1;
    for (size_t i = 0; i < s->n_sets; i++)
        size += strlen(s->sets[i]) + 1;
    char *text = calloc(size, 1);
    if (!text)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the overrides");
    for (size_t i = 0; i < s->n_sets; i++)
        strcat(strcat(text, s->sets[i]), "\n");
    int code = rundir_write_text(dir, OVERRIDES, text, err);
    free(text);
    return code;
}

static int write_overlays(const rundir *dir, const record_texts *texts, flow_err *err)
{
    int code = 0;
    for (size_t i = 0; i < texts->n_overlays && !code; i++) {
        char name[64];
        snprintf(name, sizeof name, "overlay-%zu.yaml", i + 1);
        code = rundir_write_text(dir, name, texts->overlays[i], err);
    }
    return code;
}

int record_resolved(const rundir *dir, const config *c, flow_err *err)
{
    json_t *resolved = config_to_json(c);
    int code = rundir_write_json(dir, RESOLVED, resolved, err);
    json_decref(resolved);
    return code;
}

int record_begin(const rundir *dir, const config *c, const config_sources *sources,
                 const record_texts *texts, flow_err *err)
{
    int code = remove_all(dir, stale, err);
    for (size_t i = 0; i < STAGE_COUNT && !code; i++)
        code = remove_all(dir, stages[i]->outputs, err);
    if (!code)
        code = record_resolved(dir, c, err);
    if (!code)
        code = rundir_write_text(dir, CONFIG, texts->config, err);
    if (!code)
        code = write_overlays(dir, texts, err);
    return code ? code : write_overrides(dir, sources, err);
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

int record_end(const stage_work *work, const record_course *course, flow_err *err)
{
    const config *c = work->config;
    json_t *out = json_object();
    flow_json_set(&out, "argv", argv_json(course));
    flow_json_set(&out, "versions", version_json());
    flow_json_set(&out, "backend", course->backend ? json_string(course->backend) : json_null());
    flow_json_set(&out, "threads", json_integer((json_int_t)flow_pool_threads(work->pool)));
    flow_json_set(&out, "seed", json_integer((json_int_t)c->seed));
    flow_json_set(&out, "seed_from", json_string(c->seed_given ? "config" : "drawn"));
    flow_json_set(&out, "files", json_incref(course->files));
    flow_json_set(&out, "started", json_real(course->started));
    flow_json_set(&out, "ended", json_real(course->ended));
    flow_json_set(&out, "seconds", seconds_json(course));
    flow_json_set(&out, "end", json_string(course->end));
    int code = rundir_write_json(work->dir, MANIFEST, out, err);
    json_decref(out);
    return code;
}
