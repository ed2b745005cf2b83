/* pipeline/stages/record_files.h -- the files of the record of a run that others read, by name (record.h). */
#ifndef PIPELINE_STAGES_RECORD_FILES_H
#define PIPELINE_STAGES_RECORD_FILES_H

#include <stddef.h>

extern const char record_file_config[], record_file_overrides[], record_file_resolved[],
    record_file_manifest[], record_file_sums[];

/* Of overlay i, counted from 0, in out. */
enum { RECORD_NAME = 64 };
const char *record_file_overlay(char out[RECORD_NAME], size_t i);

#endif
