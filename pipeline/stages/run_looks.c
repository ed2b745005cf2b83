/* pipeline/stages/run_looks.c -- verbs that look at what a run would do, and do nothing. */
#include "pipeline/stages/run.h"

#include "pipeline/console/exit.h"
#include "pipeline/console/foreign.h"
#include "pipeline/console/json_print.h"
#include "pipeline/stages/flows.h"
#include "pipeline/stages/opening.h"

#include <stdio.h>

int plan_verb(const run_options *options)
{
    int status;
    flow_err err = FLOW_ERR_INIT;
    opening at;
    if (!opening_load(&at, &status, options))
        return status;
    int code = opening_look(&at, options, &err);
    json_t *list = !code && options->json ? plan_json(&at.plan) : NULL;
    if (!code && options->json)
        code = json_print(list, &err);
    else if (!code)
        plan_print(&at.plan);
    status = code ? exit_fail(&err) : EXIT_GOOD;
    json_decref(list);
    opening_end(&at);
    return status;
}

int check_verb(const run_options *options)
{
    int status;
    flow_err err = FLOW_ERR_INIT;
    const char *backend;
    opening at;
    foreign_begin();
    if (opening_load(&at, &status, options))
        status = flows_check(&backend, at.config, &err) ? exit_fail(&err) : EXIT_GOOD;
    if (status == EXIT_GOOD)
        fprintf(stderr, "%s: ok\n", options->sources.file);
    foreign_end();
    opening_end(&at);
    return status;
}
