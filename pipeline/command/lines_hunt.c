/* pipeline/command/lines_hunt.c -- the command line of distill hunt. */
#include "pipeline/command/line.h"
#include "pipeline/command/with_model.h"

#include <limits.h>

static const cli_option table[] = {
    {"number", 'n', "N", "samples of the model; default 50000"},
    {"rows", OPTION_ROWS, "N", "rows of 256 chains on the target; default 4096"},
    {"effort", OPTION_EFFORT, "K", "look K times as hard beside them; default 1"},
    {"target", OPTION_TARGET, "FILE",
     "a model file, a .yaml or a run; default: what its run learned from"},
    NETWORK_OPTION,
    {"seed", OPTION_SEED, "S", "default 0; another seed is another hunt"},
    JSON_OPTION,
    {"threads", OPTION_THREADS, "N", "threads; changes no result"},
    {NULL, 0, NULL, NULL}};

const line_spec line_hunt = {.name = "hunt",
                             .operands = "RUN|MODEL [options]",
                             .n_min = 1,
                             .n_max = 1,
                             .doc =
                                 "What a model's samples miss of what it was made for, and where.",
                             .examples = "  distill hunt runs/funnel\n"
                                         "  distill hunt runs/funnel --effort 10 --seed 2\n",
                             .options = table};

static int take(void *into, int id, const char *arg, flow_err *err)
{
    hunt_options *o = into;
    switch (id) {
    case 'n':
        return option_whole(&o->n, "-n", arg, 2, INT32_MAX, err);
    case OPTION_ROWS:
        return option_whole(&o->rows, "--rows", arg, 1, 100000000, err);
    case OPTION_NETWORK:
        return network_take(&o->network, arg, err);
    case OPTION_SEED:
        return option_whole(&o->seed, "--seed", arg, 0, INT64_MAX, err);
    case OPTION_THREADS:
        return option_whole(&o->threads, "--threads", arg, 1, LINE_MAX_THREADS, err);
    case OPTION_EFFORT:
        return option_positive(&o->effort, "--effort", arg, err);
    case OPTION_TARGET:
        o->target = arg;
        return FLOW_OK;
    default:
        o->json = true;
        return FLOW_OK;
    }
}

int line_read_hunt(hunt_options *out, int argc, char **argv)
{
    char **operands;
    *out = (hunt_options){.network = NETWORK_NOT_SAID, .n = 50000, .rows = 4096, .effort = 1};
    int status = line_read(&operands, &line_hunt, out, take, argc, argv);
    if (status < 0)
        out->model = operands[0];
    return status;
}
