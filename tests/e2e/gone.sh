#!/bin/bash
# The directory of a run, or one above it, is removed while the run is at work: an error that says so, no crash, no wait, and nothing begun in its
# place. And a stop that comes when there is nothing left to stop.
. tests/e2e/lib.sh
set -m

endless >"$T/c.yaml"

work=(--quiet)
# ended NAME: by itself, within a minute; else it hangs. $status.
ended() {
    { sleep 60; kill -KILL $job; } 2>/dev/null &
    local dog=$!
    wait $job
    status=$?
    kill -KILL -$dog 2>/dev/null
    wait $dog 2>/dev/null
    check "$1: exit code 74" test $status -eq 74
    check "$1: a line says so" grep -q "^distill: error: $2[^ ]* is gone: it was removed while the run was at work$" "$T/err"
    check "$1: and it is not begun again" test ! -e "$2"
    check "$1: stdout is empty" test ! -s "$T/out"
}

# Checkpoints find it at once; without, the end of the stage, or a stop.
short=(--set teacher.train.epochs=3 --set student.train.steps=400)
start "$T/a" --set checkpoint.every=0.01
at_work "$T/a/stages/teacher-*.part/checkpoint-1"
rm -rf "$T/a"
ended "removed in the teacher" "$T/a"

start "$T/b" --set checkpoint.every=0.01 --set teacher.train.epochs=2
at_work "$T/b/stages/student-*.part/checkpoint-1"
rm -rf "$T/b"
ended "removed in the student" "$T/b"

mkdir "$T/above"
start "$T/above/c" --set checkpoint.every=0
at_work "$T/above/c/stages/teacher-*.part/metrics.jsonl"
rm -rf "$T/above"
kill -TERM $job
ended "the directory above it, and a stop" "$T/above"

# Moved away and another one in its place: nothing is written there.
start "$T/d" --set checkpoint.every=0.01
at_work "$T/d/stages/teacher-*.part/checkpoint-1"
mv "$T/d" "$T/moved" && mkdir "$T/d"
wait $job
check "another in its place: exit code 74" test $? -eq 74
check "stays empty" test -z "$(ls -A "$T/d")"

# Later on, whenever it is: in validation, samples or report.
for where in validate report; do
    start "$T/e" "${short[@]}" --set export.samples=100
    at_work "$T/e/stages/$where-*.part"
    until rm -rf "$T/e" 2>/dev/null; do :; done # a file may come while it is at it
    wait $job
    status=$?
    if [ $status -eq 0 ]; then
        skip "removed in $where" "the run was at its end before"
        continue
    fi
    check "removed in $where: exit code 74" test $status -eq 74
    check "a line says so" test "$(grep -c '^distill: error: .*/e is gone' "$T/err")" -eq 1
    check "nothing that looks like a run is there" test ! -e "$T/e/resolved.json"
    rm -rf "$T/e"
done

# ---- a stop behind the last stage

start "$T/f" "${short[@]}"
at_work "$T/f/stages/report-*.part"
kill -INT $job 2>/dev/null
wait $job
check "a stop in the last stage: the run is whole" test $? -eq 0
check "says so, if it came in time" bash -c "! grep -q stopping '$T/err' || grep -q 'the run is whole' '$T/err'"
check "and is called done" grep -q "^$T/f  done" <("$DISTILL" status "$T/f")
expect "verify" 0 verify "$T/f"
