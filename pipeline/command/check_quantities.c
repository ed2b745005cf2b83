#include "pipeline/command/check_quantities.h"

#include "pipeline/command/check_target_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 5, BLOCK = 64 };

/* ---- looking */

static void list(char *out, size_t size, const char *const *names, size_t n)
{
    size_t at = 0;
    *out = '\0';
    for (size_t j = 0; j < n && j < SHOWN && at < size; j++)
        at += (size_t)snprintf(out + at, size - at, "%s%.30s", j ? ", " : "", names[j]);
    if (n > SHOWN && at < size)
        snprintf(out + at, size - at, ", ...");
}

/* Rows r that are not the same, bit for bit. */
static size_t count_others(const double *values, const double *again, size_t n, size_t k)
{
    size_t count = 0;
    for (size_t r = 0; r < n; r++)
        count += memcmp(values + r * k, again + r * k, k * sizeof *values) != 0;
    return count;
}

static int look_at_block(check_quantities *out, const quantities *of, flow_pool *pool,
                         double *values, const double *x, size_t row, size_t n, flow_err *err)
{
    double *again = values + BLOCK * of->count;
    quantities_broken twice = {.count = 0};
    int code = quantities_derive(of, pool, values, of->count, NULL, &out->broken, x + row * of->dim,
                                 n, row, err);
    code = code ? code
                : quantities_derive(of, pool, again, of->count, NULL, &twice, x + row * of->dim, n,
                                    row, err);
    out->others += code ? 0 : count_others(values, again, n, of->count);
    return code;
}

static int look_at_rows(check_quantities *out, const quantities *of, const double *x, size_t n,
                        flow_err *err)
{
    double *values = malloc(2 * BLOCK * of->count * sizeof *values);
    flow_pool *pool = values ? flow_pool_create(1, err) : NULL;
    int code = pool     ? 0
               : values ? err->code
                        : flow_fail(err, FLOW_ENOMEM, "out of memory for quantities");
    for (size_t row = 0; row < n && !code; row += BLOCK)
        code = look_at_block(out, of, pool, values, x, row, n - row < BLOCK ? n - row : BLOCK, err);
    flow_pool_free(pool);
    free(values);
    return code;
}

int check_quantities_look(check_quantities *out, const quantities *of, const double *x, size_t n,
                          flow_err *err)
{
    *out = (check_quantities){.rows = n};
    if (!of)
        return 0;
    out->count = of->count;
    out->usual = of->usual;
    out->instead = of->instead;
    list(out->names, sizeof out->names, of->names, of->usual);
    list(out->more, sizeof out->more, of->names + of->usual, of->count - of->usual);
    return look_at_rows(out, of, x, n, err);
}

/* ---- telling */

void check_quantities_print(const check_quantities *seen)
{
    if (seen->count == 0)
        return;
    printf("quantities  %zu %s the columns (%s)", seen->usual,
           seen->instead ? "in the place of" : "behind", seen->names);
    if (seen->count > seen->usual)
        printf("; all are %zu more (%s)", seen->count - seen->usual, seen->more);
    putchar('\n');
}

size_t check_quantities_judge(const check_quantities *seen)
{
    size_t errors = 0;
    if (seen->others > 0)
        errors += check_target_say("error", "they are to be a function of the row",
                                   "asked again, %zu of %zu rows have other quantities",
                                   seen->others, seen->rows);
    if (seen->broken.count > 0)
        errors += check_target_say(seen->broken.count == seen->rows ? "error" : "note",
                                   "samples there have nan in their place, which is told",
                                   "%" PRIu64 " of %zu rows have no quantities; the first: %s",
                                   seen->broken.count, seen->rows, seen->broken.why);
    return errors;
}
