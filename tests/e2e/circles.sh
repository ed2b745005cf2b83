#!/bin/bash
# Targets whose columns end or are circles, as a library or the config says; and which library it was.
. tests/e2e/lib.sh

LIBRARIES=$PWD/$BUILD
case $DISTILL in */distill) LIBRARIES=$PWD/${DISTILL%/distill} ;; esac
cp "$LIBRARIES/plugin/torus.so" "$LIBRARIES/tests/plugins/mises.so" "$T"
SMALL="validate: {samples: 4000, chain: off}"

# ---- two angles, whose mode is at the seam
cat >"$T/torus.yaml" <<Y
seed: 3
target: {kind: plugin, path: torus.so, options: "kappa=2 lambda=1"}
student: {pilot_rows: 256, train: {steps: 600, batch: 128, warmup: 5}}
$SMALL
Y
sed -i 's/chain: off}/chain: off, require: {kl_reverse: "< 0.1", ess_reverse: "> 0.8"}}/' "$T/torus.yaml"
model=$T/t/student/model.safetensors
expect "check takes circles" 0 check "$T/torus.yaml"
expect "a recipe learns them" 0 run "$T/torus.yaml" --quiet --out "$T/t"
check "it says what they are" grep -q "2 of them circles" "$T/t/recipe.txt"
"$DISTILL" sample "$T/t/student/model.safetensors" -n 5000 >"$T/x.csv"
check "samples are within one turn, on both sides of the seam" awk -F, '
    NR == 1 { if ($0 != "phi,psi") bad = 1; next }
    { for (i = 1; i <= 2; i++) if (!($i >= 0 && $i < 6.2831854)) bad = 1
      low += $1 < 1; high += $1 > 5.28 }
    END { exit bad || low < 1000 || high < 1000 }' "$T/x.csv"
printf 'phi,psi\n0.3,6\n6.583185307179586,-0.2831853071795862\n' >"$T/turns.csv"
run logp "$T/t/student/model.safetensors" "$T/turns.csv"
check "a turn further is the same point" awk 'NR == 2 { a = $1 } NR == 3 { exit !(a < 0 && (a - $1) ^ 2 < 1e-8) }' "$T/out"
expect "the same in two threads and workers" 0 run "$T/torus.yaml" --quiet --out "$T/two" --threads 2 --set target.workers=2
check "bit for bit" cmp "$T/t/student/model.safetensors" "$T/two/student/model.safetensors"
settled() { value "$T/t/resolved.json" "student.$1"; }
sed 's/pilot_rows: 256, .*/recipe: none, pilot_rows: 256}/' "$T/torus.yaml" >"$T/again.yaml"
expect "what was settled, as plain keys" 0 run "$T/again.yaml" --quiet --out "$T/again" --set "student.flow=$(settled flow)" \
    --set "student.frame.shift=$(settled frame.shift)" --set "student.frame.scale=$(settled frame.scale)" \
    --set "student.train.objective=$(settled train.objective)" --set "student.train.lr=$(settled train.lr)" \
    --set student.train.steps=600 --set student.train.batch=128 --set student.train.warmup=5 --set student.train.gradient=log_variance
check "gives the same student" cmp "$model" "$T/again/student/model.safetensors"
refused "layers that are for lines" 78 "does not know of circles" check "$T/torus.yaml" \
    --set 'student.flow={layers: [{kind: part, first: 0, count: 1, layers: [actnorm]}]}'
refused "a density that jumps at the seam" 65 "column 'phi' has no period of 360: log p~ is" check "$T/torus.yaml" \
    --set "target.path=$T/mises.so" --set target.options=torn

# ---- which library it was
sum=$(sha256sum "$T/torus.so" | cut -d ' ' -f 1)
check "the manifest has its digest" grep -q "\"sha256\": \"$sum\"" "$T/t/manifest.json"
expect "exact draws of it" 0 sample "$model" -n 200 --exact sir -o "$T/exact.csv"
check "say nothing" sh -c '! grep -q warning "$1"' sh "$T/err"
printf x >>"$T/torus.so"
expect "exact draws of another" 0 sample "$model" -n 200 --exact sir -o "$T/exact.csv"
check "warn" grep -q "warning: target.path: .*torus.so is not the file that the student was trained on: its SHA-256 is " "$T/err"
expect "and so do estimates" 0 estimate "$model" -n 2000
check "warn" grep -q "warning: target.path: .*and was $(printf %.12s "$sum")\.\.\." "$T/err"
check "and what an angle is" grep -q "note: .phi. is on a circle: mean, sd and quantiles are of its numbers from 0 to 6.28318531" "$T/err"
expect "also of a config" 0 estimate "$model" -n 2000 --target "$T/torus.yaml"
check "warn" grep -q "warning: target.path" "$T/err"

# ---- ends that the config says: half of a Gaussian, and a slice of that
cat >"$T/half.yaml" <<Y
seed: 3
target: {kind: gaussian, dim: 2, columns: {x0: {support: positive}, x1: [-1, 0.5]}}
student: {recipe: none, flow: {layers: 2, hidden: [16, 16]}, pilot_rows: 256, train: {steps: 500, warmup: 5}}
$SMALL
export: {samples: 2000, file: x.csv}
Y
expect "a Gaussian that ends" 0 run "$T/half.yaml" --quiet --out "$T/h"
check "has samples inside" awk -F, 'NR > 1 && !($1 > 0 && $2 > -1 && $2 < 0.5) { bad = 1 } END { exit bad || NR != 2001 }' "$T/h/export/x.csv"
refused "and no log Z that is known" 78 "wants a log Z that is known" check "$T/half.yaml" --set 'validate.require={log_z_sigmas: "< 5"}'
check "it is log .5 and log .5328 all the same" awk -v z="$(value "$T/h/validation.json" log_z.value)" 'BEGIN { exit !((z - log(0.5 * 0.53280720734256)) ^ 2 < 1e-3) }'
refused "a sampler that it has no more" 78 "wants a sampler" check "$T/half.yaml" --set 'validate.require={kl_forward: "< 1"}'
refused "a column that is not there" 78 "no column is called 'y'" check "$T/half.yaml" --set 'target.columns={y: positive}'
faults() { printf '%s\n' "$1" >"$T/fault.yaml"; run check "$T/fault.yaml"; }
faults "target: {kind: gaussian, dim: 2, columns: {x0: {step: 1}}}"
check "a density has no grid" grep -q "fault.yaml:1:48: error: target.columns.x0: step is for values of a table" "$T/err"
faults "target: {kind: model, path: x, columns: {x0: positive}}"
check "a model has units of its own" grep -q "target.columns has no effect: target.kind is model" "$T/err"
