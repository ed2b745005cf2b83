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
  layerwise: {steps: 40}
  shrink: {samples: 2000}
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
    "$(stat -Lc %s "$T/tied/student/model.safetensors")" -lt $(($(stat -Lc %s "$T/t6/student/model.safetensors") / 3))
expect "steps of narrower networks" 0 run "$T/power.yaml" --quiet --out "$T/narrow" --threads 1 \
    --set student.flow.iterations=6 --set student.flow.width=.5
check "are a smaller file than steps as wide as the teacher" test \
    "$(stat -Lc %s "$T/narrow/student/model.safetensors")" -lt "$(stat -Lc %s "$T/t6/student/model.safetensors")"
check "and no longer the teacher" awk -v v="$(at narrow kl_reverse.value)" 'BEGIN { exit !(v > .001) }'
expect "a student is sampled like any other" 0 sample "$T/tied/student/model.safetensors" -n 10 -o "$T/x.csv"

# Steps that are far too long make it worse: it is handed over as it started.
expect "a training that ruins it" 0 run "$T/power.yaml" --quiet --out "$T/ruined" \
    --set student.flow.iterations=6 --set student.train.lr=.3
check "is undone" small "$(at ruined kl_reverse.value)" 1e-4
check "and the report says so" grep -q 'made it no better' "$T/ruined/validation.json"

# Layer by layer first: what is nearer is told, and what it is worth.
layerwise() {
    expect "layers by themselves, $1 steps" 0 run "$T/power.yaml" --out "$T/lay$1" --set student.flow.iterations=1 \
        --set student.layerwise.steps="$1" --set student.train.lr=1e-9
}
layerwise 0
check "nothing is told of layers" test "$(grep -c 'layers nearer' "$T/err")" -eq 0
layerwise 400
check "they come nearer" grep -qE 'T = 1, 2 of 2 layers nearer, KL reverse [0-9.]+, was [0-9.]+' "$T/err"
check "a row of the table is theirs" grep -qE '^. T = 1 +layerwise ' "$T/err"
check "the student is nearer by it" awk -v a="$(at lay0 kl_reverse.value)" -v b="$(at lay400 kl_reverse.value)" \
    'BEGIN { exit !(b > 0 && b < .8 * a) }'

sed 's/^  flow: {layers.*/  flow: {kind: unrolled}/' "$T/power.yaml" >"$T/teacher.yaml"
run check "$T/teacher.yaml"
check "a teacher does not follow one" test "$status" -ne 0
check "and is told why" grep -q 'teacher.flow: .*the other way round' "$T/err"

# ---- as many steps as it takes

gates=(--set 'validate.require={kl_reverse: "< 0.05", kl_forward: "< 0.05"}')
auto=(run "$T/power.yaml" --out "$T/auto" "${gates[@]}")
expect "steps that are to be found" 0 "${auto[@]}" --threads 1
check "are told in a table, the one that is taken marked" grep -qE '^\* T = [1-5] +trained ' "$T/err"
check "it has rungs untrained and trained, and the teacher" test "$(grep -cE '^. T = .*(un)?trained|the teacher itself' "$T/err")" -ge 4
check "and a picture" sh -c 'head -c 4 "$1" | grep -q PNG' - "$T/auto/ladder.png"

# figures of the trained rungs, a line each: T, KL reverse, KL forward, taken
trained() {
    "$PROBE" json "$1" ladder.students >/dev/null
    tr -d '\n ' <"$1" | sed -E 's/"training":\{[^{}]*\{[^{}]*\}[^{}]*\{[^{}]*\}\}/"training":0/g' | grep -o '{"ess_forward[^}]*}' | grep '"trained":true' | grep '"layerwise":false' |
        sed 's/.*"iterations":\([0-9]*\),"khat":[^,]*,"kl_forward":\([^,]*\),"kl_reverse":\([^,]*\),.*"taken":\([a-z]*\),.*/\1 \3 \2 \4/'
}
check "the smallest that passes is taken, and one fewer does not" sh -c 'awk "
    { good = \$2 < .05 && \$3 < .05 } \$4 == \"true\" { taken = \$1; if (!good) bad = 1 } \$4 != \"true\" && good && \$1 < least { bad = 1 }
    !good { below = \$1 } END { exit !(NR > 1 && !bad && (taken == 1 || below == taken - 1)) }" least=99 -' <<<"$(trained "$T/auto/validation.json")"
taken=$(trained "$T/auto/validation.json" | awk '$4 == "true" { print $1 }')
check "the others are files of their own" test "$(ls "$T/auto/student" | grep -c '^t[0-9]*.safetensors$')" -eq \
    $(($(trained "$T/auto/validation.json" | wc -l) - 1))
expect "with three threads" 0 "${auto[@]}" --out "$T/auto3" --threads 3
check "the same is found, to the bit" cmp "$T/auto/student/model.safetensors" "$T/auto3/student/model.safetensors"
run sample "$T/auto/student/t$((taken - 1)).safetensors" -n 3
check "a student that was put aside can be sampled" test "$status" -eq 0 -o "$taken" -eq 1

expect "smaller ones beside it" 0 run "$T/power.yaml" --out "$T/auto" --set student.flow.iterations=2 --set student.shrink.iterations=1 \
    --set student.shrink.halvings=1
check "are there, by their size" test "$(ls "$T/auto/student" | tr '\n' ' ')" = \
    "metrics.jsonl model.safetensors t1.safetensors t1_w0.5.safetensors t2_w0.5.safetensors "
check "half as wide is a smaller file" test "$(stat -Lc %s "$T/auto/student/t2_w0.5.safetensors")" -lt \
    $(($(stat -Lc %s "$T/auto/student/model.safetensors") * 3 / 4))
expect "a run without them" 0 run "$T/power.yaml" --out "$T/auto" --set student.flow.iterations=2
check "takes them away" test "$(ls "$T/auto/student" | tr '\n' ' ')" = "metrics.jsonl model.safetensors "

printf 'schema: 1\ndata: {generator: rings}\nstudent: {flow: {layers: 2}, shrink: {halvings: 1}, layerwise: {steps: 9}}\n' >"$T/iaf.yaml"
run check "$T/iaf.yaml"
check "what has no teacher's networks cannot be shrunk" grep -q 'student.shrink.halvings has no effect' "$T/err"
check "nor have layers that are the teacher's" grep -q 'student.layerwise.steps has no effect' "$T/err"
