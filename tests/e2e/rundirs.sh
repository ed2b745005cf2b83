#!/bin/bash
# One run directory, many runs: what is taken away, what stays, who may write.
. tests/e2e/lib.sh
set -m # background jobs of their own group

printf 'schema: 1\nseed: 1\ndata: {generator: rings, rows: 3000}\n' >"$T/c.yaml"
printf 'student: {flow: {layers: 3}}\n' >"$T/one.yaml"
printf 'teacher: {flow: {layers: 3}}\n' >"$T/two.yaml"
fit=("${QUICK[@]}" --set teacher.train.epochs=1)
dir=$T/run
files() { (cd "$1" && find . -name stages -prune -o ! -type d -print | sort); }
sums() { (cd "$1" && find . ! -type d ! -name .lock | sort | xargs cksum); }

# ---- what an earlier run left

expect "a run with two overlays and an export" 0 run "$T/c.yaml" -c "$T/one.yaml" -c "$T/two.yaml" "${fit[@]}" --out "$dir" --set export.samples=50
check "has all of them" test -s "$dir/overlay-1.yaml" -a -s "$dir/overlay-2.yaml" -a -s "$dir/export/samples.npy"
echo mine >"$dir/notes.txt" && echo mine >"$dir/export/notes.txt" && echo mine >"$dir/teacher/notes.txt"

# What only the dimensions of the data tell, which the file of the config does not have.
for who in teacher student; do
    echo "$who: {flow: {layers: [{kind: part, first: 1, count: 2, layers: [autoregressive]}]}}" >"$T/$who.yaml"
done
sums "$dir" >"$T/before"
for who in teacher student; do
    why="$who.flow: .*first 1 and count 2 exceed 2 coordinates"
    refused "a $who that cannot be built: exit code 78" 78 "$why" run "$T/c.yaml" --quiet -c "$T/$who.yaml" --out "$dir"
    check "touches nothing" cmp "$T/before" <(sums "$dir")
    refused "check says the same in the same words" 78 "$why" check "$T/c.yaml" -c "$T/$who.yaml"
done
printf '1,2,3\n4,5,6\n' >"$T/three.csv"
refused "columns that the file does not have" 78 "three.csv: there is no column 'w'" check "$T/c.yaml" --set data.generator=null \
    --set data.rows=null --set "data.path=$T/three.csv" --set 'data.columns=[w]'

rm "$dir/picture.png" && echo old >"$dir/picture.png" # as a program without a memory left it
expect "a run without overlays and export over it" 0 run "$T/c.yaml" "${fit[@]}" --out "$dir"
expect "the same in a new directory" 0 run "$T/c.yaml" "${fit[@]}" --out "$T/new"
check "both hold the same files, and the user's own" cmp <(files "$dir") \
    <( (files "$T/new" && printf './%s\n' notes.txt export/notes.txt teacher/notes.txt) | sort)
check "what stood in the way of a link is put by" test "$(cat "$dir"/stages/earlier/picture.png.*)" = old
check "the user's own are as they were" test "$(cat "$dir"/notes.txt "$dir"/*/notes.txt | sort -u)" = mine

expect "a run from the record of a run, over itself, its overlays turned round" 0 run "$dir/config.yaml" "${fit[@]}" \
    -c "$T/one.yaml" -c "$T/two.yaml" --out "$dir"
expect "a second time" 0 run "$dir/config.yaml" "${fit[@]}" -c "$dir/overlay-2.yaml" -c "$dir/overlay-1.yaml" --out "$dir"
check "has the texts as they were read" cmp <(cat "$T/c.yaml" "$T/two.yaml" "$T/one.yaml") \
    <(cat "$dir/config.yaml" "$dir/overlay-1.yaml" "$dir/overlay-2.yaml")

# ---- the lock

# long DIR: a run that never ends, in the background, as $job; returns when it is at work.
long() {
    "$DISTILL" run "$T/c.yaml" "${QUICK[@]}" --out "$1" --set teacher.train.epochs=100000000 \
        --set teacher.train.patience=0 >"$T/long.out" 2>"$T/long.err" </dev/null &
    job=$!
    for _ in $(seq 600); do
        [ ! -s "$1/teacher/metrics.jsonl" ] || return 0
        sleep 0.1
    done
    not_ok "$1" "after 60 s it is not at work"
}
still() { (cd "$1" && cksum config.yaml overrides.txt resolved.json); } # what a run at work does not change

long "$T/locked"
still "$T/locked" >"$T/before"
host=$(uname -n)
refused "a second run in the directory of one at work: exit code 75" 75 \
    "$T/locked is in use by pid $job on host $host since [0-9][0-9]:[0-9][0-9]$" run "$T/c.yaml" "${fit[@]}" --out "$T/locked"
check "touches nothing" cmp "$T/before" <(still "$T/locked")
check "and the first one goes on" kill -0 $job
kill -KILL $job
wait $job 2>/dev/null
check "a run that was killed leaves its name" grep -q "^pid $job " "$T/locked/.lock"
expect "but does not block the next" 0 run "$T/c.yaml" "${fit[@]}" --out "$T/locked"
mkdir "$T/only" && : >"$T/only/.lock"
expect "a directory of a lock alone is empty" 0 run "$T/c.yaml" "${fit[@]}" --out "$T/only"
long "$T/stopped"
kill -INT $job
wait $job 2>/dev/null
expect "one that was stopped does not block either" 0 run "$T/c.yaml" "${fit[@]}" --out "$T/stopped"
