#!/bin/bash
# Ctrl-C, kill and a second Ctrl-C: what was trained so far is kept, and no more is claimed.
. tests/e2e/lib.sh
set -m # so that background jobs do not ignore SIGINT

endless >"$T/long.yaml"

# start NAME -e|-s FILE ARGUMENT ...: a run in the background, $job; returns when FILE is there (-e) or
# has something in it (-s).
start() {
    local file=$T/$1/$3
    "$DISTILL" run "$T/long.yaml" --quiet --out "$T/$1" "${@:4}" >"$T/out" 2>"$T/err" </dev/null &
    job=$!
    for _ in $(seq 600); do
        ! test "$2" "$file" || return 0
        sleep 0.1
    done
    not_ok "$1" "after 60 s there is no $file"
}

# stop SIGNAL SECONDS: sends it; $status and $spent, ms until the run was gone; killed after SECONDS.
stop() {
    local from dog
    from=$(date +%s%N)
    kill "-$1" $job
    { sleep "$2"; kill -KILL $job; } 2>/dev/null &
    dog=$!
    wait $job
    status=$?
    spent=$((($(date +%s%N) - from) / 1000000))
    kill -KILL -$dog 2>/dev/null
    wait $dog 2>/dev/null
}

# said_so NAME: the program tells in one line that it was stopped.
said_so() {
    check "$1: stderr says so" grep -q '^distill: error: .*stop' "$T/err"
    check "$1: stdout is empty" test ! -s "$T/out"
    check "$1: the manifest says so" test "$(value "$T/$1/manifest.json" end)" = '"stopped"'
    check "$1: no verdict, no temporary file" test ! -e "$T/$1/validation.json" -a -z "$(find "$T" -name '*.tmp.*')"
}

start teacher -s teacher/metrics.jsonl
stop INT 20
check "SIGINT in the teacher: exit code 130" test "$status" -eq 130
said_so teacher
expect "the teacher so far can be sampled" 0 sample "$T/teacher/teacher/model.safetensors" -n 10
check "there is no student" test ! -e "$T/teacher/student/model.safetensors"
check "its metrics are whole lines" "$PROBE" lines "$T/teacher/teacher/metrics.jsonl" epoch

start student -s student/metrics.jsonl --set teacher.train.epochs=1
stop INT 20
check "SIGINT in the student: exit code 130" test "$status" -eq 130
said_so student
expect "the teacher can be sampled" 0 sample "$T/student/teacher/model.safetensors" -n 10
expect "the student so far can be sampled" 0 sample "$T/student/student/model.safetensors" -n 10

start term -s teacher/metrics.jsonl
stop TERM 20
check "SIGTERM: exit code 143" test "$status" -eq 143
said_so term
start usr1 -s student/metrics.jsonl --set teacher.train.epochs=1
stop USR1 20
check "SIGUSR1: exit code 138" test "$status" -eq 138
said_so usr1

# An epoch of a minute: the end of a step is near, the end of the epoch is not.
start slow -e teacher/metrics.jsonl --set data.rows=200000 --set "teacher.flow.hidden=[512, 512]" \
    --set teacher.flow.layers=8 --set teacher.train.batch=512
stop INT 40
check "a stop waits for the end of a step and writes a checkpoint, and not for the end of an epoch" test "$status" -eq 130 -a "$spent" -lt 25000

# A step of many seconds: a second SIGINT does not wait for it.
start twice -e teacher/metrics.jsonl --set data.rows=400000 --set "teacher.flow.hidden=[2048, 2048]" \
    --set teacher.flow.layers=8 --set teacher.train.batch=262144
sleep 0.5
kill -INT $job
sleep 0.5
check "the first SIGINT says what it does" grep -q 'stopping at the end' "$T/err"
stop INT 10
check "a second SIGINT leaves at once, exit code 130" test "$status" -eq 130 -a "$spent" -lt 1000
