#include "pipeline/stages/kept.h"

#include "flow/json.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const size_t sizes[] = {[KEPT_REAL] = sizeof(double),
                               [KEPT_WHOLE] = sizeof(uint64_t),
                               [KEPT_INT] = sizeof(int),
                               [KEPT_BOOL] = sizeof(bool)};

/* ---- out */

static json_t *real_json(double x)
{
    if (isfinite(x))
        return json_real(x);
    return json_string(isnan(x) ? "nan" : x > 0 ? "inf" : "-inf");
}

static json_t *number_json(kept_type type, const void *at)
{
    switch (type) {
    case KEPT_REAL:
        return real_json(*(const double *)at);
    case KEPT_WHOLE:
        return json_integer((json_int_t) * (const uint64_t *)at);
    case KEPT_INT:
        return json_integer(*(const int *)at);
    default:
        return json_boolean(*(const bool *)at);
    }
}

static json_t *field_list(const kept_field *field, const char *at)
{
    json_t *out = json_array();
    for (size_t i = 0; i < field->n; i++)
        flow_json_append(&out, number_json(field->type, at + i * sizes[field->type]));
    return out;
}

json_t *kept_json(const kept_field *fields, const void *from)
{
    json_t *out = json_object();
    for (const kept_field *f = fields; f->name; f++) {
        const char *at = (const char *)from + f->offset;
        flow_json_set(&out, f->name, f->n ? field_list(f, at) : number_json(f->type, at));
    }
    return out;
}

/* ---- in */

static bool read_real(double *out, const json_t *json)
{
    const char *word = json_string_value(json);
    *out = !word                       ? json_number_value(json)
           : strcmp(word, "nan") == 0  ? NAN
           : strcmp(word, "-inf") == 0 ? -INFINITY
                                       : INFINITY;
    return json_is_number(json) || (word && (isnan(*out) || *out < 0 || strcmp(word, "inf") == 0));
}

static bool read_number(void *at, kept_type type, const json_t *json)
{
    json_int_t whole = json_integer_value(json);
    if (type == KEPT_REAL)
        return read_real(at, json);
    if (type == KEPT_BOOL)
        *(bool *)at = json_is_true(json);
    else if (type == KEPT_INT)
        *(int *)at = (int)whole;
    else
        *(uint64_t *)at = (uint64_t)whole;
    return type == KEPT_BOOL ? json_is_boolean(json) : json_is_integer(json);
}

static bool read_field(char *at, const kept_field *field, const json_t *json)
{
    bool good = json && (!field->n || json_array_size(json) == field->n);
    if (!field->n)
        return good && read_number(at, field->type, json);
    for (size_t i = 0; i < field->n && good; i++)
        good = read_number(at + i * sizes[field->type], field->type, json_array_get(json, i));
    return good;
}

int kept_read(void *into, const kept_field *fields, const json_t *json, flow_err *err)
{
    for (const kept_field *f = fields; f->name; f++)
        if (!read_field((char *)into + f->offset, f, json_object_get(json, f->name)))
            return flow_fail(err, FLOW_EDATA, "'%s' is not there, or not a number", f->name);
    return 0;
}
