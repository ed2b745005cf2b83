/* pipeline/config/complain.h -- collects what is wrong with a configuration and shows it, all at once:
 *
 *   banana.yaml:12:32: error: unknown key 'hiden' in teacher.flow [E101]
 *      12 |   flow: {layers: 8, hiden: [128, 128]}
 *         |                     ^~~~~
 *   help: did you mean 'hidden'? Keys here: layers, hidden, ...
 *
 * Columns count code points, from 1. */
#ifndef PIPELINE_CONFIG_COMPLAIN_H
#define PIPELINE_CONFIG_COMPLAIN_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* The codes are for users to look up and for scripts to match: append, never renumber. */
typedef enum complaint_code {
    E_FILE = 100,      /* a file cannot be read */
    E_UNKNOWN = 101,   /* a key that does not exist */
    E_MISSING = 102,   /* a key that must be given */
    E_TWICE = 103,     /* a key given twice in one place */
    E_TYPE = 104,      /* the wrong kind of value */
    E_ENUM = 105,      /* a word that is not in the list */
    E_RANGE = 106,     /* a number or list out of bounds */
    E_SYNTAX = 107,    /* not YAML, or not UTF-8 */
    E_FEATURE = 108,   /* YAML that is refused: anchors, aliases, tags, merge keys, documents */
    E_SIZE = 109,      /* too long, too deep, too many values */
    E_EXCLUSIVE = 110, /* keys that exclude each other */
    E_NO_EFFECT = 111, /* a key that would be read and ignored */
    E_CONFLICT = 112,  /* values that do not go together */
    E_SET = 113,       /* a --set that is not key=value */
    E_MEMORY = 114     /* memory is out: nothing is wrong with the config */
} complaint_code;

/* Where a value stands. source is a number from complaints_source; line 0 means the source as a
 * whole. The token is `length` code points long, at least 1. */
typedef struct place {
    size_t source, line, column, length;
} place;

/* Negative, 0 or positive: a stands before, at or after b. */
int place_compare(place a, place b);

typedef struct complaints complaints;

complaints *complaints_create(void);
void complaints_free(complaints *self);

/* Registers a source and returns its number; later sources sort after earlier ones. text (size
 * bytes, copied) is for showing lines; NULL if there is nothing to show, as for --set. */
size_t complaints_source(complaints *self, const char *name, const char *text, size_t size);
const char *complaints_source_name(const complaints *self, size_t source);

/* Adds one. help is one line without newline, or NULL. Out of memory: only the count goes up, and that is known. */
void complain(complaints *self, complaint_code code, place at, const char *help, const char *fmt,
              ...) __attribute__((format(printf, 5, 6)));

size_t complaints_count(const complaints *self);
bool complaints_has(const complaints *self, complaint_code code);

/* Sorts by place, prints the first 20 and then "3 errors; nothing was run". */
void complaints_show(complaints *self, FILE *to, bool colour);

/* 0 if there is none, 66 if all that is wrong is a file that cannot be read, else 78. */
int complaints_exit_code(const complaints *self);

/* Copies text for showing in a message: control characters become '?', and at most 40 code points
 * are kept. out has COMPLAINT_QUOTE bytes. Returns out. */
enum { COMPLAINT_QUOTE = 168 };
const char *complaint_quote(char out[COMPLAINT_QUOTE], const char *text, size_t size);

#endif
