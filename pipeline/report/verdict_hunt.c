/* pipeline/report/verdict_hunt.c -- what was hunted for, and found, in validation.json and on stderr. */
#include "flow/json.h"
#include "pipeline/report/verdict_parts.h"

#include <stdio.h>

enum { PLACE = 160 };

static json_t *columns(const hunt_region *r, const char *const *names)
{
    json_t *out = json_array();
    for (size_t i = 0; i < r->n_columns; i++)
        flow_json_append(&out, json_pack("{s:s, s:o, s:o}", "column", names[r->columns[i].column],
                                         "value", flow_json_real(r->columns[i].value), "distance",
                                         flow_json_real(r->columns[i].distance)));
    return out;
}

static json_t *regions(const student_hunt *h, const char *const *names)
{
    json_t *out = json_array();
    for (size_t k = 0; k < h->n_regions; k++) {
        const hunt_region *r = &h->regions[k];
        flow_json_append(&out, json_pack("{s:o, s:I, s:o, s:o}", "mass", verdict_estimate(r->mass),
                                         "rows", (json_int_t)r->rows, "nats",
                                         flow_json_real(r->nats), "columns", columns(r, names)));
    }
    return out;
}

json_t *verdict_hunt(const student_hunt *h, const char *const *names)
{
    if (h->rows == 0)
        return json_null();
    return json_pack("{s:o, s:o, s:b, s:I, s:I, s:o, s:o, s:o, s:I, s:I, s:o}", "least",
                     flow_json_real(student_hunt_least(h)), "mass", verdict_estimate(h->mass),
                     "weighed", (int)h->weighed, "rows", (json_int_t)h->rows, "missed",
                     (json_int_t)h->missed, "ess", flow_json_real(h->ess), "khat",
                     flow_json_real(h->khat), "log_z", flow_json_real(h->log_z), "pieces",
                     (json_int_t)h->pieces, "evaluations", (json_int_t)h->evaluations, "regions",
                     regions(h, names));
}

/* ---- in words */

/* "tau = 0.1 (-3 sd), mu = 2 (+1 sd)" */
static void put_place(char out[PLACE], const hunt_region *r, const char *const *names)
{
    size_t used = 0;
    *out = '\0';
    for (size_t i = 0; i < r->n_columns && used < PLACE; i++)
        used += (size_t)snprintf(out + used, PLACE - used, "%s%.24s = %.3g (%+.2g sd)",
                                 i ? ", " : "", names[r->columns[i].column], r->columns[i].value,
                                 r->columns[i].distance);
}

int verdict_where_missed(char *out, size_t size, const student_hunt *h, const char *const *names)
{
    char where[PLACE] = "";
    if (h->n_regions)
        put_place(where, &h->regions[0], names);
    return h->n_regions
               ? snprintf(out, size, " (about %.2g of it, most at %s)", h->mass.value, where)
               : snprintf(out, size, "%s", where);
}

static void print_found(FILE *to, const student_hunt *h, const char *const *names)
{
    fprintf(to,
            "  hunt      %.3g +- %.1g of the probability is missed (%s), at least %.3g; %zu of %zu "
            "rows of the chains\n",
            h->mass.value, h->mass.se, h->weighed ? "weighed" : "counted", student_hunt_least(h),
            h->missed, h->rows);
    for (size_t k = 0; k < h->n_regions && student_hunt_least(h) > 0; k++) {
        char where[PLACE];
        put_place(where, &h->regions[k], names);
        fprintf(to, "            %.3g +- %.1g at %s, short by %.2g nats\n",
                h->regions[k].mass.value, h->regions[k].mass.se, where, h->regions[k].nats);
    }
}

void verdict_print_hunt(FILE *to, const student_hunt *h, const char *const *names)
{
    if (h->mass.value > 0)
        print_found(to, h, names);
    else
        fprintf(to,
                "  hunt      nothing that the student misses was found, at %zu rows of chains, "
                "from its edge and from afar\n",
                h->rows);
}
