#include "teacher/pass.h"

void data_pass_begin(data_pass *self, file_stream *rows, const data_plan *plan)
{
    *self = (data_pass){.rows = rows, .plan = plan};
    file_stream_rewind(rows);
}

static void add(data_pass *self)
{
    self->row[self->n] = self->block;
    self->number[self->n] = self->next;
    self->place[self->n++] = data_plan_place(self->plan, self->used++);
}

/* Rows of the stream's block until there are enough. */
static void take_rows(data_pass *self)
{
    size_t cols = file_stream_head(self->rows)->cols;
    for (; self->left > 0 && self->n < DATA_PASS_ROWS; self->left--) {
        if (!data_plan_unused(self->plan, self->next))
            add(self);
        self->block += cols;
        self->next++;
    }
}

bool data_pass_next(data_pass *self, flow_err *err)
{
    for (self->n = 0; self->n == 0 && !self->code; take_rows(self)) {
        if (self->left > 0)
            continue;
        self->code = file_stream_next(self->rows, &self->block, &self->left, err);
        if (self->left == 0)
            break;
    }
    return self->n > 0 && !self->code;
}

void data_pass_take(double *to, const data_pass *at, const size_t *cols, size_t k)
{
    for (size_t i = 0; i < at->n; i++)
        for (size_t j = 0; j < k; j++)
            to[i * k + j] = at->row[i][cols[j]];
}
