#!/bin/bash
# A search for a student's size that is killed or stopped goes on behind the rungs that are finished, and within the training on
# its way, to the same bytes.
. tests/e2e/lib.sh
set -m

# Two steps pass untrained; one is trained and does not; then two are, and narrower ones: nine rungs, all kinds of them.
printf 'schema: 1\nseed: 5\ndata: {generator: two_moons, rows: 6000}\n' >"$T/c.yaml"
work=(--set teacher.flow.layers=2 --set "teacher.flow.hidden=[16, 16]" --set teacher.train.epochs=25 --set teacher.train.lr=0.005
    --set student.train.steps=400 --set student.train.batch=256 --set student.layerwise.steps=150 --set student.shrink.samples=1000
    --set student.shrink.iterations=1 --set student.shrink.halvings=1 --until student)
expect "a search that nobody stops" 0 run "$T/c.yaml" "${work[@]}" --quiet --out "$T/whole" --set checkpoint.every=0
product() { cat "$1"/stages/student-*/product.json; }
check "has nine rungs" test "$(product "$T/whole" | grep -c '"wild"')" -eq 9

# What is kept of all of it but speeds and times.
figures() { product "$1" | grep -v '"rows_per_s"\|"row_seconds"\|"ladder.teacher_\|seconds"\|nanoseconds"'; }
same() {
    local file
    for file in model.safetensors metrics.jsonl t1.safetensors t1_w0.5.safetensors t2_w0.5.safetensors; do
        cmp "$T/whole/student/$file" "$1/student/$file" || return 1
    done
    cmp <(figures "$T/whole") <(figures "$1")
}

# ---- kill -9 at any moment of it, each time further on: what is finished is not made again

kills=0
for threads in 1 2; do
    dir=$T/killed$threads
    : >"$T/sums"
    for k in 0 2 4 6; do
        start "$dir" --threads $threads --set checkpoint.every=0.01
        at_work "$dir/stages/student-*.part/rung-$k"
        sleep 0.$((RANDOM % 3))$((RANDOM % 10))
        kill -KILL $job 2>/dev/null && kills=$((kills + 1))
        wait $job 2>/dev/null
        part=$(ls -d "$dir"/stages/student-*.part 2>/dev/null)
        [ -n "$part" ] || break
        cksum "$part"/rung-[0-$k] >"$T/sums.now"
        check "rungs before rung $k are those that were there" cmp "$T/sums" <(head -n "$(wc -l <"$T/sums")" "$T/sums.now")
        mv "$T/sums.now" "$T/sums"
    done
    spent=0
    [ -n "$part" ] && spent=$(sed -n '1s/.*"seconds":\([0-9.e+-]*\).*/\1/p' "$part/$(cd "$part" && ls rung-? | tail -n 1)")
    [ -n "$part" ] && check "the plan goes on from there" grep -q '^student *resume' <("$DISTILL" plan "$T/c.yaml" "${work[@]}" --out "$dir")
    [ $threads -eq 2 ] && [ -n "$part" ] && printf 'XX' | dd of="$part/rung-5" bs=1 seek=900 conv=notrunc 2>/dev/null
    expect "after kills at any moment, $threads thread(s)" 0 run "$T/c.yaml" "${work[@]}" --out "$dir" --threads $threads
    if [ $threads -eq 2 ] && [ -n "$part" ]; then
        check "a rung that is damaged is told" grep -q 'rung-5 is damaged' "$T/err"
        check "and it goes on behind the one before" grep -q '^student *goes on from where it was stopped' "$T/err"
    fi
    check "its seconds are those of all processes" awk -v all="$(value "$dir/manifest.json" seconds.student)" -v before="$spent" \
        'BEGIN { exit !(all > before && before >= 0) }'
    check "the same bytes" same "$dir"
    check "and nothing is left" test -z "$(find "$dir" -name 'rung-*' -o -name 'checkpoint-*' -o -name '*.part' -o -name '*.tmp.*')"
done
echo "# $kills of 8 kills met a run at work"

# ---- stopped, in the layers and in the whole, and before there is any student

for where in rung-0 rung-2; do
    dir=$T/stopped-$where
    start "$dir" --set checkpoint.every=0
    at_work "$dir/stages/student-*.part/$where"
    kill -TERM $job 2>/dev/null
    wait $job
    status=$?
    if [ $status -eq 0 ]; then
        skip "stopped behind $where" "it was at its end before"
        continue
    fi
    check "stopped behind $where" test $status -eq 143
    check "says how to go on" grep -q '^help: to go on from there: distill run' "$T/err"
    check "and leaves no temporary file" test -z "$(find "$dir" -name '*.tmp.*')"
    expect "the same command" 0 run "$T/c.yaml" "${work[@]}" --out "$dir"
    check "goes on" grep -q '^student *goes on from where it was stopped' "$T/err"
    check "to the same bytes" same "$dir"
done
