#!/bin/bash
# Configurations that are wrong: exit code 78, each error with its place, and nothing is written.
# The texts are tested word for word in tests/pipeline/config_errors.c.
. tests/e2e/lib.sh

base='schema: 1
name: wrong
data: {generator: rings}'

# wrong NAME CODE: the rest of the YAML is on stdin.
wrong() {
    { echo "$base" && cat; } >"$T/c.yaml"
    refuses "$1" "$2" "$T/c.yaml"
}
refuses() {
    local name=$1 code=$2 why=
    shift 2
    run run "$@" --out "$T/run"
    [ "$status" -eq 78 ] || why="exit code $status"
    grep -q "error: .*\[$code\]" "$T/err" || why="$why, no $code"
    grep -q 'nothing was run$' "$T/err" || why="$why, no count"
    [ ! -s "$T/out" ] || why="$why, stdout is not empty"
    [ ! -e "$T/run" ] || why="$why, a run directory was made"
    [ -z "$why" ] && ok "$name" && return
    not_ok "$name" "${why#, }"
    sed 's/^/    /' "$T/err"
}

wrong "a key that does not exist" E101 <<<'teacher: {flow: {hiden: [64, 64]}}'
check "is suggested" grep -q "did you mean 'hidden'" "$T/err"
check "has its line and column" grep -q 'c.yaml:4:18: error' "$T/err"
check "has a mark under it" grep -q '^ *| *^~~~~' "$T/err"
wrong "a key given twice" E103 <<<'student: {train: {lr: 1e-3, lr: 1e-4}}'
wrong "10k is not a number" E104 <<<'teacher: {train: {epochs: 10k}}'
wrong "half an epoch" E104 <<<'teacher: {train: {epochs: 0.5}}'
wrong "a word that is not in the list" E105 <<<'student: {flow: {transformer: splin}}'
wrong "no epochs" E106 <<<'teacher: {train: {epochs: 0}}'
wrong "a share above 1" E106 <<<'student: {train: {forward: 1.5}}'
wrong "a bracket that is not closed" E107 <<<'teacher: {flow: {hidden: [64, 64}}'
wrong "an anchor" E108 <<<'student: {flow: &f {layers: 2}}'
wrong "a key that would have no effect" E111 <<<'teacher: {flow: {transformer: affine, bins: 4}}'
wrong "values that do not go together" E112 <<<'student: {train: {steps: 10, warmup: 20}}'
wrong "a gate for a figure that does not exist" E101 <<<'validate: {require: {kl_revers: "< 0.1"}}'
wrong "a gate without a bound" E104 <<<'validate: {require: {kl_reverse: small}}'
wrong "three errors at once" E105 <<<$'precision: f16\nstudent: {train: {lr: -1}}\nteacher: {train: {epochs: 10k}}'
check "are all shown, and counted" test "$(grep -c 'error: ' "$T/err") $(tail -n 1 "$T/err")" = "3 3 errors; nothing was run"

echo "$base" >"$T/c.yaml"
refuses "--set of a word that is not in the list" E105 "$T/c.yaml" --set teacher.flow.activation=rellu
refuses "--set of a key that does not exist" E101 "$T/c.yaml" --set teacher.flow.hiden=3
refuses "--set without a value" E113 "$T/c.yaml" --set seed
refuses "--set of a file beside a generator" E110 "$T/c.yaml" --set data.path=$POWER
printf 'student: {train: {stepz: 5}}\n' >"$T/over.yaml"
refuses "an error in an overlay" E101 "$T/c.yaml" -c "$T/over.yaml"
check "names the overlay" grep -q 'over.yaml:1:19: error' "$T/err"
printf 'schema: 1\n' >"$T/c.yaml"
refuses "no data" E102 "$T/c.yaml"
echo "$base" | sed 's/schema: 1/schema: 2/' >"$T/c.yaml"
refuses "a schema of the future" E106 "$T/c.yaml"
printf '\377\376s\000' >"$T/c.yaml"
refuses "a file that is not UTF-8" E107 "$T/c.yaml"
: >"$T/c.yaml"
refuses "an empty file" E102 "$T/c.yaml"

for config in configs/*.yaml configs/targets/*.yaml configs/sweeps/*.yaml; do
    expect "$config is good" 0 check "$config"
done
run run "$T/none.yaml" --out "$T/run"
check "a file that is not there: exit code 66" test "$status" -eq 66 -a ! -e "$T/run"
echo "$base" >"$T/c.yaml"
expect "check says that a good one is good" 0 check "$T/c.yaml"
check "and writes nothing" test "$(find "$T" -type f | grep -cvE '/(c.yaml|over.yaml|out|err|check.log)$')" -eq 0
