/* The registry of objectives, and what each of them must keep: bits, saved states, refusals. */
#include "student/objective.h"
#include "tests/common/distilling.h"
#include "tests/common/gaussian.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static json_t *description_of(const objective_kind *kind)
{
    json_t *out = json_loads(kind->example, 0, NULL);
    cr_assert(out, "%s: its example is no JSON", kind->kind.name);
    return out;
}

Test(objective, registry)
{
    size_t n = 0;
    for (const objective_kind *kind; (kind = objective_kinds[n]); n++) {
        json_t *description = description_of(kind);
        distill_options o = distilling_options();
        objective_terms terms;
        flow_err err = FLOW_ERR_INIT;
        cr_assert(*kind->kind.name && *kind->kind.doc && kind->unused);
        cr_assert_eq(objective_kind_of(description), kind);
        o.objective = description;
        cr_assert_eq(objective_make_terms(&terms, &o, 40, &err), 0, "%s", err.text);
        cr_assert(terms.n > 0 && terms.n <= OBJECTIVE_MOST);
        for (size_t k = 0; k < terms.n; k++) {
            const term_ops *t = terms.at[k]->ops;
            cr_assert(*t->name && *t->doc && *t->remedy && t->needs && t->free && t->weight &&
                      t->shard && t->report);
            cr_assert(terms.at[k]->until > terms.at[k]->from, "%s is never on", t->name);
        }
        objective_free_terms(&terms);
        json_decref(description);
    }
    cr_assert(n >= 2);
    cr_assert_eq(objective_kind_of(NULL), objective_kinds[0]);
    cr_assert_str_eq(objective_kinds[0]->kind.name, "kl");
}

Test(objective, a_wrong_key_is_named)
{
    static const struct {
        const char *json, *word;
    } cases[] = {{"{\"kind\": \"mass_transport\", \"trust\": 0}", "trust"},
                 {"{\"kind\": \"mass_transport\", \"trusts\": 1}", "trusts"},
                 {"{\"kind\": \"mass_transports\"}", "mass_transport"},
                 {"{\"kind\": \"mass_transport\", \"start\": 0.5, \"polish\": 0.5}", "start"},
                 {"{\"kind\": \"importance\", \"alpha\": 3}", "alpha"},
                 {"{\"kind\": \"kl\", \"buffer\": 1}", "buffer"}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        gaussian g;
        gaussian_init(&g, 2, lower2, mean2);
        json_t *objective = json_loads(cases[k].json, 0, NULL);
        distilling r = {.teacher = &g.base, .options = distilling_options()};
        r.student = student_iaf(&g.base, FLOW_F32);
        r.options.objective = objective;
        cr_assert_eq(distilling_run(&r), FLOW_ECONFIG, "%s", cases[k].json);
        cr_assert(strstr(r.err.text, cases[k].word), "%s", r.err.text);
        flow_free(r.student);
        json_decref(objective);
    }
}
