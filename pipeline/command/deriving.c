#include "pipeline/command/deriving.h"

#include <stdio.h>
#include <string.h>

int deriving_take(deriving_options *out, const char *word, flow_err *err)
{
    const flow_word *w = config_quantities;
    while (w->name && strcmp(w->name, word) != 0)
        w++;
    if (!w->name)
        return flow_fail(err, FLOW_EUSAGE, "--quantities wants none, usual or all, got '%.60s'",
                         word);
    out->given = true;
    out->with.what = (config_derived)w->value;
    return 0;
}

int deriving_check(const deriving_options *o, flow_err *err)
{
    if (o->with.options && !o->with.function)
        return flow_fail(err, FLOW_EUSAGE, "--options has no effect without --function");
    return 0;
}

/* ---- what there would be */

enum { SHOWN = 4, SHOWN_TEXT = 160 };

/* "tau, theta.1, ...": those of a model file. */
static const char *show(char *text, const flow_model *model)
{
    const json_t *names = json_object_get(model->quantities, "names");
    size_t n = json_array_size(names), at = 0;
    *text = '\0';
    for (size_t j = 0; j < n && j < SHOWN && at < SHOWN_TEXT; j++)
        at += (size_t)snprintf(text + at, SHOWN_TEXT - at, "%s%.30s", j ? ", " : "",
                               json_string_value(json_array_get(names, j)));
    if (n > SHOWN && at < SHOWN_TEXT)
        snprintf(text + at, SHOWN_TEXT - at, ", ...");
    return text;
}

/* After a failure: what it was for, and what there is without. */
static int explain(const flow_model *model, flow_err *err)
{
    char text[SHOWN_TEXT];
    flow_err why = *err;
    if (!model->quantities || why.code == FLOW_ENOMEM)
        return err->code;
    return flow_fail(
        err, (flow_code)why.code,
        "%.280s; the quantities of its target (%s) are made by that; --quantities none "
        "takes the model's own columns",
        why.text, show(text, model));
}

/* ---- which of them */

static bool is_among(const char *const *names, size_t n, const char *name, size_t length)
{
    bool found = false;
    for (size_t j = 0; j < n && !found; j++)
        found = strlen(names[j]) == length && strncmp(names[j], name, length) == 0;
    return found;
}

/* Whether a name that is looked for is there only if all of them are. */
static bool wants_all(const quantities *of, const char *names)
{
    bool all = false;
    for (const char *at = names; at && !all;) {
        size_t length = strcspn(at, ",");
        all = is_among(of->names + of->usual, of->count - of->usual, at, length);
        at = at[length] ? at + length + 1 : NULL;
    }
    return all;
}

/* It may have been built anew, for other data. */
static int check_same(const flow_model *model, const quantities *of, flow_err *err)
{
    const json_t *names = json_object_get(model->quantities, "names");
    size_t n = json_array_size(names);
    if (n > 0 && n != of->usual)
        return flow_fail(
            err, FLOW_EUSAGE,
            "the model was made for a target with %zu quantities, and this one has %zu", n,
            of->usual);
    for (size_t j = 0; j < n; j++)
        if (strcmp(json_string_value(json_array_get(names, j)), of->names[j]) != 0)
            return flow_fail(
                err, FLOW_EUSAGE,
                "quantity %zu of the target is '%s'; when the model was made it was '%s'", j,
                of->names[j], json_string_value(json_array_get(names, j)));
    return 0;
}

/* *what comes in as it is wanted. */
static int settle(config_derived *what, const flow_model *model, const quantities *of,
                  const deriving_options *o, flow_err *err)
{
    if (*what == DERIVED_NONE)
        return 0;
    if (of && !o->given && wants_all(of, o->names))
        *what = DERIVED_ALL;
    if (of)
        return check_same(model, of, err);
    *what = DERIVED_NONE;
    if (o->given)
        return flow_fail(err, FLOW_EUSAGE, "--quantities: the target has none");
    if (!model->quantities)
        return 0;
    flow_fail(err, FLOW_EUSAGE, "this target has no quantities");
    return explain(model, err);
}

/* ---- */

static int open_reference(deriving *self, const flow_model *model, const char *path,
                          const char *made_for, bool told, flow_err *err)
{
    self->against = reference_open(made_for, model, path, err);
    if (self->against)
        return 0;
    return told ? explain(model, err) : err->code;
}

int deriving_open(deriving *self, const flow_model *model, const char *path, const char *made_for,
                  bool weighed, const deriving_options *o, flow_err *err)
{
    derived_options with = o->with;
    *self = (deriving){.against = NULL};
    if (!o->given)
        with.what = model->quantities || made_for ? DERIVED_USUAL : DERIVED_NONE;
    if ((weighed || made_for || with.what != DERIVED_NONE) &&
        open_reference(self, model, path, made_for, with.what != DERIVED_NONE && !weighed, err))
        return err->code;
    const quantities *of = self->against ? reference_quantities(self->against) : NULL;
    if (settle(&with.what, model, of, o, err))
        return err->code;
    if (made_for && !weighed && with.what == DERIVED_NONE)
        return flow_fail(
            err, FLOW_EUSAGE,
            "--target has no effect without --exact or --weights: it has no quantities");
    self->derived = derived_open(model, of, &with, err);
    return self->derived ? 0 : err->code;
}

void deriving_close(deriving *self)
{
    derived_free(self->derived);
    reference_free(self->against);
}
