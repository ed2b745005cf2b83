#!/bin/bash
# Adding a kind touches its own file and one line of a registry: kinds are added to a copy of the tree, and
# YAML, explain, descriptions and model files must know them. What is changed is counted.
. tests/e2e/lib.sh

# A copy of what git knows, with the objects that are there, so that little is built anew.
tree=$T/tree
mkdir "$tree"
{ git ls-files 2>/dev/null || find . -name .git -prune -o -path "./$BUILD" -prune -o -type f -print; } |
    grep -v '^tests/\|^configs/data' | tar -cf - -T - | tar -xf - -C "$tree"
mkdir -p "$tree/tests/bench" && cp tests/bench/bench.mk "$tree/tests/bench/"
if [ -d "$BUILD/flow" ]; then
    mkdir "$tree/build"
    cp -a "$BUILD"/{flow,files,teacher,student,pipeline} "$BUILD"/made-* "$tree/build/" 2>/dev/null
fi
cp -a "$tree" "$T/before"

# add FILE OLD NEW REGISTRY: a kind like an old one under another name.
add() {
    local new
    new=$(dirname "$1")/$(basename "$1" | sed "s/$2/$3/")
    sed -E "s/(\b|transformer_|layer_|base_)$2/\1$3/g" "$tree/$1" >"$tree/$new"
    sed -i "0,/KIND($2)/s//KIND($2) KIND($3)/" "$tree/$4"
}
add flow/layer/additive.c additive shifted flow/layer/kinds.h
add flow/layer/actnorm.c actnorm rescale flow/layer/kinds.h
add flow/base_uniform.c uniform box flow/base.h
sed 's/nice/soft/g; /realnvp/,$d; /RealNVP/,$d' "$tree/flow/preset_coupling.c" |
    sed 's/^static int coupling_layers/static int soft_couplings/; s/ coupling_layers(/ soft_couplings(/g' >"$tree/flow/preset_soft.c"
sed -i '0,/KIND(nice)/s//KIND(nice) KIND(soft)/' "$tree/flow/preset_kind.h"

changed=$(diff -rq -x build "$T/before" "$tree" | grep -c '^Files')
lines=$(diff -r -x build "$T/before" "$tree" | grep -c '^>')
check "four kinds: four new files" test "$(diff -rq -x build "$T/before" "$tree" | grep -c '^Only')" -eq 4
check "three registries, of which four lines are other ones" test "$changed $lines" = "3 4"

check "the tree with them builds" make -s -j2 -C "$tree" BUILD=build CC="${CC:-gcc}" build/distill
DISTILL=$tree/build/distill
for path in teacher.flow.transformer.shifted teacher.flow.base.box student.flow.soft.layers \
    teacher.flow.stack.layers.rescale; do
    expect "explain knows $path" 0 explain "$path"
done
cat >"$T/kinds.yaml" <<'Y'
schema: 1
seed: 3
data: {generator: two_moons, rows: 1000}
teacher:
  flow: {base: box, layers: [rescale, {kind: autoregressive, transformer: shifted, conditioner: {hidden: [8]}}]}
  train: {epochs: 1}
student:
  flow: {kind: soft, hidden: [8]}
  train: {steps: 120}
validate: {samples: 200}
Y
expect "check knows them" 0 check "$T/kinds.yaml"
sed 's/base: box/base: normal/' "$T/kinds.yaml" >"$T/run.yaml"
expect "a run with them" 0 run "$T/run.yaml" --quiet --out "$T/run"
expect "their model files are read" 0 sample "$T/run/teacher/model.safetensors" -n 3
check "and say which they are" grep -q shifted "$T/run/teacher/model.safetensors"
