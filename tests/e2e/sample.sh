#!/bin/bash
# sample and logp: streams of samples that do not depend on how many are asked for, in both formats.
. tests/e2e/lib.sh

for precision in f32 f64; do
    run run configs/two_moons.yaml "${QUICK[@]}" --out "$T/$precision" --set precision=$precision --set export.samples=50
    [ -s "$T/$precision/validation.json" ] || not_ok "a $precision run to sample from" "$(head -n 1 "$T/err")"
done
student=$T/f32/student/model.safetensors teacher=$T/f32/teacher/model.safetensors

# ---- one stream

expect "a thousand samples" 0 sample "$student" -n 1000 -o "$T/all.csv"
check "are a thousand lines and names" test "$(wc -l <"$T/all.csv")" -eq 1001
run sample "$student" -n 10 -o "$T/few.csv"
check "the first ten of a thousand are ten" cmp "$T/few.csv" <(head -n 11 "$T/all.csv")
run sample "$student" -n 10 --digits 3 -o "$T/short.csv"
check "--digits: the same samples, shorter" sh -c 'head -n 11 "$1" | awk -F, "NR > 1 { printf \"%.3g,%.3g\\n\", \$1, \$2; next } 1" | cmp - "$2"' \
    - "$T/all.csv" "$T/short.csv"
run logp "$student" "$T/few.csv" --digits 5
check "of densities, too" sh -c '! grep -Eq "[0-9.]{8}" "$1"' - "$T/out"
run sample "$student" -n 300 --first 700 -o "$T/late.csv"
check "--first starts in the middle" cmp <(tail -n 300 "$T/late.csv") <(tail -n 300 "$T/all.csv")
run sample "$student" -n 1000 --threads 3 -o "$T/three.csv"
check "any number of threads" cmp "$T/all.csv" "$T/three.csv"
run sample "$student" -n 1000 --seed 1 -o "$T/other.csv"
check "another seed, other samples" test "$(sort "$T/all.csv" "$T/other.csv" | uniq -d | wc -l)" -eq 1
run sample "$student" -n 20000 -o "$T/many.npy"
run sample "$student" -n 17000 --first 3000 -o "$T/rest.npy"
check "across the blocks that output is written in" cmp <(npy_rows "$T/many.npy" 2 | tail -n 17000) <(npy_rows "$T/rest.npy" 2)
run sample "$student" -n 50 --seed 1 -o "$T/export.npy"
check "exported samples are the stream of the run's seed" cmp "$T/f32/export/samples.npy" "$T/export.npy"
expect "samples of the teacher" 0 sample "$teacher" -n 100 -o "$T/teacher.csv"
check "are others" sh -c '! cmp -s "$1" "$2"' - "$T/teacher.csv" <(head -n 101 "$T/all.csv")

# ---- formats and streams

run sample "$student" -n 1000 -o "$T/all.npy"
check "npy and csv agree to the last bit" same_numbers <(npy_rows "$T/all.npy" 2) <(tail -n +2 "$T/all.csv") 0
expect "stdout is csv" 0 sample "$student" -n 1000
check "the same csv" cmp "$T/out" "$T/all.csv"
expect "-o - is stdout" 0 sample "$student" -n 1000 --format npy -o -
check "the same npy" cmp "$T/out" "$T/all.npy"
check "a pipe that closes early ends it quietly" sh -c \
    'test "$("$1" sample "$2" -n 1000000 2>"$3" | head -n 2 | wc -l)" -eq 2 && ! test -s "$3"' - "$DISTILL" "$student" "$T/pipe"
if command -v script >/dev/null && script -qec true /dev/null </dev/null >/dev/null 2>&1; then
    script -qec "'$DISTILL' sample '$student' -n 3 --format npy" /dev/null </dev/null >"$T/terminal" 2>&1
    status=$?
    check "npy is kept from a terminal" test "$status" -eq 64 -a "$(grep -c 'terminal' "$T/terminal")" -eq 1
    script -qec "'$DISTILL' sample '$student' -n 3" /dev/null </dev/null >"$T/terminal" 2>&1
    check "csv is not" test $? -eq 0 -a "$(grep -c , "$T/terminal")" -eq 4
else
    skip "npy is kept from a terminal" "no script(1)"
fi

# ---- none, one, too many

expect "no samples" 0 sample "$student" -n 0 -o "$T/none.npy"
check "are an empty table" test "$(npy_rows "$T/none.npy" 2 | wc -l)" -eq 0
expect "one sample" 0 sample "$student" -n 1 -o "$T/one.csv"
check "is the first" cmp "$T/one.csv" <(head -n 2 "$T/all.csv")
OUTPUT=$T/bad.txt
for line in "sample $student" "sample $student -n -1" "sample $student -n 1.5" "sample $student -n 5 --first -1" \
    "sample $student -n 9223372036854775807 --first 2" "sample $student -n 3 -o $OUTPUT" "sample" \
    "sample $student -n 3 --format hdf5" "logp $student" "sample $student $student -n 3"; do
    # shellcheck disable=SC2086 # a list of words
    run $line
    check "usage: distill ${line//$T\/}" test "$status" -eq 64 -a ! -s "$T/out" -a ! -e "$OUTPUT" \
        -a "$(head -n 1 "$T/err" | cut -c -15)" = "distill: error:"
done

# ---- log-densities

for precision in f32 f64; do
    tolerance=$([ $precision = f32 ] && echo 1e-4 || echo 1e-9)
    for model in student teacher; do
        run sample "$T/$precision/$model/model.safetensors" -n 500 --logp -o "$T/drawn.csv"
        tail -n +2 "$T/drawn.csv" | cut -d , -f 1,2 >"$T/points.csv"
        expect "$precision $model: logp" 0 logp "$T/$precision/$model/model.safetensors" "$T/points.csv" -o "$T/logp.csv"
        check "$precision $model: logp of samples is what --logp said, within $tolerance" \
            same_numbers <(tail -n +2 "$T/drawn.csv" | cut -d , -f 3) <(tail -n +2 "$T/logp.csv") $tolerance
    done
done
check "--logp adds a column and changes no sample" \
    cmp <(cut -d , -f 1,2 "$T/drawn.csv") <("$DISTILL" sample "$T/f64/teacher/model.safetensors" -n 500)
run logp "$student" "$T/all.npy" -o "$T/a.npy"
run logp "$student" "$T/all.csv" --threads 3 --format npy
check "npy in or csv in, file or stdout, threads: the same" cmp "$T/a.npy" "$T/out"
head -n 1 "$T/all.csv" >"$T/empty.csv"
cut -d , -f 1 "$T/all.csv" >"$T/narrow.csv"
OUTPUT=$T/bad.csv
refused "logp of one column by a model of two" 65 narrow.csv logp "$student" "$T/narrow.csv" -o "$OUTPUT"
refused "logp of a file that is not there" 66 missing.npy logp "$student" "$T/missing.npy" -o "$OUTPUT"

# The density integrates to one over the plane: mean over a grid of spacing 0.05.
awk 'BEGIN { for (x = -4; x < 5; x += 0.05) for (y = -4; y < 5; y += 0.05) print x "," y }' >"$T/grid.csv"
run logp "$teacher" "$T/grid.csv" -o "$T/grid.logp"  --format csv
check "the teacher's density integrates to 1" sh -c \
    'tail -n +2 "$1" | awk "{ sum += exp(\$1) * 0.0025 } END { print sum; exit !(sum > 0.999 && sum < 1.001) }"' - "$T/grid.logp"
