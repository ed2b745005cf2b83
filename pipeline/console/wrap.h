/* pipeline/console/wrap.h -- text of any length on stderr. */
#ifndef PIPELINE_CONSOLE_WRAP_H
#define PIPELINE_CONSOLE_WRAP_H

/* The text, word by word, behind its head and indented below it. */
void wrap_print(const char *head, const char *text);

#endif
