/* pipeline/config/schema.h -- the one table of keys.
 *
 * A row makes the parser, the default, `distill explain KEY` and the resolved output. To add a key:
 * a field in config.h, a row in schema.c. A condition that one row cannot say is a rule in rules.c.
 */
#ifndef PIPELINE_CONFIG_SCHEMA_H
#define PIPELINE_CONFIG_SCHEMA_H

#include "pipeline/config/config.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum schema_type {
    SCHEMA_BOOL,   /* bool: true or false */
    SCHEMA_WHOLE,  /* uint64_t: 12, 2e5; at most 2^63 - 1 */
    SCHEMA_REAL,   /* double: 1e-4, .5, 3; finite */
    SCHEMA_STRING, /* const char *: any text; min and max bound its length in bytes */
    SCHEMA_ENUM,   /* int or an enum of that size: the value of one of the words */
    SCHEMA_WHOLES, /* config_wholes: a list; min and max bound each number, n_min and n_max the list
                    */
    SCHEMA_NAMES,  /* config_names: a list of texts; numbers are kept as written */
    SCHEMA_GATES   /* config_gates: figure -> "< bound" */
} schema_type;

enum schema_flag {
    SCHEMA_REQUIRED = 1,
    SCHEMA_AUTO = 2,       /* the word "auto" is accepted: stored as 0 or NAN */
    SCHEMA_OPEN_MIN = 4,   /* min itself is out of range */
    SCHEMA_OPEN_MAX = 8,   /* max itself is out of range */
    SCHEMA_FILE = 16,      /* a path, relative to the file that gives it (to the working directory
                              if --set gives it); stored ready for fopen */
    SCHEMA_IDENTIFIER = 32 /* only A-Z a-z 0-9 . _ - and not starting with '.' or '-' */
};

typedef struct schema_key {
    const char *path; /* "teacher.flow.layers" */
    schema_type type;
    unsigned flags;               /* of schema_flag */
    size_t offset;                /* into struct config */
    double min, max;              /* -INFINITY, INFINITY: no bound */
    size_t n_min, n_max;          /* SCHEMA_WHOLES, SCHEMA_NAMES: length of the list */
    const config_choice *choices; /* SCHEMA_ENUM; NULL: the names of data_generators */
    const char *def;              /* as YAML text, read by the same parser; NULL: none */
    const char *only; /* has effect only if: "transformer = spline", "temper < 1", "alpha";
                         the left side is a key of the same section. NULL: always */
    const char *unit; /* NULL if it has none */
    const char *doc;  /* sentences */
} schema_key;

extern const schema_key schema_keys[];
extern const size_t schema_n_keys;

/* Sections have no row: only a line for `explain`. */
typedef struct schema_section {
    const char *path, *doc;
} schema_section;

extern const schema_section schema_sections[]; /* ends in {NULL, NULL} */

/* The row of that path, or NULL. */
const schema_key *schema_find(const char *path);

/* True if path is below section: "a.b.c" below "a.b", "a" and "". */
bool schema_below(const char *path, const char *section);

/* The keys and sections directly below a section, in the order of the table: at most
 * SCHEMA_MAX_CHILDREN names, spelt into room. Returns how many. */
enum { SCHEMA_MAX_CHILDREN = 64, SCHEMA_MAX_PATH = 96, SCHEMA_MAX_ROOM = 2048 };
size_t schema_children(const char **names, char *room, size_t room_size, const char *section);

/* The row beside key that has this last name, or NULL. */
const schema_key *schema_sibling(const schema_key *key, const char *name);

/* The word at index i of a SCHEMA_ENUM, with name NULL past the end. */
config_choice schema_choice(const schema_key *key, size_t i);

/* True if some key lies below path: "teacher.flow". "" is the top. */
bool schema_is_section(const char *path);

/* "a whole number 1 .. 64", "one of affine, spline": what a value must be, for errors and explain.
 */
void schema_wants(char *out, size_t size, const schema_key *key);

/* The same for one item of a list. */
void schema_wants_item(char *out, size_t size, const schema_key *key);

#endif
