#include "pipeline/command/line.h"

#include "pipeline/config/config.h"
#include "pipeline/console/exit.h"
#include "pipeline/console/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const cli_option line_no_options[] = {{NULL, 0, NULL, NULL}};

static void print_help(const line_spec *spec)
{
    printf("%s\nusage: distill %s %s\n\n%s\n\n", spec->examples, spec->name, spec->operands,
           spec->doc);
    options_print(stdout, spec->options);
}

int line_refuse(const line_spec *spec, const flow_err *err)
{
    int status = exit_fail(err);
    fprintf(stderr, "help: distill %s --help\n", spec->name);
    return status;
}

/* Stores one option; `into` is the options struct of the verb. */
int line_read(char ***operands, const line_spec *spec, void *into, take_option take, int argc,
              char **argv)
{
    option_reader reader;
    flow_err err = FLOW_ERR_INIT;
    int id;
    options_start(&reader, spec->options, argc, argv);
    while ((id = options_next(&reader, &err)) >= 0) {
        if (id == OPTION_HELP) {
            print_help(spec);
            return EXIT_GOOD;
        }
        if (take(into, id, reader.arg, &err))
            return line_refuse(spec, &err);
    }
    *operands = argv + optind;
    int n = argc - optind;
    if (!err.code && n < spec->n_min)
        flow_fail(&err, FLOW_EUSAGE, "something is missing: distill %s %s", spec->name,
                  spec->operands);
    if (!err.code && n > spec->n_max)
        flow_fail(&err, FLOW_EUSAGE, "what is '%.80s'? distill %s %s", argv[optind + spec->n_max],
                  spec->name, spec->operands);
    return err.code ? line_refuse(spec, &err) : -1;
}

int line_take_flag(void *into, int id, const char *arg, flow_err *err)
{
    (void)id, (void)arg, (void)err;
    *(bool *)into = true;
    return FLOW_OK;
}

int line_take_header(file_header *out, const char *arg, flow_err *err)
{
    const flow_word *word = config_headers;
    while (word->name && strcmp(word->name, arg) != 0)
        word++;
    if (!word->name)
        return flow_fail(err, FLOW_EUSAGE, "--header wants auto, yes or no, got '%.60s'", arg);
    *out = (file_header)word->value;
    return FLOW_OK;
}

/* ---- tables */

bool line_is_of_table(int id)
{
    return id == OPTION_CONTEXT || id == OPTION_HEADER || id == OPTION_EXTRA;
}

int line_take_table(context_options *out, int id, const char *arg, flow_err *err)
{
    if (id == OPTION_HEADER)
        return line_take_header(&out->header, arg, err);
    if (id == OPTION_CONTEXT)
        out->given = arg;
    else
        out->extra = true;
    return FLOW_OK;
}

/* ---- what is derived */

bool line_is_of_deriving(int id)
{
    return id == OPTION_QUANTITIES || id == OPTION_FUNCTION || id == OPTION_OPTIONS;
}

int line_take_deriving(deriving_options *out, int id, const char *arg, flow_err *err)
{
    if (id == OPTION_QUANTITIES)
        return deriving_take(out, arg, err);
    if (id == OPTION_FUNCTION)
        out->with.function = arg;
    else
        out->with.options = arg;
    return FLOW_OK;
}

/* ---- progress */

bool line_is_of_progress(int id)
{
    return id == 'q' || id == OPTION_LOG_FORMAT;
}

int line_take_progress(bool *quiet, int id, const char *arg, flow_err *err)
{
    if (id == OPTION_LOG_FORMAT)
        return log_format(arg, err);
    *quiet = true;
    return FLOW_OK;
}
