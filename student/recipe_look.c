#include "student/recipe_look.h"

#include "student/fill.h"
#include "teacher/target_in_units.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* ---- of which shape */

enum { PIECES_ROWS = 512 };
static const double ALL_IN_PIECES = 0.97; /* share of the rows */
static const double NORMAL = 0.1;         /* nats: nearer than this to a normal, affine layers do */
static const double GENTLE =
    0.06; /* nats a dimension: nearer than this, what bends is means and widths */
static const double HEAVY = 8; /* standard deviations: splines end well before */
static const double UNEVEN =
    0.2; /* nats a dimension: further from a normal than one that is merely bent */
static const double FLAT =
    2.3; /* fourth moment of a column in its widths, 3 of a normal: two lumps, or edges, have less */

const char *const recipe_shapes[] = {
    "They lie in one piece that is near a normal",
    "They lie in one piece that is a normal bent a little",
    "They lie in one piece that is far from a normal",
    "They lie in lumps that ways between neighbours join",
    "They lie in one piece whose widths differ from place to place",
    "They lie in one piece with heavy tails",
    "They are of a trained flow, which is steep",
    "They lie in pieces that no way between neighbours joins",
    "They lie in more pieces than so many rows can tell apart",
};

/* One in few dimensions is not too steep for what is made for modes. */
static bool is_steep(const student_recipe *self)
{
    return self->is_flow && self->pilot.rows.dim > RECIPE_FEW && self->normal.distance >= NORMAL;
}

recipe_shape recipe_shape_of(const student_recipe *self)
{
    if (is_steep(self))
        return RECIPE_STEEP;
    if (self->pieces.n > 1)
        return self->pieces.in_pieces >= ALL_IN_PIECES ? RECIPE_PIECES : RECIPE_MANY;
    if (self->pieces.largest < ALL_IN_PIECES)
        return RECIPE_MANY;
    if (self->normal.farthest > HEAVY)
        return RECIPE_HEAVY;
    double each = self->normal.distance / (double)self->pilot.rows.dim;
    if (each > UNEVEN)
        return self->normal.flattest < FLAT ? RECIPE_LUMPS : RECIPE_UNEVEN;
    if (self->normal.distance < NORMAL)
        return RECIPE_NORMAL;
    return each < GENTLE && self->normal.flattest >= FLAT ? RECIPE_GENTLE : RECIPE_BENT;
}

/* log p~ in the student's units. */
static double *log_p_of(const student_pilot *pilot, const target *t, flow_err *err)
{
    const annealed *rows = &pilot->rows;
    flow_units *units = target_placed_units(t, pilot->shift, pilot->scale, err);
    double *x = malloc(rows->n * rows->dim * sizeof *x), *out = calloc(rows->n, sizeof *out);
    if (units && x && out)
        flow_units_to_user(units, x, out, pilot->u, rows->n);
    for (size_t r = 0; out && r < rows->n; r++)
        out[r] += rows->log_p[r];
    bool good = units && x && out;
    flow_units_free(units);
    free(x);
    if (good)
        return out;
    free(out);
    flow_fail(err, FLOW_ENOMEM, "out of memory for a recipe");
    return NULL;
}

/* Where all the pieces are known. */
static int fill(student_recipe *self, const target *t, flow_pool *pool, uint64_t seed,
                flow_err *err)
{
    return self->pieces.n > 1 && self->pieces.in_pieces >= ALL_IN_PIECES
               ? student_fill(&self->pilot, t, pool, &self->pieces, seed, err)
               : 0;
}

static int look(student_recipe *self, const target *t, flow_pool *pool, flow_err *err)
{
    const student_pilot *pilot = &self->pilot;
    size_t n = pilot->rows.n < PIECES_ROWS ? pilot->rows.n : PIECES_ROWS;
    target *scaled = target_in_units(t, pilot->shift, pilot->scale, err);
    double *log_p = scaled ? log_p_of(pilot, t, err) : NULL;
    int code = log_p ? 0 : err->code;
    if (!code && !self->sketched)
        code = pieces_count(&self->pieces, scaled, pool, pilot->u, log_p, n, err);
    if (!code)
        code =
            normal_look_at(&self->normal, pilot->u, log_p, pilot->rows.n, t->dim, t->circles, err);
    free(log_p);
    target_free(scaled);
    return code;
}

/* ---- the two ways of looking */

/* Its rows are the recipe's from here on. Those of one normal are one piece. */
static int take_sketch(student_recipe *self, student_sketch *from, const target *t, flow_pool *pool,
                       flow_err *err)
{
    self->pilot = from->pilot;
    self->pieces = (pieces){.n = 1, .largest = 1, .in_pieces = 1};
    self->sketched = 1;
    from->pilot = (student_pilot){.rounds = 0};
    return look(self, t, pool, err);
}

static int send_pilot(student_recipe *self, const target *t, flow_pool *pool,
                      const recipe_request *request, flow_err *err)
{
    uint64_t seed = request->options.seed;
    size_t rows = request->rows ? request->rows : RECIPE_ROWS;
    int code = student_pilot_run(&self->pilot, t, pool, &pilot_effort_usual, rows, seed, err);
    if (!code)
        code = look(self, t, pool, err);
    if (!code)
        code = fill(self, t, pool, seed, err);
    self->evaluations += self->pilot.evaluations + self->pieces.evaluations;
    return code;
}

static void forget(student_recipe *self)
{
    student_pilot_close(&self->pilot);
    pieces_close(&self->pieces);
    self->sketched = 0;
}

/* Where it does not hold, or is no normal after all, nothing is left of it but what it asked. */
static int sketch(student_recipe *self, const target *t, flow_pool *pool, uint64_t seed,
                  flow_err *err)
{
    student_sketch s;
    if (!student_sketch_suits(t))
        return 0;
    int code = student_sketch_run(&s, t, pool, seed, err);
    self->evaluations = s.evaluations;
    if (!code && s.holds)
        code = take_sketch(self, &s, t, pool, err);
    student_sketch_close(&s);
    if (self->sketched && recipe_shape_of(self) != RECIPE_NORMAL)
        forget(self);
    return code;
}

int recipe_look(student_recipe *self, const target *t, flow_pool *pool,
                const recipe_request *request, flow_err *err)
{
    int code = request->no_sketch ? 0 : sketch(self, t, pool, request->options.seed, err);
    return code || self->sketched ? code : send_pilot(self, t, pool, request, err);
}
