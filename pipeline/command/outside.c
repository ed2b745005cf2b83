#include "pipeline/command/outside.h"

#include "pipeline/console/notice.h"

void outside_tell(const flow_model *model, const char *source, const double *x, size_t n)
{
    size_t dim = model->units->dim, count = 0, first = 0;
    for (size_t row = 0; row < n; row++)
        if (flow_units_first_outside(model->units, x + row * dim) < dim && count++ == 0)
            first = row;
    if (count == 0)
        return;
    size_t col = flow_units_first_outside(model->units, x + first * dim);
    char wants[FLOW_UNIT_TEXT];
    notice_warning("%s: %zu of %zu rows are not what the model's columns are, their "
                   "log-density is -inf; first: row %zu, column '%s': %.9g is not %s",
                   source, count, n, first, json_string_value(json_array_get(model->names, col)),
                   x[first * dim + col], flow_unit_wants(wants, &model->units->column[col]));
}
