/* pipeline/command/lines.h -- the command line of each verb: what it may hold, and reading it. */
#ifndef PIPELINE_COMMAND_LINES_H
#define PIPELINE_COMMAND_LINES_H

#include "pipeline/command/diff.h"
#include "pipeline/command/estimate.h"
#include "pipeline/command/export_verb.h"
#include "pipeline/command/hunt.h"
#include "pipeline/command/init.h"
#include "pipeline/command/inspect.h"
#include "pipeline/command/ladder.h"
#include "pipeline/command/logp.h"
#include "pipeline/command/metrics_verb.h"
#include "pipeline/command/options.h"
#include "pipeline/command/sample.h"
#include "pipeline/command/status.h"
#include "pipeline/command/sweep_verb.h"
#include "pipeline/stages/run.h"

/* What a verb takes; the text of its --help. */
typedef struct line_spec {
    const char *name, *operands;
    int n_min, n_max; /* operands */
    const char *doc;
    const char *examples; /* lines */
    const cli_option *options;
} line_spec;

extern const line_spec line_run, line_check, line_inspect, line_sample, line_logp, line_estimate,
    line_hunt, line_ladder, line_explain, line_check_target, line_plan, line_validate, line_report,
    line_export, line_export_stage, line_verify, line_gc, line_init, line_schema, line_completion,
    line_man, line_doctor, line_status, line_metrics, line_diff, line_sweep;

/* run, plan, check and check-target, and a stage of a run again: the options, and the lists that their sources point into. */
typedef struct run_line {
    run_options options;
    const char **overlays, **sets;
    char header[32];             /* of --header: one of sets */
    const char *library_options; /* NULL: not given */
} run_line;

typedef struct sweep_line {
    sweep_options options;
    const char **overlays, **sets;
} sweep_line;

/* Each reads argv (argc; argv[0] is the verb) into *out, which then points into argv. Returns -1 to
 * go on, or the exit code of the process: an error has been printed, or --help. */
int line_read_run(run_line *out, const line_spec *spec, int argc, char **argv);
int line_read_again(run_line *out, const line_spec *spec, const char *stage_name, int argc,
                    char **argv);
/* Whether the line asks for a model in another form, or for help, and not for the stage of a run. */
bool line_is_of_model(int argc, char **argv);
int line_read_export(export_options *out, int argc, char **argv);
int line_read_gc(const char **run, bool *dry, int argc, char **argv);
int line_read_inspect(inspect_options *out, int argc, char **argv);
int line_read_sample(sample_options *out, int argc, char **argv);
int line_read_logp(logp_options *out, int argc, char **argv);
int line_read_estimate(estimate_options *out, int argc, char **argv);
int line_read_hunt(hunt_options *out, int argc, char **argv);
int line_read_init(init_options *out, int argc, char **argv);
int line_read_sweep(sweep_line *out, int argc, char **argv);
int line_read_status(status_options *out, int argc, char **argv);
int line_read_metrics(metrics_options *out, int argc, char **argv);
int line_read_diff(diff_options *out, int argc, char **argv);
/* Of verbs without options: their operand; NULL: none. */
int line_read_word(const char **out, const line_spec *spec, int argc, char **argv);
int line_read_doctor(bool *json, int argc, char **argv);
int line_read_ladder(ladder_options *out, int argc, char **argv);

void run_line_free(run_line *self);
void sweep_line_free(sweep_line *self);

#endif
