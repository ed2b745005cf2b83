/* Data files by their ending, names from .cols files, and the tables in configs/data: their
 * Gaussian baselines come out as their README says, so reading, splitting and standardising are
 * right. */
#include "files/read.h"
#include "teacher/dataset.h"

#include "tests/common/temp.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "files/npy.h"

static const double six[] = {2.385, -0.713, 1, 17, -5, 0.25};

/* x.npy (3, 2) with this text in x.cols. */
static file_table *read_with_cols(const char *text, size_t len, flow_err *err)
{
    cr_assert_eq(file_npy_write(temp_path("x.npy"), six, 3, 2, FLOW_F64, err), 0, "%s", err->text);
    temp_write("x.cols", text, len);
    return file_read(temp_path("x.npy"), FILE_HEADER_AUTO, err);
}

Test(read, names_beside)
{
    static const char *const good[] = {"a\nb c\n", "a\r\nb c", "a\nb c"};
    temp_open();
    for (size_t i = 0; i < 3; i++) {
        flow_err err = FLOW_ERR_INIT;
        file_table *table = read_with_cols(good[i], strlen(good[i]), &err);
        cr_assert_not_null(table, "case %zu: %s", i, err.text);
        cr_assert_str_eq(table->names[0], "a");
        cr_assert_str_eq(table->names[1], "b c");
        cr_assert_eq(memcmp(table->values, six, sizeof six), 0);
        file_table_free(table);
    }
    temp_close();
}

Test(read, bad_names_beside)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"a\n", "x.cols: 1 names for 2 columns"},
        {"", "x.cols: 0 names for 2 columns"},
        {"a\nb\nc\n", "x.cols: 3 names for 2 columns"},
        {"a\n\n", "x.cols:2: the line is empty"},
        {"a\na\n", "x.cols:2: 'a' is also line 1"},
        {"a\tb\nc\n", "x.cols:1: the name of column 0 (counted from 0) holds a control character"},
        {"a\n\xe9t\xe9\n",
         "x.cols:2: the name of column 1 (counted from 0) is not UTF-8 (byte 0xe9"}};
    temp_open();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        flow_err err = FLOW_ERR_INIT;
        cr_assert_null(read_with_cols(cases[i].text, strlen(cases[i].text), &err), "case %zu", i);
        cr_assert_eq(err.code, FLOW_EDATA);
        cr_assert(strstr(err.text, cases[i].want), "case %zu: %s", i, err.text);
    }
    temp_close();
}

Test(read, csv_names)
{
    flow_err err = FLOW_ERR_INIT;
    temp_open();
    temp_write("y.cols", "p\nq\n", 4);
    file_table *table = file_read(temp_write("y.csv", "1,2\n3,4\n", 8), FILE_HEADER_AUTO, &err);
    cr_assert_not_null(table, "%s", err.text);
    cr_assert_str_eq(table->names[1], "q", "from the file beside it");
    file_table_free(table);
    table = file_read(temp_write("y.CSV", "a,b\n3,4\n", 8), FILE_HEADER_AUTO, &err);
    cr_assert_not_null(table, "%s", err.text);
    cr_assert_str_eq(table->names[1], "b", "its own header wins");
    file_table_free(table);
    table = file_read(temp_write("z.csv", "1,2\n3,4\n", 8), FILE_HEADER_YES, &err);
    cr_assert_not_null(table, "%s", err.text);
    cr_assert_str_eq(table->names[1], "2");
    cr_assert_eq(table->rows, 1);
    file_table_free(table);
    temp_close();
}

Test(read, refuses)
{
    flow_err err = FLOW_ERR_INIT;
    static const struct {
        const char *name, *remedy;
    } cases[] = {{"x", ".csv"},           {"x.txt", "ends in .csv"},     {"dir.npy/x", ".csv"},
                 {"x.npz", "numpy.save"}, {"x.csv.GZ", "decompress it"}, {"x.xlsx", "export"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_assert_null(file_read(cases[i].name, FILE_HEADER_AUTO, &err));
        cr_assert_eq(err.code, FLOW_EUSAGE);
        cr_assert(strstr(err.text, "wants to end in .npy or .csv"), "%s", err.text);
        cr_assert(strstr(err.text, cases[i].remedy), "%s", err.text);
    }
    cr_assert_null(file_read("none.NPY", FILE_HEADER_AUTO, &err));
    cr_assert_eq(err.code, FLOW_ENOINPUT);
    cr_assert_null(file_read("none.csv", FILE_HEADER_AUTO, &err));
    cr_assert_eq(err.code, FLOW_ENOINPUT);
}

/* ---- only some of the columns */

/* The two whose numbers are in asker; names must be there already. */
static int choose_two(bool *wanted, file_table *head, const void *asker, flow_err *err)
{
    const size_t *two = asker;
    (void)err;
    cr_assert_eq(head->rows, 0);
    for (size_t col = 0; col < head->cols; col++)
        wanted[col] = col == two[0] || col == two[1];
    return 0;
}

static int choose_fails(bool *wanted, file_table *head, const void *asker, flow_err *err)
{
    (void)wanted;
    (void)asker;
    return flow_fail(err, FLOW_ECONFIG, "no such column among %zu", head->cols);
}

static void check_first_and_last(const char *path, bool named)
{
    static const size_t two[] = {0, 2};
    flow_err err = FLOW_ERR_INIT;
    file_wish wish = {.choose = choose_two, .asker = two};
    char label[FILE_LABEL_SIZE];
    file_table *table = file_read_wish(path, &wish, &err);
    cr_assert_not_null(table, "%s", err.text);
    cr_assert(table->rows == 2 && table->cols == 2, "%s", path);
    const double want[] = {2.385, 1, 17, 0.25};
    cr_assert_eq(memcmp(table->values, want, sizeof want), 0, "%s", path);
    cr_assert_eq(file_table_place(table, 1), 2);
    if (named)
        cr_assert_str_eq(file_column_label(label, table, 1), "column 2 'c' (counted from 0)");
    file_table_free(table);
    wish.choose = choose_fails;
    cr_assert_null(file_read_wish(path, &wish, &err));
    cr_assert_str_eq(err.text, "no such column among 3");
}

Test(read, only_wanted_columns)
{
    static const char with_text[] = "a,b,c\n2.385,red,1\n17,\xff,0.25\n";
    flow_err err = FLOW_ERR_INIT;
    temp_open();
    check_first_and_last(temp_write("x.csv", with_text, strlen(with_text)), true);
    cr_assert_eq(file_npy_write(temp_path("x.npy"), six, 2, 3, FLOW_F64, &err), 0);
    check_first_and_last(temp_path("x.npy"), false);
    temp_write("x.cols", "a\nb\nc\n", 6);
    check_first_and_last(temp_path("x.npy"), true);
    temp_close();
}

/* ---- the tables of configs/data */

/* In place: the lower triangle L of a = L L^T. */
static void cholesky(double *a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = a[i * n + j];
            for (size_t k = 0; k < j; k++)
                sum -= a[i * n + k] * a[j * n + k];
            cr_assert(i != j || sum > 0, "not positive definite");
            a[i * n + j] = i == j ? sqrt(sum) : sum / a[j * n + j];
        }
}

/* Of the training rows, which are standardized: mean 0. */
static double *covariance(const data_set *set)
{
    size_t dim = set->dim;
    double *out = calloc(dim * dim, sizeof *out);
    cr_assert_not_null(out);
    for (size_t row = 0; row < set->train.n; row++)
        for (size_t i = 0; i < dim; i++)
            for (size_t j = 0; j < dim; j++)
                out[i * dim + j] += data_number(&set->train.x, row, i) *
                                    data_number(&set->train.x, row, j) / (double)set->train.n;
    return out;
}

/* Mean log N(x; 0, L L^T) over the test rows. */
static double gaussian_score(const data_set *set, const double *lower)
{
    size_t dim = set->dim;
    double sum = 0, z[64];
    for (size_t row = 0; row < set->test.n; row++)
        for (size_t i = 0; i < dim; i++) {
            z[i] = data_number(&set->test.x, row, i);
            for (size_t k = 0; k < i; k++)
                z[i] -= lower[i * dim + k] * z[k];
            z[i] /= lower[i * dim + i];
            sum -= 0.5 * z[i] * z[i] + log(lower[i * dim + i]) + 0.5 * log(2 * 3.14159265358979);
        }
    return sum / (double)set->test.n;
}

Test(read, gaussian_baselines)
{
    static const struct {
        const char *path;
        size_t rows, cols;
        double baseline;
    } tables[] = {
        {"configs/data/protein.npy", 45730, 10, -4.82},
        {"configs/data/gasturbine.npy", 36733, 11, -7.66},
        {"configs/data/magic.npy", 19019, 10, -10.37},
        {"configs/data/htru2.npy", 17898, 8, -6.72},
        {"configs/data/power_dec2006.npy", 19443, 6, -7.94},
        {"configs/data/miniboone_head.npy", 1523, 43, -39.08},
        {"configs/data/digits.npy", 1797, 64, -70.50},
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        flow_err err = FLOW_ERR_INIT;
        data_options options = data_options_default();
        file_table *table = file_read(tables[i].path, FILE_HEADER_AUTO, &err);
        cr_assert_not_null(table, "%s", err.text);
        cr_assert(table->rows == tables[i].rows && table->cols == tables[i].cols && table->names,
                  "%s", tables[i].path);
        data_set *set = data_set_create(table, tables[i].path, &options, &err);
        cr_assert_not_null(set, "%s", err.text);
        double *lower = covariance(set);
        cholesky(lower, set->dim);
        double score = gaussian_score(set, lower);
        cr_assert_float_eq(score, tables[i].baseline, 0.011, "%s: %g, not %g", tables[i].path,
                           score, tables[i].baseline);
        free(lower);
        data_set_free(set);
        file_table_free(table);
    }
}
