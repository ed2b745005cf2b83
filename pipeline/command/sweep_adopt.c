#include "pipeline/command/sweep_adopt.h"

#include "pipeline/command/run_files.h"
#include "pipeline/console/exit.h"
#include "pipeline/stages/record_files.h"

#include <stdio.h>
#include <string.h>

enum { PATH = 4400 };

/* Whether two files are there, and the same. */
static bool are_same(const char *a, const char *b)
{
    FILE *x = fopen(a, "rb"), *y = fopen(b, "rb");
    bool same = x && y;
    for (int c = 0; same && c != EOF;) {
        c = getc(x);
        same = c == getc(y);
    }
    if (x)
        fclose(x);
    if (y)
        fclose(y);
    return same;
}

static bool has_file(const char *dir, const char *name, const char *source)
{
    char path[PATH];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return are_same(path, source);
}

/* A --set a line. */
static bool has_sets(const char *dir, char *const *argv)
{
    char path[PATH], line[PATH];
    snprintf(path, sizeof path, "%s/%s", dir, record_file_overrides);
    FILE *in = fopen(path, "rb");
    bool same = in != NULL;
    for (char *const *word = argv; same && *word; word++) {
        if (strcmp(*word, "--set") != 0)
            continue;
        word++;
        same = fgets(line, sizeof line, in) && strncmp(line, *word, strlen(*word)) == 0 &&
               strcmp(line + strlen(*word), "\n") == 0;
    }
    same = same && !fgets(line, sizeof line, in);
    if (in)
        fclose(in);
    return same;
}

static bool is_of_command(const sweep_point_of *p, const config_sources *s)
{
    char name[RECORD_NAME];
    bool same = has_file(p->dir, record_file_config, s->file) && has_sets(p->dir, p->argv);
    for (size_t i = 0; same && i < s->n_overlays; i++)
        same = has_file(p->dir, record_file_overlay(name, i), s->overlays[i]);
    return same;
}

bool sweep_adopt(sweep_point_of *p, const config_sources *sources)
{
    flow_err err = FLOW_ERR_INIT;
    if (run_files_check(p->dir, &err) || !is_of_command(p, sources))
        return false;
    json_t *manifest = run_files_json(p->dir, record_file_manifest, &err);
    const char *end = json_string_value(json_object_get(manifest, "end"));
    bool good = end && strcmp(end, "good") == 0, failed = end && strcmp(end, "gate failed") == 0;
    p->seconds = json_number_value(json_object_get(manifest, "ended")) -
                 json_number_value(json_object_get(manifest, "started"));
    json_decref(manifest);
    p->code = failed ? EXIT_GATE : EXIT_GOOD;
    p->state = good || failed ? POINT_DONE : POINT_LEFT;
    return good || failed;
}
