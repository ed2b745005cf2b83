#include "tests/bench/report.h"
#include "tests/bench/common.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

/* ---- the table */

/* Three digits and a unit: 1.23M, 45.6k, 789, 3.21. */
static const char *short_number(char *out, size_t size, double value)
{
    const char *units[] = {"", "k", "M", "G"};
    size_t unit = 0;
    while (value >= 999.5 && unit < 3) {
        value /= 1000;
        unit++;
    }
    int digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    snprintf(out, size, "%.*f%s", digits, value, units[unit]);
    return out;
}

static const char *const owners[BENCH_OPS] = {"teacher", "teacher", "teacher", "teacher", "student",
                                              "student", "student", "student", "student"};
static const char *const titles[BENCH_OPS] = {"step",  "density",  "sampling",
                                              "naive", "sampling", "row by row",
                                              "int8",  "int8 row", "distillation"};

static void print_titles(FILE *to, const bench_options *options, const char *left,
                         const char *const *words)
{
    fprintf(to, "%-29s", left);
    for (size_t op = 0; op < BENCH_OPS; op++)
        if (options->ops[op])
            fprintf(to, "%13s", words[op]);
    fputc('\n', to);
}

void report_head(FILE *to, const bench_machine *machine, const bench_options *options, double peak)
{
    fprintf(to, "%s; %s; OpenBLAS %s; %zu threads; sgemm peak %zu x %.1f Gflop/s\n",
            machine->processor, machine->backend, machine->blas_core, machine->threads,
            machine->threads, 1e-9 * peak);
    fprintf(to,
            "rows/s, and the share of the peak that arithmetic on live weights reaches; median of "
            "%zu rounds of %g s\n\n",
            options->rounds, options->least);
    print_titles(to, options, "", owners);
    print_titles(to, options, "     D  network         batch", titles);
}

static void print_shares(FILE *to, const bench_result *r, const bench_machine *machine,
                         const bench_options *options)
{
    char text[32];
    for (size_t op = 0; op < BENCH_OPS; op++) {
        if (!options->ops[op])
            continue;
        double rate = median(r->rate[op][0], options->rounds);
        fprintf(to, " %7s %3.0f%%", short_number(text, sizeof text, rate),
                100 * rate * r->flops[op] / (r->peak * (double)machine->threads));
    }
    fputc('\n', to);
}

static void print_scaling(FILE *to, const bench_result *r, const bench_machine *machine,
                          const bench_options *options)
{
    fprintf(to, "%14zu threads over one", machine->threads);
    for (size_t op = 0; op < BENCH_OPS; op++)
        if (options->ops[op])
            fprintf(to, " %11.2fx",
                    median(r->rate[op][0], options->rounds) /
                        median(r->rate[op][1], options->rounds));
    fputc('\n', to);
}

static void print_linearity(FILE *to, const linearity *l)
{
    char text[32];
    fprintf(to, "      student sampling of");
    for (size_t i = 0; i < LINEARITY_STEPS; i++)
        fprintf(to, "%s 1e%zu rows: %s", i ? "," : "", i + 3,
                isnan(l->rate[i]) ? "skipped" : short_number(text, sizeof text, l->rate[i]));
    fputc('\n', to);
}

void report_size(FILE *to, const bench_result *result, const bench_machine *machine,
                 const bench_options *options)
{
    const bench_size *s = result->size;
    fprintf(to, "%zu. %4zu  %2zu of %4zu x 2 %6zu", (size_t)(s - bench_sizes) + 1, s->dim,
            s->layers, s->hidden, s->batch);
    print_shares(to, result, machine, options);
    if (options->scaling)
        print_scaling(to, result, machine, options);
    if (options->linearity)
        print_linearity(to, &result->linearity);
    fflush(to);
}

void report_claim(FILE *to, const claim *c)
{
    char a[32], b[32], d[32];
    fprintf(
        to,
        "\nincremental sampling of a teacher, D = 64, 5 layers of 512 x 2: %s rows/s = %.1f x D "
        "forward passes (%s), %.1f x D dense passes (%s); at least %g x: %s\n",
        short_number(a, sizeof a, c->incremental), c->ratio, short_number(b, sizeof b, c->forward),
        c->dense_ratio, short_number(d, sizeof d, c->dense), CLAIM_TIMES,
        c->ratio >= CLAIM_TIMES ? "yes" : "NO");
    fprintf(to,
            "   same noise, %zu rows: largest difference to D dense passes %.1e in f32, where f32 "
            "differs from f64 by %.1e and the largest sample is %.1f: %s\n",
            c->rows, c->difference, c->rounding, c->largest, c->agree ? "rounding" : "WRONG");
}

void report_growth(FILE *to, const growth *result, const bench_options *options)
{
    for (const growth *g = result; g < result + GROWTHS; g++) {
        char head[64], line[96], text[32];
        snprintf(head, sizeof head, "\n%s", g->unit);
        print_titles(to, options, head, owners);
        print_titles(to, options, "     D  network", titles);
        for (size_t i = 0; i < GROWTH_STEPS; i++) {
            const bench_size *s = &g->size[i];
            snprintf(line, sizeof line, "  %4zu  %2zu of %4zu x 2", s->dim, s->layers, s->hidden);
            fprintf(to, "%-29s", line);
            for (size_t op = 0; op < BENCH_OPS; op++)
                if (options->ops[op])
                    fprintf(to, "%13s",
                            isnan(g->cost[op][i])
                                ? "-"
                                : short_number(text, sizeof text, g->cost[op][i]));
            fputc('\n', to);
        }
    }
}

/* ---- JSON */

static json_t *numbers(const double *values, size_t count)
{
    json_t *out = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(out, isfinite(values[i]) ? json_real(values[i]) : json_null());
    return out;
}

static json_t *op_json(const bench_result *r, size_t op, const bench_machine *machine,
                       const bench_options *options)
{
    double rate = median(r->rate[op][0], options->rounds);
    json_t *out =
        json_pack("{s:f, s:f, s:f, s:o}", "rows_per_s", rate, "flops_per_row", r->flops[op],
                  "share_of_peak", rate * r->flops[op] / (r->peak * (double)machine->threads),
                  "rounds", numbers(r->rate[op][0], options->rounds));
    if (options->scaling)
        json_object_set_new(out, "rounds_one_thread", numbers(r->rate[op][1], options->rounds));
    return out;
}

static json_t *size_json(const bench_result *r, const bench_machine *machine,
                         const bench_options *options)
{
    const bench_size *s = r->size;
    json_t *out = json_pack("{s:I, s:I, s:I, s:I, s:I, s:f}", "dim", (json_int_t)s->dim, "layers",
                            (json_int_t)s->layers, "hidden", (json_int_t)s->hidden, "batch",
                            (json_int_t)s->batch, "rows", (json_int_t)s->rows, "live_weights",
                            r->live_weights);
    json_t *ops = json_object();
    for (size_t op = 0; op < BENCH_OPS; op++)
        if (options->ops[op])
            json_object_set_new(ops, bench_op_keys[op], op_json(r, op, machine, options));
    json_object_set_new(out, "ops", ops);
    if (options->linearity)
        json_object_set_new(out, "student_rate_at_1e3_1e4_1e5_1e6_rows",
                            numbers(r->linearity.rate, LINEARITY_STEPS));
    return out;
}

static json_t *claim_json(const claim *c)
{
    return json_pack("{s:f, s:f, s:f, s:f, s:f, s:I, s:f, s:f, s:f, s:b}", "incremental",
                     c->incremental, "forward_passes", c->forward, "dense_passes", c->dense,
                     "ratio", c->ratio, "ratio_dense", c->dense_ratio, "rows_compared",
                     (json_int_t)c->rows, "largest_difference", c->difference, "rounding",
                     c->rounding, "largest_sample", c->largest, "holds", c->holds);
}

static json_t *growth_json(const growth *g, const bench_options *options)
{
    json_t *sizes = json_array(), *ops = json_object();
    for (size_t i = 0; i < GROWTH_STEPS; i++)
        json_array_append_new(sizes, json_pack("{s:I, s:I, s:I}", "dim", (json_int_t)g->size[i].dim,
                                               "layers", (json_int_t)g->size[i].layers, "hidden",
                                               (json_int_t)g->size[i].hidden));
    for (size_t op = 0; op < BENCH_OPS; op++)
        if (options->ops[op])
            json_object_set_new(ops, bench_op_keys[op], numbers(g->cost[op], GROWTH_STEPS));
    return json_pack("{s:s, s:s, s:o, s:o}", "grows", g->what, "unit", g->unit, "sizes", sizes,
                     "ops", ops);
}

void report_json(const bench_machine *machine, const bench_options *options,
                 const bench_result *results, size_t count, const claim *claimed,
                 const growth *grown)
{
    json_t *sizes = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(sizes, size_json(&results[i], machine, options));
    json_t *out = json_pack("{s:s, s:s, s:s, s:I, s:f, s:o}", "processor", machine->processor,
                            "backend", machine->backend, "blas_core", machine->blas_core, "threads",
                            (json_int_t)machine->threads, "peak_flops_per_thread",
                            count ? results[count - 1].peak : 0.0, "sizes", sizes);
    if (out && claimed)
        json_object_set_new(out, "claim", claim_json(claimed));
    if (out && grown)
        json_object_set_new(
            out, "growth",
            json_pack("[o, o]", growth_json(&grown[0], options), growth_json(&grown[1], options)));
    int to_stdout = strcmp(options->json, "-") == 0;
    if (!out || (to_stdout ? json_dumpf(out, stdout, JSON_INDENT(2))
                           : json_dump_file(out, options->json, JSON_INDENT(2))))
        die("cannot write %s", options->json);
    json_decref(out);
}
