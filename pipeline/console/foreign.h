/* pipeline/console/foreign.h -- while code of others runs in this process (plug-ins): what it prints on stdout goes to
 * stderr, and where it ends the process it is named. */
#ifndef PIPELINE_CONSOLE_FOREIGN_H
#define PIPELINE_CONSOLE_FOREIGN_H

#include <stdio.h>

/* From here to foreign_end nothing of our own may be printed on stdout. A crash in a plug-in then ends in a line
 * on stderr and by its signal as ever, an exit() of it in one and EXIT_DATA. Signals that somebody
 * else looks after (a sanitizer) are left to them. */
void foreign_begin(void);
void foreign_end(void);

/* Our own stdout, between the two as ever; until the next of them. NULL: out of memory. */
FILE *foreign_stdout(void);

#endif
