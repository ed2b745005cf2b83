/* pipeline/command/lines_runs.c -- the command lines of verbs that tell of runs: status, metrics, diff. */
#include "pipeline/command/line.h"

/* ---- status */

static const cli_option status_table[] = {JSON_OPTION, {NULL, 0, NULL, NULL}};

const line_spec line_status = {
    .name = "status",
    .operands = "RUN [options]",
    .n_min = 1,
    .n_max = 1,
    .doc = "How a run stands or ended: verdict, warnings, stages, course of the losses.",
    .examples = "  distill status runs/moons\n"
                "  distill status runs/moons --json\n",
    .options = status_table};

int line_read_status(status_options *out, int argc, char **argv)
{
    char **operands;
    *out = (status_options){.run = NULL};
    int status = line_read(&operands, &line_status, &out->json, line_take_flag, argc, argv);
    if (status < 0)
        out->run = operands[0];
    return status;
}

/* ---- metrics */

static const cli_option metrics_table[] = {
    {"stage", OPTION_STAGE, "teacher|student", "of this stage alone"},
    {"csv", OPTION_CSV, NULL, "as comma separated values, with all digits"},
    JSON_OPTION,
    {NULL, 0, NULL, NULL}};

const line_spec line_metrics = {.name = "metrics",
                                .operands = "RUN [options]",
                                .n_min = 1,
                                .n_max = 1,
                                .doc = "The course of both trainings of a run, as tables.",
                                .examples = "  distill metrics runs/moons\n"
                                            "  distill metrics runs/moons --stage student --csv\n",
                                .options = metrics_table};

static int take_metrics(void *into, int id, const char *arg, flow_err *err)
{
    metrics_options *o = into;
    (void)err;
    if (id == OPTION_STAGE)
        o->stage = arg;
    else
        o->form = id == OPTION_CSV ? METRICS_CSV : METRICS_JSON;
    return FLOW_OK;
}

int line_read_metrics(metrics_options *out, int argc, char **argv)
{
    char **operands;
    *out = (metrics_options){.form = METRICS_TABLE};
    int status = line_read(&operands, &line_metrics, out, take_metrics, argc, argv);
    if (status < 0)
        out->run = operands[0];
    return status;
}

/* ---- diff */

static const cli_option diff_table[] = {JSON_OPTION, {NULL, 0, NULL, NULL}};

const line_spec line_diff = {
    .name = "diff",
    .operands = "RUN RUN [options]",
    .n_min = 2,
    .n_max = 2,
    .doc = "Two runs side by side: keys of the config that differ, figures, seconds.",
    .examples = "  distill diff runs/moons runs/eight\n",
    .options = diff_table};

int line_read_diff(diff_options *out, int argc, char **argv)
{
    char **operands;
    *out = (diff_options){.json = false};
    int status = line_read(&operands, &line_diff, &out->json, line_take_flag, argc, argv);
    for (size_t i = 0; status < 0 && i < 2; i++)
        out->runs[i] = operands[i];
    return status;
}
