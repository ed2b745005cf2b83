#include "pipeline/config/yaml.h"

#include "pipeline/config/text.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

/* What is known about the text while it is read. */
typedef struct reading {
    complaints *out;
    size_t source;
    bool whole;
    const char *text;
    size_t size;
} reading;

static place place_between(size_t source, bool whole, yaml_mark_t start, yaml_mark_t end)
{
    if (whole)
        return (place){source, 0, 0, 1};
    size_t length = SIZE_MAX; /* to the end of the line */
    if (end.line == start.line)
        length = end.column > start.column ? end.column - start.column : 1;
    return (place){source, start.line + 1, start.column + 1, length};
}

/* ---- what libyaml refuses */

typedef struct trouble {
    const char *problem; /* libyaml's words */
    bool at_context;     /* shown where the construct starts, not where it failed */
    const char *what, *help;
} trouble;

static const trouble troubles[] = {
    {"found unexpected end of stream", true, "this quote is never closed", NULL},
    {"found unexpected document indicator", true, "this quote is never closed", NULL},
    {"could not find expected ':'", true, "a key without ':'", "write KEY: VALUE"},
    {"did not find expected ',' or ']'", true, "this list is not closed, or lacks a comma",
     "write [1, 2, 3]; put quotes around a name that holds [ ] { } or , as in [\"mass [GeV]\", n]"},
    {"did not find expected ',' or '}'", true, "this mapping is not closed, or lacks a comma",
     "write {key: value, key: value}; put quotes around a key or value that holds [ ] { } or ,"},
    {"did not find expected key", false, "this line does not fit the indentation above",
     "keys of one section start in the same column"},
    {"did not find expected '-' indicator", false, "this line does not fit the list above",
     "items of one list start in the same column"},
    {"mapping values are not allowed in this context", false, "a ': ' where no key can be",
     "put quotes around a value that holds ': ', or mend the indentation"},
    {"did not find expected comment or line break", true, "'>' and '|' start a block of text here",
     "put quotes around a value that starts so: \"> 0.5\""},
    {"found unknown escape character", false, "an unknown escape in double quotes",
     "write \\\\ for a backslash, or use single quotes"},
    {"found a tab character where an indentation space is expected", false, "a tab in indentation",
     "indent with spaces"},
    {"found a tab character that violates indentation", false, "a tab in indentation",
     "indent with spaces"},
};

static const trouble *find_trouble(const char *problem)
{
    for (size_t i = 0; i < sizeof troubles / sizeof *troubles; i++)
        if (strcmp(troubles[i].problem, problem) == 0)
            return &troubles[i];
    return NULL;
}

/* Bytes that are no text: libyaml gives their offset only. */
static void complain_reader(const reading *in, const yaml_parser_t *parser)
{
    place at = {in->source, 0, 0, 1};
    if (!in->whole)
        text_locate(&at.line, &at.column, in->text, in->size, parser->problem_offset);
    if (strcmp(parser->problem, "control characters are not allowed") == 0)
        complain(in->out, E_SYNTAX, at, NULL, "a control character, U+%04X",
                 (unsigned)parser->problem_value);
    else
        complain(in->out, E_SYNTAX, at, "save the file as UTF-8", "not UTF-8 (byte 0x%02x)",
                 parser->problem_offset < in->size
                     ? (unsigned)(unsigned char)in->text[parser->problem_offset]
                     : 0U);
}

/* "character that cannot start any token": which one decides what to say. */
static void complain_character(const reading *in, place at)
{
    size_t size = 0;
    const char *line = at.line ? text_line(&size, in->text, in->size, at.line) : NULL;
    size_t skip = 0;
    for (size_t point = 1; line && point < at.column && skip < size; point++)
        skip += text_point(line + skip, size - skip);
    char c = line && skip < size ? line[skip] : '\0';
    if (c == '\t')
        complain(in->out, E_SYNTAX, at, "indent with spaces", "a tab in indentation");
    else
        complain(in->out, E_SYNTAX, at, "put quotes around it", "a value cannot start with %s%c%s",
                 c ? "'" : "this character", c ? c : ' ', c ? "'" : "");
}

static void complain_syntax(const reading *in, const yaml_parser_t *parser)
{
    if (parser->error == YAML_MEMORY_ERROR || !parser->problem) {
        complain(in->out, E_MEMORY, (place){in->source, 0, 0, 1}, NULL, "out of memory");
        return;
    }
    if (parser->error == YAML_READER_ERROR) {
        complain_reader(in, parser);
        return;
    }
    const trouble *known = find_trouble(parser->problem);
    bool at_context = known && known->at_context && parser->context;
    yaml_mark_t mark = at_context ? parser->context_mark : parser->problem_mark;
    place at = place_between(in->source, in->whole, mark, mark);
    if (strcmp(parser->problem, "found character that cannot start any token") == 0)
        complain_character(in, at);
    else if (known)
        complain(in->out, E_SYNTAX, at, known->help, "%s", known->what);
    else
        complain(in->out, E_SYNTAX, at, NULL, "%s", parser->problem);
}

/* ---- what we refuse: seen in the events, since a document no longer shows anchors */

static void refuse(const reading *in, const yaml_event_t *event, const char *what, const char *help)
{
    place at = place_between(in->source, in->whole, event->start_mark, event->end_mark);
    complain(in->out, E_FEATURE, at, help, "%s", what);
}

static void screen_properties(const reading *in, const yaml_event_t *event, const void *anchor,
                              const void *tag)
{
    if (anchor)
        refuse(in, event, "anchors (&name) are not read", "write the value out where it is used");
    if (tag)
        refuse(in, event, "tags (!type) are not read", "the key alone decides the type");
}

static void screen_event(const reading *in, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        refuse(in, event, "aliases (*name) are not read", "write the value out");
        break;
    case YAML_SCALAR_EVENT:
        screen_properties(in, event, event->data.scalar.anchor, event->data.scalar.tag);
        break;
    case YAML_SEQUENCE_START_EVENT:
        screen_properties(in, event, event->data.sequence_start.anchor,
                          event->data.sequence_start.tag);
        break;
    case YAML_MAPPING_START_EVENT:
        screen_properties(in, event, event->data.mapping_start.anchor,
                          event->data.mapping_start.tag);
        break;
    case YAML_DOCUMENT_START_EVENT:
        if (event->data.document_start.tag_directives.start !=
            event->data.document_start.tag_directives.end)
            refuse(in, event, "tags (%TAG) are not read", NULL);
        break;
    default:
        break;
    }
}

typedef struct census {
    size_t documents, depth, nodes;
} census;

static void count(census *seen, yaml_event_type_t type)
{
    seen->documents += type == YAML_DOCUMENT_START_EVENT;
    seen->nodes += type == YAML_SCALAR_EVENT || type == YAML_ALIAS_EVENT;
    if (type == YAML_SEQUENCE_START_EVENT || type == YAML_MAPPING_START_EVENT) {
        seen->nodes++;
        seen->depth++;
    }
    if (type == YAML_SEQUENCE_END_EVENT || type == YAML_MAPPING_END_EVENT)
        seen->depth--;
}

/* True if reading can go on after this event. */
static bool within_limits(const reading *in, const yaml_event_t *event, const census *seen)
{
    place at = place_between(in->source, in->whole, event->start_mark, event->start_mark);
    if (seen->documents > 1)
        complain(in->out, E_FEATURE, at, "one file is one run; use -c FILE for overlays",
                 "a second document ('---')");
    else if (seen->depth > YAML_MAX_DEPTH)
        complain(in->out, E_SIZE, at, NULL, "nested deeper than %d levels", YAML_MAX_DEPTH);
    else if (seen->nodes > YAML_MAX_NODES)
        complain(in->out, E_SIZE, at, NULL, "more than %d values", YAML_MAX_NODES);
    else
        return true;
    return false;
}

static void start(yaml_parser_t *parser, const reading *in)
{
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(parser, (const unsigned char *)in->text, in->size);
}

/* Reads all events; false if there were complaints. */
static bool screen(const reading *in)
{
    size_t before = complaints_count(in->out);
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        complain(in->out, E_MEMORY, (place){in->source, 0, 0, 1}, NULL, "out of memory");
        return false;
    }
    start(&parser, in);
    census seen = {0};
    for (bool more = true; more;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            complain_syntax(in, &parser);
            break;
        }
        count(&seen, event.type);
        more = event.type != YAML_STREAM_END_EVENT && within_limits(in, &event, &seen);
        if (more)
            screen_event(in, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return complaints_count(in->out) == before;
}

bool yaml_tree_load(yaml_tree *self, complaints *out, size_t source, bool whole, const char *text,
                    size_t size)
{
    const reading in = {out, source, whole, text, size};
    *self = (yaml_tree){.source = source, .whole = whole};
    if (size > YAML_MAX_BYTES) {
        complain(out, E_SIZE, (place){source, 0, 0, 1}, NULL, "longer than %d bytes",
                 YAML_MAX_BYTES);
        return false;
    }
    if (!screen(&in))
        return false;

    yaml_parser_t parser;
    bool ok = yaml_parser_initialize(&parser);
    if (ok) {
        start(&parser, &in);
        ok = yaml_parser_load(&parser, &self->document);
        yaml_parser_delete(&parser);
    }
    if (!ok) /* the text is good, it has been read once */
        complain(out, E_MEMORY, (place){source, 0, 0, 1}, NULL, "out of memory");
    return ok;
}

void yaml_tree_free(yaml_tree *self)
{
    yaml_document_delete(&self->document);
}

/* libyaml's getters take a document that is not const, and do not change it. */
static yaml_document_t *document_of(const yaml_tree *self)
{
    return (yaml_document_t *)&self->document;
}

const yaml_node_t *yaml_tree_root(const yaml_tree *self)
{
    return yaml_document_get_root_node(document_of(self));
}

const yaml_node_t *yaml_tree_node(const yaml_tree *self, int number)
{
    const yaml_node_t *node = yaml_document_get_node(document_of(self), number);
    assert(node);
    return node;
}

place yaml_tree_place(const yaml_tree *self, const yaml_node_t *node)
{
    return place_between(self->source, self->whole, node->start_mark, node->end_mark);
}

const char *yaml_text(const yaml_node_t *node, size_t *size)
{
    assert(node->type == YAML_SCALAR_NODE);
    *size = node->data.scalar.length;
    return (const char *)node->data.scalar.value;
}

bool yaml_is_plain(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}
