#!/bin/bash
# tests/run.sh -- builds the tests, runs them and counts them; `make test` ends here.
#   tests/run.sh [SUITE ...]     of those below; default: all of them
# CC and BUILD mean what they mean to make. One line per program, and what failed in full. The
# last line is "N passed, N failed" and, if there are any, ", N skipped"; the status says the same.
set -u
cd "$(dirname "$0")/.." || exit 1
export CC=${CC:-gcc} BUILD=${BUILD:-build}
unset MAKEFLAGS MFLAGS MAKEOVERRIDES # an outer make's job server is not passed on

logs=$BUILD/test-logs
cores=$(nproc)
passed=0 failed=0 skipped=0

# ---- counting. A log has lines "ok NAME", "not ok NAME: why", "skip NAME: why" among others.

# tally NAME STATUS SECONDS LOG: adds up a log. A program that failed without saying so, or that said
# nothing at all, has failed once.
tally() {
    local name=$1 status=$2 seconds=$3 log=$4 good bad not
    good=$(grep -c '^ok ' "$log")
    bad=$(grep -c '^not ok ' "$log")
    not=$(grep -c '^skip ' "$log")
    if [ "$bad" -eq 0 ] && { [ "$status" -ne 0 ] || [ $((good + not)) -eq 0 ]; }; then
        bad=1
        echo "not ok $name: ended with status $status after $good checks" >>"$log"
    fi
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + not))
    printf '%-28s %5d passed %3d failed %3d skipped %5d s\n' "$name" "$good" "$bad" "$not" "$seconds"
    grep '^skip ' "$log"
    [ "$bad" -gt 0 ] || return 0
    echo "---- $log"
    grep '^not ok ' "$log" | head -n 50
    grep -v '^ok \|^not ok ' "$log" | tail -n 100
    echo ----
}

# one NAME SECONDS COMMAND ...: a program that is one test.
one() {
    local name=$1 limit=$2 log=$logs/${1//\//-}.log start=$SECONDS status
    shift 2
    timeout -k 5 "$limit" "$@" >"$log" 2>&1 </dev/null
    status=$?
    [ $status -eq 0 ] && echo "ok $name" >>"$log"
    tally "$name" $status $((SECONDS - start)) "$log"
}

# checks NAME SECONDS COMMAND ...: a program that prints its checks.
checks() {
    local name=$1 limit=$2 log=$logs/${1//\//-}.log start=$SECONDS
    shift 2
    timeout -k 5 "$limit" "$@" >"$log" 2>&1 </dev/null
    tally "$name" $? $((SECONDS - start)) "$log"
}

# criterion NAME SECONDS PROGRAM: its TAP report, in our words. A crash is a "not ok" there.
criterion() {
    local name=$1 log=$logs/${1//\//-}.log start=$SECONDS status
    rm -f "$log.tap"
    timeout -k 5 "$2" "${fixed[@]}" "$3" --tap="$log.tap" --timeout "$2" --color=never \
        --short-filename >"$log" 2>&1 </dev/null
    status=$?
    sed -n 's/^ok - \(.*\)  # SKIP \(.*\)/skip \1: \2/p; t; s/^\(not \)\{0,1\}ok - /\1ok /p' "$log.tap" >>"$log" 2>/dev/null
    tally "$name" $status $((SECONDS - start)) "$log"
}

build() {
    local log=$logs/build.log start=$SECONDS
    if make --no-print-directory -s -j"$cores" WERROR=-Werror BUILD="$BUILD" CC="$CC" "$@" >"$log" 2>&1; then
        printf '%-62s %5d s\n' "built: $*" $((SECONDS - start))
        return 0
    fi
    tally "make $*" 1 $((SECONDS - start)) "$log"
    return 1
}

# Sanitizers and address randomisation do not always go together.
fixed=()
setarch "$(uname -m)" -R true 2>/dev/null && fixed=(setarch "$(uname -m)" -R)

# Whether programs of a sanitizer run here at all: some containers do not let them.
works() {
    "${fixed[@]}" "$BUILD/$1/tests/e2e/probe" >/dev/null 2>&1
    [ $? -eq 64 ] && return 0
    echo "skip $1: programs of this sanitizer do not run here" >"$logs/$1.log"
    tally "$1" 0 0 "$logs/$1.log"
    return 1
}

# ---- suites

floors() { for f in flow files teacher student pipeline library; do [ -z "$(ls tests/$f/*.c 2>/dev/null)" ] || echo $f; done; }

unit() {
    build tests || return
    for floor in $(floors); do
        criterion "unit/$floor" 300 "$BUILD/tests/test_$floor"
    done
}

# A leak in a child of Criterion does not fail its test, but it leaves a report.
address() {
    local -x LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0
    build SANITIZE=address tests && works address || return
    for floor in $(floors); do
        rm -f "$logs/address-$floor.report"*
        ASAN_OPTIONS=log_path=$logs/address-$floor.report:detect_stack_use_after_return=1 \
            criterion "address/$floor" 600 "$BUILD/address/tests/test_$floor"
        if ls "$logs/address-$floor.report"* >"$logs/reports" 2>/dev/null; then
            { echo "not ok address/$floor: $(wc -l <"$logs/reports") reports of the sanitizer"
                xargs cat <"$logs/reports"; } >"$logs/address-$floor.reports"
            tally "address/$floor" 1 0 "$logs/address-$floor.reports"
        fi
    done
    for script in configs data models sample targets; do
        ASAN_OPTIONS=exitcode=99 DISTILL=$BUILD/address/distill \
            checks "address/e2e/$script" 300 "${fixed[@]}" "tests/e2e/$script.sh"
    done
}

thread() {
    build SANITIZE=thread "$BUILD/thread/distill" "$BUILD/thread/tests/e2e/threads" \
        "$BUILD/thread/tests/e2e/handles" "$BUILD/thread/tests/e2e/probe" && works thread || return
    checks thread/parts 300 "${fixed[@]}" "$BUILD/thread/tests/e2e/threads"
    # Small, but it learns: a student or a teacher that does not fails a gate. A share of 1000 rows is held to
    # five of its standard errors.
    one thread/run 300 "${fixed[@]}" "$BUILD/thread/distill" run configs/two_moons_textbook.yaml --threads 3 \
        --out "$logs/thread-run" --set student.train.forward=0.5 --set teacher.train.epochs=30 --set student.train.steps=220 \
        --set teacher.train.warmup=0 --set student.train.warmup=0 --set teacher.train.lr=0.01 --set student.train.lr=0.01 \
        --set "teacher.flow.hidden=[16, 16]" --set "student.flow.hidden=[16, 16]" --set data.rows=1000 \
        --set validate.samples=1000 --set 'validate.require.mode_share_error="< 0.08"' \
        --set 'validate.require.teacher_test_log_likelihood="> -1.55"'
    checks thread/handles 300 "${fixed[@]}" "$BUILD/thread/tests/e2e/handles" "$logs/thread-run/student/model.safetensors"
    one thread/search 300 "${fixed[@]}" "$BUILD/thread/distill" run configs/two_moons.yaml --threads 3 \
        --out "$logs/thread-search" --set teacher.train.epochs=10 --set "teacher.flow.hidden=[16, 16]" \
        --set student.train.batch=256 --set student.train.steps=20 --set student.layerwise.steps=20 --set student.train.warmup=0 --set student.shrink.samples=1000 --set data.rows=1000 --set validate.samples=1000 \
        --set 'validate.require.mode_share_error="< 0.2"'
}

fuzz() {
    build SANITIZE=address tests && works address || return
    one fuzz/files 120 "${fixed[@]}" "$BUILD/address/tests/fuzz/fuzz_files" 40000
    one fuzz/yaml 120 "${fixed[@]}" "$BUILD/address/tests/fuzz/fuzz_yaml" 10000
}

e2e() {
    build tests || return
    one e2e/cli 300 sh tests/pipeline/cli.sh "$BUILD/distill"
    for script in tests/e2e/*.sh; do
        [ "$script" = tests/e2e/lib.sh ] || checks "e2e/$(basename "$script" .sh)" 600 "$script"
    done
}

# Other versions of clang-format want other things.
format() {
    if clang-format --version 2>&1 | grep -q 'version 14\.' && git rev-parse >/dev/null 2>&1; then
        one format 120 make -s check-format
    else
        echo "skip format: no clang-format 14, or no git repository" >"$logs/format.log"
        tally format 0 0 "$logs/format.log"
    fi
}

mkdir -p "$logs" || exit 1
[ $# -gt 0 ] || set -- unit e2e address fuzz thread format
for suite in "$@"; do
    case $suite in
    unit | e2e | address | fuzz | thread | format) $suite ;;
    *) echo "there is no suite '$suite'; there are unit e2e address fuzz thread format" >&2 && exit 64 ;;
    esac
done
echo "$passed passed, $failed failed$([ $skipped -eq 0 ] || echo ", $skipped skipped")"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
