#!/bin/bash
# A density in place of data and a teacher: what it asks for, what it gives, and what is refused.
. tests/e2e/lib.sh

cat >"$T/gauss.yaml" <<Y
seed: 3
target: {kind: gaussian, mean: [1, -2], covariance: [[1, 0.5], [0.5, 2]], log_z: 3}
student:
  flow: {layers: 2, hidden: [16, 16]}
  train: {steps: 600, batch: 128}
validate: {samples: 20000, require: {kl_reverse: "< 0.05"}}
export: {samples: 500, file: x.csv}
Y
expect "a student learns from a target" 0 run "$T/gauss.yaml" --quiet --out "$T/g"
check "its verdict has no teacher" grep -q '"teacher": null' "$T/g/validation.json"
# The entropy of that Gaussian is log(2 pi e) + log(1.75) / 2 = 3.1177.
check "its density is in the user's units" awk -v q="$(value "$T/g/validation.json" log_q_forward.value)" 'BEGIN { exit !(q > -3.17 && q < -3.08) }'
check "it is exported" test "$(wc -l <"$T/g/export/x.csv")" = 501
check "its picture is drawn" test -s "$T/g/picture.png"
check "no teacher and no ladder are left" test ! -e "$T/g/teacher/model.safetensors" -a ! -e "$T/g/ladder.png"
expect "it can be sampled" 0 sample "$T/g/student/model.safetensors" -n 10 --out "$T/y.csv"
expect "and asked for densities" 0 logp "$T/g/student/model.safetensors" "$T/y.csv"

check "it is said how its student is trained" grep -q 'So: ' "$T/g/recipe.txt"
expect "without a recipe, from a pilot alone" 0 run "$T/gauss.yaml" --quiet --set student.recipe=none --set student.pilot_rows=256 --out "$T/g"
check "nothing is said of what was not done" test ! -e "$T/g/recipe.txt"
check "what is not settled stays open" test "$(value "$T/g/resolved.json" student.train.lr)" = '"auto"'
expect "a plain start" 0 run "$T/gauss.yaml" --quiet --set student.start=plain --out "$T/p"
check "is in the units of the target" test "$(value "$T/p/resolved.json" student.frame.scale)" = '"auto"'
check "and on no rows" sh -c '! cmp -s "$1" "$2"' - "$T/p/student/model.safetensors" "$T/g/student/model.safetensors"

# Two threads or one: the same student.
expect "with one thread" 0 run "$T/gauss.yaml" --quiet --threads 1 --out "$T/one"
expect "with two" 0 run "$T/gauss.yaml" --quiet --threads 2 --out "$T/two"
check "it is the same, bit for bit" cmp "$T/one/student/model.safetensors" "$T/two/student/model.safetensors"

# ---- a model that was fitted before; rows of context for one that is conditional
cat >"$T/model.yaml" <<Y
target: {kind: model, path: given.safetensors, contexts: contexts.csv}
seed: 1
student: {layerwise: {steps: 20}, train: {steps: 20, warmup: 5}}
validate: {samples: 1000, require: {kl_reverse: "< 0.05"}}
export: {samples: 100, file: x.csv}
Y
printf 'seed: 1\ndata: {path: %s, columns: [1, 2], context: [0]}\n' "$PWD/$POWER" >"$T/given.yaml"
expect "a conditional teacher" 0 run "$T/given.yaml" "${TEACH[@]}" --out "$T/given"
cp "$T/given/teacher/model.safetensors" "$T/given.safetensors"
awk 'BEGIN { srand(1); print "other,active_power"; for (i = 0; i < 200; i++) printf "7,%.4f\n", 2 * rand() }' >"$T/contexts.csv"
expect "its model file is a target, and a student starts as it" 0 run "$T/model.yaml" --quiet --out "$T/again"
check "in the units of the model" test "$("$PROBE" json "$T/again/validation.json" verdict)" = '"pass"'
check "at the contexts that were given" test "$(wc -l <"$T/again/export/x.csv")" = 101
refused "none are" 78 "wants rows of context" check "$T/model.yaml" --set target.contexts=null
refused "or not to be had" 66 "nix.csv" check "$T/model.yaml" --set target.contexts=nix.csv

# Students of their own shape learn from it, too, on own samples alone; after 20 steps they are .08 away.
cat >"$T/shape.yaml" <<Y
target: {kind: model, path: given.safetensors, contexts: contexts.csv}
seed: 1
student: {flow: {kind: iaf, layers: 2, hidden: [16, 16]}, train: {steps: 400, warmup: 20, lr: 3e-3}}
validate: {samples: 2000, require: {kl_reverse: "< 0.01", kl_forward: "< 0.01", log_z_sigmas: "< 4"}}
Y
for objective in kl importance mass_transport; do
    expect "a student of its own shape by $objective" 0 run "$T/shape.yaml" --quiet --set "student.train.objective.kind=$objective" --out "$T/$objective"
    check "trained by that" test "$(value "$T/$objective/resolved.json" student.train.objective.kind)" = "\"$objective\""
done
refused "what cannot be had with context" 78 "fab is for targets without context" check "$T/shape.yaml" --set student.train.objective.kind=fab

# ---- a student of its own shape, of a model: the recipe looks at it, in the units that it has
cat >"$T/plain.yaml" <<Y
target: {kind: model, path: $T/g/student/model.safetensors}
seed: 1
student: {flow: {kind: iaf, layers: 2, hidden: [16, 16]}, pilot_rows: 128, train: {steps: 200, warmup: 5}}
validate: {samples: 1000, require: {kl_reverse: "< 0.1"}}
Y
expect "a student of its own shape, of a model" 0 run "$T/plain.yaml" --quiet --out "$T/plain"
expect "and the config for it is good" 0 check configs/models/plain_iaf.yaml --set "target.path=$T/g/student/model.safetensors"
check "is looked at" grep -q "rows in 2 dimensions" "$T/plain/recipe.txt"
check "and has the model's frame" test "$(value "$T/plain/resolved.json" student.frame.scale)" = '"auto"'
sed 's/^student:.*/student: {flow: {kind: iaf, layers: 2, hidden: [16, 16]}, train: {steps: 20, warmup: 5}}/; s/^validate:.*/validate: {samples: 1000}/' "$T/model.yaml" >"$T/beside.yaml"
expect "a model with context is not" 0 run "$T/beside.yaml" --quiet --out "$T/beside"
check "of which nothing is settled" test ! -e "$T/beside/recipe.txt"

# ---- a MAF on its own samples, and what is unrolled from it
cat >"$T/maf.yaml" <<Y
target: {kind: gaussians, means: [[-3, 0, 1], [3, 1, -1]], weights: [1, 3], sd: 0.7}
seed: 1
student: {flow: {kind: maf, layers: 2, hidden: [16, 16]}, pilot_rows: 256, train: {objective: importance, steps: 400, warmup: 20, lr: 1e-2}}
validate: {samples: 4000, require: {kl_reverse: "< 0.05", kl_forward: "< 0.05", mode_share_error: "< 0.04"}}
Y
cat >"$T/next.yaml" <<Y
target: {kind: model, path: maf/student/model.safetensors}
seed: 1
student: {flow: {kind: unrolled, iterations: 2}, layerwise: {steps: 100}, train: {steps: 100, warmup: 5}}
validate: {samples: 4000, require: {kl_reverse: "< 0.005", kl_forward: "< 0.005"}}
export: {samples: 4000, file: x.csv}
Y
expect "a MAF learns a density on its own samples" 0 run "$T/maf.yaml" --quiet --out "$T/maf"
expect "and is unrolled" 0 run "$T/next.yaml" --quiet --out "$T/next"
right=$(awk -F , 'NR > 1 { n++; k += $1 > 0 } END { print k / n }' "$T/next/export/x.csv")
check "into a student that has the modes of the density: $right on the right" awk -v r="$right" 'BEGIN { exit !(r > .72 && r < .78) }'
refused "a MAF by a gradient through its samples" 78 "set student.train.gradient to log_variance" \
    check "$T/maf.yaml" --set student.train.objective=kl --set student.train.gradient=path

# ---- draws
cat >"$T/draws.yaml" <<Y
target: {kind: draws, path: y.csv, of: {kind: gaussian, mean: [1, -2], covariance: [[1, 0.5], [0.5, 2]]}}
seed: 1
student: {flow: {layers: 2, hidden: [16, 16]}, train: {steps: 150, warmup: 10, forward: 1}}
validate: {samples: 1000}
Y
run sample "$T/g/student/model.safetensors" -n 2000 --out "$T/y.csv"
expect "draws of a density stand in for a sampler" 0 run "$T/draws.yaml" --quiet --out "$T/d"
check "and are learnt from" awk -v kl="$("$PROBE" json "$T/d/validation.json" kl_forward.value)" 'BEGIN { exit !(kl < 0.3) }'
echo '1,2,3' >"$T/three.csv"
refused "of another size" 65 "the density has 2 dimensions" check "$T/draws.yaml" --set "target.path=$T/three.csv"

# ---- chains on a target that has no sampler
cat >"$T/wells.yaml" <<Y
seed: 4
target: {kind: double_well, particles: 2}
student: {start: plain, flow: {layers: 2, hidden: [16, 16]}, train: {steps: 100, batch: 64}}
validate: {samples: 1000, chain_rows: 4100, require: {missed_mass: "< 1"}}
export: {samples: 5, file: x.csv}
Y
expect "a student is held against chains on its target" 0 run "$T/wells.yaml" --quiet --threads 1 --out "$T/w"
check "of so many rows" test "$("$PROBE" json "$T/w/validation.json" chain.rows)" = 4352
check "which nearly agree" awk -v r="$("$PROBE" json "$T/w/validation.json" chain.rhat)" 'BEGIN { exit !(r > 0.9 && r < 1.2) }'
check "and miss nothing of a student that is far off" awk -v k="$("$PROBE" json "$T/w/validation.json" chain.kl_forward)" 'BEGIN { exit !(k > 0.1) }'
check "their energies are drawn" test -s "$T/w/energies.png"
check "its columns have the target's names" test "$(head -1 "$T/w/export/x.csv")" = mean_x,mean_y,turn,log_radius
expect "in two threads" 0 run "$T/wells.yaml" --quiet --threads 2 --out "$T/w2"
check "they are the same" test "$("$PROBE" json "$T/w/validation.json" chain)" = "$("$PROBE" json "$T/w2/validation.json" chain)"
expect "none are run" 0 run "$T/wells.yaml" --quiet --set validate.chain_rows=null --set validate.require=null --set validate.chain=off --out "$T/w"
check "if so it is said" test "$("$PROBE" json "$T/w/validation.json" chain)" = null
check "and no picture is left" test ! -e "$T/w/energies.png"
check "with a sampler there are none, unless asked for" test "$("$PROBE" json "$T/one/validation.json" chain)" = null
expect "asked for, there are" 0 run "$T/gauss.yaml" --quiet --set validate.chain=on --set student.train.steps=50 --set student.train.warmup=10 --set validate.require=null --out "$T/w3"
check "few, as the density is a normal" test "$("$PROBE" json "$T/w3/validation.json" chain.chains)" = 64
check "which resolved.json says" test "$("$PROBE" json "$T/w3/resolved.json" validate.chains)/$("$PROBE" json "$T/w3/resolved.json" validate.chain_rows)/$("$PROBE" json "$T/w3/resolved.json" validate.hunt)" = 64/1024/0.25
check "and recipe.txt" grep -q "a quarter is enough" "$T/w3/recipe.txt"
expect "with another number of samples" 0 run "$T/gauss.yaml" --quiet --set validate.chain=on --set validate.samples=900 --set student.train.steps=50 --set student.train.warmup=10 --set validate.require=null --out "$T/w3"
check "a recipe that is kept says the same of chains" test "$("$PROBE" json "$T/w3/validation.json" chain.chains)/$("$PROBE" json "$T/w3/validation.json" samples)" = 64/900
check "of two wells there are as many as ever" test "$("$PROBE" json "$T/w2/resolved.json" validate.chains)" = 256
expect "without a sketch a pilot is sent" 0 run "$T/gauss.yaml" --quiet --set student.sketch=off --set student.pilot_rows=128 --set validate.chain=on --set validate.chains=20 --set validate.hunt=0.1 --set student.train.steps=50 --set student.train.warmup=10 --set validate.require=null --out "$T/w4"
check "which is told" grep -q "^128 rows in 2 dimensions were annealed" "$T/w4/recipe.txt"
check "and chains are those that were asked for" test "$("$PROBE" json "$T/w4/validation.json" chain.chains)/$("$PROBE" json "$T/w4/validation.json" chain.rows)" = 20/4100
refused "chains beside a context" 78 "validate.chain: on is for targets without context" check "$T/model.yaml" --set validate.chain=on

# ---- refused
no() {
    run check "$T/${of:-gauss}.yaml" "${@:3}"
    check "$1 is refused" test "$status" = 78
    check "and it is said why" grep -q "$2" "$T/err"
}
no "data beside a target" "data.generator and target exclude each other" --set data.generator=two_moons
no "a teacher beside a target" "teacher.train.epochs and target exclude each other" --set teacher.train.epochs=3
no "a student that starts as its teacher" "no network to start as" --set student.flow=null --set student.flow=unrolled
no "figures of a teacher" "holds a teacher against its data" --set 'validate.require.teacher_outside=< 1'
no "figures that the target cannot give" "wants modes that are known" --set 'validate.require.mode_share_error=< 1'
of=plain no "a frame beside a model" "the model has units of its own" --set student.frame.scale=2
of=model no "a recipe of a student that starts as its teacher" "student.recipe has no effect" --set student.recipe=none
no "figures of chains that are not run" "wants a long chain" --set 'validate.require.chain_rhat=< 2'
no "rows of none" "validate.chain_rows has no effect" --set validate.chain=off --set validate.chain_rows=5000
no "a hunt without chains" "validate.hunt has no effect" --set validate.chain=off --set validate.hunt=2
no "a sketch without a recipe" "student.sketch has no effect" --set student.recipe=none --set student.sketch=off
no "a frame beside no target" "student.frame.scale has no effect" --set target=null --set data.generator=two_moons --set student.frame.scale=2
no "a frame of another size" "has 3 numbers" --set 'student.frame.shift=[1, 2, 3]'
no "a scale of nothing" "student.frame.scale wants" --set student.frame.scale=0
no "a kind that is none" "target.kind wants one of" --set target.kind=gausian
no "numbers that do not fit" "covariance: wanted a list of 3 rows" --set 'target.mean=[1, 2, 3]'
no "what is no number" "target.mean wants" --set 'target.mean=[1, x]'
no "forward KL of a target that cannot be widened, not at all" "student.train.widen has no effect" --set student.train.widen=0.1
