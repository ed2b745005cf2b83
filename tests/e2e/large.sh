#!/bin/bash
# A table is trained on in the memory of its numbers, 4 bytes each and weights counted, and a fifth more, beside what the program
# takes by itself. So much do so many more rows add to a run.
. tests/e2e/lib.sh

few=50000 more=300000
limit=$((more * 8 * 4 * 12 / 10 / 1024))
slack=1024 # KiB: what threads and the allocator take in one run and not in another, whatever the rows
cat >"$T/large.yaml" <<'Y'
schema: 1
seed: 3
teacher:
  flow: {layers: 1, hidden: [8]}
  train: {batch: 1000, epochs: 1, warmup: 0}
student:
  flow: {kind: unrolled, iterations: 1}
  train: {batch: 64, steps: 10, warmup: 0}
  layerwise: {steps: 10}
  shrink: {samples: 500}
validate: {samples: 500}
Y

# peak TABLE ARGUMENT ...: of a run in a directory that remembers none, in KiB; a page's pictures take the same whatever the rows
peak() {
    local table=$1
    shift
    rm -rf "$T/run"
    "$PROBE" memory "$DISTILL" run "$T/large.yaml" --quiet --threads 2 --out "$T/run" --until validate \
        --set "data.path=$table" "$@" 2>"$T/err"
}
within() { # KIB BASE LIMIT
    [ "${1:-0}" -gt "${2:-0}" ] && [ $(($1 - $2)) -le $(($3 + slack)) ]
}
# least TRIES ARGUMENT ...: what threads happen to take only adds to a peak, so the least of some runs is nearest to the truth.
least() {
    local tries=$1 best= kib
    shift
    for _ in $(seq "$tries"); do
        kib=$(peak "$@")
        [ -n "$kib" ] && { [ -z "$best" ] || [ "$kib" -lt "$best" ]; } && best=$kib
    done
    echo "$best"
}

"$PROBE" table "$few" f4 >"$T/few.npy"
base=$(least 3 "$T/few.npy")
check "with $few rows $((base / 1024)) MB, under 30" test "${base:-0}" -gt 1000 -a "${base:-0}" -lt 30720

# adds NAME LIMIT TABLE ARGUMENT ...
adds() {
    local name=$1 most=$2
    shift 2
    kib=$(peak "$@")
    within "$kib" "$base" "$most" || [ -p "$1" ] || kib=$(least 3 "$@")
    check "$name: $more rows more add $((kib - base)) KiB, at most $most" within "$kib" "$base" "$most"
}
for form in f4 csv f8; do
    table=$T/x.npy
    [ "$form" = csv ] && table=$T/x.csv
    "$PROBE" table $((few + more)) "$form" >"$table"
    adds "$form" "$limit" "$table"
done
cp -r "$T/run" "$T/file"
adds "rows in random order" "$limit" "$T/x.npy" --set data.split=seed
adds "8 bytes a number" $((2 * limit)) "$T/x.npy" --set precision=f64

adds "rows that are weighed" "$limit" "$T/x.npy" --set data.weights=1

# logp holds a block of rows; it says of a row what it says of it alone, wherever blocks end.
few_kib=$("$PROBE" memory "$DISTILL" logp "$T/file" "$T/few.npy" --threads 2 -o "$T/few_logp.npy")
for form in npy csv; do
    kib=$("$PROBE" memory "$DISTILL" logp "$T/file" "$T/x.$form" --threads 2 -o "$T/logp.csv")
    check "logp, $form: $more rows more add $((kib - few_kib)) KiB" test "${kib:-0}" -gt 1000 -a $((kib - few_kib)) -le $((2 * slack))
done
tail -n 1000 "$T/x.csv" >"$T/tail.csv"
run logp "$T/file" "$T/tail.csv"
check "logp: the last rows" cmp <(tail -n +2 "$T/out") <(tail -n +$((few + more - 998)) "$T/logp.csv")

mkfifo "$T/pipe.npy"
cat "$T/x.npy" >"$T/pipe.npy" &
adds "from a pipe" "$limit" "$T/pipe.npy"
wait
check "from a pipe: the bits of the file" cmp "$T/run/student/model.safetensors" "$T/file/student/model.safetensors"

# Of one column the look holds its values as doubles: 8 bytes a row. Rows so many that their order takes no memory.
few=270000 more=600000
for cols in 1 2; do
    "$PROBE" table "$few" f4 "$cols" >"$T/few$cols.npy"
    "$PROBE" table $((few + more)) f4 "$cols" >"$T/x$cols.npy"
    base=$(least 1 "$T/few$cols.npy")
    adds "columns: $cols" $((more * (cols == 1 ? 84 : 96) / 10 / 1024)) "$T/x$cols.npy" --set data.split=seed
done
