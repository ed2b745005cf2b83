#include "pipeline/stages/plan.h"

#include "flow/json.h"
#include "flow/suggest.h"
#include "pipeline/stages/why.h"

#include <stdio.h>
#include <string.h>

/* ---- what is wanted */

static const char *const words[] = {
    [PLAN_OUT] = "-", [PLAN_SKIP] = "skip", [PLAN_RUN] = "run", [PLAN_LATER] = "later"};

static int find(size_t *out, const char *name, const char *option, flow_err *err)
{
    const stage *found = stage_find(name);
    const char *names[STAGE_COUNT];
    if (found) {
        *out = stage_index(found);
        return 0;
    }
    for (size_t i = 0; i < STAGE_COUNT; i++)
        names[i] = stages[i]->name;
    const char *near = flow_suggest(name, names, STAGE_COUNT);
    return flow_fail(err, FLOW_EUSAGE, "--%s: there is no stage '%.60s'%s%s%s", option, name,
                     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* Stages first .. last run whatever is there; none behind `until` does. */
typedef struct wanted {
    size_t first, last, until;
} wanted;

static int check_asked(const config *c, size_t at, const char *option, flow_err *err)
{
    if (!stages[at]->is_due || stages[at]->is_due(c))
        return 0;
    return flow_fail(err, FLOW_EUSAGE, "--%s: this config does not ask for stage %s", option,
                     stages[at]->name);
}

static int read_wishes(wanted *out, const plan_wishes *w, const config *c, flow_err *err)
{
    const struct {
        const char *option, *name;
        size_t *at;
    } all[] = {{"until", w->until, &out->until},
               {"force", w->force, &out->first},
               {"from", w->from, &out->first}};
    *out = (wanted){STAGE_COUNT, 0, STAGE_COUNT};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].name && (find(all[i].at, all[i].name, all[i].option, err) ||
                            check_asked(c, *all[i].at, all[i].option, err)))
            return err->code;
    if (w->force && w->from)
        return flow_fail(err, FLOW_EUSAGE, "--force and --from exclude each other");
    out->last = w->from ? STAGE_COUNT : out->first;
    return 0;
}

/* ---- a step */

static bool is_unsure(const plan *self, const plan_step *step)
{
    const char *name;
    json_t *key;
    bool out = !slices_is_certain(step->of);
    json_object_foreach(json_object_get(step->of, "inputs"), name, key) out =
        out || self->at[stage_index(stage_find(name))].unsure;
    return out;
}

static void set_why(plan_step *step, const char *why)
{
    snprintf(step->why, sizeof step->why, "%s", why);
}

/* Whether its result is there and may be taken; else why not. */
static void settle(plan *self, size_t i, const char *root, const wanted *w)
{
    plan_step *step = &self->at[i];
    char missing[STORE_WHY];
    step->what = i > w->until ? PLAN_LATER : PLAN_RUN;
    step->entry = store_find(missing, root, stages[i]->name, step->key);
    if (step->unsure)
        set_why(step, "nobody knows what a pipe holds before it is read");
    else if (i >= w->first && i <= w->last)
        set_why(step, i == w->first ? "it was asked for" : "it is behind the one asked for");
    else if (step->entry)
        step->what = PLAN_SKIP;
    else if (*missing)
        set_why(step, missing);
    else
        why_of(step->why, root, self->current, step->of, step->key);
    step->goes_on = step->what == PLAN_RUN && !step->unsure && !(i >= w->first && i <= w->last) &&
                    store_goes_on(root, stages[i], step->key);
    if (step->what != PLAN_SKIP) {
        json_decref(step->entry);
        step->entry = NULL;
    }
}

static int make_step(plan *self, size_t i, const slices *from, const config *c, flow_err *err)
{
    plan_step *step = &self->at[i];
    const char *keys[STAGE_COUNT];
    for (size_t j = 0; j < STAGE_COUNT; j++)
        keys[j] = self->at[j].of ? self->at[j].key : NULL;
    step->of = slices_of(from, stages[i], c, keys);
    if (!step->of)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a plan");
    step->unsure = is_unsure(self, step);
    return slices_key(step->key, step->of, err);
}

/* ---- the whole */

static int make_steps(plan *self, const char *root, const config *c, const slices *from,
                      const wanted *w, flow_err *err)
{
    int code = 0;
    for (size_t i = 0; i < STAGE_COUNT && !code; i++) {
        if (stages[i]->is_due && !stages[i]->is_due(c))
            continue; /* where a stage is left out: the only place */
        code = make_step(self, i, from, c, err);
        if (!code)
            settle(self, i, root, w);
    }
    return code;
}

int plan_make(plan *out, const char *root, const config *c, known *memory,
              const plan_wishes *wishes, flow_err *err)
{
    slices from = {NULL, NULL};
    wanted w;
    *out = (plan){.current = why_current(root)};
    int code = read_wishes(&w, wishes, c, err);
    if (!code)
        code = slices_make(&from, c, memory, err);
    if (!code)
        code = make_steps(out, root, c, &from, &w, err);
    out->files = json_incref(from.files);
    slices_release(&from);
    return code;
}

void plan_release(plan *self)
{
    for (size_t i = 0; i < STAGE_COUNT; i++) {
        json_decref(self->at[i].of);
        json_decref(self->at[i].entry);
    }
    json_decref(self->files);
    json_decref(self->current);
    *self = (plan){.files = NULL};
}

bool plan_is_idle(const plan *self)
{
    bool idle = true;
    for (size_t i = 0; i < STAGE_COUNT; i++)
        idle = idle && self->at[i].what != PLAN_RUN;
    return idle;
}

/* ---- telling */

static const char *word_of(const plan_step *s)
{
    return s->goes_on ? "resume" : words[s->what];
}

void plan_print(const plan *self)
{
    for (size_t i = 0; i < STAGE_COUNT; i++) {
        const plan_step *s = &self->at[i];
        if (s->what == PLAN_SKIP)
            printf("%-10s%-7skey %.8s is unchanged\n", stages[i]->name, words[s->what], s->key);
        else if (s->what != PLAN_OUT)
            printf("%-10s%-7s%s\n", stages[i]->name, word_of(s), s->why);
    }
}

static json_t *step_json(size_t i, const plan_step *s)
{
    return json_pack("{s:s, s:s, s:s, s:s}", "stage", stages[i]->name, "action", word_of(s), "why",
                     s->why, "key", s->key);
}

json_t *plan_json(const plan *self)
{
    json_t *out = json_array();
    for (size_t i = 0; i < STAGE_COUNT; i++)
        if (self->at[i].what != PLAN_OUT)
            flow_json_append(&out, step_json(i, &self->at[i]));
    return out;
}
