/* pipeline/config/complete.h -- a configuration that a program wrote, resolved.json: it has every key, and null for those without
 * a value. What is there as it would be anyway was not given, so that rules on what is useless beside what do not hold it
 * against it. */
#ifndef PIPELINE_CONFIG_COMPLETE_H
#define PIPELINE_CONFIG_COMPLETE_H

#include "pipeline/config/rules.h"
#include "pipeline/config/tagged.h"

/* Whether a file is one, by its ending. */
bool complete_is(const char *file);

/* The row with its default as it is in this config: most targets, which stand above student.flow in the table, are no network that
 * a student could start as. */
flow_key complete_row(const config *c, const flow_key *row);

/* keys, sections (schema_n_keys): those that are as by default become ones that were not given. But for the seed and
 * student.flow, of which it matters that somebody said them. */
void complete_unsay(const config *c, given *keys, tagged *sections, complaints *out);

#endif
