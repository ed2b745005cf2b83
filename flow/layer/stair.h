/* flow/layer/stair.h -- a masked linear map whose mask is a staircase.
 *
 * y = W x + b where row m of W sees the columns 0 .. limit[m] - 1 only, limit ascending. Sorting
 * the units of a MADE by degree (Germain 2015) gives exactly this mask, and then about half of the
 * dense arithmetic is not there to be done: nothing here multiplies by a masked weight but for the
 * few inside a panel's last step.
 *
 * Weights are stored in panels of FLOW_PAD rows, a panel as (depth, FLOW_PAD), depth = the largest
 * limit in the panel, stored up to a multiple of 8: element (m, k) of panel p lies at offset + k * FLOW_PAD + (m - row). Masked
 * entries and padding are zero and stay zero, since their gradient is zero. The bias follows the
 * last panel.
 *
 * Every element of a result is one chain of multiply-adds, in an order that does not depend on how
 * many rows are asked for at a time, so that one by one, in groups and all at once agree to the last
 * bit. */
#ifndef FLOW_LAYER_STAIR_H
#define FLOW_LAYER_STAIR_H

#include "flow/layer/real.h"

typedef struct stair_panel {
    size_t row;    /* first row */
    size_t depth;  /* columns that its last row sees */
    size_t offset; /* into the parameters of this map */
} stair_panel;

typedef struct stair {
    size_t rows, cols;
    size_t *limit;     /* (rows) */
    size_t *first_row; /* (cols + 1): rows that do not see column k */
    stair_panel *panels;
    size_t n_panels;
    size_t bias;     /* offset */
    size_t n_params; /* with padding */
    size_t n_live;   /* weights that are not masked, biases included */
} stair;

static inline size_t stair_stored_depth(const stair_panel *panel)
{
    return (panel->depth + 7) / 8 * 8;
}

/* Where row m of the weights begins: column k is k * FLOW_PAD further on. */
static inline size_t stair_row(const stair *self, size_t m)
{
    const stair_panel *panel = &self->panels[m / FLOW_PAD];
    return panel->offset + (m - panel->row);
}

#define stair_create FLOW_NAME(stair_create)
#define stair_release FLOW_NAME(stair_release)
#define stair_product FLOW_NAME(stair_product)
#define stair_product_rectified FLOW_NAME(stair_product_rectified)
#define stair_product_next FLOW_NAME(stair_product_next)
#define stair_product_t FLOW_NAME(stair_product_t)
#define stair_product_t_next FLOW_NAME(stair_product_t_next)
#define stair_groups FLOW_NAME(stair_groups)
#define stair_gradient FLOW_NAME(stair_gradient)
#define stair_get_weight FLOW_NAME(stair_get_weight)
#define stair_get_bias FLOW_NAME(stair_get_bias)
#define stair_set_weight FLOW_NAME(stair_set_weight)
#define stair_set_bias FLOW_NAME(stair_set_bias)

/* limit (rows), ascending, each <= cols; copied. -1: out of memory. */
int stair_create(stair *self, const size_t *limit, size_t rows, size_t cols);
void stair_release(stair *self);

/* Rows row0 .. row1 - 1 of y (rows, ld) = W x + b + add; add NULL: nothing. Reads x up to the limit
 * of row1 - 1 only. If row1 = rows, also writes padding rows up to a multiple of 8.
 * ld = 1 is one column by kernels of its own, with the same bits: row0 is then a multiple of FLOW_PAD,
 * so is row1 if it is not rows, and padding is written up to such a multiple. */
void stair_product(const stair *self, real *y, const real *theta, const real *x, const real *add,
                   size_t row0, size_t row1, size_t ld);

typedef void stair_multiply(const stair *self, real *y, const real *theta, const real *x,
                            const real *add, size_t row0, size_t row1, size_t ld);

/* The same, and of that max(0, y), NaN kept; ld > 1. */
void stair_product_rectified(const stair *self, real *y, const real *theta, const real *x,
                             const real *add, size_t row0, size_t row1, size_t ld);

/* Rows of stair_product that are asked for in order from 0 on, a few at a time, while x grows: what
 * the rows of a panel have in common is done for all of them with its first, so y must have room for
 * whole panels, and a row's place in y is not to be written before it was asked for. Same bits. */
void stair_product_next(const stair *self, real *y, const real *theta, const real *x,
                        const real *add, size_t row0, size_t row1, size_t ld);

/* Rows col0 .. col1 - 1 of dx (cols, ld) = W^T dy. col0 is a multiple of 8, and so is col1 if it is
 * not cols; dx has room for cols rounded up to such a multiple. */
void stair_product_t(const stair *self, real *dx, const real *theta, const real *dy, size_t col0,
                     size_t col1, size_t ld);

/* The same rows when they are asked for in order from the last on down, a step of the staircase at a
 * time, while dy grows downwards: reads only the rows of dy that see column col0. A row's place in
 * dx is not to be written before it was asked for. Same bits. */
void stair_product_t_next(const stair *self, real *dx, const real *theta, const real *dy,
                          size_t col0, size_t col1, size_t ld);

/* dtheta += dy x^T below the stairs, and the row sums of dy for the bias; with add 0, dtheta = that.
 * One group of panels of it, of stair_groups(self); ld <= FLOW_SHARD. */
size_t stair_groups(const stair *self);
void stair_gradient(const stair *self, real *dtheta, int add, const real *dy, const real *x,
                    size_t group, size_t ld);

/* W as dense row-major (rows, cols) with zeros above the stairs, b as (rows). stair_set_weight
 * ignores what is above the stairs. */
void stair_get_weight(const stair *self, double *weight, const real *theta);
void stair_get_bias(const stair *self, double *bias, const real *theta);
void stair_set_weight(const stair *self, real *theta, const double *weight);
void stair_set_bias(const stair *self, real *theta, const double *bias);

#endif
