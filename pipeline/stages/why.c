#include "pipeline/stages/why.h"

#include "files/utf8.h"
#include "flow/json.h"
#include "pipeline/stages/seal.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SHOWN = 60, LEVEL = 160 };

json_t *why_current(const char *root)
{
    char path[RUNDIR_PATH];
    return seal_read(rundir_in(path, root, RUNDIR_CURRENT));
}

int why_current_check(const char *root, flow_err *err)
{
    char path[RUNDIR_PATH];
    if (!seal_is_broken(rundir_in(path, root, RUNDIR_CURRENT)))
        return 0;
    return flow_fail(err, FLOW_EDATA,
                     "%s was changed since it was written; the same distill run makes it anew",
                     path);
}

/* ---- the result before */

static bool is_newer(const char *root, const char *folder, struct timespec *newest)
{
    char path[RUNDIR_PATH];
    struct stat is;
    snprintf(path, sizeof path, "%.2000s/%.300s/" STORE_ENTRY, root, folder);
    if (stat(path, &is) || is.st_mtim.tv_sec < newest->tv_sec ||
        (is.st_mtim.tv_sec == newest->tv_sec && is.st_mtim.tv_nsec <= newest->tv_nsec))
        return false;
    *newest = is.st_mtim;
    return true;
}

static json_t *newest_entry(const char *root, const char *name)
{
    char path[RUNDIR_PATH], at[300], folder[300] = "";
    struct timespec newest = {0, 0};
    size_t n = strlen(name);
    snprintf(path, sizeof path, "%.2000s/stages", root);
    DIR *all = opendir(path);
    for (struct dirent *e; all && (e = readdir(all));) {
        snprintf(at, sizeof at, "stages/%.255s", e->d_name);
        if (strncmp(e->d_name, name, n) == 0 && e->d_name[n] == '-' && !strchr(e->d_name, '.') &&
            is_newer(root, at, &newest))
            strcpy(folder, at);
    }
    if (all)
        closedir(all);
    return *folder ? store_entry(root, folder) : NULL;
}

static json_t *entry_before(const char *root, const json_t *current, const char *name)
{
    char folder[STORE_NAME];
    const char *key = json_string_value(json_object_get(json_object_get(current, "stages"), name));
    json_t *out = key ? store_entry(root, store_name(folder, name, key)) : NULL;
    return out ? out : newest_entry(root, name);
}

/* ---- what differs */

typedef struct differences {
    char *out; /* (PLAN_WHY): the first */
    size_t n;
} differences;

static void show(char out[SHOWN], const json_t *value)
{
    char *text =
        value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6)) : NULL;
    const char *from = text ? text : "none";
    size_t n = strlen(from);
    if (json_is_string(value) && n > 1) {
        from++;
        n -= 2;
    }
    snprintf(out, SHOWN, "%.*s%s", (int)(n < 40 ? n : 37), from, n < 40 ? "" : "...");
    free(text);
}

static void note(differences *self, const char *path, const json_t *was, const json_t *is)
{
    char before[SHOWN], now[SHOWN];
    if (self->n++)
        return;
    show(before, was);
    show(now, is);
    snprintf(self->out, PLAN_WHY, "%s: %s -> %s", path, before, now);
}

static void compare(differences *self, const char *path, const json_t *was, const json_t *is);

static void compare_key(differences *self, const char *path, const char *key, const json_t *was,
                        const json_t *is)
{
    char whole[LEVEL];
    snprintf(whole, sizeof whole, "%.100s%s%.50s", path, *path ? "." : "", key);
    compare(self, whole, json_object_get(was, key), json_object_get(is, key));
}

/* Objects of two kinds have other keys: that it is another kind is enough. */
static bool is_of_one_kind(const json_t *was, const json_t *is)
{
    const json_t *a = json_object_get(was, "kind"), *b = json_object_get(is, "kind");
    return json_is_object(was) && json_is_object(is) && (!a || !b || json_equal(a, b));
}

/* Lists of as many objects are compared one by one. */
static bool are_objects(const json_t *was, const json_t *is)
{
    size_t n = json_array_size(was);
    bool objects = n > 0 && n == json_array_size(is);
    for (size_t i = 0; objects && i < n; i++)
        objects = json_is_object(json_array_get(was, i)) && json_is_object(json_array_get(is, i));
    return objects;
}

static void compare(differences *self, const char *path, const json_t *was, const json_t *is)
{
    const char *key;
    json_t *value;
    if ((was && is && json_equal(was, is)) || (!was && !is))
        return;
    if (are_objects(was, is)) {
        for (size_t i = 0; i < json_array_size(is); i++)
            compare(self, path, json_array_get(was, i), json_array_get(is, i));
        return;
    }
    if (!is_of_one_kind(was, is)) {
        const json_t *a = json_object_get(was, "kind"), *b = json_object_get(is, "kind");
        note(self, path, a ? a : was, b ? b : is);
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)is, key, value) compare_key(self, path, key, was, is);
    json_object_foreach((json_t *)(uintptr_t)was, key, value) if (!json_object_get(is, key))
        compare_key(self, path, key, was, is);
}

static void compare_digests(differences *self, const json_t *was, const json_t *is)
{
    const char *key;
    json_t *sum;
    json_object_foreach((json_t *)(uintptr_t)is, key,
                        sum) if (!json_equal(sum, json_object_get(was, key)) && !self->n++)
        snprintf(self->out, PLAN_WHY, "%s: its content is another", key);
}

/* That an input is another one is only told where the stage itself has nothing of its own to say. */
static void compare_inputs(differences *self, const json_t *was, const json_t *is)
{
    const char *name;
    json_t *key;
    json_object_foreach((json_t *)(uintptr_t)is, name,
                        key) if (!json_equal(key, json_object_get(was, name)) && !self->n++)
        snprintf(self->out, PLAN_WHY, "input '%s' changed", name);
}

static void compare_entries(char out[PLAN_WHY], const json_t *was, const json_t *is)
{
    differences all = {out, 0};
    compare(&all, "", json_object_get(was, "slice"), json_object_get(is, "slice"));
    compare_digests(&all, json_object_get(was, "digests"), json_object_get(is, "digests"));
    size_t own = all.n, used = strlen(out);
    if (own > 1)
        snprintf(out + used, PLAN_WHY - used, " and %zu more", own - 1);
    if (!own)
        compare_inputs(&all, json_object_get(was, "inputs"), json_object_get(is, "inputs"));
    if (!all.n)
        snprintf(out, PLAN_WHY, "this program does it in another way than the one before");
}

void why_of(char out[PLAN_WHY], const char *root, const json_t *current, const json_t *of,
            const char *key)
{
    const char *name = json_string_value(json_object_get(of, "stage"));
    json_t *before = entry_before(root, current, name);
    *out = '\0';
    if (store_is_part(root, name, key))
        snprintf(out, PLAN_WHY, "it was stopped on its way");
    else if (before)
        compare_entries(out, before, of);
    else
        snprintf(out, PLAN_WHY, "never ran");
    file_mend_utf8(out); /* where a letter was cut */
    json_decref(before);
}
