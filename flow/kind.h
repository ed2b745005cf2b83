/* flow/kind.h -- kinds and their registries, and the objects that say which kind and with what numbers.
 *
 * A registry is a list of kinds of one sort. Everything that must know all of them walks it: YAML,
 * `explain`, descriptions, tests. */
#ifndef FLOW_KIND_H
#define FLOW_KIND_H

#include "flow/key.h"
#include "flow/pcg.h"

/* Where a description is being settled: what a kind may need to know of its surroundings. */
typedef struct flow_place {
    size_t dim, context;
    pcg_stream stream; /* of random orders */
    uint64_t row;      /* of that stream: the next one that is free */
    const unsigned char
        *circles; /* (dim) 1 where a column of the data is on a circle; NULL: none */
} flow_place;

typedef struct flow_kind {
    const char *name, *doc;
    const flow_key *keys; /* ends in a NULL name */
    size_t size;          /* of the options that they point into */
    /* Fills in what follows from the keys' values. Optional (NULL: nothing does). */
    void (*derive)(void *options);
    /* What no single key can say. Returns NULL, or the name of the key to blame with the reason in
     * why (size bytes). Optional (NULL: nothing). */
    const char *(*conflict)(char *why, size_t size, const void *options);
    /* Turns what depends on the surroundings into numbers: an object, changed in place. Optional. */
    int (*settle)(json_t *object, flow_place *place, flow_err *err);
    /* Of a layer: an object, complete and settled, becomes one that takes coordinates with circle[i] (dim) = 1 to be
     * on circles, and circle, of its inputs, becomes that of its outputs; with back the other way round.
     * Optional (NULL: it cannot). */
    int (*circle)(json_t *object, unsigned char *circle, size_t dim, int back, flow_err *err);
    const char *implied_by; /* names a key that, given as its type asks, tells this kind without its
                               name; NULL: none does */
} flow_kind;

struct flow_registry {
    const char *what;                     /* "transformer": for messages and for `explain` */
    const flow_kind *(*at)(size_t index); /* NULL past the end */
};

/* The registries of this floor, whatever the precision and the instruction set. */
extern const flow_registry flow_layers, flow_transformers, flow_conditioners, flow_activations,
    flow_bases;

/* The kind of that name, or NULL. */
const flow_kind *flow_kind_find(const flow_registry *registry, const char *name);

/* ---- objects and options. `object` is a JSON object with exactly the keys of the list, and "kind". */

/* Reads the object into options, which the keys point into. KIND, KINDS and ORDER are borrowed from
 * the object. Every key must be there, unless it has no default and may be left out (the field is
 * then as field_clear leaves it) or its condition `only` cannot hold. FLOW_ECONFIG names the key
 * ("bins wants a whole number 2 .. 64, got 1"). OWN keys are passed over. */
int flow_keys_read(void *options, const flow_key *keys, const json_t *object, flow_err *err);

/* New options of a kind, read from its object, derived and free of conflicts: free() them. NULL, with
 * FLOW_ECONFIG or FLOW_ENOMEM; the message begins with the kind's name. */
void *flow_kind_read(const flow_kind *kind, const json_t *object, flow_err *err);

/* Sets every key in object from options, but for OWN, KIND and KINDS ones, which the caller adds. Non-zero: no memory. */
int flow_keys_write(json_t *object, const flow_key *keys, const void *options);

/* {"kind": name, ...} from options: a new reference, NULL if memory is out. */
json_t *flow_kind_write(const flow_kind *kind, const void *options);

/* Whether a key given, as a list or not, tells the kind without its name. */
bool flow_kind_implied(const flow_kind *kind, const char *key, bool list);

/* The kind that a tagged object names. NULL, with FLOW_ECONFIG and a suggestion in *err. */
const flow_kind *flow_kind_of(const flow_registry *registry, const json_t *object, flow_err *err);

/* Fills what is missing with defaults, at every depth; a kind's name alone becomes its object. A new
 * reference. FLOW_ECONFIG: a key that is not there, a kind that is not. */
json_t *flow_kind_complete(const flow_registry *registry, const json_t *object, flow_err *err);

#endif
