#include "tests/common/bases.h"
#include "flow/circles.h"
#include "tests/common/backends.h"
#include "tests/common/examples.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static const char *const examples[] = {
    "{\"kind\": \"normal\", \"learn\": false}",
    "{\"kind\": \"normal\", \"learn\": true}",
    "{\"kind\": \"uniform\", \"low\": -1.3, \"high\": 2.1}",
    "{\"kind\": \"student_t\", \"dof\": 3.7, \"learn\": false}",
    "{\"kind\": \"student_t\", \"dof\": 5.3, \"learn\": true}",
    "{\"kind\": \"mixture\", \"components\": 3, \"weights\": \"learned\", \"spread\": 1.7}",
    "{\"kind\": \"mixture\", \"components\": 2, \"weights\": \"equal\", \"spread\": 0.5}",
    "{\"kind\": \"mixture\", \"components\": 1, \"weights\": \"equal\", \"spread\": 0.5}",
    "{\"kind\": \"circular\", \"circles\": [0], \"others\": {\"kind\": \"student_t\", \"dof\": "
    "5.5, "
    "\"learn\": true}}",
};

size_t base_count(void)
{
    return sizeof examples / sizeof examples[0];
}

const char *base_text(size_t example)
{
    return examples[example];
}

json_t *base_example(size_t example)
{
    json_t *out = json_loads(examples[example], 0, NULL);
    cr_assert(out, "%s is not JSON", examples[example]);
    return out;
}

json_t *base_complete(const char *text, flow_err *err)
{
    json_t *given = json_loads(text, 0, NULL);
    cr_assert(given, "%s is not JSON", text);
    json_t *out = flow_kind_complete(&flow_bases, given, err);
    json_decref(given);
    return out;
}

const char *base_missing(void)
{
    for (size_t k = 0; flow_base_kinds[k]; k++) {
        size_t found = 0;
        for (size_t e = 0; e < base_count(); e++) {
            json_t *d = base_example(e);
            found += strcmp(json_string_value(json_object_get(d, "kind")),
                            flow_base_kinds[k]->kind.name) == 0;
            json_decref(d);
        }
        if (!found)
            return flow_base_kinds[k]->kind.name;
    }
    return NULL;
}

/* Layers leave circles to the description: column 0 of the data is on one, if the base has any. */
static void put_base(json_t *description, json_t *base, int layers)
{
    json_t *circles = json_object_get(base, "circles");
    unsigned char on_circle[17] = {1};
    if (layers && circles) {
        json_object_set(description, "base", json_object_get(base, "others"));
        cr_assert_eq(flow_circles_put(description, on_circle, NULL), 0);
    } else {
        json_object_set(description, "base", base);
    }
    json_decref(base);
}

flow *flow_on_base(const flow_backend *backend, size_t example, size_t dim, size_t layers,
                   flow_direction direction)
{
    static const size_t hidden[] = {7};
    flow_err err = FLOW_ERR_INIT;
    flow_spec spec = {.dim = dim,
                      .direction = direction,
                      .layers = layers,
                      .hidden = hidden,
                      .n_hidden = 1,
                      .activation = "silu",
                      .transformer = "affine",
                      .scale_bound = 2.1,
                      .permute = FLOW_REVERSE,
                      .lu = 1};
    json_t *description = layers
                              ? flow_spec_describe(&spec, &err)
                              : describe_one(dim, 0, flow_direction_name(direction), json_array());
    put_base(description, base_example(example), layers > 0);
    flow *f = flow_create_on(backend, description, SIZE_MAX, &err);
    cr_assert(f, "%s: %s", base_text(example), err.text);
    json_decref(description);
    randomise_parameters(f, 0.55, 31 + example);
    return f;
}

/* One turn of each circle. */
void base_log_prob(const base_case *c, double *logp, const double *z, size_t n)
{
    flow_base_log_prob(c->flow, NULL, logp, z, n);
    for (size_t i = 0; i < n * c->dim; i++)
        if (base_on_circle(c, i % c->dim) && fabs(z[i]) > acos(-1))
            logp[i / c->dim] = -INFINITY;
}

int base_on_circle(const base_case *c, size_t i)
{
    return c->base->on_circle && c->base->on_circle[i];
}

base_view base_theta(const flow *f)
{
    return base_params(f, NULL);
}

const size_t base_dims[3] = {1, 2, 17};

base_case base_open(size_t example, size_t dim)
{
    flow *f = flow_on_base(first_f64_backend(), example, dim, 0, FLOW_NOISE_TO_DATA);
    return (base_case){.flow = f, .base = f->base, .example = example, .dim = dim};
}
