#include "pipeline/command/sweep_points.h"

#include "files/atomic.h"
#include "files/sha256.h"
#include "flow/json.h"
#include "pipeline/command/run_files.h"
#include "pipeline/command/sweep_adopt.h"
#include "pipeline/config/show.h"
#include "pipeline/console/exit.h"
#include "pipeline/console/shell_word.h"
#include "pipeline/stages/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 4096, LONGEST = 160 };
static const char POINTS[] = "points.json";

/* ---- names */

static char *name_of(const char *const *keys, const char *const *values, size_t n)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    for (size_t i = 0; to && i < n; i++)
        fprintf(to, "%s%s=%s", i ? "," : "", keys[i], values[i]);
    if (to && fclose(to) == 0)
        return text;
    free(text);
    return NULL;
}

/* The last part of its directory: the name, if a directory can be called so; else what is left of it, and a digest. */
static void folder_of(char out[NAME], const char *name)
{
    static const char good[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._=,+-";
    char mark[FILE_SHA256];
    bool fits = strlen(name) <= LONGEST && !name[strspn(name, good)];
    snprintf(out, NAME, "%.*s", LONGEST, name);
    for (char *at = out; *at; at++)
        *at = strchr(good, *at) ? *at : '_';
    file_sha256_bytes(mark, name, strlen(name));
    if (!fits)
        snprintf(out + strlen(out), NAME - strlen(out), "-%.8s", mark);
}

/* ---- commands */

typedef struct words {
    char **at;
    size_t n;
    bool bad;
} words;

static void add(words *out, const char *text)
{
    char **more = realloc(out->at, (out->n + 2) * sizeof *more);
    out->at = more ? more : out->at;
    char *copy = more ? strdup(text) : NULL;
    out->bad |= !copy;
    if (!more)
        return;
    out->at[out->n++] = copy;
    out->at[out->n] = NULL;
}

static void add_set(words *out, const char *key, const char *value)
{
    size_t size = strlen(key) + strlen(value) + 2;
    char *text = malloc(size);
    add(out, "--set");
    if (text)
        snprintf(text, size, "%s=%s", key, value);
    add(out, text ? text : "");
    out->bad |= !text;
    free(text);
}

static char **command_of(const config_sources *s, const char *const *keys,
                         const char *const *values, size_t n, const char *dir)
{
    words out = {.at = NULL};
    add(&out, "run");
    add(&out, s->file);
    for (size_t i = 0; i < s->n_overlays; i++) {
        add(&out, "-c");
        add(&out, s->overlays[i]);
    }
    for (size_t i = 0; i < s->n_sets; i++) {
        add(&out, "--set");
        add(&out, s->sets[i]);
    }
    for (size_t i = 0; i < n; i++)
        add_set(&out, keys[i], values[i]);
    add(&out, "--out");
    add(&out, dir);
    if (!out.bad)
        return out.at;
    for (size_t i = 0; i < out.n; i++)
        free(out.at[i]);
    free(out.at);
    return NULL;
}

void sweep_list_print_commands(const sweep_list *self)
{
    for (size_t i = 0; i < self->n; i++) {
        fputs("distill", stdout);
        for (char **word = self->points[i].argv; *word; word++) {
            putchar(' ');
            shell_word(stdout, *word);
        }
        putchar('\n');
    }
}

/* ---- the config of a point */

/* Whether a key has a say in the teacher. */
static bool is_of_teacher(const char *key)
{
    return stage_reads(&stage_data, key) || stage_reads(&stage_teacher, key);
}

/* Its own copy of the sources with the point's sets behind; NULL after complaints. */
static config *load_point(int *status, const config_sources *s, char **argv, size_t n)
{
    config_sources all = *s;
    const char **sets = calloc(s->n_sets + n + 1, sizeof *sets);
    size_t used = 0;
    for (char **word = argv; sets && *word; word++)
        if (strcmp(*word, "--set") == 0)
            sets[used++] = *++word;
    all.sets = sets;
    all.n_sets = used;
    config *out = sets ? config_load_shown(status, &all) : NULL;
    *status = sets ? *status : EXIT_MEMORY;
    free(sets);
    return out;
}

static char *digest_of(const config *c)
{
    char mark[FILE_SHA256];
    json_t *all = config_to_json(c);
    if (!c->seed_given && all)
        json_object_del(all, "seed");
    char *text = flow_json_text(all, JSON_SORT_KEYS | JSON_COMPACT);
    json_decref(all);
    if (text)
        file_sha256_bytes(mark, text, strlen(text));
    char *out = text ? strdup(mark) : NULL;
    free(text);
    return out;
}

/* The first point before `index` whose keys that a teacher hangs on are the same. */
static size_t leader_of(const sweep_list *self, const sweep *of, size_t index)
{
    const char *keys[SWEEP_MAX_KEYS + 1], *values[SWEEP_MAX_KEYS + 1];
    const char *other_keys[SWEEP_MAX_KEYS + 1], *others[SWEEP_MAX_KEYS + 1];
    size_t n = sweep_point(keys, values, of, index);
    for (size_t k = 0; k < index; k++) {
        size_t m = sweep_point(other_keys, others, of, k), i = 0;
        while (i < n && m == n && strcmp(keys[i], other_keys[i]) == 0 &&
               (!is_of_teacher(keys[i]) || strcmp(values[i], others[i]) == 0))
            i++;
        if (i == n && m == n)
            return self->points[k].leader;
    }
    return index;
}

static bool make_point(int *status, sweep_list *self, const sweep_options *o, size_t index)
{
    const char *keys[SWEEP_MAX_KEYS + 1], *values[SWEEP_MAX_KEYS + 1];
    char folder[NAME], dir[2 * NAME];
    sweep_point_of *p = &self->points[index];
    size_t n = sweep_point(keys, values, self->config->sweep, index);
    if (!(p->name = name_of(keys, values, n)))
        return false;
    folder_of(folder, p->name);
    snprintf(dir, sizeof dir, "%s/%s", self->root, folder);
    p->dir = strdup(dir);
    p->argv = p->dir ? command_of(&o->sources, keys, values, n, dir) : NULL;
    config *c = p->argv ? load_point(status, &o->sources, p->argv, n) : NULL;
    if (!c)
        return false;
    p->wanted = digest_of(c);
    p->leader = c->target ? index : leader_of(self, self->config->sweep, index);
    config_free(c);
    return p->wanted != NULL;
}

/* ---- how they stand */

static int read_states(sweep_list *self, const config_sources *sources, flow_err *err)
{
    json_t *known = run_files_json(self->root, POINTS, err);
    for (size_t i = 0; known && i < self->n; i++) {
        sweep_point_of *p = &self->points[i];
        flow_err none = FLOW_ERR_INIT;
        const json_t *is = json_object_get(known, p->name);
        const char *had = json_string_value(json_object_get(is, "config"));
        if (!had || strcmp(had, p->wanted) != 0 || run_files_check(p->dir, &none)) {
            sweep_adopt(p, sources);
            continue;
        }
        p->code = (int)json_integer_value(json_object_get(is, "code"));
        p->seconds = json_number_value(json_object_get(is, "seconds"));
        p->state = p->code <= EXIT_GATE ? POINT_DONE : POINT_FAILED;
    }
    json_decref(known);
    return err->code;
}

int sweep_list_save(const sweep_list *self, flow_err *err)
{
    char path[NAME + 32];
    json_t *all = json_object();
    for (size_t i = 0; i < self->n; i++) {
        const sweep_point_of *p = &self->points[i];
        if (p->state == POINT_DONE || p->state == POINT_FAILED)
            flow_json_set(&all, p->name,
                          json_pack("{s:s, s:i, s:f}", "config", p->wanted, "code", p->code,
                                    "seconds", p->seconds));
    }
    char *text = flow_json_text(all, JSON_INDENT(1) | JSON_SORT_KEYS);
    snprintf(path, sizeof path, "%s/%s", self->root, POINTS);
    int code = text ? file_atomic_write(path, text, strlen(text), err)
                    : flow_fail(err, FLOW_ENOMEM, "%s: out of memory", path);
    free(text);
    json_decref(all);
    return code;
}

/* ---- the whole */

void sweep_list_free(sweep_list *self)
{
    for (size_t i = 0; self && i < self->n; i++) {
        sweep_point_of *p = &self->points[i];
        for (char **word = p->argv; word && *word; word++)
            free(*word);
        free(p->argv);
        free(p->dir);
        free(p->name);
        free(p->wanted);
    }
    if (self) {
        config_free(self->config);
        free(self->points);
    }
    free(self);
}

static int no_sweep(const char *file)
{
    flow_err err = FLOW_ERR_INIT;
    flow_fail(&err, FLOW_ECONFIG, "%s has no section sweep: distill explain sweep", file);
    return exit_fail(&err);
}

sweep_list *sweep_list_create(int *status, const sweep_options *o)
{
    flow_err err = FLOW_ERR_INIT;
    sweep_list *self = calloc(1, sizeof *self);
    *status = EXIT_MEMORY;
    if (!self || !(self->config = config_load_shown(status, &o->sources)))
        goto fail;
    if (!self->config->sweep) {
        *status = no_sweep(o->sources.file);
        goto fail;
    }
    snprintf(self->root, sizeof self->root, "%s%s%s", o->out ? o->out : "runs/",
             o->out ? "" : self->config->name, o->out ? "" : "-sweep");
    *status = EXIT_MEMORY;
    self->n = sweep_points(self->config->sweep);
    if (!(self->points = calloc(self->n, sizeof *self->points)))
        goto fail;
    for (size_t i = 0; i < self->n; i++)
        if (!make_point(status, self, o, i))
            goto fail;
    if (read_states(self, &o->sources, &err) == 0)
        return self;
    *status = exit_fail(&err);
fail:
    sweep_list_free(self);
    return NULL;
}
