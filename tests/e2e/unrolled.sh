#!/bin/bash
# A student that starts as its teacher: with as many steps as there are columns it is the teacher.
. tests/e2e/lib.sh

cat >"$T/power.yaml" <<Y
schema: 1
seed: 3
data: {path: $PWD/$POWER}
teacher:
  flow: {layers: 2, hidden: [24, 24], linear: lu, actnorm: true}
  train: {epochs: 12, lr: 5e-3}
student:
  flow: {kind: unrolled}
  train: {steps: 40, lr: 1e-5, warmup: 0, forward: 0, forward_end: 0}
validate: {samples: 2000}
Y

# at NAME KEY: a figure of a run's validation.
at() { value "$T/$1/validation.json" "$2"; }
small() { awk -v v="$1" -v most="$2" 'BEGIN { exit !(v < most && v > -most) }'; }

for steps in 1 6; do
    expect "a run with T = $steps" 0 run "$T/power.yaml" --quiet --out "$T/t$steps" --threads 1 \
        --set student.flow.iterations=$steps
done
check "six steps of six columns are the teacher" small "$(at t6 kl_reverse.value)" 1e-4
check "from its samples, too" small "$(at t6 kl_forward.value)" 1e-4
check "one step is not" awk -v v="$(at t1 kl_reverse.value)" 'BEGIN { exit !(v > .001) }'

expect "the same with three threads" 0 run "$T/power.yaml" --quiet --out "$T/again" --threads 3 \
    --set student.flow.iterations=1
check "has the same bits" cmp "$T/t1/student/model.safetensors" "$T/again/student/model.safetensors"
expect "steps that share a network" 0 run "$T/power.yaml" --quiet --out "$T/tied" --threads 1 \
    --set student.flow.iterations=3 --set student.flow.tied=true
check "are a smaller file than steps of their own" test \
    "$(stat -c %s "$T/tied/student/model.safetensors")" -lt $(($(stat -c %s "$T/t6/student/model.safetensors") / 3))
expect "steps of narrower networks" 0 run "$T/power.yaml" --quiet --out "$T/narrow" --threads 1 \
    --set student.flow.iterations=6 --set student.flow.width=.5
check "are a smaller file than steps as wide as the teacher" test \
    "$(stat -c %s "$T/narrow/student/model.safetensors")" -lt "$(stat -c %s "$T/t6/student/model.safetensors")"
check "and no longer the teacher" awk -v v="$(at narrow kl_reverse.value)" 'BEGIN { exit !(v > .001) }'
expect "a student is sampled like any other" 0 sample "$T/tied/student/model.safetensors" -n 10 -o "$T/x.csv"

# Steps that are far too long make it worse: it is handed over as it started.
expect "a training that ruins it" 0 run "$T/power.yaml" --quiet --out "$T/ruined" \
    --set student.flow.iterations=6 --set student.train.lr=.3
check "is undone" small "$(at ruined kl_reverse.value)" 1e-4
check "and the report says so" grep -q 'better than it had started' "$T/ruined/validation.json"

sed 's/^  flow: {layers.*/  flow: {kind: unrolled}/' "$T/power.yaml" >"$T/teacher.yaml"
run check "$T/teacher.yaml"
check "a teacher does not follow one" test "$status" -ne 0
check "and is told why" grep -q 'teacher.flow: .*the other way round' "$T/err"
