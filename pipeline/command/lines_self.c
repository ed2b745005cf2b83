/* pipeline/command/lines_self.c -- the command lines of verbs that tell of the program itself: schema. */
#include "pipeline/command/line.h"

static const cli_option no_options[] = {{NULL, 0, NULL, NULL}};

const line_spec line_schema = {
    .name = "schema",
    .operands = "",
    .n_min = 0,
    .n_max = 0,
    .doc = "Prints the JSON Schema of a config, for editors and validators.",
    .examples = "  distill schema >distill.schema.json\n",
    .options = no_options};

/* The table is empty: never called. */
static int take_nothing(void *into, int id, const char *arg, flow_err *err)
{
    (void)into, (void)arg;
    return flow_fail(err, FLOW_EBUG, "option %d", id);
}

int line_read_schema(int argc, char **argv)
{
    char **operands;
    return line_read(&operands, &line_schema, NULL, take_nothing, argc, argv);
}
