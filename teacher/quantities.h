/* teacher/quantities.h -- numbers that are derived from a row: a list of named functions of x, such as the constrained
 * parameters of a Stan model, or whatever a library of the user's makes of a row. */
#ifndef TEACHER_QUANTITIES_H
#define TEACHER_QUANTITIES_H

#include "flow/flow.h"

#include <stdbool.h>

enum { QUANTITIES_WHY = 256 }; /* bytes of what is wrong with a row, its '\0' included */

typedef struct quantities quantities;

struct quantities {
    size_t dim; /* D of a row */
    size_t count,
        usual; /* K, and how many of them, the first ones, there are unless all are asked for: 1 .. K */
    bool instead;             /* they say all that the columns do, and stand in their place */
    bool threads;             /* several threads may call derive */
    const char *const *names; /* (K) */
    void *of;                 /* who derives them */
    /* values (n, k) of x (n, D), n <= FLOW_SHARD, k usual or count. broken (n) comes in false: a row that is marked has none;
     * why (QUANTITIES_WHY), "" at first, says of the first of them. Any return but 0 is a failure of the whole. */
    int (*derive)(const quantities *self, double *values, size_t k, bool *broken, char *why,
                  const double *x, size_t n, flow_err *err);
};

/* Rows that have none: zero at first. */
typedef struct quantities_broken {
    uint64_t count, row; /* row: the first, as it is counted */
    char why[QUANTITIES_WHY];
} quantities_broken;

/* values (n, k) of x (n, D), rows first .. first + n - 1, spread over a pool; they depend on nothing but x. Those of a broken
 * row are NaN, lost (n; NULL: not wanted) says so, and it is added to `broken`; a row that is no point is one. */
int quantities_derive(const quantities *self, flow_pool *pool, double *values, size_t k, bool *lost,
                      quantities_broken *broken, const double *x, size_t n, uint64_t first,
                      flow_err *err);

#endif
