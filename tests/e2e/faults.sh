#!/bin/bash
# Every call that writes to a disk fails once, in the verbs that write results: faults.c.
[ -w /dev/shm ] && export TMPDIR=/dev/shm # a disk that is none: it is played
. tests/e2e/lib.sh

mkdir "$T/start"
printf 'schema: 1\nseed: 5\ndata: {generator: two_moons, rows: 300}\n' >"$T/start/c.yaml"
awk 'BEGIN { for (i = 0; i < 300; i++) print sin(i * i) + cos(3 * i) }' >"$T/start/one.csv" # few figures
printf 'schema: 1\nseed: 5\ndata: {path: one.csv}\n' >"$T/start/one.yaml"
cat >"$T/start/s.yaml" <<'END'
schema: 1
seed: 5
data: {generator: two_moons, rows: 300}
teacher: {flow: {kind: maf, layers: 1, hidden: [8]}, train: {epochs: 2, warmup: 0}}
student: {flow: {kind: iaf, layers: 1, hidden: [8]}, train: {steps: 5, batch: 32, warmup: 0}}
validate: {samples: 200}
sweep: {list: [{seed: 1}, {seed: 2}]}
END
# play SCENE ...: in a folder of its own, so that two of them can go on at a time.
play() {
    local folder=$T/$1
    mkdir "$folder" && cp -r "$T/start" "$folder/"
    "$BUILD/tests/e2e/faults" "$folder" "$@"
}
if [ $# -gt 0 ]; then
    play "$@"
    exit
fi
play report >"$T/report.log" 2>&1 &
play teacher student validate again export sample "sample to text" logp gc sweep init
others=$?
wait $!
own=$?
cat "$T/report.log"
exit $((others | own))
