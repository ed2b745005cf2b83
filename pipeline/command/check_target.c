#include "pipeline/command/check_target.h"

#include "pipeline/command/check_target_print.h"
#include "pipeline/command/config_of.h"
#include "pipeline/config/config.h"
#include "pipeline/config/show.h"
#include "pipeline/console/exit.h"
#include "pipeline/console/foreign.h"
#include "student/pilot.h"
#include "teacher/streams.h"
#include "teacher/target_in_units.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows of each place; and what annealing takes, in evaluations, and may take, in seconds. */
enum { ROWS = 128, PILOT_EVALUATIONS = 60000, PILOT_SECONDS = 20 };
static const double TIMING = 0.1; /* seconds, four times */

static const struct {
    const char *where;
    double width;
} places[] = {{"normal", 1}, {"normal, 3 times as wide", 3}, {"normal, a tenth as wide", 0.1}};
enum { N_PLACES = sizeof places / sizeof *places };

/* ---- points */

static int draw_places(check_target_seen *s, flow_err *err)
{
    size_t each = ROWS * s->dim;
    const pcg_stream stream = {.stage = STREAM_PROBE, .purpose = PCG_BASE};
    if (!(s->x = malloc((N_PLACES + 1) * each * sizeof *s->x)))
        return flow_fail(err, FLOW_ENOMEM, "out of memory for rows of %zu columns", s->dim);
    pcg_normals(s->x, stream, 0, N_PLACES * ROWS, s->dim);
    for (size_t g = 0; g < N_PLACES; g++) {
        s->groups[s->n_groups++] = (check_target_group){.where = places[g].where, .n = ROWS};
        for (size_t i = 0; i < each; i++)
            s->x[g * each + i] *= places[g].width;
    }
    s->n = N_PLACES * ROWS;
    return 0;
}

static bool is_slow(const check_target_seen *s)
{
    double row = isnan(s->speed.gradient) ? s->speed.density : s->speed.gradient;
    return row * PILOT_EVALUATIONS > PILOT_SECONDS;
}

/* Where the target is, as a run would find it. What keeps a pilot from it is no error here. */
static int anneal(check_target_seen *s, const target *t, flow_err *err)
{
    static char why[sizeof err->text];
    student_pilot pilot;
    flow_err left = FLOW_ERR_INIT;
    if (is_slow(s)) {
        s->no_pilot = "none: a row takes too long";
        return 0;
    }
    flow_pool *pool = flow_pool_create(1, err);
    if (!pool)
        return err->code;
    int code = student_pilot_run(&pilot, t, pool, &pilot_effort_usual, ROWS, 1, &left);
    if (!code) {
        memcpy(s->x + s->n * s->dim, pilot.rows.x, ROWS * s->dim * sizeof *s->x);
        s->groups[s->n_groups++] = (check_target_group){.where = "annealed to it", .n = ROWS};
        s->n += ROWS;
    } else {
        snprintf(why, sizeof why, "none: %.1000s", left.text);
        s->no_pilot = why;
    }
    student_pilot_close(&pilot);
    flow_pool_free(pool);
    return 0;
}

static int keep_names(check_target_seen *s, const target *t, flow_err *err)
{
    char text[TARGET_COLUMN_TEXT];
    if (!(s->names = calloc(s->dim, sizeof *s->names)))
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu names", s->dim);
    for (size_t j = 0; j < s->dim; j++)
        if (!(s->names[j] = strdup(target_column(t, text, j))))
            return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu names", s->dim);
    return 0;
}

static void release(check_target_seen *s)
{
    for (size_t j = 0; s->names && j < s->dim; j++)
        free((void *)(uintptr_t)s->names[j]);
    free(s->names);
    free(s->x);
}

/* ---- looking */

static int count_groups(check_target_seen *s, const target *t, flow_err *err)
{
    int code = 0;
    size_t at = 0;
    for (size_t g = 0; g < s->n_groups && !code; at += s->groups[g++].n)
        code = probe_count(&s->groups[g].rows, t, s->x + at * s->dim, s->groups[g].n, err);
    return code;
}

static int look_on_the_line(check_target_seen *s, const target *t, flow_err *err)
{
    int code = draw_places(s, err);
    if (!code)
        code = probe_time(&s->speed, t, s->x, ROWS, TIMING, err);
    if (!code)
        code = anneal(s, t, err);
    if (!code)
        code = count_groups(s, t, err);
    return code ? code : probe_target(&s->probe, t, s->x, s->n, err);
}

/* Rows as the user has them. */
static int unmap(check_target_seen *s, const target *energy, flow_err *err)
{
    flow_units *units = target_support_units(energy, err);
    if (!units)
        return err->code;
    flow_units_to_user(units, s->x, NULL, s->x, s->n);
    flow_units_free(units);
    for (size_t i = 0; s->probe.broken.count > 0 && i < s->dim && i < BROKEN_SHOWN; i++)
        s->probe.broken.x[i] = s->x[s->probe.broken.row * s->dim + i];
    return 0;
}

static int look(check_target_seen *s, const target *energy, flow_err *err)
{
    s->dim = energy->dim;
    s->flags = energy->flags;
    s->log_z = energy->log_z;
    s->mapped = energy->kinds != NULL;
    if (energy->context > 0)
        return flow_fail(err, FLOW_ECONFIG, "target: a model with context is not looked at here");
    if (keep_names(s, energy, err))
        return err->code;
    if (!s->mapped)
        return look_on_the_line(s, energy, err);
    target *line = target_on_the_line(energy, err);
    int code = line ? look_on_the_line(s, line, err) : err->code;
    target_free(line);
    return code ? code : unmap(s, energy, err);
}

/* All that the target's code may do is done before anything is printed. */
static int look_at(const json_t *description, const char *file)
{
    flow_err err = FLOW_ERR_INIT;
    check_target_seen seen = {.file = file};
    foreign_begin();
    target *t = target_create(description, &err);
    int code = t ? look(&seen, t, &err) : flow_fail_prefix(&err, "target");
    code =
        code ? code
             : check_quantities_look(&seen.quantities, target_quantities(t), seen.x, seen.n, &err);
    target_free(t);
    foreign_end();
    size_t errors = code ? 0 : check_target_print(&seen);
    release(&seen);
    if (errors > 0)
        code =
            flow_fail(&err, FLOW_EDATA, "%s: a student cannot learn from this target: %zu error%s",
                      file, errors, errors == 1 ? "" : "s");
    return code ? exit_fail(&err) : EXIT_GOOD;
}

/* ---- the whole */

static int refuse(flow_code code, const char *file, const char *why)
{
    flow_err err = FLOW_ERR_INIT;
    flow_fail(&err, code, "%s: %s", file, why);
    return exit_fail(&err);
}

static int of_config(const config_sources *given)
{
    char room[RUNDIR_PATH];
    int status;
    flow_err err = FLOW_ERR_INIT;
    config_sources sources = *given;
    sources.file = config_of(room, given->file, &err);
    config *c = sources.file ? config_load_shown(&status, &sources) : NULL;
    if (!c)
        return err.code ? exit_fail(&err) : status;
    status = c->target ? look_at(c->target, given->file)
                       : refuse(FLOW_ECONFIG, given->file,
                                "there is no target; its student learns from a teacher");
    config_free(c);
    return status;
}

static int of_library(const char *file, const char *options)
{
    json_t *description = json_pack("{s:s, s:s, s:s}", "kind", "plugin", "path", file, "options",
                                    options ? options : "");
    if (!description)
        return refuse(FLOW_EUSAGE, file, "the name or the options are no UTF-8");
    int status = look_at(description, file);
    json_decref(description);
    return status;
}

int check_target_verb(const config_sources *sources, const char *options)
{
    bool run = config_of_is(sources->file);
    if (run && options)
        return refuse(FLOW_EUSAGE, sources->file,
                      "--options is for a library; target.options here");
    if (!run && (sources->n_sets > 0 || sources->n_overlays > 0))
        return refuse(FLOW_EUSAGE, sources->file, "--set and -c are for a config, not a library");
    return run ? of_config(sources) : of_library(sources->file, options);
}
