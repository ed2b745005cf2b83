#include "files/read.h"

#include "files/csv.h"
#include "files/hdf5.h"
#include "files/hdf5_path.h"
#include "files/npy.h"
#include "files/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The ending, with its dot; "" if there is none. */
static const char *ending(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot ? dot : "";
}

static void take_line_ending(char *line, size_t len)
{
    while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
        line[--len] = '\0';
}

/* Refuses names that cannot be shown or asked for. */
static int check_name(const char *path, char *const *names, size_t n, const char *name,
                      flow_err *err)
{
    char where[512];
    if (!*name)
        return flow_fail(err, FLOW_EDATA, "%s:%zu: the line is empty", path, n + 1);
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return flow_fail(err, FLOW_EDATA, "%s:%zu: '%.80s' is also line %zu", path, n + 1, name,
                             i + 1);
    snprintf(where, sizeof where, "%s:%zu", path, n + 1);
    return file_name_check(name, n, err) ? flow_fail_prefix(err, where) : FLOW_OK;
}

/* names (cols) from the lines of a file; the caller frees each. *found = how many are set. */
static int read_names(FILE *in, const char *path, char **names, size_t cols, size_t *found,
                      flow_err *err)
{
    char *line = NULL;
    size_t size = 0, lines = 0;
    ssize_t len;
    int code = FLOW_OK;
    for (; !code && (len = getline(&line, &size, in)) >= 0; lines++) {
        take_line_ending(line, (size_t)len);
        if (lines >= cols)
            continue;
        code = check_name(path, names, lines, line, err);
        if (!code && !(names[lines] = strdup(line)))
            code = flow_fail(err, FLOW_ENOMEM, "%s: no memory for its names", path);
        *found += !code;
    }
    if (!code && ferror(in))
        code = flow_fail(err, FLOW_EIO, "%s: cannot be read: %s", path, strerror(errno));
    if (!code && lines != cols)
        code = flow_fail(err, FLOW_EDATA, "%s: %zu names for %zu columns", path, lines, cols);
    free(line);
    return code;
}

static int name_columns(file_table *table, FILE *in, const char *path, flow_err *err)
{
    size_t found = 0;
    char **names = calloc(table->cols, sizeof *names);
    if (!names)
        return flow_fail(err, FLOW_ENOMEM, "%s: no memory for its names", path);
    int code = read_names(in, path, names, table->cols, &found, err);
    if (!code)
        code = file_table_set_names(table, (const char *const *)names, err);
    for (size_t i = 0; i < found; i++)
        free(names[i]);
    free(names);
    return code;
}

/* Names from NAME.cols, if there is such a file. */
static int read_sidecar(file_table *table, const char *path, flow_err *err)
{
    size_t stem = strlen(path) - strlen(ending(path));
    char *name = malloc(stem + sizeof ".cols");
    if (!name)
        return flow_fail(err, FLOW_ENOMEM, "%s: no memory", path);
    memcpy(name, path, stem);
    memcpy(name + stem, ".cols", sizeof ".cols");
    int code = FLOW_OK;
    FILE *in = fopen(name, "rb");
    if (in) {
        code = name_columns(table, in, name, err);
        fclose(in);
    } else if (errno != ENOENT) {
        code = flow_fail(err, FLOW_ENOINPUT, "%s: cannot be opened: %s", name, strerror(errno));
    }
    free(name);
    return code;
}

/* A wish that gives the columns their names first, if the file did not. */
typedef struct beside {
    const char *path;
    const file_wish *wish;
} beside;

static int choose_named(bool *wanted, file_table *head, const void *asker, flow_err *err)
{
    const beside *self = asker;
    int code = head->names ? FLOW_OK : read_sidecar(head, self->path, err);
    return code || !self->wish->choose ? code
                                       : self->wish->choose(wanted, head, self->wish->asker, err);
}

const char *file_read_remedy(const char *path)
{
    static const char text[] = "a table of text is read if its name ends in .csv";
    static const struct {
        const char *ending, *remedy;
    } known[] = {{".npz", "an .npz holds several arrays: numpy.save one of them as .npy"},
                 {".gz", "decompress it first"},
                 {".zip", "unzip it first"},
                 {".xlsx", "export the sheet as CSV"},
                 {".parquet", "write it as CSV: python3 -c \"import pandas; "
                              "pandas.read_parquet('x.parquet').to_csv('x.csv', index=False)\""},
                 {".txt", text},
                 {".dat", text},
                 {".tsv", text}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcasecmp(ending(path), known[i].ending) == 0)
            return known[i].remedy;
    return NULL;
}

static void refuse_ending(const char *path, flow_err *err)
{
    const char *remedy = file_read_remedy(path);
    flow_fail(err, FLOW_EUSAGE,
              "%s: the name of a data file wants to end in .npy or .csv, or to be "
              "FILE.h5:/DATASET%s%s",
              path, remedy ? "; " : "", remedy ? remedy : "");
}

bool file_is_table(const char *path)
{
    return file_is_npy(path) || file_is_csv(path) || file_is_hdf5(path);
}

bool file_is_npy(const char *path)
{
    return strcasecmp(ending(path), ".npy") == 0;
}

bool file_is_csv(const char *path)
{
    return strcasecmp(ending(path), ".csv") == 0;
}

static file_wish naming(const beside *self)
{
    file_wish out = *self->wish;
    out.choose = choose_named;
    out.asker = self;
    return out;
}

file_table *file_read_wish(const char *path, const file_wish *wish, flow_err *err)
{
    const beside asker = {path, wish};
    const file_wish named = naming(&asker);
    if (file_is_npy(path))
        return file_npy_read(path, &named, err);
    if (file_is_csv(path))
        return file_csv_read(path, &named, err);
    if (file_is_hdf5(path))
        return file_hdf5_read(path, &named, err);
    refuse_ending(path, err);
    return NULL;
}

file_stream *file_stream_open(const char *path, const file_wish *wish, flow_err *err)
{
    const beside asker = {path, wish};
    const file_wish named = naming(&asker);
    if (file_is_npy(path))
        return file_npy_stream(path, &named, err);
    if (file_is_csv(path))
        return file_csv_stream(path, &named, err);
    if (file_is_hdf5(path))
        return file_hdf5_stream(path, &named, err);
    refuse_ending(path, err);
    return NULL;
}

file_table *file_read(const char *path, file_header header, flow_err *err)
{
    return file_read_wish(path, &(file_wish){.header = header}, err);
}

file_table *file_read_head(const char *path, file_header header, flow_err *err)
{
    return file_read_wish(path, &(file_wish){.header = header, .head = true}, err);
}
