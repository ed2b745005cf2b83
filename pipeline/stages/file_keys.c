#include "pipeline/stages/file_keys.h"

#include "flow/json.h"
#include "pipeline/config/schema.h"
#include "teacher/target.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH = 256, FILE_PATH = 8192 };

typedef struct walk {
    file_keys_visit visit;
    void *arg;
} walk;

static void of_kind(const walk *w, const char *path, const flow_registry *kinds, json_t *object);

static void of_key(const walk *w, const char *path, const flow_key *key, json_t *object)
{
    char whole[PATH];
    json_t *value = json_object_get(object, key->name);
    snprintf(whole, sizeof whole, "%.180s.%.60s", path, key->name);
    if (key->flags & FLOW_KEY_FILE && json_is_string(value))
        w->visit(w->arg, whole, object, key->name);
    else if (key->type == FLOW_KEY_KIND && json_is_object(value))
        of_kind(w, whole, key->kinds, value);
}

static void of_kind(const walk *w, const char *path, const flow_registry *kinds, json_t *object)
{
    const flow_kind *kind = flow_kind_of(kinds, object, NULL);
    for (const flow_key *key = kind ? kind->keys : NULL; key && key->name; key++)
        of_key(w, path, key, object);
}

/* The object that has the last part of a path, which is *name. */
static json_t *holder(json_t *top, const char *path, const char **name)
{
    char above[PATH];
    const char *dot = strrchr(path, '.');
    *name = dot ? dot + 1 : path;
    snprintf(above, sizeof above, "%.*s", dot ? (int)(dot - path) : 0, path);
    return dot ? flow_json_below(top, above) : top;
}

void file_keys_each(json_t *resolved, file_keys_visit visit, void *arg)
{
    const walk w = {visit, arg};
    for (size_t i = 0; i < schema_n_keys; i++) {
        const flow_key *row = &schema_keys[i];
        const char *name;
        json_t *object = holder(resolved, row->name, &name), *value = json_object_get(object, name);
        if (row->flags & FLOW_KEY_FILE && json_is_string(value))
            visit(arg, row->name, object, name);
        else if (row->type == FLOW_KEY_KIND && json_is_object(value))
            of_kind(&w, row->name, row->kinds, value);
    }
}

void file_keys_of_target(json_t *description, file_keys_visit visit, void *arg)
{
    const walk w = {visit, arg};
    of_kind(&w, "target", &target_registry, description);
}

/* ---- absolute */

static void set(json_t *object, const char *name, const char *path)
{
    json_t *value = json_string(path);
    if (value)
        json_object_set_new(object, name, value);
}

/* Links are left as they are named. */
static void make_absolute(void *arg, const char *key, json_t *object, const char *name)
{
    (void)arg;
    (void)key;
    char from[FILE_PATH / 2], whole[FILE_PATH];
    const char *path = json_string_value(json_object_get(object, name));
    if (*path == '/' || !getcwd(from, sizeof from))
        return;
    snprintf(whole, sizeof whole, "%s/%.4000s", from, path);
    set(object, name, whole);
}

void file_keys_make_absolute(json_t *resolved)
{
    file_keys_each(resolved, make_absolute, NULL);
}
