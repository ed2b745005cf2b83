#include "pipeline/stages/state_file.h"

#include "files/atomic.h"
#include "files/sha256.h"
#include "flow/clock.h"
#include "flow/json.h"
#include "pipeline/console/notice.h"
#include "pipeline/stages/backends.h"
#include "pipeline/stages/seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD = 8192 };

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

static uint64_t whole_of(const json_t *head, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(head, name));
}

uint64_t state_file_number(const json_t *head)
{
    return whole_of(head, "number");
}

long long state_file_lines(const json_t *head)
{
    return (long long)json_integer_value(json_object_get(head, "metrics"));
}

bool state_file_is_there(const char *directory, const char *name, const char *key)
{
    char path[RUNDIR_PATH];
    FILE *in = fopen(rundir_in(path, directory, name), "rb");
    json_t *head = read_head(in, key);
    bool there = head != NULL;
    json_decref(head);
    if (in)
        fclose(in);
    return there;
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
static bool has_lines(const state_owner *self, const json_t *head)
{
    return metrics_length(&self->told->metrics) >= state_file_lines(head);
}

json_t *state_file_read(const state_owner *self, const char *name, uint64_t turn, void **block,
                        size_t *size)
{
    char path[RUNDIR_PATH];
    FILE *in = fopen(rundir_in(path, self->work->dir->root, name), "rb");
    json_t *head = read_head(in, self->work->key);
    bool of_another = head && whole_of(head, "turn") != turn;
    *block = head && !of_another && has_lines(self, head) ? read_block(in, head, size) : NULL;
    if (in)
        fclose(in);
    if (in && !*block && !of_another)
        notice_warning("%s is damaged, or of another run: it is left aside", path);
    if (*block)
        return head;
    json_decref(head);
    return NULL;
}

int state_file_take(state_owner *self, const json_t *head, flow_err *err)
{
    if (!self->said) {
        backends_compare(self->stage, "began", head, self->work->backend);
        if (!self->work->quiet)
            fprintf(stderr, "%-10sgoes on from where it was stopped\n", self->stage);
    }
    self->said = true;
    *self->work->earlier =
        json_number_value(json_object_get(head, "seconds")) - (flow_seconds() - self->began);
    return self->take ? self->take(self->arg, json_object_get(head, "more"), err) : 0;
}

/* ---- writing */

static char *head_of(const state_owner *self, uint64_t turn, uint64_t number, const void *block,
                     size_t size)
{
    char sum[FILE_SHA256];
    const char *backend = self->work->backend;
    json_t *out = json_object();
    json_int_t lines = (json_int_t)metrics_length(&self->told->metrics);
    file_sha256_bytes(sum, block, size);
    flow_json_set(&out, "key", json_string(self->work->key));
    flow_json_set(&out, "turn", json_integer((json_int_t)turn));
    flow_json_set(&out, "number", json_integer((json_int_t)number));
    flow_json_set(&out, "backend", backend ? json_string(backend) : json_null());
    flow_json_set(&out, "seconds", json_real(*self->work->earlier + flow_seconds() - self->began));
    flow_json_set(&out, "metrics", json_integer(lines));
    flow_json_set(&out, "more", self->more ? self->more(self->arg) : json_null());
    flow_json_set(&out, "size", json_integer((json_int_t)size));
    flow_json_set(&out, "sha256", json_string(sum));
    seal_add(&out);
    char *text = flow_json_text(out, JSON_COMPACT);
    json_decref(out);
    return text;
}

static int write_both(const char *path, const char *head, const void *block, size_t size,
                      flow_err *err)
{
    file_atomic *file = file_atomic_open(path, err);
    if (!file)
        return err->code;
    FILE *to = file_atomic_file(file);
    fprintf(to, "%s\n", head);
    (void)!fwrite(block, 1, size, to); /* commit sees a failure */
    return file_atomic_commit(file, err);
}

int state_file_write(const state_owner *self, const char *name, uint64_t turn, uint64_t number,
                     const void *block, size_t size, flow_err *err)
{
    char path[RUNDIR_PATH];
    if (course_check(self->told, err) || metrics_sync(&self->told->metrics, err))
        return err->code; /* a line is missing: nothing can go on from here */
    char *head = head_of(self, turn, number, block, size);
    rundir_in(path, self->work->dir->root, name);
    int code = head ? write_both(path, head, block, size, err)
                    : flow_fail(err, FLOW_ENOMEM, "out of memory for a checkpoint");
    free(head);
    return code;
}
