/* pipeline/command/lines_self.c -- the command lines of verbs that tell of the program itself: schema, completion, man,
 * doctor. */
#include "pipeline/command/line.h"

#include <string.h>

const line_spec line_schema = {
    .name = "schema",
    .operands = "",
    .n_min = 0,
    .n_max = 0,
    .doc = "Prints the JSON Schema of a config, for editors and validators.",
    .examples = "  distill schema >distill.schema.json\n",
    .options = line_no_options};

const line_spec line_completion = {
    .name = "completion",
    .operands = "bash|zsh|fish",
    .n_min = 1,
    .n_max = 1,
    .doc = "Prints what a shell needs to complete verbs, options, keys and their words.",
    .examples = "  distill completion bash >~/.local/share/bash-completion/completions/distill\n"
                "  distill completion fish | source\n",
    .options = line_no_options};

const line_spec line_man = {.name = "man",
                            .operands = "[1|5]",
                            .n_min = 0,
                            .n_max = 1,
                            .doc = "Prints a manual page: 1, of the program, or 5, of its configs.",
                            .examples = "  distill man >distill.1 && man -l distill.1\n"
                                        "  distill man 5 >distill.yaml.5\n",
                            .options = line_no_options};

static const cli_option doctor_table[] = {JSON_OPTION, {NULL, 0, NULL, NULL}};

const line_spec line_doctor = {
    .name = "doctor",
    .operands = "[options]",
    .n_min = 0,
    .n_max = 0,
    .doc = "Whether this machine and this directory are fit for runs, and what to do.",
    .examples = "  distill doctor\n",
    .options = doctor_table};

/* The table is empty: never called. */
static int take_nothing(void *into, int id, const char *arg, flow_err *err)
{
    (void)into, (void)arg;
    return flow_fail(err, FLOW_EBUG, "option %d", id);
}

int line_read_word(const char **out, const line_spec *spec, int argc, char **argv)
{
    char **operands;
    int status = line_read(&operands, spec, NULL, take_nothing, argc, argv);
    *out = status < 0 ? operands[0] : NULL;
    return status;
}

int line_read_doctor(bool *json, int argc, char **argv)
{
    char **operands;
    *json = false;
    return line_read(&operands, &line_doctor, json, line_take_flag, argc, argv);
}
