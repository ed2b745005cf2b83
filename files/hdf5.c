#include "files/hdf5.h"

#if FILES_HDF5
#include "files/hdf5_columns.h"
#include "files/hdf5_path.h"
#include "files/stream_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool file_hdf5_is_built(void)
{
    return true;
}

/* The numbers of a table, and the file as it was when it was opened. */
typedef struct numbers {
    hdf5_columns columns;
    char *name, *file;
    const char *dataset; /* in name */
    struct stat status;
} numbers;

static void free_numbers(void *arg)
{
    numbers *self = arg;
    hdf5_columns_close(&self->columns);
    free(self->name);
    free(self->file);
    free(self);
}

static int open_file(numbers *self, const char *path, flow_err *err)
{
    char room[FILE_OF_DATASET];
    self->columns = (hdf5_columns){.file = -1, .set = -1};
    self->name = strdup(path);
    self->file = strdup(file_of_dataset(room, path));
    if (!self->name || !self->file)
        return flow_fail(err, FLOW_ENOMEM, "%s: no memory", path);
    self->dataset = file_dataset_of(self->name);
    if (stat(self->file, &self->status) != 0)
        return flow_fail(err, FLOW_ENOINPUT, "%s: cannot be opened: %s", self->file,
                         strerror(errno));
    if (!S_ISREG(self->status.st_mode))
        return flow_fail(err, FLOW_ENOINPUT, "%s: is no file", self->file);
    return 0;
}

static int open_numbers(numbers *self, const char *path, flow_err *err)
{
    int code = open_file(self, path, err);
    if (code)
        return code;
    flow_err why = FLOW_ERR_INIT;
    code = hdf5_columns_open(&self->columns, self->file, self->dataset, &why);
    return code ? flow_fail(err, code, "%s: %s", path, why.text) : 0;
}

static bool is_changed(const numbers *self)
{
    struct stat now;
    const struct timespec *then = &self->status.st_mtim;
    return stat(self->file, &now) != 0 || now.st_size != self->status.st_size ||
           now.st_mtim.tv_sec != then->tv_sec || now.st_mtim.tv_nsec != then->tv_nsec;
}

/* Whole rows of a matrix, or rows of one named column: as a stream asks. */
static int read_from(void *arg, double *to, size_t first, size_t n, flow_err *err)
{
    const numbers *self = arg;
    const hdf5_columns *c = &self->columns;
    if (first == 0 && is_changed(self))
        return flow_fail(err, FLOW_EDATA, "%s: was changed while it was read", self->name);
    int code = c->named ? hdf5_columns_read_column(c, to, first / c->rows, first % c->rows, n)
                        : hdf5_columns_read_rows(c, to, first / c->cols, n / c->cols);
    return code ? flow_fail(err, FLOW_EIO, "%s: numbers from %zu on cannot be read", self->name,
                            first)
                : 0;
}

static int name_columns(file_table *head, const numbers *self, flow_err *err)
{
    const hdf5_columns *c = &self->columns;
    if (!c->named)
        return 0;
    const char **names = malloc((c->cols + 1) * sizeof *names);
    if (!names)
        return flow_fail(err, FLOW_ENOMEM, "%s: no memory for its names", self->name);
    for (size_t i = 0; i < c->cols; i++)
        names[i] = c->named[i].name;
    int code = file_table_set_names(head, names, err);
    free(names);
    return code;
}

static int check_wanted(const numbers *self, const size_t *slots, const char *remedy, flow_err *err)
{
    const hdf5_columns *c = &self->columns;
    for (size_t i = 0; c->named && i < c->cols; i++)
        if (slots[i] != FILE_UNWANTED && !c->named[i].readable)
            return flow_fail(err, FLOW_EDATA,
                             "%s: column '%.60s' does not hold one number a row%s%s", self->name,
                             c->named[i].name, remedy ? "; " : "", remedy ? remedy : "");
    return 0;
}

/* The wanted columns; *slots as of file_wish_apply. */
static file_table *make_head(const numbers *self, size_t **slots, const file_wish *wish,
                             flow_err *err)
{
    file_table *head = file_table_create(0, self->columns.cols, err);
    int code = head ? name_columns(head, self, err) : FLOW_ENOMEM;
    if (!code)
        code = file_wish_apply(wish, slots, head, self->name, err);
    if (!code)
        code = check_wanted(self, *slots, wish->remedy, err);
    if (!code)
        return head;
    file_table_free(head);
    free(*slots);
    *slots = NULL;
    return NULL;
}

static numbers *numbers_open(const char *path, flow_err *err)
{
    numbers *self = calloc(1, sizeof *self);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "%s: no memory", path);
        return NULL;
    }
    if (open_numbers(self, path, err) == 0)
        return self;
    free_numbers(self);
    return NULL;
}

file_stream *file_hdf5_stream(const char *path, const file_wish *wish, flow_err *err)
{
    size_t *slots = NULL;
    numbers *self = numbers_open(path, err);
    file_table *head = self ? make_head(self, &slots, wish, err) : NULL;
    if (!head) {
        if (self)
            free_numbers(self);
        return NULL;
    }
    const stream_source source = {.arg = self,
                                  .read = read_from,
                                  .free = free_numbers,
                                  .rows = self->columns.rows,
                                  .cols = self->columns.cols,
                                  .fortran = self->columns.named != NULL,
                                  .slots = slots};
    return file_stream_create(head, &source, err);
}

/* ---- all of it */

enum { BLOCK = 1 << 16 }; /* numbers */

/* Column col of the file, as column slot of the table. */
static int fill_column(file_table *out, numbers *self, double *room, size_t col, size_t slot,
                       flow_err *err)
{
    for (size_t row = 0, n; row < out->rows; row += n) {
        n = out->rows - row < BLOCK ? out->rows - row : BLOCK;
        int code = read_from(self, room, col * out->rows + row, n, err);
        if (code)
            return code;
        for (size_t r = 0; r < n; r++)
            out->values[(row + r) * out->cols + slot] = room[r];
    }
    return 0;
}

static int fill_rows(file_table *out, numbers *self, double *room, const size_t *slots,
                     flow_err *err)
{
    const size_t cols = self->columns.cols, most = cols < BLOCK ? BLOCK / cols : 1;
    for (size_t row = 0, n; row < out->rows; row += n) {
        n = out->rows - row < most ? out->rows - row : most;
        int code = read_from(self, room, row * cols, n * cols, err);
        if (code)
            return code;
        for (size_t i = 0; i < n * cols; i++)
            if (slots[i % cols] != FILE_UNWANTED)
                out->values[(row + i / cols) * out->cols + slots[i % cols]] = room[i];
    }
    return 0;
}

static int fill(file_table *out, numbers *self, const size_t *slots, flow_err *err)
{
    const size_t cols = self->columns.cols;
    int code = 0;
    out->rows = self->columns.rows;
    free(out->values);
    out->values = malloc((out->rows * out->cols + 1) * sizeof *out->values);
    double *room = malloc((cols > BLOCK ? cols : BLOCK) * sizeof *room);
    if (!out->values || !room)
        code = flow_fail(err, FLOW_ENOMEM, "%s: no memory for %zu rows", self->name, out->rows);
    else if (!self->columns.named)
        code = fill_rows(out, self, room, slots, err);
    for (size_t col = 0; !code && self->columns.named && col < cols; col++)
        if (slots[col] != FILE_UNWANTED)
            code = fill_column(out, self, room, col, slots[col], err);
    free(room);
    return code;
}

file_table *file_hdf5_read(const char *path, const file_wish *wish, flow_err *err)
{
    size_t *slots = NULL;
    numbers *self = numbers_open(path, err);
    file_table *out = self ? make_head(self, &slots, wish, err) : NULL;
    if (out && !wish->head && fill(out, self, slots, err)) {
        file_table_free(out);
        out = NULL;
    }
    free(slots);
    if (self)
        free_numbers(self);
    return out;
}
#else
bool file_hdf5_is_built(void)
{
    return false;
}

static void *refuse(const char *path, flow_err *err)
{
    flow_fail(err, FLOW_EUSAGE,
              "%s: this program is built without HDF5 (Debian: libhdf5-dev, and make again)", path);
    return NULL;
}

file_table *file_hdf5_read(const char *path, const file_wish *wish, flow_err *err)
{
    (void)wish;
    return refuse(path, err);
}

file_stream *file_hdf5_stream(const char *path, const file_wish *wish, flow_err *err)
{
    (void)wish;
    return refuse(path, err);
}
#endif
