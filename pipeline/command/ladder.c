#include "pipeline/command/ladder.h"

#include "pipeline/command/with_model.h"
#include "pipeline/report/figure_ladder.h"
#include "pipeline/report/rungs.h"
#include "student/ladder.h"
#include "student/speed.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const ladder_options ladder_defaults = {.most = 8, .n = 20000};

/* ---- the table */

static void print_head(const flow *teacher, const ladder_options *o)
{
    printf("%s: %zu columns, %zu weights; %llu rows of either side, untrained%s%s\n\n", o->model,
           flow_dim(teacher), flow_n_weights(teacher), (unsigned long long)o->n,
           o->network ? ", networks in " : "",
           o->network ? flow_network_name((flow_network)o->network) : "");
    printf("%8s  %20s  %20s  %6s %6s %6s  %9s  %9s\n", "T", "KL reverse", "KL forward", "ESS r",
           "ESS f", "k-hat", "rows/s", "one row");
    fflush(stdout);
}

static void print_estimate(student_estimate e)
{
    char text[64];
    snprintf(text, sizeof text, "%.4f +- %.4f", rungs_shown(e.value), e.se);
    printf("  %20s", text);
}

static void print_speed(double rows_per_s, double row_seconds)
{
    printf("  %9.3g  %6.1f us\n", rows_per_s, 1e6 * row_seconds);
    fflush(stdout);
}

static void print_rung(const student_rung *rung)
{
    const student_diagnostics *w = &rung->weights;
    printf("%8zu", rung->how.iterations);
    if (rung->wild) {
        printf("  %-66s", "wild: its samples leave the range of the teacher's numbers");
    } else {
        print_estimate(w->kl_reverse);
        print_estimate(w->kl_forward);
        printf("  %6.3f %6.3f %6.2f", w->ess_reverse.value, w->ess_forward.value, w->psis.khat);
    }
    print_speed(rung->rows_per_s, rung->row_seconds);
}

static int print_teacher(double *rows_per_s, const flow *teacher, const student_sides *sides,
                         flow_err *err)
{
    double row_seconds;
    int code = student_speed_both(rows_per_s, &row_seconds, teacher, sides, err);
    if (code)
        return code;
    printf("%8s  %-66s", "teacher", "by itself, one coordinate after the other");
    print_speed(*rows_per_s, row_seconds);
    return 0;
}

static void print_advice(size_t good, size_t last)
{
    if (good)
        printf("\nT = %zu is the first that needs no training", good);
    else
        printf("\nNone up to T = %zu is good enough untrained", last);
    printf(": both KL at most %g, both ESS at least %g.\n", STUDENT_RUNG_KL, STUDENT_RUNG_ESS);
}

/* ---- climbing */

/* From T = D on, all is the teacher's inverse. */
static size_t last_rung(const flow *teacher, uint64_t most)
{
    size_t dim = flow_dim(teacher);
    return most < dim ? (size_t)most : dim;
}

static int climb_all(student_rung *rungs, size_t last, const flow *teacher, flow_network network,
                     student_sides *sides, flow_err *err)
{
    int code = 0;
    for (size_t t = 1; !code && t <= last; t++) {
        code = student_rung_climb(rungs + t - 1, teacher, t, network, sides, err);
        if (!code)
            print_rung(rungs + t - 1);
    }
    return code;
}

/* The first good rung's T; 0: none is. */
static size_t first_good(const student_rung *rungs, size_t last)
{
    for (size_t k = 0; k < last; k++)
        if (student_rung_is_good(rungs + k))
            return rungs[k].how.iterations;
    return 0;
}

static int draw(const char *path, const student_rung *rungs, size_t n, double teacher,
                flow_err *err)
{
    figure_ladder figure;
    plot_drawing drawing = figure_ladder_of(&figure, rungs, n, teacher);
    return plot_write(path, &drawing, PLOT_PNG, err);
}

static int climb(const flow *teacher, student_sides *sides, const ladder_options *o, flow_err *err)
{
    size_t last = last_rung(teacher, o->most);
    student_rung *rungs = malloc(last * sizeof *rungs);
    double rows_per_s;
    if (!rungs)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rungs", last);
    print_head(teacher, o);
    int code = climb_all(rungs, last, teacher, (flow_network)o->network, sides, err);
    if (!code)
        code = print_teacher(&rows_per_s, teacher, sides, err);
    if (!code)
        print_advice(first_good(rungs, last), last);
    if (!code && o->picture)
        code = draw(o->picture, rungs, last, rows_per_s, err);
    free(rungs);
    return code;
}

static int meet_and_climb(const flow *teacher, const target *precise, flow_pool *pool,
                          const distill_contexts *contexts, const ladder_options *o, flow_err *err)
{
    student_sides sides;
    int code = student_sides_init(&sides, precise, pool, contexts, (size_t)o->n, o->seed, err);
    if (!code)
        code = climb(teacher, &sides, o, err);
    student_sides_release(&sides);
    return code;
}

static int ladder(const flow_model *model, flow_pool *pool, const distill_contexts *contexts,
                  const ladder_options *o, flow_err *err)
{
    if (flow_get_direction(model->flow) != FLOW_DATA_TO_NOISE)
        return flow_fail(err, FLOW_EUSAGE,
                         "%s: a parallel sampler as it is; ladder wants a teacher", o->model);
    flow *precise = flow_convert(model->flow, FLOW_F64, err);
    target *t = precise ? target_from_flow(precise, err) : NULL;
    int code = t ? meet_and_climb(model->flow, t, pool, contexts, o, err) : err->code;
    target_free(t);
    flow_free(precise);
    return code;
}

/* Rows of context in the flow's units, in place. FLOW_EDATA names the row that has none. */
static int contexts_of(distill_contexts *out, const flow_model *model, file_table *table,
                       const char *path, flow_err *err)
{
    char row[FILE_LABEL_SIZE], column[FILE_LABEL_SIZE];
    *out = (distill_contexts){0};
    if (!table)
        return 0;
    flow_units_to_flow(model->context_units, table->values, NULL, table->values, table->rows);
    for (size_t i = 0; i < table->rows * table->cols; i++)
        if (!isfinite(table->values[i]))
            return flow_fail(err, FLOW_EDATA,
                             "%s: %s, %s: not a value that the teacher can be given", path,
                             file_row_label(row, table, i / table->cols),
                             file_column_label(column, table, i % table->cols));
    *out =
        (distill_contexts){.rows = data_numbers_of(table->values, table->cols), .n = table->rows};
    return 0;
}

static int read_and_climb(const opened *what, const void *options, flow_err *err)
{
    const ladder_options *o = options;
    file_table *table;
    distill_contexts contexts;
    int code = context_load(&table, what->model, what->path, &o->context, CONTEXT_ANY, err);
    if (!code)
        code = contexts_of(&contexts, what->model, table, o->context.given, err);
    if (!code)
        code = ladder(what->model, what->pool, &contexts, o, err);
    file_table_free(table);
    return code;
}

int ladder_verb(const ladder_options *options)
{
    return with_model(options->model, "teacher", NETWORK_NOT_SAID, options->threads, options,
                      read_and_climb);
}
