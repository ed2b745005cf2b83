#include "files/read.h"

#include "files/npy.h"
#include "files/utf8.h"

#include <errno.h>
#include <stdbool.h>
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
    if (!*name)
        return flow_fail(err, FLOW_EDATA, "%s:%zu: the line is empty", path, n + 1);
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return flow_fail(err, FLOW_EDATA, "%s:%zu: holds a control character", path, n + 1);
    char why[UTF8_COMPLAINT];
    if (utf8_complaint(why, name, path))
        return flow_fail(err, FLOW_EDATA, "%s:%zu: %s", path, n + 1, why);
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return flow_fail(err, FLOW_EDATA, "%s:%zu: '%.80s' is also line %zu", path, n + 1, name,
                             i + 1);
    return FLOW_OK;
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

static file_table *read_part(const char *path, bool head, file_header header, flow_err *err)
{
    file_table *table;
    if (strcasecmp(ending(path), ".npy") == 0) {
        table = head ? file_npy_read_head(path, err) : file_npy_read(path, err);
    } else if (strcasecmp(ending(path), ".csv") == 0) {
        table = head ? file_csv_read_head(path, header, err) : file_csv_read(path, header, err);
    } else {
        flow_fail(err, FLOW_EUSAGE, "%s: the name of a data file wants to end in .npy or .csv",
                  path);
        return NULL;
    }
    if (table && !table->names && read_sidecar(table, path, err)) {
        file_table_free(table);
        return NULL;
    }
    return table;
}

file_table *file_read(const char *path, file_header header, flow_err *err)
{
    return read_part(path, false, header, err);
}

file_table *file_read_head(const char *path, file_header header, flow_err *err)
{
    return read_part(path, true, header, err);
}
