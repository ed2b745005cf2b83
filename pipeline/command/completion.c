#include "pipeline/command/completion.h"

#include "flow/suggest.h"
#include "pipeline/command/argument.h"
#include "pipeline/command/cli.h"
#include "pipeline/command/explain.h"

#include <string.h>

/* Text between single quotes of a shell: none of our tables has one in it but in a few sentences. */
static void put_plain(FILE *to, const char *text)
{
    for (; *text; text++)
        if (!strchr("'[]:\\", *text))
            putc(*text, to);
}

static void put_words(FILE *to, const argument *of)
{
    for (size_t i = 0; i < of->n_words; i++)
        fprintf(to, "%s%.*s", i ? " " : "", (int)of->words[i].size, of->words[i].text);
}

/* The keys whose values are words, with these. */
typedef struct key_printer {
    FILE *to;
    const char *before, *between, *after; /* key BETWEEN words AFTER */
} key_printer;

static void put_key(void *arg, const char *path, const flow_key *key)
{
    (void)key;
    fprintf(arg, "%s ", path);
}

static void put_values(void *arg, const char *path, const flow_key *key)
{
    const key_printer *p = arg;
    bool words = key && (key->type == FLOW_KEY_WORD || key->type == FLOW_KEY_KIND);
    if (!words && !(key && key->type == FLOW_KEY_BOOL))
        return;
    fprintf(p->to, "%s%s%s", p->before, path, p->between);
    for (size_t i = 0; words && flow_key_choice(key, i).name; i++)
        fprintf(p->to, "%s ", flow_key_choice(key, i).name);
    fprintf(p->to, "%s%s%s", words ? "" : "true false ", key->flags & FLOW_KEY_AUTO ? "auto" : "",
            p->after);
}

/* ---- bash */

/* A line of a case that sets COMPREPLY. */
static void bash_reply(FILE *to, const argument *of)
{
    switch (of->sort) {
    case ARGUMENT_FILE:
        fputs("COMPREPLY=($(compgen -f -- \"$cur\")); compopt -o filenames 2>/dev/null", to);
        break;
    case ARGUMENT_DIRECTORY:
        fputs("COMPREPLY=($(compgen -d -- \"$cur\")); compopt -o filenames 2>/dev/null", to);
        break;
    case ARGUMENT_KEY:
        fputs("COMPREPLY=($(compgen -W \"$keys\" -- \"$cur\"))", to);
        break;
    case ARGUMENT_SETTING:
        fputs(
            "COMPREPLY=($(compgen -S = -W \"$keys\" -- \"$cur\")); compopt -o nospace 2>/dev/null",
            to);
        break;
    case ARGUMENT_WORDS:
        fputs("COMPREPLY=($(compgen -W '", to);
        put_words(to, of);
        fputs("' -- \"$cur\"))", to);
        break;
    case ARGUMENT_OTHER:
        fputs("COMPREPLY=()", to);
        break;
    }
}

static void bash_option(FILE *to, const line_spec *verb, const cli_option *at)
{
    argument of;
    if (!at->arg)
        return;
    argument_read(&of, at->arg);
    fprintf(to, "    %s:--%s", verb->name, at->name);
    if (at->id < OPTION_LONG)
        fprintf(to, "|%s:-%c", verb->name, (char)at->id);
    fputs(") ", to);
    bash_reply(to, &of);
    fputs("; return ;;\n", to);
}

static void bash_options(FILE *to, const line_spec *verb)
{
    fprintf(to, "        %s) words='", verb->name);
    for (const cli_option *at = verb->options; at->name; at++)
        fprintf(to, "--%s ", at->name);
    fputs("--help' ;;\n", to);
}

static void bash_operand(FILE *to, const line_spec *verb)
{
    argument of;
    argument_read(&of, verb->operands);
    fprintf(to, "    %s) ", verb->name);
    bash_reply(to, &of);
    fputs(" ;;\n", to);
}

static void bash(FILE *to)
{
    const line_spec *verb;
    key_printer values = {to, "        ", ") words='", "' ;;\n"};
    fputs("# bash completion of distill: source <(distill completion bash)\n"
          "_distill()\n{\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} "
          "verb=${COMP_WORDS[1]} keys words key\n"
          "    COMPREPLY=()\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        COMPREPLY=($(compgen -W '",
          to);
    for (size_t i = 0; (verb = cli_verb(i)); i++)
        fprintf(to, "%s ", verb->name);
    fputs("--help --version' -- \"$cur\"))\n        return\n    fi\n    keys='", to);
    explain_each_key(put_key, to);
    fputs("'\n"
          "    # KEY=VALUE comes as three words\n"
          "    [ \"$cur\" = = ] && prev== cur=\n"
          "    if [ \"$prev\" = = ] && [ \"$COMP_CWORD\" -ge 4 ]; then\n"
          "        key=${COMP_WORDS[COMP_CWORD-2]}\n"
          "        [ \"${COMP_WORDS[COMP_CWORD]}\" = = ] && key=${COMP_WORDS[COMP_CWORD-1]}\n"
          "        case $key in\n",
          to);
    explain_each_key(put_values, &values);
    fputs("        esac\n        COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n        return\n"
          "    fi\n    case $verb:$prev in\n",
          to);
    for (size_t i = 0; (verb = cli_verb(i)); i++)
        for (const cli_option *at = verb->options; at->name; at++)
            bash_option(to, verb, at);
    fputs("    esac\n    if [[ $cur == -* ]]; then\n        case $verb in\n", to);
    for (size_t i = 0; (verb = cli_verb(i)); i++)
        bash_options(to, verb);
    fputs("        esac\n        COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n        return\n"
          "    fi\n    case $verb in\n",
          to);
    for (size_t i = 0; (verb = cli_verb(i)); i++)
        bash_operand(to, verb);
    fputs("    esac\n}\ncomplete -F _distill distill\n", to);
}

/* ---- zsh */

/* What stands behind the last colon of a spec of _arguments. */
static void zsh_action(FILE *to, const argument *of)
{
    switch (of->sort) {
    case ARGUMENT_FILE:
        fputs("_files", to);
        break;
    case ARGUMENT_DIRECTORY:
        fputs("_files -/", to);
        break;
    case ARGUMENT_KEY:
        fputs("($keys)", to);
        break;
    case ARGUMENT_SETTING:
        fputs("_distill_setting", to);
        break;
    case ARGUMENT_WORDS:
        putc('(', to);
        put_words(to, of);
        putc(')', to);
        break;
    case ARGUMENT_OTHER:
        break;
    }
}

static void zsh_option(FILE *to, const cli_option *at)
{
    argument of;
    fprintf(to, " \\\n            '*--%s[", at->name);
    put_plain(to, at->doc);
    putc(']', to);
    if (at->arg) {
        argument_read(&of, at->arg);
        putc(':', to);
        put_plain(to, at->arg);
        putc(':', to);
        zsh_action(to, &of);
    }
    putc('\'', to);
}

static void zsh_verb(FILE *to, const line_spec *verb)
{
    argument of;
    argument_read(&of, verb->operands);
    fprintf(to, "        %s) _arguments", verb->name);
    for (const cli_option *at = verb->options; at->name; at++)
        zsh_option(to, at);
    if (verb->n_max) {
        fputs(" \\\n            '*:operand:", to);
        zsh_action(to, &of);
        putc('\'', to);
    }
    fputs(" ;;\n", to);
}

static void zsh(FILE *to)
{
    const line_spec *verb;
    key_printer values = {to, "        ", ") words=(", ") ;;\n"};
    fputs("#compdef distill\n# zsh completion of distill: as _distill in a directory of $fpath\n"
          "_distill_setting() {\n    local key=${PREFIX%%=*}; local -a words\n"
          "    if [[ $PREFIX != *=* ]]; then compadd -S = -a keys; return; fi\n"
          "    compset -P '*='\n    case $key in\n",
          to);
    explain_each_key(put_values, &values);
    fputs("    esac\n    compadd -a words\n}\n_distill() {\n    local -a keys verbs\n    keys=(",
          to);
    explain_each_key(put_key, to);
    fputs(")\n    verbs=(", to);
    for (size_t i = 0; (verb = cli_verb(i)); i++) {
        fprintf(to, "\n        '%s:", verb->name);
        put_plain(to, verb->doc);
        putc('\'', to);
    }
    fputs(")\n    if (( CURRENT == 2 )); then _describe verb verbs; return; fi\n"
          "    local verb=$words[2]; shift words; (( CURRENT-- ))\n    case $verb in\n",
          to);
    for (size_t i = 0; (verb = cli_verb(i)); i++)
        zsh_verb(to, verb);
    fputs("    esac\n}\nif [ \"$funcstack[1]\" = _distill ]; then _distill \"$@\"; "
          "else compdef _distill distill; fi\n",
          to);
}

/* ---- fish */

static void fish_argument(FILE *to, const argument *of)
{
    switch (of->sort) {
    case ARGUMENT_FILE:
        fputs(" -F", to);
        break;
    case ARGUMENT_DIRECTORY:
        fputs(" -xa '(__fish_complete_directories)'", to);
        break;
    case ARGUMENT_KEY:
        fputs(" -xa '(__distill_keys)'", to);
        break;
    case ARGUMENT_SETTING:
        fputs(" -xa '(__distill_keys)='", to);
        break;
    case ARGUMENT_WORDS:
        fputs(" -xa '", to);
        put_words(to, of);
        putc('\'', to);
        break;
    case ARGUMENT_OTHER:
        break;
    }
}

static void fish_option(FILE *to, const line_spec *verb, const cli_option *at)
{
    argument of;
    fprintf(to, "complete -c distill -n '__fish_seen_subcommand_from %s' -l %s", verb->name,
            at->name);
    if (at->id < OPTION_LONG)
        fprintf(to, " -s %c", (char)at->id);
    fputs(" -d '", to);
    put_plain(to, at->doc);
    putc('\'', to);
    if (at->arg) {
        argument_read(&of, at->arg);
        fputs(" -r", to);
        fish_argument(to, &of);
    }
    putc('\n', to);
}

static void fish_verb(FILE *to, const line_spec *verb)
{
    argument of;
    fprintf(to, "complete -c distill -n __fish_use_subcommand -a %s -d '", verb->name);
    put_plain(to, verb->doc);
    fputs("'\n", to);
    argument_read(&of, verb->operands);
    if (of.sort != ARGUMENT_OTHER) {
        fprintf(to, "complete -c distill -n '__fish_seen_subcommand_from %s'", verb->name);
        fish_argument(to, &of);
        putc('\n', to);
    }
    for (const cli_option *at = verb->options; at->name; at++)
        fish_option(to, verb, at);
}

static void fish_key(void *arg, const char *path, const flow_key *key)
{
    (void)key;
    fprintf(arg, " \\\n        %s", path);
}

static void fish(FILE *to)
{
    const line_spec *verb;
    fputs("# fish completion of distill: distill completion fish | source\n"
          "function __distill_keys\n    printf '%s\\n'",
          to);
    explain_each_key(fish_key, to);
    fputs("\nend\ncomplete -c distill -f\n", to);
    for (size_t i = 0; (verb = cli_verb(i)); i++)
        fish_verb(to, verb);
}

/* ---- the whole */

int completion(FILE *to, const char *shell, flow_err *err)
{
    static const char *const names[] = {"bash", "zsh", "fish"};
    static void (*const shells[])(FILE *) = {bash, zsh, fish};
    enum { N = sizeof names / sizeof *names };
    for (size_t i = 0; i < N; i++)
        if (strcmp(names[i], shell) == 0) {
            shells[i](to);
            return FLOW_OK;
        }
    const char *near = flow_suggest(shell, names, N);
    return flow_fail(err, FLOW_EUSAGE,
                     "there is no completion for '%.60s'; there are bash, zsh and "
                     "fish%s%s%s",
                     shell, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}
