#!/bin/bash
# Progress of verbs that use a model, for people and programs; a signal leaves nothing half-written behind.
. tests/e2e/lib.sh
set -m # so that background jobs do not ignore SIGINT

printf 'seed: 3\ndata: {generator: rings, rows: 4000}\n' >"$T/a.yaml"
"$DISTILL" run "$T/a.yaml" --out "$T/a" "${QUICK[@]:1}" --log-format json >"$T/out" 2>"$T/log"
check "run --log-format json: every line of stderr is JSON" "$PROBE" lines "$T/log" level text
check "progress has stage, count, total, rate and time left" test -n "$(grep '"level":"progress"' "$T/log" | grep '"stage":"teacher","done":1,"total":2,.*"rate":.*"left":.*"loss ')"
check "stdout is the directory, as ever" test "$(cat "$T/out")" = "$T/a"
run run "$T/none.yaml" --log-format json
check "an error is one, too" grep -q '^{"level":"error","text":".*none.yaml: error: cannot open' "$T/err"
run sample "$T/a" -n 3 --log-format xml
check "a format that is none: usage" test "$status" -eq 64 -a -n "$(grep 'wants text or json' "$T/err")"
run sample "$T/a" -n 3
check "what is quick shows no progress" test "$status" -eq 0 -a ! -s "$T/err"

# begin ARGUMENT ...: in the background, $job.
begin() {
    "$DISTILL" "$@" >"$T/out" 2>"$T/err" </dev/null &
    job=$!
}
# wait_for COMMAND ...: up to a minute.
wait_for() {
    for _ in $(seq 600); do
        "$@" && return 0
        sleep 0.1
    done
    return 1
}
half_written() { [ -n "$(find "$T" -name '*.tmp.*' -size +0)" ]; }
# stopped NAME SIGNAL CODE: by the signal, with that exit code, and nothing is left.
stopped() {
    kill "-$2" $job
    wait $job
    status=$?
    check "$1: exit code $3" test "$status" -eq "$3"
    check "$1: no temporary file" test -z "$(find "$T" -name '*.tmp.*')"
    check "$1: no file" test ! -e "$T/x.npy" -a ! -e "$T/x.csv"
}

begin sample "$T/a" -n 1e9 -o "$T/x.npy"
check "sample writes beside its file" wait_for half_written
stopped "SIGINT in sample" INT 130
check "and says so" grep -q '^distill: error: stopped by a signal$' "$T/err"
for signal in TERM:143 HUP:129; do
    begin sample "$T/a" -n 1e9 -o "$T/x.csv"
    wait_for half_written
    stopped "SIG${signal%:*} in sample" "${signal%:*}" "${signal#*:}"
done
echo old >"$T/old.csv"
begin sample "$T/a" -n 1e9 -o "$T/old.csv" --log-format json
wait_for half_written
kill -INT $job
wait $job
check "an older file stays as it was" test "$(cat "$T/old.csv")" = old
check "in JSON, it is said in JSON" "$PROBE" lines "$T/err" level text

begin sample "$T/a" -n 6e7 -o "$T/x.npy"
check "sample tells how far it is, how fast, and how long it takes" \
    wait_for grep -qE '^sample +[0-9]+ %  [0-9]+ of 60000000  [0-9.e+]+/s  [0-9]+ (s|min [0-9]+ s|h [0-9]+ min) left$' "$T/err"
stopped "and can still be stopped" INT 130
begin sample "$T/a" -n 1e9 -o "$T/x.npy" --quiet
wait_for half_written
sleep 3
stopped "quietly, too" INT 130
check "--quiet: no progress" test "$(grep -c . "$T/err")" -eq 1

mkfifo "$T/rows.csv"
exec 3<>"$T/rows.csv" # it waits for rows
begin logp "$T/a" "$T/rows.csv" -o "$T/x.npy"
sleep 0.5
stopped "SIGINT in logp" INT 130
