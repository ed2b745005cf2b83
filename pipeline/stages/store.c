#define _XOPEN_SOURCE 700 /* realpath */

#include "pipeline/stages/store.h"

#include "files/atomic.h"
#include "files/sha256.h"
#include "flow/json.h"
#include "pipeline/stages/checkpoint.h"
#include "pipeline/stages/rung_file.h"
#include "pipeline/stages/seal.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char PRODUCT[] = "product.json";
enum { DIGITS = 8 }; /* of a key that name a directory */

const char *store_name(char *out, const char *name, const char *key)
{
    snprintf(out, STORE_NAME, "stages/%.40s-%.*s", name, DIGITS, key);
    return out;
}

static void path_in(char *out, const char *root, const char *folder, const char *file)
{
    snprintf(out, RUNDIR_PATH, "%.2000s/%.1000s%s%.900s", root, folder, *file ? "/" : "", file);
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static const char *folder_of(char *out, const json_t *entry)
{
    return store_name(out, text_of(entry, "stage"), text_of(entry, "key"));
}

/* What messages call a file. */
static const char *shown_name(char *out, const json_t *entry, const char *file, const json_t *is)
{
    char folder[STORE_NAME];
    const char *link = text_of(is, "link");
    snprintf(out, RUNDIR_PATH, "%.1000s%s%.900s", *link ? link : folder_of(folder, entry),
             *link ? "" : "/", *link ? "" : file);
    return out;
}

/* ---- finding */

json_t *store_entry(const char *root, const char *folder)
{
    char path[RUNDIR_PATH];
    path_in(path, root, folder, STORE_ENTRY);
    return seal_read(path);
}

static json_t *read_entry(const char *root, const char *folder, const char *key)
{
    json_t *out = store_entry(root, folder);
    if (strcmp(text_of(out, "key"), key) == 0)
        return out;
    json_decref(out);
    return NULL;
}

static bool has_digest(const char *path, const json_t *is)
{
    char sum[FILE_SHA256];
    return file_sha256(sum, path, NULL) == 0 && strcmp(sum, text_of(is, "sha256")) == 0;
}

static bool is_later(const struct stat *a, const struct stat *b)
{
    return a->st_mtim.tv_sec > b->st_mtim.tv_sec ||
           (a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec > b->st_mtim.tv_nsec);
}

/* The size is right; and the digest, of a file that was written to after stage.json, which is the last of a stage's. */
static bool is_in_place(const char *root, const char *folder, const char *file, const json_t *is)
{
    char path[RUNDIR_PATH], entry[RUNDIR_PATH];
    struct stat found, last;
    path_in(path, root, folder, file);
    path_in(entry, root, folder, STORE_ENTRY);
    return stat(path, &found) == 0 && stat(entry, &last) == 0 && S_ISREG(found.st_mode) &&
           found.st_size == json_integer_value(json_object_get(is, "size")) &&
           (!is_later(&found, &last) || has_digest(path, is));
}

static bool is_whole(char why[STORE_WHY], const char *root, const char *folder, const json_t *entry)
{
    const char *file;
    json_t *is;
    char name[RUNDIR_PATH];
    json_object_foreach(json_object_get(entry, "files"), file,
                        is) if (!is_in_place(root, folder, file, is))
    {
        snprintf(why, STORE_WHY, "%.150s is missing or changed", shown_name(name, entry, file, is));
        return false;
    }
    return true;
}

static bool is_there(const char *root, const char *folder)
{
    char path[RUNDIR_PATH];
    path_in(path, root, folder, "");
    return access(path, F_OK) == 0;
}

json_t *store_find(char why[STORE_WHY], const char *root, const char *name, const char *key)
{
    char folder[STORE_NAME];
    *why = '\0';
    json_t *entry = read_entry(root, store_name(folder, name, key), key);
    if (!entry && is_there(root, folder))
        snprintf(why, STORE_WHY, "%.100s/%s is missing or changed", folder, STORE_ENTRY);
    if (!entry || is_whole(why, root, folder, entry))
        return entry;
    json_decref(entry);
    return NULL;
}

static const char *part_name(char *out, const char *name, const char *key)
{
    char folder[STORE_NAME];
    snprintf(out, STORE_NAME + 8, "%s.part", store_name(folder, name, key));
    return out;
}

bool store_is_part(const char *root, const char *name, const char *key)
{
    char part[STORE_NAME + 8];
    return is_there(root, part_name(part, name, key));
}

/* ---- working */

bool store_goes_on(const char *root, const stage *s, const char *key)
{
    char part[STORE_NAME + 8], path[RUNDIR_PATH];
    path_in(path, root, part_name(part, s->name, key), "");
    return s->resumes && (checkpoint_is_there(path, key) || rung_file_is_there(path, key));
}

int store_begin(rundir *out, const rundir *home, const char *name, const char *key, bool goes_on,
                bool shown, flow_err *err)
{
    char part[STORE_NAME + 8];
    *out = (rundir){.lock = -1, .home = home->root, .shown = shown};
    path_in(out->root, home->root, part_name(part, name, key), "");
    int code = goes_on ? 0 : rundir_remove_flat(out->root, err);
    return code ? code : rundir_make_folders(out->root, err);
}

/* The name by which users know a file of the stage; NULL: it has none. */
static const char *link_of(char *out, const stage *s, const char *file)
{
    for (const char *const *pattern = s->outputs; *pattern; pattern++) {
        const char *slash = strrchr(*pattern, '/');
        if (!rundir_fits(*pattern, file))
            continue;
        snprintf(out, RUNDIR_PATH, "%.*s%.900s", slash ? (int)(slash + 1 - *pattern) : 0, *pattern,
                 file);
        return out;
    }
    return NULL;
}

static json_t *file_json(const char *path, const stage *s, const char *file, flow_err *err)
{
    char sum[FILE_SHA256], link[RUNDIR_PATH];
    struct stat is;
    if (stat(path, &is) || file_sha256(sum, path, err)) {
        flow_fail(err, FLOW_EIO, "%s: %s", path, strerror(errno));
        return NULL;
    }
    json_t *out = json_object();
    flow_json_set(&out, "size", json_integer((json_int_t)is.st_size));
    flow_json_set(&out, "sha256", json_string(sum));
    flow_json_set(&out, "link", link_of(link, s, file) ? json_string(link) : json_null());
    if (!out)
        flow_fail(err, FLOW_ENOMEM, "%s: out of memory", path);
    return out;
}

static int visit_file(const rundir *part, const char *file,
                      int (*take)(void *arg, const char *file, flow_err *err), void *arg,
                      flow_err *err)
{
    char path[RUNDIR_PATH];
    path_in(path, part->root, file, "");
    if (!file[file_atomic_stem(file)])
        return file[0] == '.' || strcmp(file, STORE_ENTRY) == 0 ? 0 : take(arg, file, err);
    unlink(path);
    return 0;
}

/* Calls for every file of the directory, in the order of their names; what was to become one and never did is removed. */
static int each_file(const rundir *part, int (*take)(void *arg, const char *file, flow_err *err),
                     void *arg, flow_err *err)
{
    struct dirent **all = NULL;
    int n = scandir(part->root, &all, NULL, alphasort);
    int code = n < 0 ? flow_fail(err, FLOW_EIO, "%s: %s", part->root, strerror(errno)) : 0;
    for (int i = 0; i < n; free(all[i++]))
        if (!code)
            code = visit_file(part, all[i]->d_name, take, arg, err);
    free(all);
    return code;
}

typedef struct listing {
    const rundir *part;
    const stage *s;
    json_t *files;
} listing;

static int list_file(void *arg, const char *file, flow_err *err)
{
    listing *self = arg;
    char path[RUNDIR_PATH];
    path_in(path, self->part->root, file, "");
    json_t *is = file_json(path, self->s, file, err);
    if (!is)
        return err->code;
    flow_json_set(&self->files, file, is);
    return 0;
}

static json_t *entry_of(const rundir *part, const stage *s, const store_end *end, flow_err *err)
{
    listing all = {part, s, json_object()};
    int code = each_file(part, list_file, &all, err);
    json_t *out = json_copy(end->of);
    flow_json_set(&out, "files", all.files);
    flow_json_set(&out, "key", json_string(end->key));
    flow_json_set(&out, "seconds", flow_json_real(end->seconds));
    flow_json_set(&out, "backend", end->backend ? json_string(end->backend) : json_null());
    flow_json_set(&out, "gate_failed",
                  json_is_true(json_object_get(end->product, "gate_failed")) ? json_true()
                                                                             : json_false());
    seal_add(&out);
    if (!out && !code)
        flow_fail(err, FLOW_ENOMEM, "out of memory for stage %s", s->name);
    if (!code)
        return out;
    json_decref(out);
    return NULL;
}

/* An older result of the same key gives way. */
static int take_place(const rundir *part, const char *whole, flow_err *err)
{
    char old[RUNDIR_PATH + 8];
    snprintf(old, sizeof old, "%s.old", whole);
    if (rundir_remove_flat(old, err))
        return err->code;
    if ((rename(whole, old) && errno != ENOENT) || rename(part->root, whole))
        return flow_fail(err, (flow_code)file_create_code(errno), "%s: %s", whole, file_why(errno));
    return rundir_remove_flat(old, err);
}

json_t *store_keep(const rundir *part, const stage *s, store_end *end, flow_err *err)
{
    char folder[STORE_NAME], whole[RUNDIR_PATH];
    int code = end->product ? rundir_write_json(part, PRODUCT, end->product, err) : 0;
    json_t *entry = code ? NULL : entry_of(part, s, end, err);
    json_decref(end->product);
    end->product = NULL;
    path_in(whole, part->home, store_name(folder, s->name, end->key), "");
    if (entry && !rundir_write_json(part, STORE_ENTRY, entry, err) && !take_place(part, whole, err))
        return entry;
    json_decref(entry);
    return NULL;
}

static int show_file(void *arg, const char *file, flow_err *err)
{
    const listing *self = arg;
    char link[RUNDIR_PATH];
    return self->part->shown && link_of(link, self->s, file) ? links_show(self->part, link, err)
                                                             : 0;
}

/* "RUN/stages/export-77092224.part/samples.npy: ..." */
static void name_as_users_do(const rundir *part, const stage *s, flow_err *why)
{
    char file[256], link[RUNDIR_PATH], rest[sizeof why->text];
    char *at = strstr(why->text, part->root);
    const char *name = at ? at + strlen(part->root) + 1 : "";
    size_t n = strcspn(name, ":");
    snprintf(file, sizeof file, "%.*s", (int)n, name);
    if (!at || !link_of(link, s, file))
        return;
    snprintf(rest, sizeof rest, "%s", name + n);
    snprintf(at, sizeof why->text - (size_t)(at - why->text), "%s/%s%s", part->home, link, rest);
}

int store_abandon(const rundir *part, const stage *s, flow_err *why)
{
    listing all = {part, s, NULL};
    flow_err late = FLOW_ERR_INIT;
    name_as_users_do(part, s, why);
    return each_file(part, show_file, &all, &late);
}

/* ---- what was kept */

static const char *fault_of(const char *path, const json_t *is, int *code)
{
    char sum[FILE_SHA256];
    struct stat found;
    *code = FLOW_EDATA;
    if (stat(path, &found))
        return "is missing";
    if (file_sha256(sum, path, NULL)) {
        *code = FLOW_EIO;
        return "cannot be read";
    }
    if (strcmp(sum, text_of(is, "sha256")) != 0)
        return "was changed since it was written";
    *code = FLOW_OK;
    return NULL;
}

int store_check(const char *root, const json_t *entry, store_fault tell, void *arg)
{
    const char *file;
    json_t *is;
    int worst = 0;
    json_object_foreach(json_object_get(entry, "files"), file, is)
    {
        char folder[STORE_NAME], path[RUNDIR_PATH], name[RUNDIR_PATH];
        int code;
        path_in(path, root, folder_of(folder, entry), file);
        const char *what = fault_of(path, is, &code);
        if (what)
            tell(arg, shown_name(name, entry, file, is), what);
        worst = worst ? worst : code;
    }
    return worst;
}

int store_check_file(const char *path, flow_err *err)
{
    char entry[RUNDIR_PATH], whole[PATH_MAX];
    char *slash = realpath(path, whole) ? strrchr(whole, '/') : NULL;
    if (!slash)
        return 0; /* who opens it will say so */
    snprintf(entry, sizeof entry, "%.*s/%s", (int)(slash - whole), whole, STORE_ENTRY);
    json_t *kept = seal_read(entry);
    const json_t *is = json_object_get(json_object_get(kept, "files"), slash + 1);
    int code =
        !is || has_digest(whole, is)
            ? 0
            : flow_fail(err, FLOW_EDATA,
                        "%s was changed since its run wrote it: distill run --force %s makes "
                        "it anew; a copy elsewhere is taken as it is",
                        path, text_of(kept, "stage"));
    json_decref(kept);
    return code;
}

typedef struct complaint_of {
    const json_t *entry;
    flow_err *err;
} complaint_of;

static void complain_once(void *arg, const char *file, const char *what)
{
    complaint_of *self = arg;
    if (!self->err->code)
        flow_fail(self->err, FLOW_EDATA, "%s %s; distill run --force %s makes it anew", file, what,
                  text_of(self->entry, "stage"));
}

json_t *store_product(const char *root, const json_t *entry, flow_err *err)
{
    char folder[STORE_NAME], path[RUNDIR_PATH];
    complaint_of to = {entry, err};
    if (store_check(root, entry, complain_once, &to))
        return NULL;
    path_in(path, root, folder_of(folder, entry), PRODUCT);
    json_t *out = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    out = out ? out : json_object();
    if (!out)
        flow_fail(err, FLOW_ENOMEM, "out of memory for stage %s", text_of(entry, "stage"));
    return out;
}

/* ---- links */

static void target_of(char *out, const json_t *entry, const char *file)
{
    char folder[STORE_NAME];
    snprintf(out, RUNDIR_PATH, "%s/%.900s", folder_of(folder, entry), file);
}

int store_link(links_change *into, const json_t *entry, flow_err *err)
{
    const char *file;
    json_t *is;
    char to[RUNDIR_PATH];
    int code = 0;
    json_object_foreach(json_object_get(entry, "files"), file, is)
    {
        const char *link = text_of(is, "link");
        target_of(to, entry, file);
        if (*link && !code)
            code = links_change_add(into, link, to, err);
    }
    return code;
}

int store_link_now(const char *root, const json_t *entry, flow_err *err)
{
    links_change change = {.root = root};
    return links_change_finish(&change, store_link(&change, entry, err), err);
}

bool store_is_linked(const char *root, const json_t *entry)
{
    const char *file;
    json_t *is;
    char to[RUNDIR_PATH];
    bool all = true;
    json_object_foreach(json_object_get(entry, "files"), file, is)
    {
        const char *link = text_of(is, "link");
        target_of(to, entry, file);
        all = all && (!*link || links_leads(root, link, to));
    }
    return all;
}
