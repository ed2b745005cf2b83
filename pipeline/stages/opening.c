#include "pipeline/stages/opening.h"

#include "pipeline/config/show.h"
#include "pipeline/console/exit.h"
#include "pipeline/stages/record.h"

#include <stdio.h>
#include <string.h>

bool opening_load(opening *out, int *status, const run_options *options)
{
    char given[RUNDIR_PATH];
    flow_err err = FLOW_ERR_INIT;
    config_sources sources = options->sources;
    *out = (opening){.dir.lock = -1};
    if (options->told && !(sources.file = record_given(given, sources.file, &err))) {
        *status = exit_fail(&err);
        return false;
    }
    out->config = config_load_shown(status, &sources);
    return out->config != NULL;
}

/* ---- the directory */

static void name_root(opening *self, const run_options *options)
{
    char *root = self->dir.root;
    if (options->out)
        snprintf(root, sizeof self->dir.root, "%s", options->out);
    else
        snprintf(root, sizeof self->dir.root, "runs/%.255s", self->config->name);
}

static int lock(opening *self, flow_err *err)
{
    char root[RUNDIR_PATH];
    strcpy(root, self->dir.root);
    return rundir_open(&self->dir, root, err);
}

int opening_lock(opening *self, flow_err *err)
{
    return self->dir.lock < 0 ? lock(self, err) : 0;
}

/* A seed that was drawn once is that of every later run in the directory, unless one is given. What a run
 * was told has it as a number. */
static int recall(opening *self, const run_options *o, flow_err *err)
{
    config *c = self->config;
    if (known_read(&self->memory, self->dir.root, err))
        return err->code;
    if (!self->memory.has_seed || (c->seed_given && !(o->told && c->seed == self->memory.seed)))
        return 0;
    c->seed = self->memory.seed;
    c->seed_given = false;
    c->seed_drawn = true;
    return 0;
}

/* ---- the plan */

static int look(opening *self, const run_options *o, flow_err *err)
{
    const plan_wishes again = {.force = o->only};
    return plan_make(&self->plan, self->dir.root, self->config, &self->memory,
                     o->only ? &again : &o->wishes, err);
}

int opening_look(opening *self, const run_options *options, flow_err *err)
{
    name_root(self, options);
    return recall(self, options, err) ? err->code : look(self, options, err);
}

/* One stage again does not make those before it run. */
static int check_alone(const opening *self, const run_options *o, flow_err *err)
{
    for (size_t i = 0; o->only && i < stage_index(stage_find(o->only)); i++)
        if (self->plan.at[i].what == PLAN_RUN)
            return flow_fail(
                err, FLOW_EUSAGE,
                "%s: stage %s would have to run before %s: %s; that is for distill run",
                self->dir.root, stages[i]->name, o->only, self->plan.at[i].why);
    return 0;
}

static int check_asked(const opening *self, const run_options *o, flow_err *err)
{
    const stage *only = o->only ? stage_find(o->only) : NULL;
    if (!only || !only->is_due || only->is_due(self->config))
        return 0;
    return flow_fail(err, FLOW_EUSAGE, "%s: its config asks for no %s", self->dir.root, o->only);
}

static int remember_seed(opening *self, flow_err *err)
{
    if (config_draw_seed(self->config, err))
        return err->code;
    self->memory.has_seed |= !self->config->seed_given;
    if (!self->config->seed_given)
        self->memory.seed = self->config->seed;
    return 0;
}

int opening_begin(opening *self, const run_options *options, flow_err *err)
{
    name_root(self, options);
    if ((rundir_is_run(self->dir.root) && lock(self, err)) || recall(self, options, err) ||
        remember_seed(self, err) || check_asked(self, options, err) || look(self, options, err))
        return err->code;
    return check_alone(self, options, err);
}

void opening_end(opening *self)
{
    plan_release(&self->plan);
    known_release(&self->memory);
    rundir_close(&self->dir);
    config_free(self->config);
}
