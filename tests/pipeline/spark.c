/* A course of numbers as a line of bars. */
#include "pipeline/console/spark.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void expect(const char *locale, const double *values, size_t n, const char *bars)
{
    char out[SPARK_BYTES];
    setenv("LC_ALL", locale, 1);
    cr_expect_str_eq(spark_draw(out, values, n), bars);
}

Test(spark, heights)
{
    const double fall[] = {8, 7, 6, 5, 4, 3, 2, 1}, flat[] = {2.385, 2.385};
    expect("C", fall, 8, "#*+=~-._");
    expect("C.UTF-8", fall, 8, "█▇▆▅▄▃▂▁");
    expect("C", flat, 2, "__");
    expect("C", fall, 0, "");
}

Test(spark, gaps_and_values_that_stand_out)
{
    const double gap[] = {1, NAN, 3, INFINITY}, none[] = {NAN, NAN};
    double far[40] = {0};
    char out[SPARK_BYTES];
    expect("C", gap, 4, "_ # ");
    expect("C", none, 2, "");
    for (size_t i = 0; i < 40; i++)
        far[i] = i % 2 ? 1 : 0;
    far[0] = 1e9; /* it would make all others one flat line */
    setenv("LC_ALL", "C", 1);
    spark_draw(out, far, 40);
    cr_expect(out[0] == '#' && out[1] == '#' && out[2] == '_', "%s", out);
}

Test(spark, more_values_than_bars)
{
    double many[1000];
    char out[SPARK_BYTES];
    for (size_t i = 0; i < 1000; i++)
        many[i] = (double)i;
    setenv("LC_ALL", "C", 1);
    spark_draw(out, many, 1000);
    cr_expect_eq(strlen(out), SPARK_BARS);
    cr_expect(out[0] == '_' && out[SPARK_BARS - 1] == '#', "%s", out);
}
