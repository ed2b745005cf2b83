/* pipeline/command/lines_init.c -- the command line of distill init. */
#include "pipeline/command/line.h"

static const cli_option table[] = {
    {"data", OPTION_DATA, "FILE", "of table: a .csv or .npy, which is looked at"},
    HEADER_OPTION,
    {"output", 'o', "FILE", "the config; default NAME.yaml, or that of the table"},
    {NULL, 0, NULL, NULL}};

const line_spec line_init = {
    .name = "init",
    .operands = "[moons|table|mixture|posterior]",
    .n_min = 0,
    .n_max = 1,
    .doc = "Writes a config to begin with, with comments, that runs in under a minute.",
    .examples = "  distill init moons && distill run moons.yaml\n"
                "  distill init --data events.csv\n"
                "  distill init mixture -o mine.yaml\n",
    .options = table};

static int take(void *into, int id, const char *arg, flow_err *err)
{
    init_options *o = into;
    if (id == OPTION_HEADER)
        return line_take_header(&o->header, arg, err);
    if (id == OPTION_DATA)
        o->data = arg;
    else
        o->output = arg;
    return FLOW_OK;
}

int line_read_init(init_options *out, int argc, char **argv)
{
    char **operands;
    *out = (init_options){.header = FILE_HEADER_AUTO};
    int status = line_read(&operands, &line_init, out, take, argc, argv);
    if (status < 0)
        out->kind = operands[0];
    return status;
}
