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

static double rate_of(size_t n, float *a)
{
    const float *b = a + n * n;
    float *c = a + 2 * n * n;
    double start = seconds();
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)n, (blasint)n, (blasint)n, 1, a,
                (blasint)n, b, (blasint)n, 0, c, (blasint)n);
    return 2 * pow((double)n, 3) / (seconds() - start);
}

double machine_sgemm_peak(void)
{
    static const size_t sizes[] = {512, 1024, 1536};
    static double best = 0;
    const size_t largest = 1536;
    float *room = take(3 * largest * largest, sizeof *room);
    for (size_t i = 0; i < 2 * largest * largest; i++)
        room[i] = (float)(i % 17) * 0.0625f - 0.5f;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (double start = seconds(); seconds() - start < 0.17;)
            best = fmax(best, rate_of(sizes[i], room));
    free(room);
    return best;
}
