#include "pipeline/stages/derived.h"

#include "flow/json.h"
#include "pipeline/console/notice.h"
#include "teacher/plugin_quantities.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_VALUES = 1 << 20, MOST_ROWS = 16384 }; /* at a time */

/* Numbers of each row: where they come from, and where they go. */
typedef struct part {
    const quantities *of; /* NULL: there is no such part */
    size_t k;             /* how many of them */
    double *values;       /* (rows, k) */
    bool lost[MOST_ROWS]; /* (rows) */
    quantities_broken broken;
} part;

struct derived {
    size_t dim, width, rows; /* rows: at a time */
    bool instead;
    const char **names;   /* (width), in those whose they are */
    part own, function;   /* of the target, and of a library */
    quantities *library;  /* the latter's */
    double *seen;         /* (rows, what it is given); NULL: x itself */
    uint64_t all;         /* rows so far */
    uint64_t odd, at_row; /* of which so many have a value that is not finite; the first, */
    size_t at;            /* its column, */
    double value;         /* and what is there */
};

/* ---- what there is */

static size_t own_columns(const derived *self)
{
    return self->instead ? 0 : self->dim;
}

static const char *column(const flow_model *model, size_t j)
{
    return json_string_value(json_array_get(model->names, j));
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int check_twice(const derived *self, flow_err *err)
{
    const char **sorted = malloc(self->width * sizeof *sorted), *twice = NULL;
    if (!sorted)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for names");
    memcpy(sorted, self->names, self->width * sizeof *sorted);
    qsort(sorted, self->width, sizeof *sorted, by_text);
    for (size_t j = 1; j < self->width && !twice; j++)
        twice = strcmp(sorted[j - 1], sorted[j]) == 0 ? sorted[j] : NULL;
    free(sorted);
    return twice ? flow_fail(err, FLOW_EDATA,
                             "a column and a quantity, or two quantities, are called '%s'", twice)
                 : 0;
}

static int take_names(derived *self, const flow_model *model, flow_err *err)
{
    size_t at = 0;
    self->width = own_columns(self) + self->own.k + self->function.k;
    if (!(self->names = malloc(self->width * sizeof *self->names)))
        return flow_fail(err, FLOW_ENOMEM, "out of memory for names");
    for (size_t j = 0; j < own_columns(self); j++)
        self->names[at++] = column(model, j);
    for (size_t j = 0; j < self->own.k; j++)
        self->names[at++] = self->own.of->names[j];
    for (size_t j = 0; j < self->function.k; j++)
        self->names[at++] = self->function.of->names[j];
    return check_twice(self, err);
}

/* What a library is given of a row is called so: new memory. */
static const char **names_given(const derived *self, const flow_model *model, size_t *n,
                                flow_err *err)
{
    *n = self->instead ? self->own.of->usual : self->dim;
    const char **names = malloc(*n * sizeof *names);
    if (!names)
        flow_fail(err, FLOW_ENOMEM, "out of memory for names");
    for (size_t j = 0; names && j < *n; j++)
        names[j] = self->instead ? self->own.of->names[j] : column(model, j);
    return names;
}

static int open_function(derived *self, const flow_model *model, const derived_options *o,
                         flow_err *err)
{
    size_t n;
    const char **names = names_given(self, model, &n, err);
    if (names)
        self->library =
            plugin_quantities_create(o->function, names, n, o->options ? o->options : "", err);
    free(names);
    if (!self->library)
        return err->code;
    self->function = (part){.of = self->library, .k = self->library->count};
    return 0;
}

static int make_room(derived *self, flow_err *err)
{
    size_t seen = self->instead && self->library ? self->own.of->usual : 0;
    size_t each = self->own.k + self->function.k + seen;
    size_t rows = each ? MOST_VALUES / each : MOST_ROWS;
    self->rows = rows < 1 ? 1 : rows < MOST_ROWS ? rows : MOST_ROWS;
    double *room = malloc((self->rows * each + 1) * sizeof *room);
    if (!room)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for quantities");
    self->own.values = room;
    self->function.values = room + self->rows * self->own.k;
    self->seen = seen ? self->function.values + self->rows * self->function.k : NULL;
    return 0;
}

derived *derived_open(const flow_model *model, const quantities *of, const derived_options *o,
                      flow_err *err)
{
    derived *self = calloc(1, sizeof *self);
    if (!self) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for quantities");
        return NULL;
    }
    self->dim = flow_dim(model->flow);
    if (of && o->what != DERIVED_NONE)
        self->own = (part){.of = of, .k = o->what == DERIVED_ALL ? of->count : of->usual};
    self->instead = self->own.of && of->instead;
    int code = o->function ? open_function(self, model, o, err) : 0;
    code = code ? code : take_names(self, model, err);
    code = code ? code : make_room(self, err);
    if (!code)
        return self;
    derived_free(self);
    return NULL;
}

void derived_free(derived *self)
{
    if (!self)
        return;
    plugin_quantities_free(self->library);
    free(self->own.values);
    free(self->names);
    free(self);
}

size_t derived_width(const derived *self)
{
    return self->width;
}

bool derived_is_plain(const derived *self)
{
    return !self->own.of && !self->function.of;
}

const char *const *derived_names(const derived *self)
{
    return self->names;
}

/* ---- rows */

static int derive(part *self, flow_pool *pool, const double *x, size_t n, uint64_t first,
                  flow_err *err)
{
    return self->of ? quantities_derive(self->of, pool, self->values, self->k, self->lost,
                                        &self->broken, x, n, first, err)
                    : 0;
}

/* What a library is given of n rows. */
static const double *given(const derived *self, const double *x, size_t n)
{
    size_t usual = self->seen ? self->own.of->usual : 0;
    for (size_t r = 0; r < n && usual; r++)
        memcpy(self->seen + r * usual, self->own.values + r * self->own.k,
               usual * sizeof *self->seen);
    return self->seen ? self->seen : x;
}

static void copy(double *to, const part *from, size_t row)
{
    if (from->of)
        memcpy(to, from->values + row * from->k, from->k * sizeof *to);
}

/* Whether row r of those at work has a value that is not finite, though it has all that there is. */
static void look(derived *self, const double *values, size_t r, uint64_t row)
{
    size_t j = 0;
    while (j < self->width && isfinite(values[j]))
        j++;
    if (j == self->width || self->own.lost[r] || self->function.lost[r] || self->odd++ > 0)
        return;
    self->at_row = row;
    self->at = j;
    self->value = values[j];
}

static int some_rows(derived *self, flow_pool *pool, double *values, const double *x, size_t n,
                     uint64_t first, flow_err *err)
{
    size_t columns = own_columns(self);
    int code = derive(&self->own, pool, x, n, first, err);
    code = code ? code : derive(&self->function, pool, given(self, x, n), n, first, err);
    for (size_t r = 0; r < n && !code; r++, values += self->width) {
        memcpy(values, x + r * self->dim, columns * sizeof *values);
        copy(values + columns, &self->own, r);
        copy(values + columns + self->own.k, &self->function, r);
        look(self, values, r, first + r);
    }
    self->all += n;
    return code;
}

int derived_rows(derived *self, flow_pool *pool, double *values, const double *x, size_t n,
                 uint64_t first, flow_err *err)
{
    int code = 0;
    for (size_t row = 0; row < n && !code; row += self->rows)
        code = some_rows(self, pool, values + row * self->width, x + row * self->dim,
                         n - row < self->rows ? n - row : self->rows, first + row, err);
    return code;
}

/* ---- what is to be told */

static int tell(const part *p, const char *whose, uint64_t all, flow_err *err)
{
    const quantities_broken *b = &p->broken;
    if (b->count == 0)
        return 0;
    if (b->count == all)
        return flow_fail(err, FLOW_EDATA,
                         "not one of %" PRIu64 " samples has the quantities of %s: %s", all, whose,
                         b->why);
    notice_warning("%" PRIu64 " of %" PRIu64
                   " samples have no quantities of %s, and nan in their place; the first, "
                   "sample %" PRIu64 ": %s",
                   b->count, all, whose, b->row, b->why);
    return 0;
}

int derived_end(const derived *self, flow_err *err)
{
    int code = tell(&self->own, "the target", self->all, err);
    if (!code && self->function.broken.count > self->own.broken.count)
        code = tell(&self->function, "the function", self->all, err);
    if (!code && self->odd > 0)
        notice_warning("in %" PRIu64 " of %" PRIu64
                       " samples a quantity is not finite; the first, sample %" PRIu64
                       ": '%s' is %g",
                       self->odd, self->all, self->at_row, self->names[self->at],
                       isnan(self->value) ? NAN : self->value);
    return code;
}

json_t *derived_describe(const quantities *of)
{
    if (!of)
        return NULL;
    json_t *out = json_object(), *names = json_array();
    for (size_t j = 0; j < of->usual; j++)
        flow_json_append(&names, json_string(of->names[j]));
    flow_json_set(&out, "names", names);
    flow_json_set(&out, "instead", json_boolean(of->instead));
    return out;
}
