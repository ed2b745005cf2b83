#include "pipeline/command/init_table.h"

#include "flow/json.h"
#include "pipeline/command/init.h"
#include "pipeline/command/inspect.h"
#include "pipeline/config/config.h"
#include "pipeline/console/notice.h"
#include "pipeline/console/shell_word.h"

#include <stdlib.h>
#include <string.h>

/* What a teacher of this size does in some ten seconds of a processor: rows times columns, epoch by epoch. */
static const double work = 2.5e6;
enum { LEAST_EPOCHS = 3, USUAL_EPOCHS = 20 };

typedef struct writing {
    FILE *to;
    const char *file, *path;
    file_header header;
} writing;

/* As a quoted text of YAML, which those of JSON are. */
static void put_text(FILE *to, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-";
    json_t *json = text[strspn(text, plain)] || *text == '-' ? json_string(text) : NULL;
    char *quoted = json ? flow_json_text(json, JSON_ENCODE_ANY) : NULL;
    fputs(quoted ? quoted : text, to);
    free(quoted);
    json_decref(json);
}

static size_t epochs_of(const data_look *look)
{
    double each = (double)look->n_train * (double)look->n_columns;
    size_t n = each > 0 ? (size_t)(work / each) : USUAL_EPOCHS;
    return n < LEAST_EPOCHS ? LEAST_EPOCHS : n > USUAL_EPOCHS ? USUAL_EPOCHS : n;
}

static void put_data(const writing *w, const data_look *look)
{
    static const char prefix[] = "data.";
    fputs("data:\n  path: ", w->to);
    put_text(w->to, w->path);
    putc('\n', w->to);
    if (w->header != FILE_HEADER_AUTO)
        fprintf(w->to, "  header: %s\n", config_headers[w->header].name);
    if (*look->suggestion)
        fprintf(w->to,
                "  # what inspect found of each column: strike out what is not so\n"
                "  %s\n",
                look->suggestion + strlen(prefix));
    if (look->rows.dropped)
        fprintf(w->to, "  nonfinite: drop # %zu rows have gaps\n", look->rows.dropped);
    if (look->drifts)
        fputs("  split: seed # the table is sorted or drifts: rows that follow one another are not "
              "alike\n",
              w->to);
    fputs("  # context: [NAME] # columns that are given and not modelled\n"
          "  # weights: NAME   # a column that the rows are weighed by\n"
          "\n",
          w->to);
}

static void put_models(const writing *w, const data_look *look)
{
    fprintf(
        w->to,
        "teacher: # learns the density of the data\n"
        "  flow: {kind: maf, layers: 4, hidden: [64, 64], activation: silu, transformer: {kind: "
        "spline, bins: 8}}\n"
        "  train: {epochs: %zu, batch: 256, lr: 1e-3} # more epochs, wider networks: a better "
        "likelihood\n"
        "\n" INIT_STUDENT "  layerwise: {steps: 500}                  # first layer by layer ...\n"
        "  train: {steps: 500}                      # ... then as a whole, on samples of its own\n"
        "\n" INIT_GATES "  samples: 10000\n"
        "  require: {kl_reverse: \"< 0.05\", kl_forward: \"< 0.05\", ess_reverse: \"> "
        "0.9\"}\n" INIT_EXPORT,
        epochs_of(look));
}

/* What would end a run is told now. */
static void tell(const char *file, const data_look *look)
{
    for (size_t i = 0; i < look->n_findings; i++)
        if (look->findings[i].level == LOOK_ERROR)
            notice_warning("%s: %s; %s", file, look->findings[i].text, look->findings[i].remedy);
    char word[SHELL_WORD];
    if (look->n_findings)
        notice_note("distill inspect %s tells more of its columns", shell_text(word, file));
}

static int write_config(const data_look *look, const file_table *table, void *arg, flow_err *err)
{
    const writing *w = arg;
    (void)table, (void)err;
    fprintf(
        w->to,
        "# A table of %zu rows and %zu columns: a teacher that is fitted to it, and the student "
        "that\n"
        "# starts as its teacher and needs a few parallel steps for a sample.\n" INIT_SEED,
        look->rows.n, look->n_columns);
    put_data(w, look);
    put_models(w, look);
    tell(w->file, look);
    return FLOW_OK;
}

int init_table(FILE *to, const char *file, const char *path, file_header header, flow_err *err)
{
    writing w = {to, file, path, header};
    return inspect_file(file, header, write_config, &w, err);
}
