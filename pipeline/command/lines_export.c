/* pipeline/command/lines_export.c -- the command line of export: a stage of a run again, or, with --to, a model in another
 * form. */
#include "pipeline/command/line.h"
#include "pipeline/command/with_model.h"

#include <string.h>

static const cli_option export_table[] = {
    {"to", OPTION_TO, "c|c_header", "a model in another form: one C99 file, or its header"},
    {"output", 'o', "FILE", "of that: where it is written"},
    {"name", OPTION_NAME, "NAME", "of that: what its functions begin with; default: as FILE"},
    NETWORK_OPTION,
    {"set", OPTION_SET, "KEY=VALUE", "override one key of the run; may be repeated"},
    {"threads", OPTION_THREADS, "N", "threads; changes no result"},
    PROGRESS_OPTIONS,
    {NULL, 0, NULL, NULL}};

#define EXPORT(OPTIONS)                                                                            \
    {                                                                                              \
        .name = "export", .operands = "RUN|MODEL [options]", .n_min = 1, .n_max = 1,               \
        .doc = "Writes the samples of a run again, or others; or its student as C.",               \
        .examples =                                                                                \
            "  distill export runs/moons --set export.samples=1e6 --set export.file=million.npy\n" \
            "  distill export runs/moons --to c -o moons.c\n",                                     \
        .options = OPTIONS                                                                         \
    }

const line_spec line_export = EXPORT(export_table), line_export_stage = EXPORT(line_again_table);

static bool is_word(const char *arg, const char *word)
{
    size_t n = strlen(word);
    return strncmp(arg, word, n) == 0 && (arg[n] == '\0' || arg[n] == '=');
}

bool line_is_of_model(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (is_word(argv[i], "--to") || is_word(argv[i], "--help") || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

static int take_export(void *into, int id, const char *arg, flow_err *err)
{
    export_options *o = into;
    switch (id) {
    case OPTION_TO:
        return export_find(&o->kind, arg, err);
    case 'o':
        o->output = arg;
        return FLOW_OK;
    case OPTION_NAME:
        o->stem = arg;
        return FLOW_OK;
    case OPTION_NETWORK:
        return network_take(&o->network, arg, err);
    default:
        return flow_fail(err, FLOW_EUSAGE,
                         "--to takes a model as it is: no --set, --threads, --quiet or "
                         "--log-format");
    }
}

int line_read_export(export_options *out, int argc, char **argv)
{
    char **operands;
    flow_err err = FLOW_ERR_INIT;
    *out = (export_options){.network = NETWORK_NOT_SAID};
    int status = line_read(&operands, &line_export, out, take_export, argc, argv);
    if (status >= 0)
        return status;
    out->model = operands[0];
    if (!out->output)
        flow_fail(&err, FLOW_EUSAGE, "--to wants -o FILE");
    if (!err.code && out->stem)
        export_check_stem(out->stem, &err);
    return err.code ? line_refuse(&line_export, &err) : -1;
}
