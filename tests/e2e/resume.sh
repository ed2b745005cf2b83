#!/bin/bash
# A run that is killed, stopped or out of disk goes on where it was, to the same bytes, and loses nothing on the way.
. tests/e2e/lib.sh
set -m

printf 'schema: 1\nseed: 5\ndata: {generator: two_moons, rows: 6000}\n' >"$T/c.yaml"
work=("${QUICK[@]:1}" --set teacher.train.epochs=40 --set student.train.steps=1500 --set export.samples=100)
files=(teacher/model.safetensors teacher/metrics.jsonl student/model.safetensors student/metrics.jsonl export/samples.npy
    picture.png)
expect "a run that nobody stops" 0 run "$T/c.yaml" "${work[@]}" --out "$T/whole" --set checkpoint.every=0
asked() { for key in rows densities gradients draws; do value "$1/validation.json" "student.$key"; done; }

same() {
    local file
    for file in "${files[@]}"; do
        cmp "$T/whole/$file" "$1/$file" || return 1
    done
    cmp <(asked "$T/whole") <(asked "$1")
}

often=(--set checkpoint.every=0.01)
at_work() { # GLOB [LAST]: until there is such a file, or the one that comes last
    for _ in $(seq 600); do
        # shellcheck disable=SC2086
        ls $1 >/dev/null 2>&1 || [ -e "${2:-none}" ] && return 0
        sleep 0.05
    done
    not_ok "$1" "after 30 s there is no such file"
}

# ---- kill -9 in each training, where a checkpoint is there

for stage in teacher student; do
    start "$T/$stage" "${often[@]}"
    at_work "$T/$stage/stages/$stage-*.part/checkpoint-1" "$T/$stage/SHA256SUMS"
    kill -KILL $job
    wait $job 2>/dev/null
    if ls "$T/$stage"/stages/"$stage"-*.part/checkpoint-1 >/dev/null 2>&1; then
        check "killed in the $stage: the plan goes on from there" grep -q "^$stage *resume" \
            <("$DISTILL" plan "$T/c.yaml" "${work[@]}" --out "$T/$stage")
        expect "the same command" 0 run "$T/c.yaml" "${work[@]}" --out "$T/$stage"
        check "goes on" grep -q "^$stage *goes on from where it was stopped" "$T/err"
        check "to the same bytes" same "$T/$stage"
        check "and leaves no checkpoint" test -z "$(find "$T/$stage" -name 'checkpoint-*' -o -name '*.part')"
    else
        skip "killed in the $stage" "it was at its end before that"
    fi
done

# ---- twenty kills at any moment, with one thread and with two

kills=0 n=0
for threads in 1 2 1 2; do
    dir=$T/random$((++n))
    for _ in 1 2 3 4 5; do
        start "$dir" "${often[@]}" --threads $threads
        sleep 0.$((RANDOM % 10))$((RANDOM % 10))
        kill -KILL $job 2>/dev/null && kills=$((kills + 1))
        wait $job 2>/dev/null
    done
    expect "after kills at any moment, $threads thread(s)" 0 run "$T/c.yaml" "${work[@]}" --out "$dir" --threads $threads
    check "the same bytes" same "$dir"
    expect "which are as they were written" 0 verify "$dir"
done
echo "# $kills of 20 kills met a run at work"

# ---- stopped

for stage in teacher student; do
start "$T/stopped-$stage" --set checkpoint.every=0
at_work "$T/stopped-$stage/stages/$stage-*.part/metrics.jsonl"
kill -TERM $job
wait $job
status=$?
if [ $status -eq 143 ]; then
    check "a run that is stopped says how to go on" grep -q "^help: to go on from there: distill run .*'teacher.flow.hidden=\[16, 16\]'" "$T/err"
    bash -c "$(sed -n "s|^help: to go on from there: distill|$DISTILL|p" "$T/err")" >"$T/out" 2>"$T/err"
    check "which goes on in the $stage" grep -q "^$stage *goes on" "$T/err"
else
    skip "a run that is stopped" "it ended before, with status $status"
    expect "the same command" 0 run "$T/c.yaml" "${work[@]}" --out "$T/stopped-$stage"
fi
check "to the same bytes" same "$T/stopped-$stage"
done

# ---- a checkpoint that is damaged

# Stopped twice, a training has left two of them.
for which in newest both; do
    start "$T/$which" --set checkpoint.every=0
    at_work "$T/$which/stages/teacher-*.part/metrics.jsonl"
    kill -TERM $job
    wait $job
    start "$T/$which" --set checkpoint.every=0
    for _ in $(seq 600); do
        grep -q '^teacher *goes on' "$T/err" && break
        sleep 0.05
    done
    kill -TERM $job
    wait $job
    part=$(ls -d "$T/$which"/stages/teacher-*.part 2>/dev/null)
    if [ ! -e "$part/checkpoint-0" ] || [ ! -e "$part/checkpoint-1" ]; then
        skip "$which damaged" "the teacher was at its end before"
        continue
    fi
    spoil() { printf 'XX' | dd of="$part/checkpoint-$1" bs=1 seek=2000 conv=notrunc 2>/dev/null; }
    spoil 0 # the second one
    # its head is as much under a digest as what follows
    [ $which = both ] && sed -i '1s/"metrics":[0-9]*/"metrics":1/' "$part/checkpoint-1"
    expect "damaged: $which" 0 run "$T/c.yaml" "${work[@]}" --out "$T/$which"
    check "is told" grep -q "checkpoint-0 is damaged" "$T/err"
    [ $which = newest ] && check "and the one before is good" grep -q '^teacher *goes on' "$T/err"
    [ $which = both ] && check "and it begins anew" bash -c "! grep -q '^teacher *goes on' '$T/err'"
    check "to the same bytes" same "$T/$which"
done

# ---- no room: every file of the run may be the one that does not fit, in a directory with a good run

seen() { (cd "$1" && find . -name stages -prune -o ! -type d ! -name .lock -print | sort | xargs cksum); }
dir=$T/full
expect "a good run" 0 run "$T/c.yaml" "${QUICK[@]}" --out "$dir" --set seed=6
seen "$dir" >"$T/seen"
ended=0
for blocks in 0 2 6 12 20 32 64 256 16384; do
    (ulimit -f $blocks && "$DISTILL" run "$T/c.yaml" "${work[@]}" --out "$dir" --set checkpoint.every=0.01) >"$T/out" 2>"$T/err"
    status=$?
    [ $status -eq 0 ] && ended=1 && break
    cmp "$T/seen" <(seen "$dir") && [ $status -eq 74 ] && [ -z "$(find "$dir" -name '*.tmp.*')" ] || {
        not_ok "no room beyond $blocks blocks" "status $status, or the good run is another: $(tail -n 1 "$T/err")"
    }
done
check "with more room, it came to its end" test $ended -eq 1
check "and every time without it the good run was left as it was" test $ended -eq 1
check "the bytes are those of a run with room" same "$dir"
if mkdir "$T/disk" && mount -t tmpfs -o size=48k none "$T/disk" 2>/dev/null; then
    refused "a full disk" 74 "the disk is full" run "$T/c.yaml" "${work[@]}" --quiet --out "$T/disk/run"
    umount "$T/disk"
else
    skip "a full disk" "no right to mount one"
fi
