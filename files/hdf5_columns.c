#if FILES_HDF5
#include "files/hdf5_columns.h"

#include <stdlib.h>
#include <string.h>

static bool is_number(hid_t type)
{
    H5T_class_t class = H5Tget_class(type);
    return class == H5T_FLOAT || class == H5T_INTEGER || class == H5T_ENUM;
}

/* ---- what there is, for messages */

typedef struct list {
    char *text;
    size_t size;
    unsigned n;
} list;

static herr_t add_to_list(hid_t group, const char *name, const H5L_info_t *info, void *arg)
{
    list *self = arg;
    size_t used = strlen(self->text);
    (void)group;
    (void)info;
    if (self->n++ < 12)
        snprintf(self->text + used, self->size - used, "%s/%.60s", self->n > 1 ? ", " : "", name);
    return 0;
}

/* "; there are /events, /weights": what the root of the file holds. */
static const char *what_there_is(char text[900], hid_t file)
{
    hsize_t at = 0;
    strcpy(text, "; there are ");
    list all = {text, 900, 0};
    if (H5Literate(file, H5_INDEX_NAME, H5_ITER_INC, &at, add_to_list, &all) < 0 || !all.n)
        text[0] = '\0';
    return text;
}

/* ---- a dataset */

/* Its rows and columns: of rank 1 or 2. */
static bool shape(hid_t set, size_t *rows, size_t *cols, int *rank)
{
    hsize_t dims[2] = {0, 1};
    hid_t space = H5Dget_space(set);
    *rank = H5Sget_simple_extent_ndims(space);
    bool good = (*rank == 1 || *rank == 2) && H5Sget_simple_extent_dims(space, dims, NULL) == *rank;
    H5Sclose(space);
    *rows = (size_t)dims[0];
    *cols = (size_t)dims[1];
    return good && *cols > 0 && dims[0] <= SIZE_MAX / sizeof(double) / dims[1];
}

static int begin_named(hdf5_columns *self, size_t cols, flow_err *err)
{
    self->named = calloc(cols + 1, sizeof *self->named);
    return self->named ? 0 : flow_fail(err, FLOW_ENOMEM, "no memory for %zu columns", cols);
}

static int add_named(hdf5_columns *self, const char *name, hid_t set, bool readable, flow_err *err)
{
    char *copy = name ? strdup(name) : NULL;
    if (!copy)
        return flow_fail(err, FLOW_ENOMEM, "no memory for the name of a column");
    self->named[self->cols++] = (hdf5_column){copy, set, readable};
    return 0;
}

static int open_records(hdf5_columns *self, hid_t type, flow_err *err)
{
    int members = H5Tget_nmembers(type);
    int code = begin_named(self, (size_t)members, err);
    self->cols = 0;
    for (int i = 0; !code && i < members; i++) {
        char *name = H5Tget_member_name(type, (unsigned)i);
        hid_t of = H5Tget_member_type(type, (unsigned)i);
        code = add_named(self, name, -1, is_number(of), err);
        H5Tclose(of);
        H5free_memory(name);
    }
    return code;
}

static int open_set(hdf5_columns *self, flow_err *err)
{
    int rank;
    if (!shape(self->set, &self->rows, &self->cols, &rank))
        return flow_fail(err, FLOW_EDATA, "wants shape (n,) or (n, D), D at least 1");
    hid_t type = H5Dget_type(self->set);
    int code = 0;
    if (H5Tget_class(type) == H5T_COMPOUND && rank == 1)
        code = open_records(self, type, err);
    else if (!is_number(type))
        code = flow_fail(err, FLOW_EDATA, "holds no numbers, nor records in one row after another");
    H5Tclose(type);
    return code;
}

/* ---- a group */

typedef struct members {
    hdf5_columns *of;
    size_t room;
    flow_err *err;
} members;

static int add_set(members *self, hid_t set, const char *name)
{
    hdf5_columns *of = self->of;
    size_t rows, cols;
    int rank;
    hid_t type = H5Dget_type(set);
    bool readable = is_number(type) && shape(set, &rows, &cols, &rank) && rank == 1;
    H5Tclose(type);
    if (readable && of->rows != SIZE_MAX && rows != of->rows)
        return flow_fail(self->err, FLOW_EDATA,
                         "'%.60s' has %zu rows, those before it %zu: no table", name, rows,
                         of->rows);
    of->rows = readable ? rows : of->rows;
    if (of->cols == self->room) {
        size_t room = self->room * 2 + 8;
        hdf5_column *more = realloc(of->named, room * sizeof *more);
        if (!more)
            return flow_fail(self->err, FLOW_ENOMEM, "no memory for %zu columns", room);
        of->named = more;
        self->room = room;
    }
    return add_named(of, name, set, readable, self->err);
}

static herr_t add_member(hid_t group, const char *name, const H5L_info_t *info, void *arg)
{
    (void)info;
    hid_t set = H5Oopen(group, name, H5P_DEFAULT);
    if (set < 0)
        return 0; /* a link to nowhere */
    if (H5Iget_type(set) != H5I_DATASET) {
        H5Oclose(set);
        return 0;
    }
    if (add_set(arg, set, name) == 0)
        return 0;
    H5Dclose(set);
    return -1;
}

static int open_group(hdf5_columns *self, hid_t group, flow_err *err)
{
    hsize_t at = 0;
    members all = {self, 0, err};
    self->rows = SIZE_MAX;
    if (H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, &at, add_member, &all) < 0)
        return err->code ? err->code : flow_fail(err, FLOW_EDATA, "is a group that cannot be read");
    if (self->rows == SIZE_MAX)
        return flow_fail(err, FLOW_EDATA, "is a group without a dataset of shape (n,) of numbers");
    return 0;
}

/* ---- the file */

static int open_object(hdf5_columns *self, const char *dataset, flow_err *err)
{
    char there[900];
    if (!dataset)
        return flow_fail(err, FLOW_EDATA, "wants a dataset, FILE.h5:/DATASET%s",
                         what_there_is(there, self->file));
    hid_t object = H5Oopen(self->file, dataset, H5P_DEFAULT);
    if (object < 0)
        return flow_fail(err, FLOW_EDATA, "is not in the file%s", what_there_is(there, self->file));
    if (H5Iget_type(object) == H5I_DATASET) {
        self->set = object;
        return open_set(self, err);
    }
    int code = H5Iget_type(object) == H5I_GROUP
                   ? open_group(self, object, err)
                   : flow_fail(err, FLOW_EDATA, "is neither a dataset nor a group");
    H5Oclose(object);
    return code;
}

int hdf5_columns_open(hdf5_columns *self, const char *file, const char *dataset, flow_err *err)
{
    *self = (hdf5_columns){.set = -1};
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* errors are told here */
    self->file = H5Fopen(file, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (self->file < 0)
        return flow_fail(err, FLOW_EDATA, "is no whole HDF5 file");
    return open_object(self, dataset, err);
}

void hdf5_columns_close(hdf5_columns *self)
{
    for (size_t i = 0; i < self->cols && self->named; i++) {
        free(self->named[i].name);
        if (self->named[i].set >= 0)
            H5Dclose(self->named[i].set);
    }
    free(self->named);
    if (self->set >= 0)
        H5Dclose(self->set);
    if (self->file >= 0)
        H5Fclose(self->file);
}

/* ---- numbers */

static int read_slab(hid_t set, hid_t type, double *to, size_t first, size_t n, size_t cols,
                     int rank)
{
    const hsize_t start[] = {first, 0}, count[] = {n, cols};
    hid_t from = H5Dget_space(set), room = H5Screate_simple(rank, count, NULL);
    herr_t code = H5Sselect_hyperslab(from, H5S_SELECT_SET, start, NULL, count, NULL);
    if (code >= 0)
        code = H5Dread(set, type, room, from, H5P_DEFAULT, to);
    H5Sclose(room);
    H5Sclose(from);
    return code < 0 ? -1 : 0;
}

int hdf5_columns_read_rows(const hdf5_columns *self, double *to, size_t first, size_t n)
{
    hid_t space = H5Dget_space(self->set);
    int rank = H5Sget_simple_extent_ndims(space);
    H5Sclose(space);
    return read_slab(self->set, H5T_NATIVE_DOUBLE, to, first, n, self->cols, rank);
}

int hdf5_columns_read_column(const hdf5_columns *self, double *to, size_t col, size_t first,
                             size_t n)
{
    const hdf5_column *c = &self->named[col];
    if (c->set >= 0)
        return read_slab(c->set, H5T_NATIVE_DOUBLE, to, first, n, 1, 1);
    hid_t member = H5Tcreate(H5T_COMPOUND, sizeof(double));
    int code = H5Tinsert(member, c->name, 0, H5T_NATIVE_DOUBLE) < 0
                   ? -1
                   : read_slab(self->set, member, to, first, n, 1, 1);
    H5Tclose(member);
    return code;
}
#else
typedef int files_hdf5_columns; /* built without libhdf5 */
#endif
