/* pipeline/report/verdict_tails.c -- tails in validation.json and in words. */
#include "flow/json.h"
#include "pipeline/report/verdict_parts.h"

#include <math.h>
#include <stdio.h>

static const char *const levels[STUDENT_TAIL_LEVELS] = {
    [STUDENT_TAIL_HUNDREDTH] = "hundredth",
    [STUDENT_TAIL_THOUSANDTH] = "thousandth",
    [STUDENT_TAIL_LAST] = "last rows",
    [STUDENT_TAIL_REFERENCE] = "end of the reference",
    [STUDENT_TAIL_SAMPLES] = "end of the samples"};

/* Who is held against whom. */
typedef struct sides {
    const char *own, *ref;
    const char *const *names;
} sides;

static json_t *level_names(void)
{
    json_t *list = json_array();
    for (int i = 0; i < STUDENT_TAIL_LEVELS; i++)
        flow_json_append(&list, json_string(levels[i]));
    return list;
}

static json_t *count_of(size_t count, const student_tail_count *c)
{
    return isnan(c->beyond) ? json_null() : json_integer((json_int_t)count);
}

/* Lists in the order of levels, null of those that were not looked at. */
static json_t *side_json(const student_tail *tail, const sides *who)
{
    json_t *beyond = json_array(), *own = json_array(), *ref = json_array(), *off = json_array();
    for (int i = 0; i < STUDENT_TAIL_LEVELS; i++) {
        const student_tail_count *c = &tail->level[i];
        flow_json_append(&beyond, flow_json_real(c->beyond));
        flow_json_append(&own, count_of(c->samples, c));
        flow_json_append(&ref, count_of(c->reference, c));
        flow_json_append(&off, flow_json_real(c->off));
    }
    json_t *farthest = json_pack("{s:o, s:o}", who->own, flow_json_real(tail->samples), who->ref,
                                 flow_json_real(tail->reference));
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "farthest", farthest, "beyond", beyond, who->own,
                     own, who->ref, ref, "off", off);
}

static json_t *columns_json(const student_tails *of, const sides *who)
{
    json_t *list = json_array();
    for (size_t j = 0; j < of->dim; j++)
        flow_json_append(&list, json_pack("{s:s, s:o, s:o}", "name", who->names[j], "below",
                                          side_json(&of->side[j][0], who), "above",
                                          side_json(&of->side[j][1], who)));
    return list;
}

static const student_tail *worst_tail(const student_tails *of)
{
    return &of->side[of->column][of->above];
}

static json_t *worst_json(const student_tails *of, const sides *who)
{
    const student_tail_count *c = &worst_tail(of)->level[of->level];
    if (!(of->off > 1))
        return json_null();
    return json_pack("{s:s, s:s, s:s, s:o, s:I, s:I, s:o}", "column", who->names[of->column],
                     "side", of->above ? "above" : "below", "level", levels[of->level], "beyond",
                     flow_json_real(c->beyond), who->own, (json_int_t)c->samples, who->ref,
                     (json_int_t)c->reference, "off", flow_json_real(c->off));
}

json_t *verdict_tails(const student_tails *of, const char *own, const char *ref,
                      const char *const *names)
{
    const sides who = {own, ref, names};
    if (of->dim == 0)
        return json_null();
    json_t *rows =
        json_pack("{s:I, s:I}", own, (json_int_t)of->samples, ref, (json_int_t)of->reference);
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "off", flow_json_real(of->off), "rows", rows,
                     "worst", worst_json(of, &who), "levels", level_names(), "columns",
                     columns_json(of, &who));
}

int verdict_where_tails(char *out, size_t size, const student_tails *of, const char *ref,
                        const char *const *names)
{
    const student_tail *tail = worst_tail(of);
    const student_tail_count *c = &tail->level[of->level];
    return snprintf(out, size,
                    " (column %.60s, %s %.4g: %zu of %zu samples, %zu of %zu %s; the farthest %.4g "
                    "and %.4g)",
                    names[of->column], of->above ? "above" : "below", c->beyond, c->samples,
                    of->samples, c->reference, of->reference, ref, tail->samples, tail->reference);
}
