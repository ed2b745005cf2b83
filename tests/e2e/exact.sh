#!/bin/bash
# Draws of a target made of a student that is wrong: by resampling, by a chain, by rejection; and weights.
. tests/e2e/lib.sh

# Too wide and off, so that plain samples fail what the exact ones must pass.
cat >"$T/gauss.yaml" <<Y
seed: 3
target: {kind: gaussian, mean: [1, -2], covariance: [[1, 0.5], [0.5, 2]], log_z: 3}
student:
  recipe: none
  start: plain
  frame: {shift: [0.6, -1.7], scale: [1.25, 1.6]}
  flow: {layers: 1, hidden: [8]}
  train: {steps: 1, lr: 1.0e-9, warmup: 0, gradient: path}
validate: {samples: 2000}
Y
expect "a student that is wrong" 0 run "$T/gauss.yaml" --quiet --out "$T/g"
student=$T/g/student/model.safetensors

# Mean of the first column 1 and second moments 1, 2, 0.5 about the true means, within 4.5 standard errors of n
# independent rows (a false alarm in 3e-5 runs of all five).
moments() {
    awk -F, -v n="$2" 'NR > 1 { x = $1 - 1; y = $2 + 2; a += x; b += y; xx += x * x; yy += y * y; xy += x * y; k++ }
        function far(sum, want, sd) { return (sum / k - want) / sd * sqrt(n) > 4.5 || (sum / k - want) / sd * sqrt(n) < -4.5 }
        END { exit k == 0 || far(a, 0, 1) || far(b, 0, sqrt(2)) || far(xx, 1, sqrt(2)) || far(yy, 2, sqrt(8)) || far(xy, 0.5, 1.5) }' "$1"
}
expect "its samples" 0 sample "$student" -n 20000 -o "$T/plain.csv"
check "are not the target's" sh -c '! "$@"' - bash -c "$(declare -f moments); moments '$T/plain.csv' 20000"

for how in sir imh rejection; do
    expect "$how" 0 sample "$student" -n 20000 --exact "$how" -o "$T/$how.csv"
    check "$how: as many rows as were asked for" test "$(wc -l <"$T/$how.csv")" = 20001
    check "$how: the target's moments" moments "$T/$how.csv" "$([ $how = imh ] && echo 7000 || echo 16000)"
    expect "$how again, with three threads" 0 sample "$student" -n 20000 --exact "$how" --threads 3 -o "$T/again.csv"
    check "$how: same bits" cmp "$T/$how.csv" "$T/again.csv"
done
expect "a bound of one's own" 0 sample "$student" -n 2000 --exact rejection --bound 4.5 -o "$T/b.csv"
expect "one that cuts" 0 sample "$student" -n 2000 --exact rejection --bound 2.9 -o "$T/b.csv"
check "is told" grep -q 'weigh more than the bound' "$T/err"
expect "one that nothing passes" 2 sample "$student" -n 2000 --exact rejection --bound 60 -o "$T/never.csv"
check "leaves no file" test ! -e "$T/never.csv"

expect "weights" 0 sample "$student" -n 20000 --weights --logp -o "$T/w.csv"
check "have a name" grep -q '^x0,x1,log_q,log_w$' "$T/w.csv"
check "log Z is told" grep -q 'log Z \(2.9[89]\|3\)' "$T/err"
check "and follows from them" awk -F, 'NR > 1 { s += exp($4 - 3); k++ } END { exit !(s / k > .97 && s / k < 1.03) }' "$T/w.csv"
check "log p is the target's" awk -F, 'NR > 1 { x = $1 - 1; y = $2 + 2
    d = $3 + $4 - (3 - 1.8378770664093453 - log(1.75) / 2 - (2 * x * x - x * y + y * y) / 3.5)
    if (d > 1e-9 || d < -1e-9) exit 1 }' "$T/w.csv"

expect "none of them" 0 sample "$student" -n 0 --exact sir -o "$T/none.csv"
check "are a head" test "$(cat "$T/none.csv")" = x0,x1
expect "more than there is memory for" 71 sample "$student" -n 9e18 --exact sir

# ---- what it was made for
cp "$student" "$T/alone.safetensors"
expect "a model that lies nowhere" 64 sample "$T/alone.safetensors" -n 5 --weights
check "is asked what it was made for" grep -q -- '--target' "$T/err"
expect "which a config can say" 0 sample "$T/alone.safetensors" -n 5 --weights --target "$T/gauss.yaml"
run sample "$student" -n 5 --weights
cp "$T/out" "$T/weighed"
expect "or a run" 0 sample "$student" -n 5 --weights --target "$T/g"
check "which is what it would be without" cmp "$T/out" "$T/weighed"
expect "or a model, with columns of the same names" 0 sample "$student" -n 5 --weights --target "$student"
check "of itself all weights are 1" awk -F, 'NR > 1 && ($3 > 1e-12 || $3 < -1e-12) { exit 1 }' "$T/out"
cat >"$T/other.yaml" <<Y
target: {kind: gaussian, dim: 3}
Y
expect "a target of other columns" 64 sample "$student" -n 5 --weights --target "$T/other.yaml"
check "is refused" grep -q '2 columns .* target 3' "$T/err"
expect "a target for nothing" 64 sample "$student" -n 5 --target "$T/gauss.yaml"
expect "a method that is none" 64 sample "$student" -n 5 --exact magic
check "the methods are named" grep -q 'sir, imh or rejection' "$T/err"

# ---- figures of the target
expect "estimates" 0 estimate "$student" -n 20000 --json
cp "$T/out" "$T/figures.json"
near() { # KEY WANT: within 4.5 of its errors, which are small
    awk -v got="$(value "$T/figures.json" "$1.value")" -v se="$(value "$T/figures.json" "$1.se")" -v want="$2" \
        'BEGIN { d = got - want; exit !(se > 0 && se < .05 && d < 4.5 * se && d > -4.5 * se) }'
}
check "mean" near columns.x0.mean 1
check "of the second column" near columns.x1.mean -2
check "sd" near columns.x1.sd 1.41421356
check "median" near columns.x0.quantiles.2 1
check "upper quantile" near columns.x0.quantiles.4 2.95996
check "log Z" near weights.log_z 3
expect "the same with three threads" 0 estimate "$student" -n 20000 --json --threads 3
check "is the same" cmp "$T/out" "$T/figures.json"
expect "of one column" 0 estimate "$student" -n 20000 --of x1
check "a line and its head" test "$(wc -l <"$T/out")" = 2
expect "of a column that is none" 64 estimate "$student" --of x0,x7
check "which is named" grep -q "'x7'" "$T/err"
