/* Rows in blocks are the rows of the table, as often as they are asked for, and memory does not hold them. */
#include "files/stream.h"

#include "files/csv.h"
#include "files/npy.h"
#include "files/read.h"
#include "files/spool.h"
#include "tests/common/temp.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROWS = 9001, COLS = 5 }; /* blocks of 4096 rows */

static const file_wish all = {.head = false};

/* Columns 3 and 1. */
static int choose_some(bool *wanted, file_table *head, const void *asker, flow_err *err)
{
    (void)asker;
    (void)err;
    for (size_t col = 0; col < head->cols; col++)
        wanted[col] = col == 1 || col == 3;
    return FLOW_OK;
}

static const file_wish some = {.choose = choose_some};

static double number(size_t i)
{
    return i % 97 == 5 ? NAN : sin(1.3 * (double)i) * 1e3;
}

/* The bytes of a .npy file of the numbers; fortran: column after column. */
static const char *write_npy(const char *name, const char *dtype, bool fortran)
{
    static double values[ROWS * COLS];
    char header[128], *bytes = malloc(10 + 118 + sizeof values);
    int len =
        snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': %s, 'shape': (%d, %d), }",
                 dtype, fortran ? "True" : "False", ROWS, COLS);
    memcpy(bytes, "\x93NUMPY\x01\x00\x76\x00", 10);
    memset(bytes + 10, ' ', 118);
    memcpy(bytes + 10, header, (size_t)len);
    bytes[127] = '\n';
    size_t size = dtype[2] == '4' ? 4 : 8;
    for (size_t i = 0; i < ROWS * COLS; i++) {
        size_t at = fortran ? i % COLS * ROWS + i / COLS : i;
        float single = (float)number(i);
        double value = number(i);
        memcpy(bytes + 128 + at * size, size == 4 ? (void *)&single : (void *)&value, size);
    }
    const char *path = temp_write(name, bytes, 128 + ROWS * COLS * size);
    free(bytes);
    return path;
}

static bool same(const double *a, const double *b, size_t n)
{
    return memcmp(a, b, n * sizeof *a) == 0;
}

/* Rows that must come, and how many. */
static size_t next(file_stream *stream, const double **rows)
{
    flow_err err = FLOW_ERR_INIT;
    size_t n;
    cr_assert_eq(file_stream_next(stream, rows, &n, &err), 0, "%s", err.text);
    return n;
}

/* From the row at which the stream is to the end. */
static void check_rest(file_stream *stream, const file_table *wanted, size_t from)
{
    const double *rows;
    for (size_t n; (n = next(stream, &rows)) > 0; from += n) {
        cr_assert_leq(from + n, wanted->rows);
        cr_assert(same(rows, wanted->values + from * wanted->cols, n * wanted->cols), "row %zu",
                  from);
    }
    cr_assert_eq(from, wanted->rows);
}

static void check_stream(const char *path, const file_wish *wish)
{
    flow_err err = FLOW_ERR_INIT;
    const double *rows;
    file_table *table = file_read_wish(path, wish, &err);
    file_stream *stream = file_stream_open(path, wish, &err);
    cr_assert(table && stream, "%s", err.text);
    const file_table *head = file_stream_head(stream);
    cr_assert_eq(head->rows, table->rows);
    cr_assert_eq(head->cols, table->cols);
    cr_assert_null(head->values);
    check_rest(stream, table, 0);
    check_rest(stream, table, 0); /* again */
    size_t n = next(stream, &rows);
    cr_assert(n > 0 && n < table->rows);
    check_rest(stream, table, n);
    next(stream, &rows);
    file_stream_rewind(stream);
    check_rest(stream, table, 0);
    file_stream_free(stream);
    file_table_free(table);
}

Test(stream, npy, .init = (void (*)(void))temp_open, .fini = temp_close)
{
    static const char *const dtypes[] = {"<f4", "<f8", ">f8"};
    for (size_t i = 0; i < 6; i++) {
        const char *path = write_npy("x.npy", dtypes[i / 2], i % 2);
        check_stream(path, &all);
        check_stream(path, &some);
    }
}

static const char *write_csv(const char *name, size_t rows)
{
    size_t len;
    char *text;
    FILE *out = open_memstream(&text, &len);
    fputs("a,b,c,d,e\n", out);
    for (size_t i = 0; i < rows * COLS; i++)
        fprintf(out, "%.9g%c", number(i), i % COLS == COLS - 1 ? '\n' : ',');
    fclose(out);
    const char *path = temp_write(name, text, len);
    free(text);
    return path;
}

Test(stream, text_of_few_and_of_many_numbers, .init = (void (*)(void))temp_open, .fini = temp_close)
{
    check_stream(write_csv("x.csv", ROWS), &all);
    check_stream(write_csv("x.csv", ROWS), &some);
    check_stream(write_csv("y.csv", FILE_SPOOL_HELD / COLS + 1000), &all);
}

Test(stream, a_table)
{
    flow_err err = FLOW_ERR_INIT;
    file_table *table = file_table_create(ROWS, COLS, &err);
    for (size_t i = 0; i < ROWS * COLS; i++)
        table->values[i] = number(i);
    file_stream *stream = file_stream_of_table(table, &err);
    check_rest(stream, table, 0);
    check_rest(stream, table, 0);
    file_stream_free(stream);
    table->rows = 0;
    cr_assert_not_null(stream = file_stream_of_table(table, &err));
    check_rest(stream, table, 0);
    file_stream_free(stream);
    file_table_free(table);
}

/* The file through a pipe: a path that can be read once. */
static void check_pipe(const char *name, const char *path, const file_wish *wish)
{
    flow_err err = FLOW_ERR_INIT;
    size_t len;
    int ends[2];
    char *bytes = temp_slurp(path, &len), end[32];
    cr_assert_eq(pipe(ends), 0);
    pid_t writer = fork();
    if (writer == 0) {
        FILE *out = fdopen(ends[1], "wb");
        fwrite(bytes, 1, len, out);
        fclose(out);
        _exit(0);
    }
    close(ends[1]);
    snprintf(end, sizeof end, "/dev/fd/%d", ends[0]);
    file_table *table = file_read_wish(path, wish, &err);
    file_stream *stream = strcmp(name, "csv") == 0 ? file_csv_stream(end, wish, &err)
                                                   : file_npy_stream(end, wish, &err);
    cr_assert(table && stream, "%s", err.text);
    check_rest(stream, table, 0);
    check_rest(stream, table, 0);
    file_stream_free(stream);
    file_table_free(table);
    free(bytes);
    close(ends[0]);
}

Test(stream, what_can_be_read_once, .init = (void (*)(void))temp_open, .fini = temp_close)
{
    check_pipe("npy", write_npy("x.npy", "<f4", false), &all);
    check_pipe("npy", write_npy("x.npy", "<f8", true), &some);
    check_pipe("csv", write_csv("x.csv", ROWS), &all);
}

/* ---- what goes wrong */

static void refuse(const char *path, const char *wanted)
{
    flow_err err = FLOW_ERR_INIT;
    cr_assert_null(file_stream_open(path, &all, &err));
    cr_assert(strstr(err.text, wanted), "%s", err.text);
}

Test(stream, errors_of_a_table_are_those_of_its_rows, .init = (void (*)(void))temp_open,
     .fini = temp_close)
{
    refuse(temp_write("x.csv", "1,2\n3,a\n", 8), "x.csv:2: column 1 (counted from 0): 'a' is not");
    refuse(temp_write("x.npy", "nothing of the kind", 19), "not a .npy file");
    refuse(temp_path("none.npy"), "cannot be opened");
    refuse(temp_path("none.txt"), "wants to end in");
    const char *path = write_npy("y.npy", "<f8", false);
    cr_assert_eq(truncate(path, 128 + 8 * (ROWS * COLS - 1)), 0);
    refuse(path, "its header promises 360040 bytes of numbers, but 360032 follow");
}

/* Between two passes, and in one. */
Test(stream, a_file_that_is_changed, .init = (void (*)(void))temp_open, .fini = temp_close)
{
    flow_err err = FLOW_ERR_INIT;
    const double *rows;
    size_t n;
    const char *path = write_npy("x.npy", "<f8", false);
    file_stream *stream = file_stream_open(path, &all, &err);
    cr_assert_eq(file_stream_next(stream, &rows, &n, &err), 0);
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
    cr_assert_eq(file_stream_next(stream, &rows, &n, &err), 0);
    file_stream_rewind(stream);
    cr_assert_eq(file_stream_next(stream, &rows, &n, &err), FLOW_EDATA);
    cr_assert(strstr(err.text, "x.npy: was changed while it was read"), "%s", err.text);
    file_stream_free(stream);

    cr_assert_not_null(stream = file_stream_open(path, &all, &err));
    cr_assert_eq(file_stream_next(stream, &rows, &n, &err), 0);
    cr_assert_eq(truncate(path, 128 + 8 * (long)(n + 10) * COLS), 0);
    cr_assert_eq(file_stream_next(stream, &rows, &n, &err), FLOW_EDATA);
    cr_assert(strstr(err.text, "the file ends too early"), "%s", err.text);
    file_stream_free(stream);
}

/* ---- numbers that are put by */

enum { MANY = 3 * FILE_SPOOL_HELD + 17 };

static void check_numbers(const file_spool *spool, size_t first, size_t n)
{
    flow_err err = FLOW_ERR_INIT;
    static double block[5000];
    n = MANY - first < n ? MANY - first : n;
    cr_assert_eq(file_spool_read(spool, block, first, n, &err), 0, "%s", err.text);
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(block[i], (double)(first + i));
}

static void check_spool(void)
{
    flow_err err = FLOW_ERR_INIT;
    static double block[5000];
    file_spool *spool = file_spool_create(&err);
    for (size_t done = 0, n = 1; done < MANY; done += n, n = n * 7 % 4999 + 1) {
        n = MANY - done < n ? MANY - done : n;
        for (size_t i = 0; i < n; i++)
            block[i] = (double)(done + i);
        cr_assert_eq(file_spool_append(spool, block, n, &err), 0, "%s", err.text);
    }
    cr_assert_eq(file_spool_count(spool), MANY);
    for (size_t first = 0, n = 4000; first < MANY; first += 77777, n = n * 5 % 4999 + 1)
        check_numbers(spool, first, n);
    for (size_t k = 1; k <= 3; k++) /* some from the file, some from memory */
        check_numbers(spool, k * FILE_SPOOL_HELD - 2000, 5000);
    file_spool_free(spool);
}

Test(spool, numbers_come_back, .init = (void (*)(void))temp_open, .fini = temp_close)
{
    setenv("TMPDIR", temp_path("."), 1);
    check_spool();
    cr_assert_eq(temp_count(), 0, "a file was left");
}

Test(spool, memory_holds_what_no_file_can, .init = (void (*)(void))temp_open, .fini = temp_close)
{
    setenv("TMPDIR", temp_path("none"), 1);
    check_spool();
}

Test(spool, a_disk_that_is_full, .init = (void (*)(void))temp_open, .fini = temp_close)
{
    flow_err err = FLOW_ERR_INIT;
    static const double block[4096];
    int code = FLOW_OK;
    setenv("TMPDIR", temp_path("."), 1);
    file_spool *spool = file_spool_create(&err);
    temp_disk_full(1);
    for (size_t i = 0; i < 1 + FILE_SPOOL_HELD / 4096 && !code; i++)
        code = file_spool_append(spool, block, 4096, &err);
    temp_disk_full(0);
    cr_assert_eq(code, FLOW_EIO);
    cr_assert(strstr(err.text, "TMPDIR can name a folder that has room"), "%s", err.text);
    file_spool_free(spool);
}
