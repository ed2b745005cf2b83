/* The run directory: whose it may be, what is written, removed and left, and the lock. */
#include "pipeline/stages/rundir.h"
#include "pipeline/stages/lock.h"
#include "tests/common/temp.h"

#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static rundir dir;
static flow_err err;

static void open_temp(void)
{
    err = (flow_err)FLOW_ERR_INIT;
    temp_open();
    cr_assert_eq(rundir_open(&dir, temp_path("run"), &err), 0, "%s", err.text);
}

static const char *in_run(const char *name)
{
    static char path[2 * RUNDIR_PATH];
    snprintf(path, sizeof path, "%s/%s", dir.root, name);
    return path;
}

static int there(const char *name)
{
    return access(in_run(name), F_OK) == 0;
}

static void touch(const char *name)
{
    char path[RUNDIR_PATH];
    cr_assert_not_null(rundir_path(&dir, path, name, &err), "%s", err.text);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs("x", file);
    fclose(file);
}

static void empty_and_close(void)
{
    char command[RUNDIR_PATH + 16];
    rundir_close(&dir);
    snprintf(command, sizeof command, "rm -rf '%s'", dir.root);
    cr_assert_eq(system(command), 0);
    temp_close();
}

/* ---- whose it may be */

Test(rundir, parents_are_made)
{
    temp_open();
    cr_assert_eq(rundir_open(&dir, temp_path("run"), &err), 0);
    rundir_close(&dir);
    char deep[RUNDIR_PATH];
    snprintf(deep, sizeof deep, "%s/a/b//c/", temp_path("run"));
    rundir inner;
    cr_assert_eq(rundir_open(&inner, deep, &err), 0, "%s", err.text);
    rundir_close(&inner);
    empty_and_close();
}

Test(rundir, a_lock_and_temporary_files_alone_are_nothing)
{
    open_temp();
    touch(LOCK_FILE);
    touch("resolved.json.tmp.4711");
    rundir_close(&dir);
    rundir again;
    cr_expect_eq(rundir_open(&again, dir.root, &err), 0, "%s", err.text);
    rundir_close(&again);
    empty_and_close();
}

Test(rundir, files_of_others_are_refused_and_nothing_is_made)
{
    open_temp();
    unlink(in_run(LOCK_FILE));
    touch("thesis.tex");
    rundir_close(&dir);
    rundir again;
    cr_expect_eq(rundir_open(&again, dir.root, &err), FLOW_ECREATE);
    cr_expect(strstr(err.text, "not of a run"), "%s", err.text);
    cr_expect_eq(again.lock, -1);
    cr_expect_not(there(LOCK_FILE), "a lock was left in a directory of others");
    empty_and_close();
}

Test(rundir, an_earlier_run_is_known_by_its_resolved_config)
{
    open_temp();
    touch("thesis.tex");
    touch("resolved.json");
    rundir_close(&dir);
    rundir again;
    cr_expect_eq(rundir_open(&again, dir.root, &err), 0, "%s", err.text);
    rundir_close(&again);
    empty_and_close();
}

/* ---- the lock: two descriptors of one process are two holders to flock */

Test(rundir, one_at_a_time)
{
    open_temp();
    rundir second;
    cr_expect_eq(rundir_open(&second, dir.root, &err), FLOW_ELOCKED);
    char expected[64];
    snprintf(expected, sizeof expected, "run is in use by pid %ld on host ", (long)getpid());
    cr_expect(strstr(err.text, expected), "%s", err.text);
    rundir_close(&dir);
    cr_expect_eq(rundir_open(&second, dir.root, &err), 0, "%s", err.text);
    rundir_close(&second);
    empty_and_close();
}

Test(rundir, the_lock_dies_with_its_process)
{
    open_temp();
    rundir_close(&dir);
    int ready[2];
    cr_assert_eq(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        rundir held;
        char done = rundir_open(&held, dir.root, NULL) == 0 ? 'y' : 'n';
        if (write(ready[1], &done, 1) == 1)
            pause();
        _exit(1);
    }
    char answer = 'n';
    cr_assert(read(ready[0], &answer, 1) == 1 && answer == 'y');
    rundir second;
    cr_expect_eq(rundir_open(&second, dir.root, &err), FLOW_ELOCKED);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    cr_expect(there(LOCK_FILE), "the file of the dead stays");
    cr_expect_eq(rundir_open(&second, dir.root, &err), 0, "%s", err.text);
    rundir_close(&second);
    empty_and_close();
}

Test(rundir, who_holds_it_cannot_spoil_a_terminal)
{
    open_temp();
    FILE *lock = fopen(in_run(LOCK_FILE), "w");
    fputs("\033[31mpid\tred\n2", lock);
    fclose(lock);
    rundir second;
    cr_expect_eq(rundir_open(&second, dir.root, &err), FLOW_ELOCKED);
    cr_expect(strstr(err.text, "in use by ?[31mpid?red"), "%s", err.text);
    cr_expect_not(strchr(err.text, '\n'));
    lock = fopen(in_run(LOCK_FILE), "w");
    fclose(lock);
    cr_expect_eq(rundir_open(&second, dir.root, &err), FLOW_ELOCKED);
    cr_expect(strstr(err.text, "another process"), "%s", err.text);
    empty_and_close();
}

/* ---- the directory of a stage */

static rundir of_stage(void)
{
    rundir out = {.lock = -1, .home = dir.root};
    snprintf(out.root, sizeof out.root, "%.2000s/stages/export-12345678.part", dir.root);
    cr_assert_eq(rundir_make_folders(out.root, &err), 0, "%s", err.text);
    return out;
}

Test(rundir, files_of_a_stage_lie_side_by_side)
{
    char path[RUNDIR_PATH];
    open_temp();
    rundir part = of_stage();
    cr_assert_not_null(rundir_path(&part, path, "export/a.csv", &err));
    cr_expect_str_eq(path, in_run("stages/export-12345678.part/a.csv"));
    cr_expect_str_eq(rundir_shown(&part, path, "export/a.csv"), in_run("export/a.csv"));
    cr_expect_str_eq(rundir_shown(&dir, path, "export/a.csv"), in_run("export/a.csv"));
    cr_expect_not(there("export"), "a folder was made for it");
    empty_and_close();
}

Test(rundir, a_pattern_is_of_the_last_part)
{
    cr_expect(rundir_fits("export/*.csv", "a.csv"));
    cr_expect(rundir_fits("export/*.csv", "export/a.csv"));
    cr_expect_not(rundir_fits("export/*.csv", ".csv"));
    cr_expect_not(rundir_fits("export/*.csv", "a.csv.tmp.12"));
    cr_expect(rundir_fits("picture.png", "picture.png"));
}

Test(rundir, a_directory_of_files_goes_and_none_is_no_error)
{
    open_temp();
    rundir part = of_stage();
    touch("stages/export-12345678.part/a.csv");
    touch("stages/export-12345678.part/.hidden");
    cr_expect_eq(rundir_remove_flat(part.root, &err), 0, "%s", err.text);
    cr_expect_not(there("stages/export-12345678.part"));
    cr_expect_eq(rundir_remove_flat(part.root, &err), 0, "%s", err.text);
    empty_and_close();
}

Test(rundir, what_cannot_be_removed_is_an_error)
{
    open_temp();
    rundir part = of_stage();
    touch("stages/export-12345678.part/inside/a.csv");
    cr_expect_eq(rundir_remove_flat(part.root, &err), FLOW_ECREATE);
    cr_expect(strstr(err.text, "export-12345678.part/inside: "), "%s", err.text);
    empty_and_close();
}

Test(rundir, what_grows_is_linked_where_nothing_whole_is_shown)
{
    metrics lines;
    open_temp();
    rundir part = of_stage();
    cr_assert_eq(metrics_open(&lines, &part, "export/m.jsonl", &err), 0, "%s", err.text);
    cr_assert_eq(metrics_close(&lines, NULL), 0);
    cr_expect_not(there("export/m.jsonl"));
    part.shown = true;
    cr_assert_eq(metrics_open(&lines, &part, "export/m.jsonl", &err), 0, "%s", err.text);
    cr_assert_eq(metrics_close(&lines, NULL), 0);
    cr_expect(there("export/m.jsonl"));
    empty_and_close();
}

/* ---- writing */

Test(rundir, json_is_sorted_and_ends_in_a_newline)
{
    open_temp();
    json_t *value = json_pack("{s:i, s:[i, i]}", "b", 1, "a", 2, 3);
    cr_assert_eq(rundir_write_json(&dir, "x/y.json", value, &err), 0, "%s", err.text);
    json_decref(value);
    char *text = temp_slurp(in_run("x/y.json"), NULL);
    cr_expect_str_eq(text, "{\n  \"a\": [\n    2,\n    3\n  ],\n  \"b\": 1\n}\n");
    free(text);
    empty_and_close();
}

Test(rundir, json_that_could_not_be_made_is_an_error_and_no_file)
{
    open_temp();
    cr_expect_eq(rundir_write_json(&dir, "y.json", NULL, &err), FLOW_ENOMEM);
    cr_expect_not(there("y.json"));
    empty_and_close();
}

Test(rundir, a_path_that_is_too_long_is_an_error)
{
    static char name[RUNDIR_PATH + 10];
    char path[RUNDIR_PATH];
    open_temp();
    memset(name, 'a', sizeof name - 1);
    cr_expect_null(rundir_path(&dir, path, name, &err));
    rundir other;
    cr_expect_eq(rundir_open(&other, name, &err), FLOW_ECREATE);
    empty_and_close();
}

/* ---- metrics */

Test(rundir, metrics_are_lines_and_tell_what_was_not_finite)
{
    metrics m;
    open_temp();
    cr_assert_eq(metrics_open(&m, &dir, "t/metrics.jsonl", &err), 0, "%s", err.text);
    cr_expect_eq(metrics_append(&m, json_pack("{s:i, s:f}", "a", 1, "b", 0.5), &err), 0);
    cr_expect_eq(metrics_append(&m, json_pack("{s:i, s:n}", "a", 2, "b"), &err), 0);
    cr_expect_eq(metrics_append(&m, NULL, &err), FLOW_ENOMEM);
    cr_assert_eq(metrics_close(&m, NULL), 0);
    char *text = temp_slurp(in_run("t/metrics.jsonl"), NULL);
    cr_expect_str_eq(text, "{\"a\":1,\"b\":0.5}\n{\"a\":2,\"b\":null,\"nonfinite\":[\"b\"]}\n");
    free(text);
    cr_assert_eq(metrics_open(&m, &dir, "t/metrics.jsonl", &err), 0);
    cr_expect_eq(metrics_cut(&m, 16, &err), 0);
    cr_expect_eq(metrics_append(&m, json_pack("{s:i}", "a", 3), &err), 0);
    cr_expect_eq(metrics_length(&m), 24);
    cr_assert_eq(metrics_close(&m, NULL), 0);
    text = temp_slurp(in_run("t/metrics.jsonl"), NULL);
    cr_expect_str_eq(text, "{\"a\":1,\"b\":0.5}\n{\"a\":3}\n");
    free(text);
    empty_and_close();
}
