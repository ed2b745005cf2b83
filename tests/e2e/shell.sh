#!/bin/bash
# What the program tells of itself: completion in three shells, manual pages, doctor.
. tests/e2e/lib.sh
program=$(realpath "$DISTILL")

# ---- bash, in a shell of its own
"$DISTILL" completion bash >"$T/c.bash"
# completes WORD ...: what stands for the last word, one a line.
completes() {
    bash --norc --noprofile -c 'source "$1" || exit; shift
        [ "$(complete -p distill)" = "complete -F _distill distill" ] || exit
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _distill; printf "%s\n" "${COMPREPLY[@]}"' - "$T/c.bash" "$@"
}
check "bash: verbs" test "$(completes distill sa)" = sample
check "every verb of --help" test "$(completes distill '' | grep -cv '^--')" -eq "$("$DISTILL" --help | grep -cE '^  [a-z-]+ +[A-Z]')"
check "options of a verb" test "$(completes distill run --th)" = --threads
check "all that its help has" test "$(completes distill sample -- | grep -c .)" -eq "$("$DISTILL" sample --help | grep -cE '^ +(-[a-z], )?--[a-z]')"
check "keys behind --set" test "$(completes distill run my.yaml --set student.train.wei)" = student.train.weight_decay=
check "keys of the usual kinds" test "$(completes distill run my.yaml --set teacher.flow.tran)" = teacher.flow.transformer=
check "figures" test "$(completes distill explain validate.require.mode_)" = validate.require.mode_share_error
check "words of a key behind '='" test "$(completes distill run my.yaml --set student.train.gradient = p)" = path
check "all of them, without a letter" test "$(completes distill run my.yaml --set precision = | tr '\n' ' ')" = "f32 f64 "
check "words of an option" test "$(completes distill sample m --exact r)" = rejection
check "words of an operand" test "$(completes distill init po)" = posterior
check "files" test "$(completes distill check configs/two_moons.)" = configs/two_moons.yaml
check "directories" test "$(completes distill status confi)" = configs

# ---- zsh and fish, where they are
"$DISTILL" completion zsh >"$T/_distill"
if command -v zsh >/dev/null; then
    check "zsh: the script is one" zsh -n "$T/_distill"
    check "and is taken for distill" zsh -f -c 'autoload -Uz compinit && compinit -D && source "$1" && [ "${_comps[distill]}" = _distill ]' - "$T/_distill"
else
    skip "zsh completion" "there is no zsh"
fi
"$DISTILL" completion fish >"$T/c.fish"
if command -v fish >/dev/null; then
    fish_completes() { HOME=$T fish --no-config -c 'source $argv[1]; complete -C $argv[2]' "$T/c.fish" "$1" 2>"$T/fish.err" | cut -f 1; }
    check "fish: verbs" test "$(fish_completes 'distill sam')" = sample
    check "options" test "$(fish_completes 'distill run --thr')" = --threads
    check "keys" test "$(fish_completes 'distill explain student.train.wei')" = student.train.weight_decay
    check "words" test "$(fish_completes 'distill sample --exact re')" = rejection
else
    skip "fish completion" "there is no fish"
fi
run completion basch
check "a shell that is none: usage, with a suggestion" test "$status" -eq 64 -a -n "$(grep "did you mean 'bash'" "$T/err")"

# ---- manual pages
"$DISTILL" man >"$T/distill.1"
"$DISTILL" man 5 >"$T/distill.yaml.5"
missing=$(completes distill '' | grep -v '^--' | while read -r verb; do grep -q "^\.SS \"distill ${verb//-/\\\\-} " "$T/distill.1" || echo "$verb"; done)
check "distill(1) has every verb" test -z "$missing"
check "distill.yaml(5) has every key" test "$(grep -cx 'Wants.*' "$T/distill.yaml.5")" -ge 90 -a -n "$(grep -x 'student.train.temper_until' "$T/distill.yaml.5" || grep 'student.train.temper_until' "$T/distill.yaml.5")"
if command -v groff >/dev/null && groff -man -Tutf8 "$T/distill.1" >/dev/null 2>&1; then
    for page in distill.1 distill.yaml.5; do
        groff -ww -man -Tutf8 "$T/$page" >"$T/page" 2>"$T/groff"
        check "groff has no complaint about $page" test ! -s "$T/groff" -a -s "$T/page"
    done
else
    skip "the pages through groff" "there is no groff with its man macros"
fi
run man 2
check "there is no page 2: usage" test "$status" -eq 64

# ---- doctor
cd "$T" || exit 1
DISTILL=$program
run doctor
check "doctor says ok or warn of each" test "$status" -eq 0 -a "$(grep -cE '^(ok|warn|fail) +(program|instructions|blas|threads|memory|directory|disk|fonts) ' out)" -eq 8
check "this directory is fit" grep -q '^ok    directory  *.* written and locked' out
check "a warning says what to do" test "$(grep -c '^warn' out)" -eq "$(grep -c '^ *-> ' out)"
check "nothing is left here" test -z "$(find . -name '.distill-doctor*')"
check "--json has the same" test "$("$DISTILL" doctor --json | grep -c '"check":')" -eq 8
mkdir bare && chmod 500 bare
if [ "$(id -u)" -ne 0 ]; then
    why="a directory that cannot be written"
    (cd bare && "$program" doctor >"$T/out")
else
    why="a directory that is gone"
    (cd bare && rmdir "$T/bare" && "$program" doctor >"$T/out")
fi
check "$why is no place for runs: exit code 73" test $? -eq 73
check "and it is said" grep -q '^fail  directory .*cannot be written' out
check "FLOW_ISA=generic is told" grep -q '^warn  instructions .*generic' <(FLOW_ISA=generic "$program" doctor)
