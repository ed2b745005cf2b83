/* tests/common/plugins.h -- where the plug-ins are that were built with the tests. */
#ifndef TESTS_COMMON_PLUGINS_H
#define TESTS_COMMON_PLUGINS_H

enum { PLUGIN_TEXT = 8192 };

/* A file of the build: "plugin/banana.so", "distill". Returns out (PLUGIN_TEXT). */
const char *built_path(char *out, const char *file);

/* {"kind": "plugin", "path": that of the file, ...}; more: "\"options\": \"x\", ...", or "". Returns out
 * (PLUGIN_TEXT). */
const char *plugin_text(char *out, const char *file, const char *more);

#endif
