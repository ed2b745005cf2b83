#include "tests/pipeline/golden.h"

#include "tests/common/temp.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char golden_file[] = "tests/pipeline/config_errors.txt";

char *golden_open(char **rest)
{
    char *text = temp_slurp(golden_file, NULL), *start = strstr(text, "\n\n#### ");
    cr_assert_not_null(start, "no case after the introduction");
    *rest = start + 2;
    return text;
}

/* Cuts the line at *rest off, in place; NULL at the end. */
static char *next_line(char **rest)
{
    char *line = *rest, *end = line ? strchr(line, '\n') : NULL;
    if (!line || !*line)
        return NULL;
    *rest = end ? end + 1 : line + strlen(line);
    if (end)
        *end = '\0';
    return line;
}

static void append_line(char *text, const char *line)
{
    char *end = text + strlen(text);
    end += sprintf(end, "%s", line);
    strcpy(end, "\n");
}

bool golden_next(golden *out, char **rest)
{
    char *line = next_line(rest), *into;
    size_t n_sets = 0;
    if (!line)
        return false;
    cr_assert_eq(strncmp(line, "#### ", 5), 0, "a case starts with ####, not '%s'", line);
    *out = (golden){.name = line + 5, .text = calloc(1, 4096), .says = calloc(1, 8192)};
    into = out->text;
    while (*rest && (strncmp(*rest, "#### ", 5) != 0 || into != out->says)) {
        line = next_line(rest);
        if (!line)
            break;
        if (strncmp(line, "#### set ", 9) == 0)
            out->input.sets[n_sets++] = line + 9;
        else if (strcmp(line, "#### says") == 0)
            into = out->says;
        else
            append_line(into, line);
    }
    for (size_t n = strlen(out->says); n > 1 && out->says[n - 2] == '\n'; n--)
        out->says[n - 1] = '\0'; /* blank lines between cases */
    out->input.text = out->text;
    return true;
}

void golden_release(golden *self)
{
    free(self->text);
    free(self->says);
}
