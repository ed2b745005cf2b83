/* tests/e2e/density.c -- log p~ of a target and its gradient, one row a line, 17 digits.
 *
 *   density DESCRIPTION FILE     DESCRIPTION as after `target:`, in JSON; x: the first D columns of FILE */
#include "files/read.h"
#include "flow/blas.h"
#include "flow/pool.h"
#include "teacher/target.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(const char *what)
{
    fprintf(stderr, "density: %s\n", what);
    return 1;
}

static int print_row(const target *t, flow_pool *pool, const double *x, flow_err *err)
{
    double logp = 0, *grad = calloc(t->dim, sizeof *grad);
    int code = grad ? target_log_density(t, pool, &logp, grad, NULL, x, NULL, 1, err) : 1;
    printf("%.17g", logp);
    for (size_t i = 0; !code && i < t->dim; i++)
        printf(" %.17g", grad[i]);
    putchar('\n');
    free(grad);
    return code;
}

static int print_rows(const target *t, const file_table *table, flow_err *err)
{
    flow_pool *pool = flow_pool_create(1, err);
    int code = !pool || table->cols < t->dim;
    for (size_t r = 0; !code && r < table->rows; r++)
        code = print_row(t, pool, table->values + r * table->cols, err);
    flow_pool_free(pool);
    return code ? fail(err->text[0] ? err->text : "too few columns") : 0;
}

int main(int argc, char **argv)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *description = argc == 3 ? json_loads(argv[1], 0, NULL) : NULL;
    flow_blas_one_thread();
    if (!description)
        return fail("wanted a description in JSON and a file");
    target *t = target_create(description, &err);
    file_table *table = t ? file_read(argv[2], FILE_HEADER_AUTO, &err) : NULL;
    int status = table ? print_rows(t, table, &err) : fail(err.text);
    file_table_free(table);
    target_free(t);
    json_decref(description);
    return status;
}
