/* What each stage hangs on: a flip of any key of the schema changes the keys of the stages that read it and of those behind
 * them, and of no other. */
#include "pipeline/stages/slices.h"
#include "pipeline/config/schema.h"
#include "tests/common/temp.h"
#include "tests/pipeline/load.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct keys {
    char at[STAGE_COUNT][FILE_SHA256];
    bool due[STAGE_COUNT];
} keys;

static void keys_of_json(keys *out, const config *c, json_t *resolved)
{
    flow_err err = FLOW_ERR_INIT;
    const char *before[STAGE_COUNT] = {NULL};
    const slices from = {resolved, json_object()};
    for (size_t i = 0; i < STAGE_COUNT; i++) {
        out->due[i] = !stages[i]->is_due || stages[i]->is_due(c);
        if (!out->due[i])
            continue;
        json_t *of = slices_of(&from, stages[i], c, before);
        cr_assert_eq(slices_key(out->at[i], of, &err), 0);
        before[i] = out->at[i];
        json_decref(of);
    }
    json_decref(from.files);
}

/* Another value of the same key, whatever it is. */
static void flip(json_t *resolved, const char *path)
{
    json_t *at = resolved;
    for (const char *dot; (dot = strchr(path, '.')); path = dot + 1) {
        char part[SCHEMA_MAX_PATH];
        snprintf(part, sizeof part, "%.*s", (int)(dot - path), path);
        at = json_object_get(at, part);
        cr_assert(json_is_object(at), "%s", path);
    }
    cr_assert(json_object_get(at, path), "%s", path);
    json_object_set_new(at, path, json_string("another"));
}

static bool is_behind(size_t i, const bool changed[STAGE_COUNT], const keys *k, const config *c)
{
    for (const stage *const *in = stages[i]->inputs; *in; in++)
        if (changed[stage_index(*in)] && stage_takes(stages[i], *in, c))
            return true;
    for (size_t j = 0; j < i; j++)
        if (stages[j]->settled && k->due[j] && changed[j])
            return true;
    return false;
}

static void each_key_of(const char *text)
{
    load_open();
    config *c = load_good(text);
    json_t *resolved = config_to_json(c);
    keys plain;
    keys_of_json(&plain, c, resolved);
    for (size_t k = 0; k < schema_n_keys; k++) {
        bool expected[STAGE_COUNT] = {false};
        keys other;
        json_t *changed = json_deep_copy(resolved);
        flip(changed, schema_keys[k].name);
        keys_of_json(&other, c, changed);
        for (size_t i = 0; i < STAGE_COUNT; i++) {
            expected[i] = plain.due[i] && (stage_reads_here(stages[i], schema_keys[k].name, c) ||
                                           is_behind(i, expected, &plain, c));
            bool differs = plain.due[i] && strcmp(plain.at[i], other.at[i]) != 0;
            cr_expect_eq(differs, expected[i], "%s: the key of stage %s %s", schema_keys[k].name,
                         stages[i]->name, differs ? "changes" : "stays");
        }
        json_decref(changed);
    }
    json_decref(resolved);
    config_free(c);
    temp_close();
}

Test(slices, of_data_and_a_student_of_its_own)
{
    each_key_of("schema: 1\nseed: 1\ndata: {generator: rings}\nstudent: {flow: iaf}\n"
                "export: {samples: 10}\n");
}

Test(slices, of_data_and_a_student_that_starts_as_its_teacher)
{
    each_key_of("schema: 1\nseed: 1\ndata: {generator: rings}\n");
}

Test(slices, of_a_choice_of_networks)
{
    each_key_of("schema: 1\nseed: 1\ndata: {generator: rings}\nstudent: {flow: iaf}\n"
                "export: {samples: 10}\ncompute: {network: auto}\n");
}

Test(slices, of_a_target)
{
    each_key_of("schema: 1\nseed: 1\ntarget: {kind: gaussian, dim: 2}\n");
}

/* Every stage that a text says changes against the first, and no other. */
static void changes(const char *text, const char *other, const char *list)
{
    load_open();
    char found[256] = "";
    keys a, b;
    config *c = load_good(text), *d = load_good(other);
    json_t *cj = config_to_json(c), *dj = config_to_json(d);
    keys_of_json(&a, c, cj);
    keys_of_json(&b, d, dj);
    for (size_t i = 0; i < STAGE_COUNT; i++)
        if (a.due[i] && b.due[i] && strcmp(a.at[i], b.at[i]) != 0)
            snprintf(found + strlen(found), sizeof found - strlen(found), "%s%s", *found ? " " : "",
                     stages[i]->name);
    cr_expect_str_eq(found, list);
    json_decref(cj);
    json_decref(dj);
    config_free(c);
    config_free(d);
    temp_close();
}

#define IAF "schema: 1\nseed: 1\ndata: {generator: rings}\nstudent: {flow: iaf}\n"
#define WARM "schema: 1\nseed: 1\ndata: {generator: rings}\n"

Test(slices, what_users_change)
{
    changes(IAF "validate: {samples: 1000}\n", IAF "validate: {samples: 2000}\n",
            "validate report");
    changes(WARM "validate: {samples: 1000}\n", WARM "validate: {samples: 2000}\n",
            "validate report");
    changes(WARM "export: {samples: 9}\ncompute: {network: f32}\n",
            WARM "export: {samples: 9}\ncompute: {network: int8}\n", "validate export report");
    changes(WARM "export: {samples: 9}\ncompute: {network: int8}\nvalidate: {samples: 1000}\n",
            WARM "export: {samples: 9}\ncompute: {network: int8}\nvalidate: {samples: 2000}\n",
            "validate report");
    changes(WARM "export: {samples: 9}\ncompute: {network: auto}\nvalidate: {samples: 1000}\n",
            WARM "export: {samples: 9}\ncompute: {network: auto}\nvalidate: {samples: 2000}\n",
            "validate export report");
    changes(IAF "export: {samples: 10}\n", IAF "export: {samples: 20}\n", "export");
    changes(IAF "name: a\ncompute: {threads: 1}\n", IAF "name: b\ncompute: {threads: 2}\n",
            "report");
    changes(IAF "teacher: {train: {lr: 0.001}}\n", IAF "teacher: {train: {lr: 0.002}}\n",
            "teacher target student validate report");
}

/* Said in other words, a config is the same. */
Test(slices, order_and_spelling_do_not_matter)
{
    changes(
        "schema: 1\nseed: 1\ndata: {generator: rings, rows: 2e3}\nstudent: {flow: iaf}\n",
        "student: {flow: {kind: iaf}}\ndata: {rows: 2000, generator: rings}\nseed: 1\nschema: 1\n",
        "");
}
