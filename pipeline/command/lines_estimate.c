/* pipeline/command/lines_estimate.c -- the command line of distill estimate. */
#include "pipeline/command/line.h"
#include "pipeline/command/with_model.h"

#include <limits.h>

static const cli_option table[] = {
    {"number", 'n', "N", "samples to weigh; default 100000"},
    {"of", OPTION_OF, "NAME,...", "columns or quantities; default: all columns"},
    DERIVING_OPTIONS,
    {"target", OPTION_TARGET, "FILE",
     "a model file, a .yaml or a run; default: what its run learned from"},
    TABLE_OPTIONS("a file with one row; or NAME=VALUE,..."),
    NETWORK_OPTION,
    {"seed", OPTION_SEED, "S", "default 0: the same command gives the same figures"},
    JSON_OPTION,
    {"threads", OPTION_THREADS, "N", "threads; changes no result"},
    {NULL, 0, NULL, NULL}};

const line_spec line_estimate = {
    .name = "estimate",
    .operands = "RUN|MODEL [options]",
    .n_min = 1,
    .n_max = 1,
    .doc = "Means, widths, quantiles of what a model was made for, weighed.",
    .examples = "  distill estimate runs/schools\n"
                "  distill estimate runs/schools --of tau,theta.1 -n 1e6\n"
                "  distill estimate runs/banana --function ./radius.so --of radius\n",
    .options = table};

static int take(void *into, int id, const char *arg, flow_err *err)
{
    estimate_options *o = into;
    switch (id) {
    case 'n':
        return option_whole(&o->n, "-n", arg, 2, INT32_MAX, err);
    case OPTION_NETWORK:
        return network_take(&o->network, arg, err);
    case OPTION_SEED:
        return option_whole(&o->seed, "--seed", arg, 0, INT64_MAX, err);
    case OPTION_THREADS:
        return option_whole(&o->threads, "--threads", arg, 1, LINE_MAX_THREADS, err);
    case OPTION_OF:
        o->of = arg;
        return FLOW_OK;
    case OPTION_TARGET:
        o->target = arg;
        return FLOW_OK;
    case OPTION_JSON:
        o->json = true;
        return FLOW_OK;
    default:
        if (line_is_of_deriving(id))
            return line_take_deriving(&o->deriving, id, arg, err);
        return line_take_table(&o->context, id, arg, err);
    }
}

int line_read_estimate(estimate_options *out, int argc, char **argv)
{
    char **operands;
    *out = (estimate_options){.network = NETWORK_NOT_SAID, .n = 100000};
    int status = line_read(&operands, &line_estimate, out, take, argc, argv);
    flow_err err = FLOW_ERR_INIT;
    if (status >= 0)
        return status;
    out->model = operands[0];
    return deriving_check(&out->deriving, &err) ? line_refuse(&line_estimate, &err) : -1;
}
