#!/bin/bash
# What a student misses: a mode that it never saw is found, told of, and fails its run; one that misses nothing is not accused.
. tests/e2e/lib.sh

# A student of one mode, and a target that has another, thirty of its widths away.
cat >"$T/one.yaml" <<Y
seed: 3
target: {kind: gaussian, mean: [1, -2], covariance: [[1, 0.5], [0.5, 2]]}
student: {recipe: none, start: plain, frame: {shift: [1, -2], scale: [1, 1.41421356]}, flow: {layers: 2, hidden: [8]}, train: {steps: 400, warmup: 10}}
validate: {samples: 5000, chain: on}
Y
cat >"$T/two.yaml" <<Y
target: {kind: gaussians, means: [[1, -2], [1, 28]], weights: [0.9, 0.1]}
Y
expect "a student of one mode" 0 run "$T/one.yaml" --quiet --out "$T/one"
student=$T/one/student/model.safetensors
check "misses nothing" test "$(value "$T/one/validation.json" hunt.least)" = 0.0
expect "is asked again" 0 hunt "$student" -n 5000
check "with the same answer" grep -q '^  hunt .*nothing' "$T/out"

expect "against a target with another mode" 1 hunt "$student" -n 5000 --target "$T/two.yaml" --json
cp "$T/out" "$T/missed.json"
check "it misses a tenth" awk -v x="$(value "$T/missed.json" hunt.mass.value)" 'BEGIN { exit !(x > .08 && x < .12) }'
check "in one place" test "$(value "$T/missed.json" hunt.regions.0.columns.0.column)" = '"x1"'
check "which is told" awk -v x="$(value "$T/missed.json" hunt.regions.0.columns.0.value)" 'BEGIN { exit !(x > 26 && x < 30) }'
expect "with three threads" 1 hunt "$student" -n 5000 --target "$T/two.yaml" --json --threads 3
check "the same" cmp "$T/out" "$T/missed.json"
expect "in words" 1 hunt "$student" -n 5000 --target "$T/two.yaml"
check "with its place" grep -q 'at x1 = 2[6-9]' "$T/out"

# The same student as a run of its own fails, without a gate; a gate that allows it lets it be.
cat >"$T/lost.yaml" <<Y
seed: 3
target: {kind: gaussians, means: [[1, -2], [1, 28]], weights: [0.9, 0.1]}
student: {recipe: none, start: plain, frame: {shift: [1, -2], scale: [1, 1]}, flow: {layers: 2, hidden: [8]}, train: {steps: 400, warmup: 10}}
validate: {samples: 5000, chain: on}
Y
expect "a run that loses a mode" 1 run "$T/lost.yaml" --out "$T/lost"
check "has failed" test "$(value "$T/lost/validation.json" verdict)" = '"fail"'
check "and says why" grep -q 'a part of the target is missing' "$T/err"
check "and where" grep -q 'missed_mass is .*most at x1 = ' "$T/err"
expect "with a gate that allows it" 0 run "$T/lost.yaml" --quiet --set 'validate.require={missed_mass: "< 0.5"}' --out "$T/allowed"
check "it has not" test "$(value "$T/allowed/validation.json" verdict)" = '"unverified"'

refused "a gate on it without chains" 78 "chain" check "$T/one.yaml" --set validate.chain=off --set 'validate.require={missed_mass: "< 0.5"}'
refused "no such model" 66 "nix" hunt "$T/nix.safetensors"
