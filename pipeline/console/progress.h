/* pipeline/console/progress.h -- how far a stage is, on stderr.
 *
 * On a terminal one line that is rewritten at most ten times a second; otherwise a plain line every
 * 5 % or 30 s. One stage at a time, from one thread. */
#ifndef PIPELINE_CONSOLE_PROGRESS_H
#define PIPELINE_CONSOLE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Once, before the first stage. quiet: no progress at all. */
void progress_init(bool quiet);

/* Likewise, of what is mostly quick: nothing is shown in the first two seconds. */
void progress_begin_late(const char *stage, uint64_t total);

/* total 0: not known; only the text and the time are shown. stage is kept, not copied. */
void progress_begin(const char *stage, uint64_t total);

/* Cheap enough to call at every step: the text is formatted only when it is shown. */
void progress_update(uint64_t done, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Ends the stage with one line that stays: "teacher  <text>  (12.3 s)". */
void progress_end(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* "1 h 02 min", "3 min 07 s", "12 s" */
void progress_time(char *out, size_t size, double seconds);

/* Removes the unfinished line, so that an error can be printed. Ends the stage. */
void progress_clear(void);

#endif
