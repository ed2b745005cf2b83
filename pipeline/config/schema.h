/* pipeline/config/schema.h -- the one table of keys.
 *
 * A row makes the parser, the default, `distill explain KEY` and the resolved output. To add a key:
 * a field in config.h, a row in schema.c. A condition that one row cannot say is a rule in rules.c.
 * What kinds own, layers and their like, has no row: the kind has it. */
#ifndef PIPELINE_CONFIG_SCHEMA_H
#define PIPELINE_CONFIG_SCHEMA_H

#include "flow/key.h"
#include "pipeline/config/config.h"

#include <stdbool.h>
#include <stddef.h>

/* A row is a flow_key (flow/key.h): its name is the whole path, "teacher.flow.layers"; its offset goes
 * into struct config. FLOW_KEY_OWN is config_gates: figure -> "< bound". FLOW_KEY_KIND is a section
 * that offers a choice, with the keys of the kind below it (tagged.h). */
extern const flow_key schema_keys[];
extern const size_t schema_n_keys;

/* Sections have no row: only a line for `explain`. */
typedef struct schema_section {
    const char *path, *doc;
} schema_section;

extern const schema_section schema_sections[]; /* ends in {NULL, NULL} */

/* The row of that path, or NULL. */
const flow_key *schema_find(const char *path);

/* True if path is below section: "a.b.c" below "a.b", "a" and "". */
bool schema_below(const char *path, const char *section);

/* The keys and sections directly below a section, in the order of the table: at most
 * SCHEMA_MAX_CHILDREN names, spelt into room. Returns how many. */
enum { SCHEMA_MAX_CHILDREN = 64, SCHEMA_MAX_PATH = 96, SCHEMA_MAX_ROOM = 2048 };
size_t schema_children(const char **names, char *room, size_t room_size, const char *section);

/* The row beside key that has this last name, or NULL. */
const flow_key *schema_sibling(const flow_key *key, const char *name);

/* True if some key lies below path: "teacher.flow". "" is the top. */
bool schema_is_section(const char *path);

#endif
