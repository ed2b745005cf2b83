#include "flow/layer/stair.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static size_t lay_out_panels(stair *self)
{
    size_t offset = 0;
    for (size_t p = 0; p < self->n_panels; p++) {
        size_t row = p * FLOW_PAD;
        size_t last = row + FLOW_PAD < self->rows ? row + FLOW_PAD - 1 : self->rows - 1;
        self->panels[p] = (stair_panel){.row = row, .depth = self->limit[last], .offset = offset};
        offset += stair_stored_depth(&self->panels[p]) * FLOW_PAD;
    }
    return offset;
}

static void count_rows_above(stair *self)
{
    size_t row = 0;
    for (size_t k = 0; k <= self->cols; k++) {
        while (row < self->rows && self->limit[row] <= k)
            row++;
        self->first_row[k] = row;
    }
}

int stair_create(stair *self, const size_t *limit, size_t rows, size_t cols)
{
    assert(rows > 0);
    *self = (stair){.rows = rows, .cols = cols, .n_panels = flow_pad(rows) / FLOW_PAD};
    self->limit = malloc(rows * sizeof *limit);
    self->first_row = malloc((cols + 1) * sizeof *self->first_row);
    self->panels = malloc(self->n_panels * sizeof *self->panels);
    if (!self->limit || !self->first_row || !self->panels) {
        stair_release(self);
        return -1;
    }
    memcpy(self->limit, limit, rows * sizeof *limit);
    self->n_live = rows;
    for (size_t m = 0; m < rows; m++) {
        assert(limit[m] <= cols && (m == 0 || limit[m - 1] <= limit[m]));
        self->n_live += limit[m];
    }
    self->bias = lay_out_panels(self);
    self->n_params = self->bias + flow_pad(rows);
    count_rows_above(self);
    return 0;
}

void stair_release(stair *self)
{
    free(self->limit);
    free(self->first_row);
    free(self->panels);
    *self = (stair){0};
}

/* ---- dense copies */

void stair_get_weight(const stair *self, double *weight, const real *theta)
{
    for (size_t m = 0; m < self->rows; m++) {
        const real *w = theta + stair_row(self, m);
        for (size_t k = 0; k < self->cols; k++)
            weight[m * self->cols + k] = k < self->limit[m] ? (double)w[k * FLOW_PAD] : 0.0;
    }
}

void stair_get_bias(const stair *self, double *bias, const real *theta)
{
    for (size_t m = 0; m < self->rows; m++)
        bias[m] = (double)theta[self->bias + m];
}

void stair_set_weight(const stair *self, real *theta, const double *weight)
{
    memset(theta, 0, self->bias * sizeof *theta);
    for (size_t m = 0; m < self->rows; m++) {
        real *w = theta + stair_row(self, m);
        for (size_t k = 0; k < self->limit[m]; k++)
            w[k * FLOW_PAD] = (real)weight[m * self->cols + k];
    }
}

void stair_set_bias(const stair *self, real *theta, const double *bias)
{
    for (size_t m = 0; m < self->rows; m++)
        theta[self->bias + m] = (real)bias[m];
}
