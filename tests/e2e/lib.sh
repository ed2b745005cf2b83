# shellcheck shell=bash
# tests/e2e/lib.sh -- what the end-to-end scripts have in common; each sources it first.
#
# A script runs in the root of the repository. It prints one line per check,
#   ok NAME        not ok NAME: why        skip NAME: why
# and ends with status 1 if a check failed. Its files are below $T, which goes away at the end.
set -u
BUILD=${BUILD:-build}
DISTILL=${DISTILL:-$BUILD/distill} # the program under test; it may be a sanitizer's build
PROBE=$BUILD/tests/e2e/probe       # probe.c
T=$(mktemp -d "${TMPDIR:-/tmp}/distill-e2e-XXXXXX") || exit 1
failures=0
trap 'status=$?; rm -rf "$T"; exit $((status ? status : failures > 0))' EXIT

POWER=configs/data/power_dec2006.npy # 19443 rows of 6 columns, f4, a header of 128 bytes

# Small and quick settings for `distill run`, whatever the data: of a teacher, whose student starts as it; and with a
# student of its own.
FIT=(--quiet --set teacher.flow.layers=2 --set "teacher.flow.hidden=[16, 16]" --set teacher.train.epochs=2
    --set student.train.steps=100 --set validate.samples=1000)
TEACH=("${FIT[@]}" --set student.layerwise.steps=50 --set student.shrink.samples=1000)
QUICK=("${FIT[@]}" --set student.flow.layers=2 --set "student.flow.hidden=[16, 16]")

ok() { echo "ok $1"; }
skip() { echo "skip $1: $2"; }
not_ok() {
    echo "not ok $1: $2"
    failures=$((failures + 1))
}

# check NAME COMMAND ...: the command succeeds. What it prints is shown if it does not.
check() {
    local name=$1
    shift
    if "$@" >"$T/check.log" 2>&1; then
        ok "$name"
    else
        not_ok "$name" "$* (status $?)"
        sed 's/^/    /' "$T/check.log" | head -n 20
    fi
}

# run ARGUMENT ...: the program; its streams go to $T/out and $T/err, its exit code to $status.
run() {
    "$DISTILL" "$@" >"$T/out" 2>"$T/err" </dev/null
    status=$?
}

# expect NAME STATUS ARGUMENT ...: the program ends with this exit code.
expect() {
    local name=$1 wanted=$2
    shift 2
    run "$@"
    [ "$status" -eq "$wanted" ] && ok "$name" && return
    not_ok "$name" "exit code $status, not $wanted: distill $*"
    sed 's/^/    /' "$T/err" | tail -n 20
}

# refused NAME STATUS TEXT ARGUMENT ...: the program ends with this exit code and one line on stderr
# that has TEXT in it (a basic regular expression), prints nothing on stdout, and leaves no temporary
# file and no file $OUTPUT.
OUTPUT=
refused() {
    local name=$1 wanted=$2 text=$3 why=
    shift 3
    run "$@"
    [ "$status" -eq "$wanted" ] || why="exit code $status, not $wanted"
    [ "$(wc -l <"$T/err")" -eq 1 ] || why="${why:+$why; }stderr has not one line"
    grep -q "^distill: error: .*$text" "$T/err" || why="${why:+$why; }stderr does not say '$text'"
    [ ! -s "$T/out" ] || why="${why:+$why; }stdout is not empty"
    [ -z "$OUTPUT" ] || [ ! -e "$OUTPUT" ] || why="${why:+$why; }$OUTPUT was left behind"
    [ -z "$(find "$T" -name '*.tmp.*')" ] || why="${why:+$why; }a temporary file was left behind"
    [ -z "$why" ] && ok "$name" && return
    not_ok "$name" "$why: distill $*"
    sed 's/^/    /' "$T/err" | head -n 20
    find "$T" -name '*.tmp.*' -delete
}

# value FILE PATH: from a JSON file.
value() { "$PROBE" json "$1" "$2"; }

# npy_rows FILE COLUMNS: the numbers of a .npy file of f8, one row a line, 17 digits.
npy_rows() {
    local header
    header=$(od -An -tu2 -j8 -N2 "$1") || return 1
    od -An -v -tf8 -w$(($2 * 8)) -j$((10 + header)) "$1"
}

# same_numbers A B TOLERANCE: two files of rows of numbers are equal within TOLERANCE * (1 + |a|). A
# tolerance of 0 wants the same doubles. Separators are blanks or commas.
same_numbers() {
    cat "$1" >"$T/left" && cat "$2" >"$T/right" || return 1
    [ -s "$T/left" ] && [ "$(wc -l <"$T/left")" -eq "$(wc -l <"$T/right")" ] || return 1
    paste -d ' ' "$T/left" "$T/right" | tr ',' ' ' | awk -v tolerance="$3" '
        function abs(v) { return v < 0 ? -v : v }
        NF == 0 || NF % 2 { print "line " NR ": " NF " numbers"; bad = 1; exit }
        { for (i = 1; i <= NF / 2; i++) {
              a = $i + 0; b = $(i + NF / 2) + 0; off = abs(a - b)
              if (!(off <= tolerance * (1 + abs(a)))) {
                  print "line " NR ": " $i " and " $(i + NF / 2); bad = 1; exit } } }
        END { exit bad }'
}

# A config of a run that never ends by itself, on stdout. Its steps are small, so that the end of one is near.
endless() {
    cat <<'Y'
schema: 1
seed: 1
data: {generator: rings, rows: 4000}
teacher: {flow: {layers: 2, hidden: [16]}, train: {epochs: 1000000, patience: 0}}
student: {flow: {layers: 2, hidden: [16]}, train: {steps: 100000000}}
validate: {samples: 1000}
Y
}

# start DIR [OPTION ...]: a run of $T/c.yaml with the options ${work[@]} in the background, as $job. For set -m.
start() {
    "$DISTILL" run "$T/c.yaml" "${work[@]}" --out "$@" >"$T/out" 2>"$T/err" </dev/null &
    job=$!
}

# at_work GLOB: until there is such a file, or the run is at its end: a limit of time would be one of the machine.
at_work() {
    while kill -0 $job 2>/dev/null; do
        # shellcheck disable=SC2086
        ls $1 >/dev/null 2>&1 && return 0
        sleep 0.02
    done
}
