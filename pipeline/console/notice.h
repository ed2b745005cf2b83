/* pipeline/console/notice.h -- what a verb that goes on has to say besides its output: a line on stderr each. */
#ifndef PIPELINE_CONSOLE_NOTICE_H
#define PIPELINE_CONSOLE_NOTICE_H

/* "distill: warning: ...": the result may be worth less than it looks. */
__attribute__((format(printf, 1, 2))) void notice_warning(const char *fmt, ...);

/* "distill: note: ...": how something was understood that could be meant otherwise. */
__attribute__((format(printf, 1, 2))) void notice_note(const char *fmt, ...);

#endif
