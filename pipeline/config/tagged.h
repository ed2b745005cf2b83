/* pipeline/config/tagged.h -- sections that offer a choice: `kind` picks a kind of a registry
 * (flow/kind.h), the other keys are that kind's own.
 *
 *   flow: {kind: maf, layers: 5, transformer: {kind: spline, bins: 8}, hidden: [64, 64]}
 *
 * A choice within such a section may be a word, a mapping, or, where its key is FLOW_KEY_FLAT, a word
 * with its keys beside it. Which keys are allowed hangs on words that a later source may change: so
 * the pairs of all sources are gathered first, a later one taking the place of an earlier one of the
 * same name, and read at the end. */
#ifndef PIPELINE_CONFIG_TAGGED_H
#define PIPELINE_CONFIG_TAGGED_H

#include "flow/kind.h"
#include "pipeline/config/walk.h"

/* One pair as it was given. Nodes and sources must live until it is read. */
typedef struct tagged_pair {
    char *path; /* as a user would say it: "teacher.flow.bins" */
    char *name; /* within the section: "bins", or, from --set, "transformer.bins" */
    place at;   /* of the name */
    value_source from;
    const yaml_node_t *node;
    bool used;
} tagged_pair;

typedef struct tagged {
    size_t n, capacity;
    tagged_pair *pairs;
    place at; /* of the section as a whole */
} tagged;

void tagged_release(tagged *self);

/* Adds a pair of the section at `path`, or replaces the one of that name; node NULL: takes it out, with
 * what is below it. False: no memory. */
bool tagged_put(tagged *self, const char *path, const char *name, place at,
                const value_source *from, const yaml_node_t *node);

/* The section at path as a complete object of key->kinds: a new reference, NULL after complaints. */
json_t *tagged_read(tagged *self, const flow_key *key, const char *path, complaints *out);

/* Whether some kind of the registry has, or takes from a FLAT choice, a key of this name. */
bool tagged_has(const flow_registry *registry, const char *name);

#endif
