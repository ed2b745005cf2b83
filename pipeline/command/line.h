/* pipeline/command/line.h -- what the command lines of all verbs have in common. */
#ifndef PIPELINE_COMMAND_LINE_H
#define PIPELINE_COMMAND_LINE_H

#include "files/csv.h"
#include "flow/pool.h"
#include "pipeline/command/lines.h"

enum { LINE_MAX_THREADS = FLOW_MAX_THREADS };

/* Options without a letter. */
enum {
    OPTION_SET = OPTION_LONG,
    OPTION_OUT,
    OPTION_THREADS,
    OPTION_SEED,
    OPTION_FIRST,
    OPTION_CONTEXT,
    OPTION_HEADER,
    OPTION_EXTRA,
    OPTION_TEMPERATURE,
    OPTION_LOGP,
    OPTION_FORMAT,
    OPTION_MOST,
    OPTION_PICTURE,
    OPTION_JSON,
    OPTION_TARGET,
    OPTION_OF,
    OPTION_EXACT,
    OPTION_WEIGHTS,
    OPTION_PROPOSALS,
    OPTION_BOUND,
    OPTION_OPTIONS,
    OPTION_ROWS,
    OPTION_EFFORT,
    OPTION_QUANTITIES,
    OPTION_FUNCTION,
    OPTION_DATA,
    OPTION_STAGE,
    OPTION_CSV,
    OPTION_LOG_FORMAT,
    OPTION_LIST,
    OPTION_COMMANDS,
    OPTION_FORCE,
    OPTION_FROM,
    OPTION_UNTIL,
    OPTION_DRY_RUN,
    OPTION_DIGITS,
    OPTION_NETWORK
};

/* Options of verbs that read what run reads (lines.c). */
extern const cli_option line_plan_table[], line_again_table[];
extern const cli_option line_no_options[]; /* line.c */

/* Whether a .csv starts with names: of every verb that reads a table. */
#define HEADER_OPTION                                                                              \
    {                                                                                              \
        "header", OPTION_HEADER, "auto|yes|no", "whether a .csv starts with names"                 \
    }
int line_take_header(file_header *out, const char *arg, flow_err *err);

/* Rows of context, of verbs that draw or evaluate; whether an option is one of these, and taking it. */
#define TABLE_OPTIONS(CONTEXT)                                                                     \
    {"context", OPTION_CONTEXT, "ROWS", CONTEXT}, HEADER_OPTION,                                   \
    {                                                                                              \
        "extra", OPTION_EXTRA, NULL, "leave aside columns that the model does not know"            \
    }
bool line_is_of_table(int id);
int line_take_table(context_options *out, int id, const char *arg, flow_err *err);

/* What is derived from a row, of verbs that draw some. */
#define DERIVING_OPTIONS                                                                           \
    {"quantities", OPTION_QUANTITIES, "none|usual|all", "those of its target; default: usual"},    \
        {"function", OPTION_FUNCTION, "LIB.so", "and those of a library (distill_quantities.h)"},  \
    {                                                                                              \
        "options", OPTION_OPTIONS, "TEXT", "what that library is opened with"                      \
    }
bool line_is_of_deriving(int id);
int line_take_deriving(deriving_options *out, int id, const char *arg, flow_err *err);

/* Of verbs that draw from a model or evaluate one: network_take. */
#define NETWORK_OPTION                                                                             \
    {                                                                                              \
        "network", OPTION_NETWORK, "NETWORK", "of its networks: distill explain compute.network"   \
    }

#define JSON_OPTION                                                                                \
    {                                                                                              \
        "json", OPTION_JSON, NULL, "the same for programs, as one JSON object"                     \
    }

/* Of verbs that show how far they are. */
#define PROGRESS_OPTIONS                                                                           \
    {"quiet", 'q', NULL,                                                                           \
     "no progress on stderr: warnings and errors alone, of a run its verdict"},                    \
    {                                                                                              \
        "log-format", OPTION_LOG_FORMAT, "text|json", "of stderr; default text"                    \
    }
bool line_is_of_progress(int id);
int line_take_progress(bool *quiet, int id, const char *arg, flow_err *err);

/* Takes one option, with its argument, into what the verb wants to know. */
typedef int (*take_option)(void *into, int id, const char *arg, flow_err *err);

/* Of a verb that has one option, and it takes no argument: into is a bool. */
int line_take_flag(void *into, int id, const char *arg, flow_err *err);

/* Reads all options. Returns -1 to go on, with *operands the first operand and NULL after the last,
 * or an exit code. */
int line_read(char ***operands, const line_spec *spec, void *into, take_option take, int argc,
              char **argv);

/* Says what is wrong with a line; returns the exit code. */
int line_refuse(const line_spec *spec, const flow_err *err);

#endif
