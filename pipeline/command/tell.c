#include "pipeline/command/tell.h"

#include "pipeline/config/schema.h"
#include "pipeline/stages/stage.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 80, LABEL = 10, NAME = 17, DEFAULT = 12, MARGIN = TELL_MARGIN };

/* Writes text word by word; the cursor is at column `column`, further lines start at `indent`. */
void tell_wrap(FILE *to, const char *text, size_t column, size_t indent)
{
    tell_wrap_at(to, WIDTH, text, column, indent);
}

void tell_wrap_at(FILE *to, size_t width, const char *text, size_t column, size_t indent)
{
    for (bool first = true; *text; first = false) {
        size_t size = strcspn(text, " ");
        if (column + !first + size > width && column > indent) {
            fprintf(to, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!first) {
            putc(' ', to);
            column++;
        }
        fwrite(text, 1, size, to);
        column += size;
        text += size + (text[size] == ' ');
    }
    putc('\n', to);
}

static void labelled(FILE *to, const char *label, const char *text)
{
    fprintf(to, "%*s%-*s", MARGIN, "", LABEL, label);
    tell_wrap(to, text, MARGIN + LABEL, MARGIN + LABEL);
}

static void paragraph(FILE *to, const char *text)
{
    fprintf(to, "%*s", MARGIN, "");
    tell_wrap(to, text, MARGIN, MARGIN);
}

/* ---- one key */

static void list_choices(FILE *to, const flow_key *key)
{
    size_t longest = 0;
    for (size_t i = 0; flow_key_choice(key, i).name; i++)
        if (strlen(flow_key_choice(key, i).name) > longest)
            longest = strlen(flow_key_choice(key, i).name);
    for (size_t i = 0; flow_key_choice(key, i).name; i++) {
        flow_word choice = flow_key_choice(key, i);
        size_t indent = MARGIN + LABEL + longest + 2;
        fprintf(to, "%*s%-*s", MARGIN + LABEL, "", (int)longest + 2, choice.name);
        tell_wrap(to, choice.doc, indent, indent);
    }
}

void tell_figure(FILE *to, gate_figure figure, const char *home)
{
    const gate_info *info = &gate_figures[figure];
    char text[512];
    fprintf(to, "%s.%s\n", home, info->name);
    paragraph(to, info->doc);
    labelled(to, "wants",
             info->small_is_good ? "\"< BOUND\" or \"<= BOUND\"" : "\"> BOUND\" or \">= BOUND\"");
    if (info->unit)
        labelled(to, "unit", info->unit);
    snprintf(text, sizeof text, "%s of validation.json", info->place);
    labelled(to, "written", text);
    if (isnan(info->limit))
        return;
    snprintf(text, sizeof text, "%s %g without a gate",
             info->small_is_good ? "<=" : ">=", info->limit);
    labelled(to, "good", text);
    snprintf(text, sizeof text, "%s; %s", info->beyond, info->next);
    labelled(to, "beyond", text);
}

static void list_figures(FILE *to)
{
    fprintf(to, "%*sfigures\n", MARGIN, "");
    for (size_t i = 0; i < GATE_COUNT; i++) {
        fprintf(to, "%*s%s  %s\n%*s", 2 * MARGIN, "", gate_figures[i].name,
                gate_figures[i].small_is_good ? "<" : ">", 4 * MARGIN, "");
        tell_wrap(to, gate_figures[i].doc, 4 * MARGIN, 4 * MARGIN);
    }
}

static void list_stages(FILE *to, const char *path)
{
    char text[160] = "";
    for (size_t i = 0; i < STAGE_COUNT; i++)
        if (stage_reads(stages[i], path)) {
            size_t used = strlen(text);
            snprintf(text + used, sizeof text - used, "%s%s", used ? ", " : "", stages[i]->name);
        }
    labelled(to, "changes", *text ? text : "no result");
}

static void tell_default(FILE *to, const flow_key *key)
{
    char text[160];
    const char *def = key->def                         ? key->def
                      : key->flags & FLOW_KEY_REQUIRED ? "none: it must be given"
                                                       : "none";
    snprintf(text, sizeof text, "%s%s%s", def,
             key->bare ? "; where keys are given but no kind: " : "", key->bare ? key->bare : "");
    labelled(to, "default", text);
}

void tell_key(FILE *to, const char *path, const flow_key *key, const char *only)
{
    char wants[512];
    flow_key_wants(wants, sizeof wants, key);
    fprintf(to, "%s\n", path);
    paragraph(to, key->doc);
    labelled(to, "wants", wants);
    if (key->type == FLOW_KEY_WORD || key->type == FLOW_KEY_KIND)
        list_choices(to, key);
    if (key == schema_find("validate.require"))
        list_figures(to);
    tell_default(to, key);
    if (key->unit)
        labelled(to, "unit", key->unit);
    if (only)
        labelled(to, "only if", only);
    list_stages(to, path);
}

/* ---- a line of a list */

void tell_line(FILE *to, const flow_key *key)
{
    const char *dot = strrchr(key->name, '.'), *name = dot ? dot + 1 : key->name;
    const char *end = strstr(key->doc, ". ");
    char first[256];
    snprintf(first, sizeof first, "%.*s", end ? (int)(end + 1 - key->doc) : 255, key->doc);
    size_t indent = MARGIN + NAME + DEFAULT;
    fprintf(to, "%*s%-*s%-*s", MARGIN, "", NAME, name, DEFAULT, key->def ? key->def : "-");
    tell_wrap(to, first, indent, indent);
}

void tell_head(FILE *to)
{
    fprintf(to, "%*s%-*s%-*s%s\n\n", MARGIN, "", NAME, "key", DEFAULT, "default", "meaning");
}
