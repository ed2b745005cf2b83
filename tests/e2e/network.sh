#!/bin/bash
# Networks in low precision: samples and densities of a model with --network, and a student that is shipped so (compute.network).
. tests/e2e/lib.sh

# run_as NAME WORD [OPTION ...]: two moons into $T/NAME, with that network.
run_as() {
    run run configs/two_moons.yaml "${TEACH[@]:1}" --out "$T/$1" --set export.samples=50 --set export.file=s.csv --set compute.network="$2" "${@:3}"
}
network() { value "$1/validation.json" student.network; }
plain=$T/plain rounded=$T/rounded
student=$plain/student/model.safetensors
run_as plain f32
check "a run as ever" test "$(network "$plain")" = '"f32"'
check "whose verdict does not speak of networks" grep -q '^verdict   [a-z]*$' "$T/err"

# ---- at use

expect "samples of rounded networks" 0 sample "$student" -n 1000 --logp --network int8 --threads 1 -o "$T/a.csv"
run sample "$student" -n 1000 --logp --network int8 --threads 2 -o "$T/b.csv"
check "are the same, whatever the threads" cmp "$T/a.csv" "$T/b.csv"
for word in $("$DISTILL" completion bash | sed -n "s/^ *sample:--network.*-W '\([^']*\)'.*/\1/p"); do
    expect "$word: ten samples" 0 sample "$student" -n 10 --logp --network "$word"
    cp "$T/out" "$T/word.csv"
    FLOW_ISA=generic run sample "$student" -n 10 --logp --network "$word"
    [ "$word" = f32 ] || check "$word: the same with every instruction set" cmp "$T/word.csv" "$T/out"
done
run sample "$student" -n 10 --logp --network int8 -o "$T/few.csv"
check "the first ten of a thousand are ten" cmp "$T/few.csv" <(head -n 11 "$T/a.csv")
run sample "$student" -n 1000 --logp -o "$T/f32.csv"
run sample "$student" -n 1000 --logp --network f32 -o "$T/said.csv"
check "of the model as it is, as if nothing were said" cmp "$T/f32.csv" "$T/said.csv"
check "other ones" sh -c '! cmp -s "$1" "$2"' - "$T/f32.csv" "$T/a.csv"
check "near them" same_numbers <(tail -n +2 "$T/f32.csv" | cut -d, -f1,2) <(tail -n +2 "$T/a.csv" | cut -d, -f1,2) 0.2

# off A B: how many of the numbers differ by more than 1e-4, and the largest difference.
off() {
    paste -d, "$1" "$2" | awk -F, 'NR > 1 { d = $1 < $2 ? $2 - $1 : $1 - $2; n += d > 1e-4; if (d > most) most = d } END { print n + 0, most + 0 }'
}
cut -d, -f1,2 "$T/a.csv" >"$T/x.csv"
cut -d, -f3 "$T/a.csv" >"$T/log_q.csv"
run logp "$student" "$T/x.csv" --network int8 -o "$T/back.csv"
# Rows come back from a file and through an inverse in single precision; one in a hundred may fall into another byte.
read -r count most <<<"$(off "$T/log_q.csv" "$T/back.csv")"
check "logp gives their log q" awk "BEGIN { exit !($count <= 20 && $most < 0.2) }"
run logp "$student" "$T/x.csv" --network f32 -o "$T/other.csv"
read -r count most <<<"$(off "$T/log_q.csv" "$T/other.csv")"
check "which is not that of the model as it is" test "$count" -gt 300
for verb in estimate hunt; do
    expect "$verb takes them, too" 0 $verb "$student" --network int8 --target "$plain/teacher/model.safetensors" -n 2000 --json
    mv "$T/out" "$T/int8"
    run $verb "$student" --target "$plain/teacher/model.safetensors" -n 2000 --json
    check "and comes to something else" sh -c 'test -s "$1" && ! cmp -s "$1" "$2"' - "$T/int8" "$T/out"
done
expect "samples of the teacher by rounded samples" 0 sample "$student" -n 20 --network int8 --exact imh --weights -o "$T/exact.csv"
refused_with_help() { # NAME TEXT ARGUMENT ...
    expect "$1" 64 "${@:3}"
    check "says what there is" grep -q "$2" "$T/err"
}
refused_with_help "a network that is none" "network wants one of f32, .*int8.*, got 'int9'" sample "$student" -n 1 --network int9
refused "a config is no model" 65 "is no model file" sample configs/two_moons.yaml -n 1 --network int8
refused "nor is a table" 65 "is no model file" logp "$T/x.csv" "$T/x.csv" --network int8

# ---- as it is shipped

run_as rounded int8
check "a run with rounded networks says so" grep -q '^verdict   [a-z]*, of networks in int8$' "$T/err"
check "in validation.json, too" test "$(network "$rounded")" = '"int8"'
check "its page, too" sh -c 'tr "\n" " " <"$1" | grep -q "with its networks in int8"' - "$rounded/report.html"
check "the student is what it was" cmp "$student" "$rounded/student/model.safetensors"
check "its figures are others" test "$(value "$plain/validation.json" kl_forward.value)" != "$(value "$rounded/validation.json" kl_forward.value)"
check "the speed of the one as it was trained is beside its own" sh -c 'awk "BEGIN { exit !($1 > 0) }"' - \
    "$(value "$rounded/validation.json" speed.student_as_trained_rows_per_s)"
seed=$(value "$rounded/resolved.json" seed)
run sample "$student" -n 50 --seed "$seed" --network int8 -o "$T/s.csv"
check "what it exports are its samples" cmp "$T/s.csv" "$rounded/export/s.csv"
run sample "$rounded" -n 50 --seed "$seed" -o "$T/s.csv"
check "those of its directory, too" cmp "$T/s.csv" "$rounded/export/s.csv"
check "of which it is said" grep -q 'note: networks in int8, as the run was validated with' "$T/err"
run sample "$rounded" -n 50 --seed "$seed" --network f32 -o "$T/s.csv"
check "unless others are asked for" cmp "$T/s.csv" "$plain/export/s.csv"
cp "$rounded/validation.json" "$T/first.json"

run plan "$rounded" --set compute.network=f32
check "another network: nothing is trained" test "$(awk '{ printf "%s %s, ", $1, $2 }' "$T/out")" = \
    "data skip, teacher skip, target skip, student skip, validate run, export run, report run, "
expect "validate with it as it was trained" 0 validate "$rounded" --set compute.network=f32
check "is that of the other run" test "$(value "$plain/validation.json" kl_forward.value)" = "$(value "$rounded/validation.json" kl_forward.value)"
check "and so are its samples" cmp "$plain/export/s.csv" "$rounded/export/s.csv"

# ---- a choice

fast=$(grep -Eq -m 1 '^flags.* (avx512_vnni|avx_vnni)( |$)' /proc/cpuinfo && echo yes)
expect "a choice of networks" 0 validate "$rounded" --set compute.network=auto
if [ "$fast" ]; then
    check "takes the rounded ones, where there are instructions for them" test "$(network "$rounded")" = '"int8"'
    check "and says why" grep -q '^  network   int8 is taken: the gates on the student hold' "$T/err"
    check "the page, too" sh -c 'tr "\n" " " <"$1" | grep -q "compute.network is auto: int8 is taken"' - "$rounded/report.html"
    check "all is as if it had been said" test "$(value "$T/first.json" kl_forward.value)" = "$(value "$rounded/validation.json" kl_forward.value)"
    run sample "$student" -n 50 --seed "$seed" --network int8 -o "$T/s.csv"
    check "its samples, too" cmp "$T/s.csv" "$rounded/export/s.csv"
else
    skip "a choice that takes rounded networks" "this processor has no instructions for them"
fi
# Numbers in double come back to twelve digits, and those of rounded networks, which are single, never do.
strict=$T/strict
run_as strict int8 --set precision=f64 --set 'validate.require.roundtrip="< 1e-9"'
check "a gate that rounded networks fail: exit code 1" test "$status" -eq 1
check "and what to do" sh -c 'tr -s " \n" " " <"$1" | grep -q "roundtrip is [^ ]*, wanted < 1e-09; with compute.network: f32 it is as it was trained"' - "$T/err"
expect "a choice where rounded networks do not pass" 0 validate "$strict" --set compute.network=auto
check "is the student as it was trained" test "$(network "$strict")" = '"f32"'
[ ! "$fast" ] || check "with the reason" grep -q '^  network   int8 is not taken: roundtrip is .*, wanted < 1e-09$' "$T/err"
run sample "$strict/student/model.safetensors" -n 50 --seed "$seed" -o "$T/s.csv"
check "and its samples" cmp "$T/s.csv" "$strict/export/s.csv"
FLOW_ISA=generic expect "a choice without such instructions" 0 validate "$rounded" --set compute.network=auto --set validate.samples=900
check "is none" test "$(network "$rounded")" = '"f32"'
check "and says so" grep -q '^  network   f32 is taken: .*faster with no other' "$T/err"
expect "a word that is none is refused" 78 check configs/two_moons.yaml --set compute.network=int9
check "with the words that there are" grep -q "compute.network wants one of f32, .*int8.* or auto, got 'int9'" "$T/err"

# ---- nothing to round

sed 's/^  flow: .*/  flow: {layers: [lu_linear]}/' configs/two_moons.yaml >"$T/linear.yaml"
refused "a student without networks" 78 "compute.network: no layer of the flow has a network to round to int8" \
    check "$T/linear.yaml" --set compute.network=int8
run run "$T/linear.yaml" --out "$T/linear" --set teacher.train.epochs=1 --set validate.samples=1000 --set export.samples=20 --set compute.network=auto
check "of which a choice is as it was trained" test "$(network "$T/linear")" = '"f32"'
[ ! "$fast" ] || check "with the reason" grep -q '^  network   int8 is not taken: .*no layer of the flow has a network' "$T/err"
refused "rounded samples of it" 78 "no layer of the flow has a network to round to int8" \
    sample "$T/linear/student/model.safetensors" -n 2 --network int8
