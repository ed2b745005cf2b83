/* flow/key.h -- the keys that a kind owns: what may be said about it, once.
 *
 * A layer, a transformer, a conditioner, a base, a preset of a flow: each is a kind, and each kind has one
 * list of keys. The same list is walked by the YAML reader, `check`, `explain`, the description in a
 * model file and the kind's own reader, so a limit, a default or a word has one home. Where there
 * is a choice stands a tagged object, {"kind": "spline", "bins": 8, ...}: the kind's name and the
 * keys of that kind, no others. Numbers of a kind are kept in its options, a struct that the keys
 * point into (kind.h).
 *
 * The library is for machines of 64 bits: whole numbers are uint64_t or size_t alike. */
#ifndef FLOW_KEY_H
#define FLOW_KEY_H

#include "flow/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum flow_key_type {
    FLOW_KEY_BOOL,   /* bool: true or false */
    FLOW_KEY_WHOLE,  /* uint64_t: 12, 2e5; at most 2^63 - 1 */
    FLOW_KEY_REAL,   /* double: 1e-4, .5, 3; finite */
    FLOW_KEY_TEXT,   /* const char *: any text; min and max bound its length in bytes */
    FLOW_KEY_WORD,   /* int or an enum of that size: the value of one of `words` */
    FLOW_KEY_WHOLES, /* flow_wholes: a list; min and max bound each number, n_min and n_max the
                        list */
    FLOW_KEY_ORDER,  /* const json_t *: a list of whole numbers of any length */
    FLOW_KEY_REALS, /* const json_t *: a list of numbers; one alone is a list of one. min and max bound each, n_min
                        and n_max the list */
    FLOW_KEY_NAMES, /* flow_names: a list of texts; numbers are kept as written. With `items`, also a
                        mapping of names to objects of those keys, which whoever has them keeps */
    FLOW_KEY_KIND,  /* const json_t *: a tagged object of `kinds`, or only the kind's name */
    FLOW_KEY_KINDS, /* const json_t *: a list of such objects */
    FLOW_KEY_OWN    /* of whoever made the list: it reads and writes the key itself */
} flow_key_type;

enum flow_key_flag {
    FLOW_KEY_REQUIRED = 1, /* there is no default: it must be given */
    FLOW_KEY_AUTO = 2,     /* the word "auto" is accepted: stored as 0, NAN, NULL or -1 */
    FLOW_KEY_OPEN_MIN = 4, /* min itself is out of range */
    FLOW_KEY_OPEN_MAX = 8, /* max itself is out of range */
    FLOW_KEY_FILE = 16,    /* a path, relative to the file that gives it (to the working directory
                              if the command line gives it); stored ready for fopen */
    FLOW_KEY_NAME = 32,    /* a text of A-Z a-z 0-9 . _ - that does not start with '.' or '-' */
    FLOW_KEY_FLAT = 64     /* a KIND: in YAML the chosen kind's keys may also stand beside it */
};

typedef struct flow_word {
    const char *name; /* NULL ends a list */
    int value;
    const char *doc; /* one line */
} flow_word;

typedef struct flow_registry flow_registry;
typedef struct flow_key flow_key;

struct flow_key {
    const char *name; /* NULL ends a list */
    flow_key_type type;
    unsigned flags;             /* of flow_key_flag */
    size_t offset;              /* into the options */
    double min, max;            /* -INFINITY, INFINITY: no bound */
    size_t n_min, n_max;        /* lists: length */
    const flow_word *words;     /* WORD */
    const flow_registry *kinds; /* KIND, KINDS; WORD without words: the names of kinds */
    const flow_key *items;      /* NAMES: what may be said of each; NULL: nothing */
    const char *def;            /* as text, with the syntax of a value; NULL: none */
    const char *bare;           /* KIND: the kind of an object that names none; NULL: def */
    const char *
        only; /* has effect only if: "transformer = spline", "chain != off", "temper < 1", "alpha"; the left
                         side is a key of the same list. NULL: always */
    const char *unit;  /* NULL if it has none */
    const char *wants; /* OWN: what a value must be */
    const char *doc;   /* sentences */
};

/* .name and .offset of the field of an options struct that has the key's name. */
#define FLOW_KEY(OPTIONS, FIELD) .name = #FIELD, .offset = offsetof(OPTIONS, FIELD)

enum { FLOW_MAX_WHOLES = 8 };

typedef struct flow_wholes {
    size_t n;
    uint64_t at[FLOW_MAX_WHOLES];
} flow_wholes;

typedef struct flow_names {
    size_t n; /* 0 if not given */
    const char *const *at;
} flow_names;

/* The key of that name, or NULL. */
const flow_key *flow_key_find(const flow_key *keys, const char *name);

/* ---- one value, in options that the key points into */

/* Stores "none", or "auto" where that is allowed: 0, NAN, NULL, -1, an empty list. */
void flow_key_clear(void *options, const flow_key *key);

/* True unless the field holds "none" or "auto". */
bool flow_key_is_set(const void *options, const flow_key *key);

/* Of WORD and BOOL: the word; NULL for none. Of WHOLE and REAL: the number; NAN for none and auto. */
const char *flow_key_word(const void *options, const flow_key *key);
double flow_key_number(const void *options, const flow_key *key);

/* The value as JSON: "auto" for auto and null for none. A new reference (of what a KIND borrows, one
 * more); NULL if memory is out. Not of OWN. */
json_t *flow_key_json(const void *options, const flow_key *key);

/* Reads one JSON value into the field. FLOW_ECONFIG: "bins wants a whole number 2 .. 64, got 1". KIND, KINDS and
 * ORDER are borrowed and not looked into. Not of OWN, FILE and NAMES, which are YAML's alone. */
int flow_key_read(void *options, const flow_key *key, const json_t *value, flow_err *err);

/* The default of the key, as JSON: a new reference, null if it has none; NULL if memory is out. */
json_t *flow_key_default(const flow_key *key);

bool flow_key_in_range(const flow_key *key, double value);

/* Word i of WORD: of `words`, or, where there are none, the kinds of `kinds` with their numbers as
 * values. name NULL past the end. */
flow_word flow_key_choice(const flow_key *key, size_t i);

/* "a whole number 1 .. 64", "one of affine, spline": what a value must be, or one item of a list. */
void flow_key_wants(char *out, size_t size, const flow_key *key);
void flow_key_wants_item(char *out, size_t size, const flow_key *key);

#endif
