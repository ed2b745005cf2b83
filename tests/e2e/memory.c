/* tests/e2e/memory.c -- every allocation of the library floors fails once.
 *
 * A scene is a small part of the library's life that ends in a sum over all that it made. It is played
 * once as it is; then with its first allocation failing, its second, ... until none is left to fail. Each
 * time it must return FLOW_ENOMEM with a text and leave no memory behind; after some of these, and after
 * the last, it is played as it is and must give the same sum. An allocation whose failure is not noticed,
 * or gives less than was asked for without an error, is found by that.
 *
 * One thing is sheltered: jansson's reader (2.14) does not look whether its own buffer grew. It loses a
 * character then, or ends in an assertion.
 *
 * The program is linked so that malloc and its kin come here first (the Makefile's --wrap), and jansson is
 * told to; what the C library takes for itself does not. Time stands still between two looks at the clock
 * but for a second, so that nothing is measured for long.
 *
 * Prints a line per scene as the end-to-end scripts do; status 1 if one failed. Arguments: names of
 * scenes, default all. */
#include "tests/e2e/column_scene.h"
#include "tests/e2e/failing.h"
#include "tests/e2e/scene_library.h"
#include "tests/e2e/scene_targets.h"
#include "tests/e2e/scenes.h"
#include "tests/e2e/scenes_own.h"
#include "tests/e2e/scenes_pipeline.h"
#include "tests/e2e/scenes_tables.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct scene {
    const char *name;
    int (*play)(uint64_t *sum, flow_err *err);
} scenes[] = {{"flow", play_flow},
              {"preset", play_preset},
              {"circles", play_circles},
              {"unroll", play_unroll},
              {"round", play_round},
              {"column", play_column},
              {"pool", play_pool},
              {"sample", play_sample},
              {"model", play_model},
              {"library", play_library},
              {"csv", play_csv},
              {"text", play_text},
              {"npy", play_npy},
              {"read", play_read},
              {"stream", play_stream},
              {"single", play_single},
              {"data", play_data},
              {"links", play_links},
              {"look", play_look},
              {"generate", play_generate},
              {"fit", play_fit},
              {"distil", play_distil},
              {"warm", play_warm},
              {"search", play_search},
              {"validate", play_validate},
              {"layers", play_layers},
              {"targets", play_targets},
              {"plugin", play_plugin},
              {"stan", play_stan},
              {"umami", play_umami},
              {"quantities", play_quantities},
              {"probe", play_probe},
              {"transport", play_transport},
              {"importance", play_importance},
              {"two_sided", play_two_sided},
              {"cover", play_cover},
              {"fab", play_fab},
              {"recipe", play_recipe},
              {"sketch", play_sketch},
              {"ascent", play_ascent},
              {"around", play_around},
              {"place", play_place},
              {"chain", play_chain},
              {"plan", play_plan},
              {"kept", play_kept}};

/* ---- playing them */

static const struct scene *on; /* for a crash */

static void crashed(int number)
{
    char text[200];
    int n = snprintf(text, sizeof text, "not ok %s: signal %d after allocation %zu failed\n",
                     on->name, number, asked);
    print_culprits();
    if (write(STDOUT_FILENO, text, (size_t)n) < 0)
        _exit(2);
    _exit(1);
}

static int play(uint64_t *sum, flow_err *err, size_t failing)
{
    asked = 0;
    fails_at = failing;
    n_culprits = 0;
    *err = (flow_err)FLOW_ERR_INIT;
    *sum = 1469598103934665603u;
    int code = on->play(sum, err);
    fails_at = 0;
    return code;
}

/* Where jansson reads an object strictly it cannot tell memory that is out from a key that it did not ask
 * for. */
static bool says_memory(int code, const flow_err *err)
{
    return code == FLOW_ENOMEM || strstr(err->text, "left unpacked") ||
           strstr(err->text, "Out of memory");
}

/* What is wrong with this failure; NULL: nothing. Something that was wanted for speed alone may be missing
 * without a word. */
static const char *wrong_with(int code, bool right, const flow_err *err, size_t before)
{
    if (code == FLOW_OK && n_live == before)
        return right ? NULL : "nobody noticed";
    return n_live != before          ? "memory is left behind"
           : !says_memory(code, err) ? "the code is not FLOW_ENOMEM"
           : err->code != code       ? "the code is not that of the error"
           : err->text[0] == '\0'    ? "no text"
           : strchr(err->text, '\n') ? "more than a line"
                                     : NULL;
}

enum { REPLAYED = 8 }; /* one failure in so many is followed by a play without one */

/* Whether every failure of scene `on` ended well. */
static bool play_all(size_t *count)
{
    uint64_t right, sum;
    flow_err err;
    bool good = play(&right, &err, 0) == FLOW_OK;
    if (!good)
        printf("%s: %s\n", on->name, err.text);
    for (*count = 1; good || *count < 100000; ++*count) {
        size_t before = n_live;
        int code = play(&sum, &err, *count);
        if (!n_culprits)
            break;
        const char *wrong = wrong_with(code, sum == right, &err, before);
        if (!wrong && *count % REPLAYED == 1 && (play(&sum, &err, 0) || sum != right))
            wrong = "the next one is not right";
        if (wrong) {
            printf("%s: allocation %zu: %s (%d: %s)\n", on->name, *count, wrong, code, err.text);
            print_culprits();
        }
        good = good && !wrong;
    }
    --*count;
    return good && sum == right;
}

static json_t *describe(flow_direction direction, flow_err *err)
{
    json_t *whole = flow_kind_complete(&flow_presets, stack, err);
    json_t *out = whole ? flow_preset_describe(whole, direction, &home, err) : NULL;
    json_decref(whole);
    return out;
}

static flow *make_taught(flow_err *err)
{
    json_t *d = json_deep_copy(descriptions[FLOW_DATA_TO_NOISE]);
    json_t *list = json_object_get(d, "layers");
    for (int i = 0; i < NOT_UNROLLED; i++)
        json_array_remove(list, json_array_size(list) - 1);
    flow *f = flow_create(d, FLOW_F32, err);
    if (f)
        flow_init(f, stream); /* what is not copied is missed */
    json_decref(d);
    return f;
}

static bool set_up(flow_err *err)
{
    static const char *const names[] = {"a", "b", "c", "w"};
    stack = json_pack("{s:s, s:o}", "kind", "stack", "layers", json_loads(layers, 0, NULL));
    pool = flow_pool_create(1, err);
    table = file_table_create(ROWS, DIM + CONTEXT + 1, err);
    if (!pool || !table || file_table_set_names(table, names, err))
        return false;
    pcg_normals(table->values, stream, 0, ROWS, DIM + CONTEXT + 1);
    for (size_t row = 0; row < ROWS; row++) /* of which the last column are weights */
        table->values[(row + 1) * table->cols - 1] = 1 + (double)(row % 3);
    if (!(data = make_data(err)) || !mkdtemp(folder))
        return false;
    snprintf(path, sizeof path, "%s/file", folder);
    for (int way = 0; way < 2; way++) {
        descriptions[way] = describe((flow_direction)way, err);
        if (!descriptions[way] || !(made[way] = flow_create(descriptions[way], FLOW_F32, err)))
            return false;
        flow_init(made[way], stream);
    }
    return (taught = make_taught(err)) != NULL;
}

static void tear_down(void)
{
    for (int way = 0; way < 2; way++) {
        flow_free(made[way]);
        json_decref(descriptions[way]);
    }
    flow_free(taught);
    json_decref(stack);
    data_set_free(data);
    file_table_free(table);
    flow_pool_free(pool);
    remove(path);
    rmdir(folder);
}

static bool asked_for(int argc, char **argv, const char *name)
{
    bool found = argc < 2;
    for (int i = 1; i < argc; i++)
        found = found || strcmp(argv[i], name) == 0;
    return found;
}

/* A kind that no scene knows would not be tested. */
static bool has_all(const flow_registry *registry)
{
    const flow_kind *kind;
    bool good = true;
    for (size_t i = 0; (kind = registry->at(i)); i++)
        if (!strstr(layers, kind->name) && !strstr(circular_layers, kind->name)) {
            printf("not ok every %s is there: %s is not\n", registry->what, kind->name);
            good = false;
        }
    if (good)
        printf("ok every %s is there\n", registry->what);
    return good;
}

static bool has_all_kinds(void)
{
    bool good = has_all(&flow_layers);
    good = has_all(&flow_transformers) && good;
    return has_all(&flow_conditioners) && good;
}

int main(int argc, char **argv)
{
    flow_err err = FLOW_ERR_INIT;
    flow_blas_one_thread();
    signal(SIGSEGV, crashed);
    signal(SIGABRT, crashed);
    json_set_alloc_funcs(json_malloc, __wrap_free);
    setvbuf(stdout, NULL, _IONBF, 0);
    bool good = set_up(&err) && has_all_kinds();
    if (err.code)
        printf("not ok set up: %s\n", err.text);
    for (size_t i = 0; !err.code && i < sizeof scenes / sizeof *scenes; i++) {
        size_t count;
        on = &scenes[i];
        if (!asked_for(argc, argv, on->name))
            continue;
        bool fine = play_all(&count);
        printf(fine ? "ok %s: %zu allocations failed\n" : "not ok %s: %zu allocations failed\n",
               on->name, count);
        good = good && fine;
    }
    tear_down();
    return !good;
}
