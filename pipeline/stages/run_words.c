#include "pipeline/stages/run_words.h"

#include "pipeline/console/shell_word.h"

#include <stdio.h>

void run_tell_idle(const json_t *verdict, bool shown)
{
    const char *word = json_string_value(json_object_get(verdict, "verdict"));
    fprintf(stderr, "run       nothing to do: every stage is as this config has it%s%s%s\n",
            word ? "; verdict: " : "", word ? word : "",
            shown ? "" : "; its results are shown again");
}

void run_tell_how_to_go_on(const run_options *options)
{
    fputs("help: to go on from there: distill", stderr);
    for (int i = 0; i < options->argc; i++) {
        putc(' ', stderr);
        shell_word(stderr, options->argv[i]);
    }
    putc('\n', stderr);
}
