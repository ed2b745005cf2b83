/* pipeline/stages/set.h -- the set of results that users of a run directory see: one of each stage, of one config, with its record. Links
 * are switched to another set only when that is whole, so what stands side by side belongs together. */
#ifndef PIPELINE_STAGES_SET_H
#define PIPELINE_STAGES_SET_H

#include "pipeline/stages/record.h"

/* Whether every stage that the config asks for has its result. */
bool set_is_whole(const plan *p);

/* Whether it is what users see already. */
bool set_is_shown(const plan *p, const rundir *record);

/* Shows it: SHA256SUMS, links, stages/current.json. Links that were of other results go; the results stay. */
int set_show(const plan *p, const rundir *record, flow_err *err);

#endif
