/* tests/e2e/scenes_tables.h -- scenes of memory.c: tables in files, whole and row by row, and made up. */
#ifndef TESTS_E2E_SCENES_TABLES_H
#define TESTS_E2E_SCENES_TABLES_H

#include "files/csv.h"
#include "files/npy.h"
#include "files/read.h"
#include "files/stream.h"
#include "teacher/generate.h"
#include "tests/e2e/scenes.h"

#include <math.h>
#include <stdio.h>

static int add_table(uint64_t *sum, file_table *read, const flow_err *err)
{
    if (!read)
        return err->code;
    add(sum, read->values, read->rows * read->cols * sizeof *read->values);
    for (size_t i = 0; read->names && i < read->cols; i++)
        add(sum, read->names[i], strlen(read->names[i]));
    file_table_free(read);
    return FLOW_OK;
}

static const file_wish all_rows = {.head = false}, head_alone = {.head = true};

static int play_csv(uint64_t *sum, flow_err *err)
{
    int code = file_csv_write(path, table->values, table->rows, table->cols,
                              (const char *const *)table->names, err);
    if (!code)
        code = add_table(sum, file_csv_read(path, &all_rows, err), err);
    return code ? code : add_table(sum, file_csv_read(path, &head_alone, err), err);
}

static int play_npy(uint64_t *sum, flow_err *err)
{
    int code = file_npy_write(path, table->values, table->rows, table->cols, FLOW_F32, err);
    if (!code)
        code = add_table(sum, file_npy_read(path, &all_rows, err), err);
    return code ? code : add_table(sum, file_npy_read(path, &head_alone, err), err);
}

/* Text with all that the first lines may hold, of which one column is wanted. */
static int choose_last(bool *wanted, file_table *head, const void *asker, flow_err *err)
{
    (void)asker;
    (void)err;
    for (size_t col = 0; col < head->cols; col++)
        wanted[col] = col + 1 == head->cols;
    return 0;
}

static int play_text(uint64_t *sum, flow_err *err)
{
    static const file_wish wish = {.choose = choose_last};
    FILE *out = fopen(path, "w");
    if (!out)
        return flow_fail(err, FLOW_ECREATE, "%s", path);
    fputs("# a b\n1 x 0.5\n# c\n2 y NA\n3 z 4\n", out);
    fclose(out);
    return add_table(sum, file_csv_read(path, &wish, err), err);
}

/* With its names beside it. */
static int play_read(uint64_t *sum, flow_err *err)
{
    char npy[sizeof path], cols[sizeof path];
    snprintf(npy, sizeof npy, "%s/x.npy", folder);
    snprintf(cols, sizeof cols, "%s/x.cols", folder);
    FILE *out = fopen(cols, "w");
    if (out) {
        fputs("a\nb\nc\nw\n", out);
        fclose(out);
    }
    int code = file_npy_write(npy, table->values, table->rows, table->cols, FLOW_F64, err);
    if (!code)
        code = add_table(sum, file_read(npy, FILE_HEADER_AUTO, err), err);
    remove(npy);
    remove(cols);
    return code;
}

/* Both passes of a stream, and what it says of its columns. */
static int add_stream(uint64_t *sum, file_stream *from, flow_err *err)
{
    const double *rows;
    size_t n;
    int code = from ? FLOW_OK : err->code;
    for (int ends = 0; !code && ends < 2; ends += n == 0) {
        code = file_stream_next(from, &rows, &n, err);
        if (!code)
            add(sum, rows, n * file_stream_head(from)->cols * sizeof *rows);
    }
    file_stream_free(from);
    return code;
}

/* A file, text that is put by, and a table. */
static int play_stream(uint64_t *sum, flow_err *err)
{
    static const file_wish last = {.choose = choose_last};
    int code = file_npy_write(path, table->values, table->rows, table->cols, FLOW_F32, err);
    if (!code)
        code = add_stream(sum, file_npy_stream(path, &last, err), err);
    if (!code)
        code = file_csv_write(path, table->values, table->rows, table->cols,
                              (const char *const *)table->names, err);
    if (!code)
        code = add_stream(sum, file_csv_stream(path, &all_rows, err), err);
    return code ? code : add_stream(sum, file_stream_of_table(table, err), err);
}

/* In single precision, of counts, a row of them left out. */
static int play_single(uint64_t *sum, flow_err *err)
{
    double counts[2 * ROWS];
    const file_table made_up = {.values = counts, .rows = ROWS, .cols = 2};
    data_options options = data_options_default();
    options.precision = FLOW_F32;
    options.nonfinite = DATA_NONFINITE_DROP;
    options.kind.step = 1;
    for (size_t i = 0; i < 2 * ROWS; i++)
        counts[i] = i == 5 ? (double)INFINITY : (double)(i * i % 17);
    data_set *own = data_set_create(&made_up, "scene", &options, err);
    if (own)
        add(sum, own->train.x.at, own->train.n * own->dim * sizeof(float));
    data_set_free(own);
    return own ? FLOW_OK : err->code;
}

static int play_generate(uint64_t *sum, flow_err *err)
{
    return add_table(sum, data_generate_table(&data_generators[0], 0.1, 5, ROWS, err), err);
}

#endif
