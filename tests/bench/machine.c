#include "tests/bench/machine.h"
#include "tests/bench/common.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void machine_name(char *out, size_t size)
{
    char line[512];
    FILE *f = fopen("/proc/cpuinfo", "r");
    snprintf(out, size, "unknown");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "model name", 10) == 0 && strchr(line, ':')) {
            line[strcspn(line, "\n")] = '\0';
            snprintf(out, size, "%s", strchr(line, ':') + 2);
            break;
        }
    if (f)
        fclose(f);
}

enum { SIZES = 3, LARGEST = 1536 };
static const size_t sizes[SIZES] = {512, 1024, LARGEST};

typedef struct sgemm_round {
    size_t n;
    float **room; /* (threads), each 3 * LARGEST^2 */
    double *rate; /* (threads) */
} sgemm_round;

static void multiply_for_a_while(void *arg, size_t index, size_t worker)
{
    const sgemm_round *round = arg;
    size_t n = round->n, count = 0;
    float *a = round->room[index], *b = a + n * n, *c = a + 2 * n * n;
    const blasint m = (blasint)n;
    double start = seconds();
    (void)worker;
    for (; count == 0 || seconds() - start < 0.17; count++)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, m, m, 1, a, m, b, m, 0, c, m);
    round->rate[index] = (double)count * 2 * pow((double)n, 3) / (seconds() - start);
}

static double sum_of_rates(sgemm_round *round, flow_pool *pool)
{
    double sum = 0;
    flow_pool_run(pool, multiply_for_a_while, round, flow_pool_threads(pool));
    for (size_t t = 0; t < flow_pool_threads(pool); t++)
        sum += round->rate[t];
    return sum;
}

double machine_sgemm_peak(flow_pool *pool)
{
    static double best = 0;
    size_t threads = flow_pool_threads(pool);
    sgemm_round round = {.room = take(threads, sizeof *round.room),
                         .rate = take(threads, sizeof *round.rate)};
    for (size_t t = 0; t < threads; t++) {
        round.room[t] = take(3 * LARGEST * LARGEST, sizeof **round.room);
        for (size_t i = 0; i < 2 * LARGEST * LARGEST; i++)
            round.room[t][i] = (float)(i % 17) * 0.0625f - 0.5f;
    }
    for (size_t i = 0; i < SIZES; i++) {
        round.n = sizes[i];
        best = fmax(best, sum_of_rates(&round, pool) / (double)threads);
    }
    for (size_t t = 0; t < threads; t++)
        free(round.room[t]);
    free(round.room);
    free(round.rate);
    return best;
}
