/* pipeline/report/verdict_modes.c -- shares of known modes in the verdict: all of them in validation.json, the worst in
 * words. */
#include "flow/json.h"
#include "pipeline/report/verdict_parts.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

static const char *partition_of(const student_validation *v, size_t k)
{
    return v->partition[v->modes[k].partition].name;
}

/* NaN where the teacher could not be sampled. */
static double teacher_share(const student_validation *v, size_t k)
{
    return v->teacher_modes ? v->teacher_modes[k].share : NAN;
}

json_t *verdict_modes(const student_validation *v)
{
    json_t *list = v->n_modes ? json_array() : json_null();
    for (size_t k = 0; k < v->n_modes; k++)
        flow_json_append(&list, json_pack("{s:o, s:o, s:o, s:o, s:s}", "share",
                                          flow_json_real(v->modes[k].share), "weight",
                                          flow_json_real(v->modes[k].weight), "se",
                                          flow_json_real(v->modes[k].se), "teacher",
                                          flow_json_real(teacher_share(v, k)), "partition",
                                          partition_of(v, k)));
    return list;
}

json_t *verdict_worst_mode(const student_validation *v)
{
    const student_modes_summary *s = &v->modes_summary;
    if (v->n_modes == 0)
        return json_null();
    return json_pack("{s:s, s:I, s:o, s:o, s:o}", "partition", partition_of(v, s->worst), "mode",
                     (json_int_t)v->modes[s->worst].number, "error", flow_json_real(s->deviation),
                     "p", flow_json_real(s->p), "chance", flow_json_real(s->chance));
}

int verdict_where_worst_mode(char *out, size_t size, const student_validation *v)
{
    size_t k = v->modes_summary.worst;
    if (v->n_modes == 0)
        return 0;
    return snprintf(out, size, " (%s, mode %zu: %.4f for %.4f)", partition_of(v, k),
                    v->modes[k].number, v->modes[k].share, v->modes[k].weight);
}

/* ---- on stderr */

enum { SHORT = 4 }; /* so many, of one partition, are told one by one */

static bool is_short(const student_validation *v)
{
    return v->n_modes <= SHORT && (v->n_modes == 0 || v->modes[v->n_modes - 1].partition == 0);
}

/* "0.4324, teacher 0.4981, exact 0.5000"; out (SHARES) */
enum { SHARES = 80 };
static const char *shares_of(char *out, const student_validation *v, size_t k)
{
    double theirs = teacher_share(v, k);
    char teacher[32] = "";
    if (!isnan(theirs))
        snprintf(teacher, sizeof teacher, ", teacher %.4f", theirs);
    snprintf(out, SHARES, "%.4f%s, exact %.4f", v->modes[k].share, teacher, v->modes[k].weight);
    return out;
}

void verdict_print_modes(const student_validation *v)
{
    const student_modes_summary *s = &v->modes_summary;
    char shares[SHARES];
    for (size_t k = 0; k < v->n_modes && is_short(v); k++)
        fprintf(stderr, "  mode %-4zu share %s\n", v->modes[k].number, shares_of(shares, v, k));
    if (!is_short(v))
        fprintf(
            stderr,
            "  shares    of %zu modes; the worst, number %zu of '%s': %s; chance alone makes up "
            "to %.4f\n",
            v->n_modes, v->modes[s->worst].number, partition_of(v, s->worst),
            shares_of(shares, v, s->worst), s->chance);
}

/* ---- what a gate on them cannot know */

void verdict_warn_of_chance(json_t **list, const verdict_input *in)
{
    double chance = in->student->modes_summary.chance;
    char line[300];
    for (size_t i = 0; i < in->require->n; i++) {
        const gate *g = &in->require->at[i];
        if (g->figure != GATE_MODE_SHARE_ERROR || in->student->n_modes == 0 || g->bound >= chance)
            continue;
        snprintf(line, sizeof line,
                 "mode_share_error: the worst of %zu shares that are right is off by up to %.2g "
                 "among %zu samples, once in %.0f times by more, and the gate wants %.2g; raise "
                 "validate.samples",
                 in->student->n_modes, chance, in->samples, 1 / STUDENT_MODES_CHANCE, g->bound);
        flow_json_append(list, json_string(line));
    }
}
