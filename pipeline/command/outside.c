#include "pipeline/command/outside.h"

#include "pipeline/console/notice.h"

void outside_look(outside *self, const flow_model *model, const double *x, size_t n)
{
    size_t dim = model->units->dim;
    for (size_t row = 0; row < n; row++, self->seen++) {
        size_t col = flow_units_first_outside(model->units, x + row * dim);
        if (col == dim || self->count++ > 0)
            continue;
        self->row = self->seen;
        self->col = col;
        self->value = x[row * dim + col];
    }
}

void outside_tell(const outside *self, const flow_model *model, const char *source)
{
    char wants[FLOW_UNIT_TEXT];
    if (self->count == 0)
        return;
    notice_warning("%s: %zu of %zu rows are not what the model's columns are, their "
                   "log-density is -inf; first: row %zu, column '%s': %.9g is not %s",
                   source, self->count, self->seen, self->row,
                   json_string_value(json_array_get(model->names, self->col)), self->value,
                   flow_unit_wants(wants, &model->units->column[self->col]));
}
