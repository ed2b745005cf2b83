#include "pipeline/console/exit.h"

#include "pipeline/console/signals.h"

#include <string.h>

static const struct {
    exit_status status;
    const char *meaning;
    int codes[2]; /* of flow_code; FLOW_OK: none */
} ends[] = {{EXIT_GOOD, "good", {FLOW_OK}},
            {EXIT_GATE, "a gate of validate.require failed", {FLOW_OK}},
            {EXIT_DIVERGED, "training diverged", {FLOW_EDIVERGED, FLOW_ENOCONV}},
            {EXIT_USAGE, "usage", {FLOW_EUSAGE}},
            {EXIT_DATA, "bad data", {FLOW_EDATA}},
            {EXIT_NO_INPUT, "no such input", {FLOW_ENOINPUT}},
            {EXIT_BUG, "bug", {FLOW_EBUG}},
            {EXIT_MEMORY, "out of memory", {FLOW_ENOMEM}},
            {EXIT_CREATE, "cannot create output", {FLOW_ECREATE}},
            {EXIT_IO, "I/O error", {FLOW_EIO}},
            {EXIT_LOCKED, "locked", {FLOW_ELOCKED}},
            {EXIT_CONFIG, "configuration", {FLOW_ECONFIG}}};

enum { N_ENDS = sizeof ends / sizeof *ends };

int exit_code(int code)
{
    if (code == FLOW_OK)
        return EXIT_GOOD;
    if (code == FLOW_ESTOPPED && signals_exit_code())
        return signals_exit_code();
    for (size_t i = 0; i < N_ENDS; i++)
        if (ends[i].codes[0] == code || ends[i].codes[1] == code)
            return (int)ends[i].status;
    return EXIT_BUG;
}

int exit_fail(const flow_err *err)
{
    fprintf(stderr, "distill: error: %s\n", err->text);
    return exit_code(err->code);
}

void exit_list(FILE *to)
{
    enum { WIDTH = 88 };
    size_t column = (size_t)fprintf(to, "exit code:");
    for (size_t i = 0; i < N_ENDS; i++) {
        char item[80];
        snprintf(item, sizeof item, " %d %s,", (int)ends[i].status, ends[i].meaning);
        if (column + strlen(item) > WIDTH)
            column = (size_t)fprintf(to, "\n ") - 1;
        column += (size_t)fprintf(to, "%s", item);
    }
    fputs("\n  128 + n stopped by signal n\n", to);
}
