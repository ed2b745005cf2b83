/* flow/units_json.c -- units as JSON: what a model file holds of them. */
#include "flow/circle.h"
#include "flow/json.h"
#include "flow/units.h"
#include "flow/units_points.h"

#include <math.h>
#include <string.h>

/* ---- the keys of a column, which are also those of what lies in it */

typedef struct number_key {
    const char *name;
    size_t offset; /* of a double in flow_unit */
} number_key;

#define NUMBER(FIELD)                                                                              \
    {                                                                                              \
#FIELD, offsetof(flow_unit, FIELD)                                                         \
    }

enum { MOST = 3 };

/* An object of numbers within the object of a column; for `plain` ones the number itself. */
typedef struct piece {
    const char *name;
    bool plain;
    number_key keys[MOST + 1];
} piece;

enum {
    PIECE_LOGIT,
    PIECE_ABOVE,
    PIECE_BELOW,
    PIECE_SOFT,
    PIECE_EDGE,
    PIECE_STEP,
    PIECE_CIRCLE,
    PIECE_ANGLE,
    PIECE_STRETCH,
    PIECES
};

static const piece pieces[PIECES] = {
    [PIECE_LOGIT] = {"logit", false, {NUMBER(lo), NUMBER(hi), NUMBER(alpha)}},
    [PIECE_ABOVE] = {"above", true, {NUMBER(lo)}},
    [PIECE_BELOW] = {"below", true, {NUMBER(hi)}},
    [PIECE_SOFT] = {"softplus", true, {NUMBER(soft)}},
    [PIECE_EDGE] = {"edge", true, {NUMBER(edge)}},
    [PIECE_STEP] = {"step", true, {NUMBER(step)}},
    [PIECE_CIRCLE] = {"circle", false, {NUMBER(period), NUMBER(cut), NUMBER(start)}},
    [PIECE_ANGLE] = {"angle", false, {NUMBER(period), NUMBER(cut), NUMBER(start)}},
    [PIECE_STRETCH] = {"stretch", true, {NUMBER(stretch)}},
};

static bool has_piece(const flow_unit *unit, size_t which)
{
    switch (which) {
    case PIECE_LOGIT:
        return unit->support == FLOW_BETWEEN;
    case PIECE_ABOVE:
        return unit->support == FLOW_ABOVE;
    case PIECE_BELOW:
        return unit->support == FLOW_BELOW;
    case PIECE_SOFT:
        return unit->soft > 0;
    case PIECE_EDGE:
        return unit->edge > 0;
    case PIECE_STEP:
        return unit->step > 0;
    case PIECE_CIRCLE:
        return unit->period > 0 && unit->wrapped;
    case PIECE_STRETCH:
        return unit->stretch > 0;
    default:
        return flow_unit_is_angle(unit);
    }
}

/* ---- writing */

static double number_of(const flow_unit *unit, const number_key *key)
{
    double value;
    memcpy(&value, (const char *)unit + key->offset, sizeof value);
    return value;
}

static json_t *piece_to_json(const flow_unit *unit, const piece *what)
{
    if (what->plain)
        return json_real(number_of(unit, what->keys));
    json_t *out = json_object();
    for (const number_key *key = what->keys; key->name; key++)
        flow_json_set(&out, key->name, json_real(number_of(unit, key)));
    return out;
}

static json_t *unit_to_json(const flow_unit *unit)
{
    json_t *out = json_object();
    flow_json_set(&out, "shift", json_real(unit->shift));
    flow_json_set(&out, "scale", json_real(unit->scale));
    for (size_t i = 0; i < PIECES; i++)
        if (has_piece(unit, i))
            flow_json_set(&out, pieces[i].name, piece_to_json(unit, &pieces[i]));
    return out;
}

json_t *flow_units_to_json(const flow_units *self)
{
    json_t *columns = json_array(), *out = json_object();
    for (size_t col = 0; col < self->dim; col++)
        flow_json_append(&columns, unit_to_json(&self->column[col]));
    flow_json_set(&out, "columns", columns);
    return out;
}

/* ---- reading */

/* json is a number: into the field. */
static bool take_number(flow_unit *unit, const number_key *key, const json_t *json)
{
    double value = json_number_value(json);
    memcpy((char *)unit + key->offset, &value, sizeof value);
    return json_is_number(json);
}

/* Of an object the keys are exactly those of the piece. */
static bool take_piece(flow_unit *unit, const piece *what, const json_t *json)
{
    if (what->plain)
        return take_number(unit, what->keys, json);
    size_t n = 0;
    for (; what->keys[n].name; n++)
        if (!take_number(unit, &what->keys[n], json_object_get(json, what->keys[n].name)))
            return false;
    return json_object_size(json) == n;
}

static int fail_piece(const piece *what, size_t col, flow_err *err)
{
    if (what->plain)
        return flow_fail(err, FLOW_EDATA, "units: column %zu: '%s' wants a number", col,
                         what->name);
    return flow_fail(err, FLOW_EDATA, "units: column %zu: '%s' wants the numbers %s, %s and %s",
                     col, what->name, what->keys[0].name, what->keys[1].name, what->keys[2].name);
}

static int check_logit(const flow_unit *unit, size_t col, flow_err *err)
{
    if (!(unit->lo < unit->hi) || !isfinite(unit->hi - unit->lo))
        return flow_fail(err, FLOW_EDATA, "units: column %zu: logit.lo %g is not below logit.hi %g",
                         col, unit->lo, unit->hi);
    if (!(unit->alpha >= 0 && unit->alpha < 0.5))
        return flow_fail(err, FLOW_EDATA, "units: column %zu: logit.alpha %g is not in [0, 0.5)",
                         col, unit->alpha);
    return FLOW_OK;
}

/* An angle in the flow is one of radians. */
static int check_period(const flow_unit *unit, size_t col, flow_err *err)
{
    double turn = 2 * FLOW_PI * unit->scale;
    if (!(unit->period > 0))
        return flow_fail(err, FLOW_EDATA, "units: column %zu: %s.period %g is not positive", col,
                         unit->wrapped ? "circle" : "angle", unit->period);
    if (!unit->wrapped && !(fabs(turn - unit->period) <= 1e-9 * unit->period))
        return flow_fail(err, FLOW_EDATA,
                         "units: column %zu: scale %g is not that of an angle of period %g", col,
                         unit->scale, unit->period);
    return FLOW_OK;
}

/* Numbers of JSON are finite. */
static int check_unit(const flow_unit *unit, unsigned found, size_t col, flow_err *err)
{
    unsigned maps = found & (1u << PIECE_LOGIT | 1u << PIECE_ABOVE | 1u << PIECE_BELOW |
                             1u << PIECE_CIRCLE | 1u << PIECE_ANGLE);
    if (!(unit->scale > 0))
        return flow_fail(err, FLOW_EDATA, "units: column %zu: scale %g is not positive", col,
                         unit->scale);
    if (maps & (maps - 1))
        return flow_fail(err, FLOW_EDATA,
                         "units: column %zu: logit, above, below, circle and angle exclude each "
                         "other",
                         col);
    if (found & 1u << PIECE_SOFT &&
        !(unit->soft > 0 && found & (1u << PIECE_ABOVE | 1u << PIECE_BELOW)))
        return flow_fail(err, FLOW_EDATA,
                         "units: column %zu: softplus %g is not positive, or not of above or below",
                         col, unit->soft);
    if (unit->edge < 0)
        return flow_fail(err, FLOW_EDATA, "units: column %zu: edge %g is negative", col,
                         unit->edge);
    if (found & 1u << PIECE_STEP && !(unit->step > 0))
        return flow_fail(err, FLOW_EDATA, "units: column %zu: step %g is not positive", col,
                         unit->step);
    if (found & 1u << PIECE_STRETCH && !(unit->stretch > 0 && found & 1u << PIECE_ANGLE))
        return flow_fail(err, FLOW_EDATA,
                         "units: column %zu: stretch %g is not positive, or not of an angle", col,
                         unit->stretch);
    if (found & (1u << PIECE_CIRCLE | 1u << PIECE_ANGLE))
        return check_period(unit, col, err);
    return unit->support == FLOW_BETWEEN ? check_logit(unit, col, err) : FLOW_OK;
}

static flow_support support_of(unsigned found)
{
    return found & 1u << PIECE_LOGIT   ? FLOW_BETWEEN
           : found & 1u << PIECE_ABOVE ? FLOW_ABOVE
           : found & 1u << PIECE_BELOW ? FLOW_BELOW
                                       : FLOW_LINE;
}

static int unit_from_json(flow_unit *unit, const json_t *json, size_t col, flow_err *err)
{
    static const number_key shift = NUMBER(shift), scale = NUMBER(scale);
    unsigned found = 0;
    size_t n = 2;
    for (size_t i = 0; i < PIECES; i++) {
        const json_t *value = json_object_get(json, pieces[i].name);
        if (value && !take_piece(unit, &pieces[i], value))
            return fail_piece(&pieces[i], col, err);
        found |= value ? 1u << i : 0;
        n += value != NULL;
    }
    unit->support = support_of(found);
    unit->wrapped = found & 1u << PIECE_CIRCLE;
    if (!take_number(unit, &shift, json_object_get(json, "shift")) ||
        !take_number(unit, &scale, json_object_get(json, "scale")) || json_object_size(json) != n)
        return flow_fail(err, FLOW_EDATA,
                         "units: column %zu wants the numbers shift and scale, perhaps logit, "
                         "above, below, softplus, edge, step, circle, angle, stretch",
                         col);
    return check_unit(unit, found, col, err);
}

flow_units *flow_units_from_json(const json_t *json, flow_err *err)
{
    const json_t *columns = json_object_get(json, "columns");
    if (!json_is_array(columns) || json_object_size(json) != 1) {
        flow_fail(err, FLOW_EDATA, "units: wanted an object with one key, the list 'columns'");
        return NULL;
    }
    flow_units *self = flow_units_create(json_array_size(columns), err);
    int code = FLOW_OK;
    for (size_t col = 0; self && !code && col < self->dim; col++)
        code = unit_from_json(&self->column[col], json_array_get(columns, col), col, err);
    if (self && !code)
        code = flow_units_check_periods(self, err);
    if (!code)
        return self;
    flow_units_free(self);
    return NULL;
}
