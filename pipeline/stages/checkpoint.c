#include "pipeline/stages/checkpoint.h"

#include "files/atomic.h"
#include "files/sha256.h"
#include "flow/clock.h"
#include "flow/json.h"
#include "pipeline/console/notice.h"
#include "pipeline/stages/backends.h"
#include "pipeline/stages/seal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEPT = 2, HEAD = 8192, CHECKPOINT_RARE = 100 };
static const char NAME[] = "checkpoint-%u";

static void path_of(char *out, const char *directory, unsigned slot)
{
    char name[32];
    snprintf(name, sizeof name, NAME, slot);
    snprintf(out, RUNDIR_PATH, "%.3000s/%s", directory, name);
}

/* ---- reading */

static json_t *read_head(FILE *in, const char *key)
{
    char line[HEAD];
    json_t *out = in && fgets(line, sizeof line, in) ? json_loads(line, 0, NULL) : NULL;
    const char *is = json_string_value(json_object_get(out, "key"));
    if (is && strcmp(is, key) == 0 && seal_is_right(out))
        return out;
    json_decref(out);
    return NULL;
}

static uint64_t number_of(const json_t *head)
{
    return (uint64_t)json_integer_value(json_object_get(head, "number"));
}

bool checkpoint_is_there(const char *directory, const char *key)
{
    char path[RUNDIR_PATH];
    bool any = false;
    for (unsigned slot = 0; slot < KEPT && !any; slot++) {
        path_of(path, directory, slot);
        FILE *in = fopen(path, "rb");
        json_t *head = read_head(in, key);
        any = head != NULL;
        json_decref(head);
        if (in)
            fclose(in);
    }
    return any;
}

/* As many bytes as the head says, no more, and of its digest; NULL: they are not. */
static void *read_block(FILE *in, const json_t *head, size_t *size)
{
    char sum[FILE_SHA256];
    json_int_t n = json_integer_value(json_object_get(head, "size"));
    const char *wanted = json_string_value(json_object_get(head, "sha256"));
    void *block = n > 0 && wanted ? malloc((size_t)n + 1) : NULL;
    if (block && fread(block, 1, (size_t)n + 1, in) == (size_t)n) {
        file_sha256_bytes(sum, block, (size_t)n);
        *size = (size_t)n;
        if (strcmp(sum, wanted) == 0)
            return block;
    }
    free(block);
    return NULL;
}

/* Whether the lines of metrics.jsonl that were there then still are. */
static bool has_lines(const checkpoint *self, const json_t *head)
{
    return metrics_length(&self->told->metrics) >=
           json_integer_value(json_object_get(head, "metrics"));
}

/* The one in this slot takes the place of what was found if it is whole and later. */
static void look_at(checkpoint *self, unsigned slot, void **block, size_t *size)
{
    char path[RUNDIR_PATH];
    path_of(path, self->work->dir->root, slot);
    FILE *in = fopen(path, "rb");
    json_t *head = read_head(in, self->work->key);
    size_t n;
    void *is = head && has_lines(self, head) ? read_block(in, head, &n) : NULL;
    if (in)
        fclose(in);
    if (in && !is)
        notice_warning("%s is damaged, or of another run: it is left aside", path);
    if (is && (!self->found || number_of(head) > number_of(self->found))) {
        json_decref(self->found);
        free(*block);
        self->found = json_incref(head);
        *block = is;
        *size = n;
    } else {
        free(is);
    }
    json_decref(head);
}

static int find(void *arg, void **block, size_t *size, flow_err *err)
{
    checkpoint *self = arg;
    (void)err;
    *block = NULL;
    for (unsigned slot = 0; slot < KEPT; slot++)
        look_at(self, slot, block, size);
    return 0;
}

static int begin(void *arg, int resumed, flow_err *err)
{
    checkpoint *self = arg;
    json_int_t length = json_integer_value(json_object_get(self->found, "metrics"));
    if (!resumed)
        return metrics_cut(&self->told->metrics, 0, err);
    self->number = number_of(self->found);
    backends_compare(self->stage, "began", self->found, self->work->backend);
    if (!self->work->quiet)
        fprintf(stderr, "%-10sgoes on from where it was stopped\n", self->stage);
    int code = metrics_cut(&self->told->metrics, length, err);
    if (!code && self->take)
        code = self->take(self->arg, json_object_get(self->found, "more"), err);
    return code;
}

/* ---- writing */

/* So seldom that it takes no more than a hundredth of the time. */
static int due(void *arg)
{
    const checkpoint *self = arg;
    double every = self->work->config->checkpoint.every, since = flow_seconds() - self->last;
    return every > 0 && since >= every && since >= CHECKPOINT_RARE * self->cost;
}

static char *head_of(const checkpoint *self, const void *block, size_t size, json_int_t lines)
{
    char sum[FILE_SHA256];
    json_t *out = json_object();
    file_sha256_bytes(sum, block, size);
    flow_json_set(&out, "key", json_string(self->work->key));
    flow_json_set(&out, "number", json_integer((json_int_t)self->number));
    flow_json_set(&out, "backend",
                  self->work->backend ? json_string(self->work->backend) : json_null());
    flow_json_set(&out, "metrics", json_integer(lines));
    flow_json_set(&out, "more", self->more ? self->more(self->arg) : json_null());
    flow_json_set(&out, "size", json_integer((json_int_t)size));
    flow_json_set(&out, "sha256", json_string(sum));
    seal_add(&out);
    char *text = flow_json_text(out, JSON_COMPACT);
    json_decref(out);
    return text;
}

/* Over the older one. */
static int write_both(const checkpoint *self, const char *head, const void *block, size_t size,
                      flow_err *err)
{
    char path[RUNDIR_PATH];
    path_of(path, self->work->dir->root, (unsigned)(self->number % KEPT));
    file_atomic *file = file_atomic_open(path, err);
    if (!file)
        return err->code;
    FILE *to = file_atomic_file(file);
    fprintf(to, "%s\n", head);
    (void)!fwrite(block, 1, size, to); /* commit sees a failure */
    return file_atomic_commit(file, err);
}

static int keep(void *arg, const void *block, size_t size, flow_err *err)
{
    checkpoint *self = arg;
    double start = flow_seconds();
    long long lines = metrics_length(&self->told->metrics);
    self->number++;
    char *head = head_of(self, block, size, lines);
    int code = head ? write_both(self, head, block, size, err)
                    : flow_fail(err, FLOW_ENOMEM, "out of memory for a checkpoint");
    free(head);
    self->last = flow_seconds();
    self->cost = self->last - start;
    return code;
}

/* ---- */

const flow_keeper *checkpoint_keeper(checkpoint *self)
{
    self->last = flow_seconds();
    self->keeper = (flow_keeper){find, begin, due, keep, self};
    return &self->keeper;
}

void checkpoint_release(checkpoint *self)
{
    json_decref(self->found);
    self->found = NULL;
}

int checkpoint_remove(const rundir *dir, flow_err *err)
{
    char path[RUNDIR_PATH];
    for (unsigned slot = 0; slot < KEPT; slot++) {
        path_of(path, dir->root, slot);
        if (unlink(path) && errno != ENOENT)
            return flow_fail(err, FLOW_ECREATE, "%s: %s", path, strerror(errno));
    }
    return 0;
}
