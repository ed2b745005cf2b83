#include "pipeline/stages/verify.h"

#include "pipeline/console/exit.h"
#include "pipeline/stages/seal.h"
#include "pipeline/stages/why.h"

#include <stdio.h>

typedef struct checking {
    const char *root;
    size_t stages, files, faults;
    bool gate_failed;
    int code;
} checking;

static void tell(void *arg, const char *file, const char *what)
{
    checking *self = arg;
    self->faults++;
    fprintf(stderr, "%s/%s %s\n", self->root, file, what);
}

static void note(checking *self, int code)
{
    if (self->code == 0 || code == FLOW_EIO)
        self->code = code ? code : self->code;
}

static void check_links(checking *self, const char *name, const json_t *entry)
{
    if (store_is_linked(self->root, entry))
        return;
    fprintf(stderr,
            "%s: a link to a file of stage %s is gone or leads elsewhere; the same distill run "
            "makes it anew\n",
            self->root, name);
    self->faults++;
    note(self, FLOW_EDATA);
}

static void check(checking *self, const char *name, const char *key)
{
    char folder[STORE_NAME], file[RUNDIR_PATH];
    json_t *entry = store_entry(self->root, store_name(folder, name, key));
    snprintf(file, sizeof file, "%s/" STORE_ENTRY, folder);
    self->stages++;
    self->files += json_object_size(json_object_get(entry, "files"));
    self->gate_failed |= json_is_true(json_object_get(entry, "gate_failed"));
    if (!entry) {
        tell(self, file, "is missing or changed");
        note(self, FLOW_EDATA);
        return;
    }
    note(self, store_check(self->root, entry, tell, self));
    check_links(self, name, entry);
    json_decref(entry);
}

int verify_verb(const char *root)
{
    flow_err err = FLOW_ERR_INIT;
    checking self = {.root = root};
    const char *name;
    json_t *key, *current = why_current(root);
    if (!current) {
        if (!why_current_check(root, &err))
            flow_fail(&err, FLOW_ENOINPUT, "%s: no run came to its end there", root);
        return exit_fail(&err);
    }
    json_object_foreach(json_object_get(current, "stages"), name, key)
        check(&self, name, json_string_value(key));
    json_decref(current);
    if (self.faults) {
        flow_fail(&err, (flow_code)self.code, "%s: %zu of what it left %s not as it was", root,
                  self.faults, self.faults == 1 ? "is" : "are");
        return exit_fail(&err);
    }
    printf("%s: %zu files of %zu stages are as they were written%s\n", root, self.files,
           self.stages, self.gate_failed ? "; a gate failed" : "");
    return self.gate_failed ? EXIT_GATE : EXIT_GOOD;
}
