#include "pipeline/stages/rung_file.h"

#include "files/atomic.h"
#include "flow/snapshot.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { NAME = 32 };

static const char *name_of(char out[NAME], size_t n)
{
    snprintf(out, NAME, "rung-%zu", n);
    return out;
}

static flow_pieces pieces_of(student_rung *rung, flow *student)
{
    flow_pieces pieces = {.n = 0};
    flow_pieces_add(&pieces, "rung", rung, sizeof *rung);
    if (student)
        flow_pieces_add(&pieces, "weights", flow_params(student), flow_params_bytes(student));
    return pieces;
}

int rung_file_write(const state_owner *self, size_t n, const student_rung *rung,
                    const flow *student, flow_err *err)
{
    char name[NAME];
    void *block = NULL;
    size_t size;
    const flow_pieces pieces =
        pieces_of((student_rung *)(uintptr_t)rung /* read only */, (flow *)(uintptr_t)student);
    int code = flow_snapshot_save(&block, &size, &pieces, err);
    code = code ? code : state_file_write(self, name_of(name, n), n, n, block, size, err);
    free(block);
    return code;
}

int rung_file_read(state_owner *self, bool *found, long long *lines, size_t n, student_rung *rung,
                   flow *student, flow_err *err)
{
    char name[NAME];
    void *block;
    size_t size;
    json_t *head = state_file_read(self, name_of(name, n), n, &block, &size);
    const flow_pieces pieces = pieces_of(rung, student);
    *found = block && flow_snapshot_load(&pieces, block, size, NULL) == 0;
    int code = *found ? state_file_take(self, head, err) : 0;
    if (*found)
        *lines = state_file_lines(head);
    free(block);
    json_decref(head);
    return code;
}

bool rung_file_is_there(const char *directory, const char *key)
{
    char name[NAME];
    return state_file_is_there(directory, name_of(name, 0), key);
}

int rung_file_remove(const rundir *dir, flow_err *err)
{
    char name[NAME], path[RUNDIR_PATH];
    for (size_t n = 0;; n++) {
        rundir_in(path, dir->root, name_of(name, n));
        if (unlink(path))
            return errno == ENOENT ? 0
                                   : flow_fail(err, FLOW_ECREATE, "%s: %s", path, file_why(errno));
    }
}
