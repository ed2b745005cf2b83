/* pipeline/stages/file_keys.h -- the keys of a config that name files: of data, of a target, of what that is made of. */
#ifndef PIPELINE_STAGES_FILE_KEYS_H
#define PIPELINE_STAGES_FILE_KEYS_H

#include <jansson.h>

/* key: the whole path, "target.path"; object has it under `name`, as a string. It may be replaced or taken out. */
typedef void (*file_keys_visit)(void *arg, const char *key, json_t *object, const char *name);

/* resolved: of config_to_json, nothing in it shared with the config if a visit changes it. */
void file_keys_each(json_t *resolved, file_keys_visit visit, void *arg);

/* The same of the description of a target alone. */
void file_keys_of_target(json_t *description, file_keys_visit visit, void *arg);

/* Every such path made absolute, as it is seen from here. */
void file_keys_make_absolute(json_t *resolved);

#endif
