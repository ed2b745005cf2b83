/* tests/bench/bench.c -- `make bench`: rows a second of every operation at six sizes.
 * tests/bench/README.md says what is measured and by which conventions. */
#include "flow/blas.h"
#include "tests/bench/common.h"
#include "tests/bench/machine.h"
#include "tests/bench/report.h"
#include "tests/bench/training.h"

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct bench {
    bench_options options;
    bench_machine machine;
    flow_pool *pools[2]; /* all threads; one, or NULL */
    bench_result results[BENCH_SIZES];
    size_t n_results;
    FILE *table; /* NULL: none */
} bench;

static flow_pool *make_pool(size_t threads)
{
    flow_err err = FLOW_ERR_INIT;
    flow_pool *pool = flow_pool_create(threads, &err);
    if (!pool)
        die("%s", err.text);
    return pool;
}

/* ---- rounds, interleaved over the operations */

static void run_rounds(bench *b, bench_result *result, bench_case *const cases[2])
{
    const bench_options *o = &b->options;
    for (size_t round = 0; round <= o->rounds; round++)
        for (size_t op = 0; op < BENCH_OPS; op++)
            for (size_t t = 0; t < 2; t++) {
                if (!o->ops[op] || !cases[t])
                    continue;
                /* round 0 warms up */
                double rate = bench_case_rate(cases[t], (bench_op)op, round ? o->least : 0.01);
                if (round)
                    result->rate[op][t][round - 1] = rate;
            }
}

static void run_size(bench *b, const bench_size *size)
{
    bench_result *result = &b->results[b->n_results++];
    bench_case *cases[2] = {0};
    for (size_t t = 0; t < 2; t++)
        cases[t] = b->pools[t] ? bench_case_create(size, b->pools[t]) : NULL;
    result->size = size;
    result->live_weights = bench_live_weights(bench_case_teacher(cases[0]));
    for (size_t op = 0; op < BENCH_OPS; op++)
        result->flops[op] = bench_case_flops(cases[0], (bench_op)op);
    run_rounds(b, result, cases);
    if (b->options.linearity)
        linearity_measure(&result->linearity, bench_case_student(cases[0]), b->pools[0],
                          b->options.rounds, b->options.least);
    result->peak = machine_sgemm_peak(b->pools[0]);
    if (b->table)
        report_size(b->table, result, &b->machine, &b->options);
    for (size_t t = 0; t < 2; t++)
        bench_case_free(cases[t]);
}

/* ---- the time from nothing to a trained step */

static void first_step(const bench *b)
{
    size_t chosen = 0;
    while (chosen + 1 < BENCH_SIZES && !b->options.sizes[chosen])
        chosen++;
    double start = seconds();
    flow *teacher = bench_new_network(&bench_sizes[chosen], FLOW_DATA_TO_NOISE, 1);
    training *t = training_create(teacher, b->pools[0], bench_sizes[chosen].batch);
    training_step(t);
    printf("first step %.6f\n", seconds() - start);
    fflush(stdout);
    for (int i = 0; i < 20; i++)
        training_step(t);
    training_free(t);
    flow_free(teacher);
}

/* ---- the whole */

static void describe_machine(bench *b)
{
    const bench_size tiny = {.dim = 1, .layers = 1, .hidden = 1};
    flow *f = bench_network(&tiny, FLOW_DATA_TO_NOISE, 1);
    machine_name(b->machine.processor, sizeof b->machine.processor);
    b->machine.backend = flow_backend_name(f);
    b->machine.blas_core = openblas_get_corename();
    b->machine.threads = flow_pool_threads(b->pools[0]);
    flow_free(f);
}

static int run(bench *b)
{
    const bench_options *o = &b->options;
    claim claimed = {.holds = 1};
    growth grown[GROWTHS];
    describe_machine(b);
    b->table = o->json && strcmp(o->json, "-") == 0 ? NULL : stdout;
    if (b->table)
        report_head(b->table, &b->machine, o, machine_sgemm_peak(b->pools[0]));
    for (size_t i = 0; i < BENCH_SIZES; i++)
        if (o->sizes[i])
            run_size(b, &bench_sizes[i]);
    if (o->linearity)
        growth_measure(grown, b->pools[0], o->ops, o->rounds, o->least);
    if (o->linearity && b->table)
        report_growth(b->table, grown, o);
    if (o->claim)
        claim_check(&claimed, b->pools[0], o->rounds, o->least);
    if (o->claim && b->table)
        report_claim(b->table, &claimed);
    if (o->json)
        report_json(&b->machine, o, b->results, b->n_results, o->claim ? &claimed : NULL,
                    o->linearity ? grown : NULL);
    return claimed.holds ? 0 : 1;
}

int main(int argc, char **argv)
{
    bench b = {0};
    int status = 0;
    flow_blas_one_thread();
    bench_options_read(&b.options, argc, argv);
    b.pools[0] = make_pool(b.options.threads);
    b.pools[1] = b.options.scaling ? make_pool(1) : NULL;
    if (b.options.first_step)
        first_step(&b);
    else
        status = run(&b);
    flow_pool_free(b.pools[0]);
    flow_pool_free(b.pools[1]);
    return status;
}
