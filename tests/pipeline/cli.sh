#!/bin/sh
# The program as a shell sees it: exit codes, streams, start-up time, a terminal that is none.
#   tests/pipeline/cli.sh [PROGRAM]     default build/distill; ends in a line of counts
program=${1:-build/distill}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
passed=0
failed=0

# expect STATUS WORD... : runs the program, keeps its streams in $dir/out and $dir/err
expect() {
    want=$1
    shift
    "$program" "$@" >"$dir/out" 2>"$dir/err"
    got=$?
    check "exit code $got, not $want: $*" test "$got" -eq "$want"
}

# check TEXT COMMAND... : counts one check; TEXT is shown if COMMAND fails
check() {
    text=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "cli.sh: $text" >&2
        sed 's/^/    /' "$dir/err" >&2
    fi
}

silent() { check "stdout is not empty: $1" test ! -s "$dir/out"; }

printf 'schema: 1\ndata: {generator: rings}\n' >"$dir/good.yaml"
printf 'schema: 1\ndata: {generator: rings}\nteacher: {flow: {layers: 10k}}\n' >"$dir/bad.yaml"

expect 0 --help
check 'help on stderr' test ! -s "$dir/err"
expect 0 --version
check 'the version names the BLAS' grep -q '^openblas .*core ' "$dir/out"
expect 0 explain student.train.lr
check 'explain names the key' grep -q '^student.train.lr$' "$dir/out"
expect 0 run --help
cp "$dir/out" "$dir/run.help"
expect 0 help run
check 'help run is run --help' cmp "$dir/out" "$dir/run.help"
expect 0 help help
expect 64 help rnu
check 'a verb that looks like it is named' grep -q "did you mean 'run'" "$dir/err"
expect 64 help run now
expect 64
expect 64 rnu
expect 64 explain no.such.key
silent 'explain no.such.key'
expect 64 run
expect 64 sample model

expect 0 check "$dir/good.yaml"
silent check
check 'check says ok' grep -q ': ok$' "$dir/err"
expect 78 check "$dir/bad.yaml"
silent check
check 'errors have a place' grep -q 'bad.yaml:3:26: error: .* \[E104\]$' "$dir/err"
check 'errors have a mark' grep -q '^      |                          ^~~$' "$dir/err"
check 'errors are counted' grep -q '^1 error; nothing was run$' "$dir/err"
check 'no colour into a file' sh -c '! grep -q "$(printf "\033")" "$1"' - "$dir/err"
expect 78 run "$dir/bad.yaml" --out "$dir/run"
check 'a wrong file makes no directory' test ! -e "$dir/run"
expect 66 check "$dir/none.yaml"
expect 66 check "$dir"
expect 66 check "$dir/good.yaml" --set data.generator=null --set data.path=none.csv

# every key that explain lists is explained
keys=0
section=
"$program" explain >"$dir/all"
while IFS= read -r line; do
    case $line in
    [a-z]*': '*)
        section=${line%%:*}
        section=${section%%,*}. # "teacher.flow, kind maf: ..." holds the keys of teacher.flow
        ;;
    '  key '*) ;;
    '  '[a-z]*)
        key=${line#  }
        case $section:$key in
        ?*.:"$section"*:*) key=${key%%:*} ;; # another kind, named in full
        *) key=$section${key%% *} ;;
        esac
        "$program" explain "$key" 2>"$dir/err" | grep -q "^$key\(\$\|: \)" || {
            failed=$((failed + 1))
            echo "cli.sh: explain $key" >&2
        }
        keys=$((keys + 1))
        ;;
    esac
done <"$dir/all"
check "only $keys keys are listed" test "$keys" -gt 60

# the fastest of 20 starts: the machine may be busy
fastest=1000000
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    start=$(date +%s%N)
    "$program" --help >"$dir/out"
    spent=$((($(date +%s%N) - start) / 1000))
    test "$spent" -ge "$fastest" || fastest=$spent
done
check "--help takes $fastest us, more than ${HELP_US:-20000}" test "$fastest" -lt "${HELP_US:-20000}"

echo "cli.sh: $passed passed, $failed failed"
test "$failed" -eq 0
