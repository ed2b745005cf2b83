#!/bin/bash
# ladder: the unrolled teacher, T by T; a table on stdout.
. tests/e2e/lib.sh

run run configs/power.yaml "${QUICK[@]}" --out "$T/run"
teacher=$T/run/teacher/model.safetensors
expect "a ladder" 0 ladder "$teacher" -n 2000
check "has a rung for every column and the teacher" test "$(grep -cE '^ +([1-6]|teacher) ' "$T/out")" -eq 7
check "ends with the teacher itself" grep -qE '^ +6 +-?0\.0000 \+- 0\.0000 +-?0\.0000 \+- 0\.0000 +1\.000 +1\.000 ' "$T/out"
check "says which rung is enough" grep -qE '^T = [1-6] is the first that needs no training' "$T/out"
cp "$T/out" "$T/first"
expect "a run stands for its teacher" 0 ladder "$T/run" -n 200 --most 2
run ladder "$teacher" -n 2000 --threads 1
figures() { grep -E '^ +[1-6] ' "$1" | cut -c1-74; }
check "the same figures with one thread" cmp <(figures "$T/first") <(figures "$T/out")
run ladder "$teacher" -n 2000 --seed 1
check "other rows with another seed" sh -c '! cmp -s "$1" "$2"' - <(figures "$T/first") <(figures "$T/out")
expect "up to a T" 0 ladder "$teacher" -n 200 --most 2
check "and no further" test "$(grep -cE '^ +[1-9] ' "$T/out")" -eq 2

expect "rungs in int16" 0 ladder "$teacher" -n 2000 --network int16
check "say so" grep -q "untrained, networks in int16" "$T/out"
check "are not those as they are, and near them" awk 'NR == FNR { if ($1 + 0) was[$1] = $2; next }
    $1 + 0 { far = far || $2 - was[$1] > .01 || was[$1] - $2 > .01; same = same && $2 == was[$1]; n++ } BEGIN { same = 1 }
    END { exit far || same || n != 6 }' "$T/first" "$T/out"
run ladder "$teacher" --network int9
check "a network that is none is refused" sh -c '[ "$1" -eq 64 ] && grep -q "network wants one of f32" "$2"' - "$status" "$T/err"

expect "a picture" 0 ladder "$teacher" -n 200 --picture "$T/ladder.png"
check "is a PNG" sh -c 'head -c 4 "$1" | grep -q PNG' - "$T/ladder.png"
expect "a picture that has no place" 73 ladder "$teacher" -n 200 --most 1 --picture "$T/none/ladder.png"
check "is told with its name" grep -q "none/ladder.png" "$T/err"

refused "a student" 64 "a parallel sampler as it is" ladder "$T/run/student/model.safetensors"
refused "a ladder of nothing" 66 "none" ladder "$T/none.safetensors"
expect "no rung at all is refused" 64 ladder "$teacher" --most 0
refused "context for a teacher that has none" 64 "no context" ladder "$teacher" --context configs/data/README.md

# ---- a conditional teacher

run run configs/power_given_time.yaml "${QUICK[@]}" --out "$T/given"
teacher=$T/given/teacher/model.safetensors
refused "a conditional teacher without context" 64 "give --context FILE" ladder "$teacher"
printf '0.25\n0.5\n0.75\n' >"$T/context.csv"
expect "a conditional teacher" 0 ladder "$teacher" -n 500 --context "$T/context.csv"
check "is itself at the last rung" grep -qE '^ +5 +-?0\.0000 \+- 0\.0000 ' "$T/out"
printf '0.25\nnan\n' >"$T/context.csv"
refused "a context that is no number" 65 "row 1" ladder "$teacher" -n 500 --context "$T/context.csv"
