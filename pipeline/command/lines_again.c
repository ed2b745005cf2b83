/* pipeline/command/lines_again.c -- the command lines of what is done with a run that is there: plan, stages of it again, verify, gc. */
#include "pipeline/command/line.h"

const line_spec line_plan = {.name = "plan",
                             .operands = "FILE|RUN [options]",
                             .n_min = 1,
                             .n_max = 1,
                             .doc = "What run would do, stage by stage, and why; writes nothing.",
                             .examples = "  distill plan moons.yaml\n"
                                         "  distill plan runs/moons --set student.flow.layers=8\n",
                             .options = line_plan_table};

#define AGAIN(NAME, DOC, EXAMPLES)                                                                 \
    {                                                                                              \
        .name = NAME, .operands = "RUN [options]", .n_min = 1, .n_max = 1, .doc = DOC,             \
        .examples = EXAMPLES, .options = line_again_table                                          \
    }

const line_spec line_validate = AGAIN(
    "validate", "Validates a run again, without training.",
    "  distill validate runs/moons\n  distill validate runs/moons --set validate.samples=1e6\n");

const line_spec line_report = AGAIN("report", "Writes the page of a run again, and its figures.",
                                    "  distill report runs/moons\n");

int line_read_again(run_line *out, const line_spec *spec, const char *stage_name, int argc,
                    char **argv)
{
    int status = line_read_run(out, spec, argc, argv);
    if (status >= 0)
        return status;
    out->options.out = out->options.sources.file;
    out->options.told = true;
    out->options.only = stage_name;
    return status;
}

/* ---- verify and gc */

const line_spec line_verify = {
    .name = "verify",
    .operands = "RUN",
    .n_min = 1,
    .n_max = 1,
    .doc = "Whether a run's results are as they were written, and its gates hold.",
    .examples = "  distill verify runs/moons\n",
    .options = line_no_options};

static const cli_option gc_table[] = {
    {"dry-run", OPTION_DRY_RUN, NULL, "say what would go, and leave it"}, {NULL, 0, NULL, NULL}};

const line_spec line_gc = {.name = "gc",
                           .operands = "RUN [options]",
                           .n_min = 1,
                           .n_max = 1,
                           .doc = "Removes a run's earlier results, which nothing shows any more.",
                           .examples = "  distill gc runs/moons --dry-run\n",
                           .options = gc_table};

int line_read_gc(const char **run, bool *dry, int argc, char **argv)
{
    char **operands;
    *dry = false;
    int status = line_read(&operands, &line_gc, dry, line_take_flag, argc, argv);
    if (status < 0)
        *run = operands[0];
    return status;
}
