#!/bin/bash
# The same bits for any number of threads and every time; other bits for another seed.
. tests/e2e/lib.sh

files=(teacher/model.safetensors student/model.safetensors teacher/metrics.jsonl
    student/metrics.jsonl export/samples.npy export/samples.csv)

# train NAME ARGUMENT ...: batches of odd size, so that shards and lanes come out uneven; all that
# training can do is switched on; the student so wide that threads share its maps.
train() {
    local name=$1
    shift
    run run "$T/small.yaml" --quiet --out "$T/$name" "$@"
    [ "$status" -eq 0 ] || { not_ok "$name runs" "exit code $status: $(head -n 1 "$T/err")"; return 1; }
    run sample "$T/$name/student/model.safetensors" -n 300 --logp -o "$T/$name/export/samples.csv"
}
cat >"$T/small.yaml" <<'Y'
schema: 1
seed: 20
data: {generator: pinwheel, rows: 3000, split: seed}
teacher:
  flow: {layers: 2, hidden: [24, 24], transformer: spline, permute: random, linear: lu, actnorm: true}
  train: {batch: 317, epochs: 3, average: 0.9, warmup: 5, weight_decay: 1e-4}
student:
  flow: {layers: 2, hidden: [160], residual: 1}
  train: {batch: 211, steps: 240, forward: 0.5, temper: 0.5, late_batch: 3, average: 0.9}
validate: {samples: 1500}
export: {samples: 700}
Y

same() {
    local file
    for file in "${files[@]}"; do
        cmp "$T/$1/$file" "$T/$2/$file" || return 1
    done
    cmp <("$PROBE" without "$T/$1/validation.json" speed) <("$PROBE" without "$T/$2/validation.json" speed)
}
all_differ() {
    local file
    for file in "${files[@]}" validation.json; do
        ! cmp -s "$T/$1/$file" "$T/$2/$file" || { echo "$file is the same"; return 1; }
    done
}

for precision in f32 f64; do
    one=$precision-one
    set -- --set precision=$precision
    train $one "$@" --threads 1 || continue
    for threads in 2 3; do
        train $precision-$threads "$@" --threads $threads &&
            check "$precision: $threads threads give the bits of one" same $one $precision-$threads
    done
    train $precision-again "$@" --threads 1 &&
        check "$precision: the same command again gives the same bits" same $one $precision-again
    train $precision-seed "$@" --set seed=21 && check "$precision: another seed gives others" all_differ $one $precision-seed
done
check "f64 is not f32" all_differ f32-one f64-one
if [ -d "$T/f32-2" ]; then
    check "the manifest has the number of threads" test "$(value "$T/f32-2/manifest.json" threads)" = 2
fi

sed -i '/^seed/d' "$T/small.yaml"
if train drawn; then
    seed=$(value "$T/drawn/manifest.json" seed)
    check "a seed that is not given is recorded as drawn" test "$(value "$T/drawn/manifest.json" seed_from)" = '"drawn"'
    train drawn-again --set "seed=$seed" && check "and gives the same bits when given" same drawn drawn-again
fi
