/* pipeline/command/lines_sweep.c -- the command line of distill sweep. */
#include "pipeline/command/line.h"
#include "pipeline/console/exit.h"

#include <stdlib.h>

static const cli_option table[] = {
    {"jobs", 'j', "N", "points at a time; default 1"},
    {"list", OPTION_LIST, NULL, "say how each point stands, and run nothing"},
    {"commands", OPTION_COMMANDS, NULL, "print the command of each point, and run nothing"},
    {"set", OPTION_SET, "KEY=VALUE", "override one key in every point; may be repeated"},
    {"config", 'c', "FILE", "lay a second YAML file over the first; may be repeated"},
    {"out", OPTION_OUT, "DIR", "directory above the points; default runs/NAME-sweep"},
    {"threads", OPTION_THREADS, "N", "threads of each point; default: the processors, shared out"},
    {"csv", OPTION_CSV, NULL, "the table as comma separated values, with all digits"},
    {"json", OPTION_JSON, NULL, "the table for programs, as JSON"},
    {NULL, 0, NULL, NULL}};

const line_spec line_sweep = {
    .name = "sweep",
    .operands = "FILE [options]",
    .n_min = 1,
    .n_max = 1,
    .doc = "Runs the points of a config's sweep; prints a table, and the best.",
    .examples = "  distill sweep layers.yaml -j 2\n"
                "  distill sweep layers.yaml --commands | parallel -j 4\n",
    .options = table};

static int take(void *into, int id, const char *arg, flow_err *err)
{
    sweep_line *line = into;
    sweep_options *o = &line->options;
    switch (id) {
    case 'j':
        return option_whole(&o->jobs, "-j", arg, 1, LINE_MAX_THREADS, err);
    case OPTION_THREADS:
        return option_whole(&o->threads, "--threads", arg, 1, LINE_MAX_THREADS, err);
    case OPTION_SET:
        line->sets[o->sources.n_sets++] = arg;
        break;
    case 'c':
        line->overlays[o->sources.n_overlays++] = arg;
        break;
    case OPTION_OUT:
        o->out = arg;
        break;
    case OPTION_LIST:
    case OPTION_COMMANDS:
        o->what = id == OPTION_LIST ? SWEEP_LIST : SWEEP_COMMANDS;
        break;
    default:
        o->form = id == OPTION_CSV ? SWEEP_CSV : SWEEP_JSON;
    }
    return FLOW_OK;
}

int line_read_sweep(sweep_line *out, int argc, char **argv)
{
    size_t n = (size_t)argc; /* more than can be given */
    flow_err err = FLOW_ERR_INIT;
    char **operands;
    *out = (sweep_line){.options = {.jobs = 1},
                        .overlays = calloc(n, sizeof(char *)),
                        .sets = calloc(n, sizeof(char *))};
    if (!out->overlays || !out->sets) {
        flow_fail(&err, FLOW_ENOMEM, "out of memory");
        return exit_fail(&err);
    }
    int status = line_read(&operands, &line_sweep, out, take, argc, argv);
    if (status >= 0)
        return status;
    out->options.sources.file = operands[0];
    out->options.sources.overlays = out->overlays;
    out->options.sources.sets = out->sets;
    return -1;
}

void sweep_line_free(sweep_line *self)
{
    free(self->overlays);
    free(self->sets);
}
