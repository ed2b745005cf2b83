#!/bin/bash
# Data that are wrong: one line that names file, row and column; nothing half-written.
. tests/e2e/lib.sh

# wrong NAME STATUS TEXT FILE ARGUMENT ...: a run on FILE (below $T) is refused and leaves no claim.
run_on() {
    local file=$1
    shift
    printf 'schema: 1\nseed: 1\ndata: {path: %s}\n' "$file" >"$T/c.yaml"
    set -- run "$T/c.yaml" "${QUICK[@]}" --out "$T/run" "$@"
    arguments=("$@")
}
wrong() {
    local name=$1 status=$2 text=$3
    rm -rf "$T/run"
    shift 3
    run_on "$@"
    refused "$name" "$status" "$text" "${arguments[@]}"
    check "$name: no model, no verdict, no good end" sh -c \
        '! ls "$1"/*/model.safetensors "$1/validation.json" "$1"/export/* 2>/dev/null && ! grep -s good "$1/manifest.json"' \
        - "$T/run"
}
header=$((10 + $(od -An -tu2 -j8 -N2 $POWER)))
row=24 # bytes: 6 columns of f4

run_on none.npy
expect "a file that is not there" 66 "${arguments[@]}"
check "is named, with the place that names it" grep -q "c.yaml:3:14: error: .*none.npy'" "$T/err"
check "and nothing is written" test ! -e "$T/run"
head -c 100000 $POWER >"$T/short.npy"
wrong "a truncated npy" 65 short.npy short.npy
head -c 60 $POWER >"$T/head.npy"
wrong "an npy that ends in its header" 65 head.npy head.npy
: >"$T/empty.npy"
wrong "an empty npy" 65 empty.npy empty.npy
cp configs/two_moons.yaml "$T/text.npy"
wrong "a text that is called npy" 65 text.npy text.npy
cp $POWER "$T/nan.npy"
printf '\000\000\300\177' | dd of="$T/nan.npy" bs=1 seek=$((header + 1841 * row + 8)) conv=notrunc status=none
wrong "a nan: row and column are named" 65 'nan.npy.*row 1841.*column 2.*nan' nan.npy
run_on nan.npy --set data.nonfinite=drop
expect "a nan that may be dropped" 0 "${arguments[@]}"

od -An -v -tf4 -w24 -j$header -N$((row * 500)) $POWER | sed 's/^ *//; s/  */,/g' >"$T/good.csv"
run_on good.csv
expect "a csv that is good" 0 "${arguments[@]}"
sed '7s/[^,]*,/five,/' "$T/good.csv" >"$T/text.csv"
wrong "text in row 7 of a csv" 65 'text.csv:7:.*five' text.csv
sed '9s/,[^,]*$//' "$T/good.csv" >"$T/ragged.csv"
wrong "a row that is too short" 65 'ragged.csv:9:' ragged.csv
sed '3s/[^,]*,/,/' "$T/good.csv" >"$T/hole.csv"
wrong "a field that is empty" 65 'row 2 (line 3).*nonfinite: drop' hole.csv
: >"$T/empty.csv"
wrong "an empty csv" 65 empty.csv empty.csv
echo a,b,c >"$T/names.csv"
wrong "a csv of names alone" 65 names.csv names.csv
sed 's/,[^,]*/,2.5/' "$T/good.csv" >"$T/constant.csv"
wrong "a constant column" 65 'constant.csv.*column 1' constant.csv
head -n 1 "$T/good.csv" >"$T/one.csv"
wrong "one row" 65 one.csv one.csv
for rows in 2 10 40; do
    head -n $rows "$T/good.csv" >"$T/few.csv"
    rm -rf "$T/run"
    run_on few.csv
    run "${arguments[@]}"
    check "$rows rows: a run, or refused in one line" test "$status" -eq 0 -o \
        "$status,$(wc -l <"$T/err"),$(grep -c "^distill: error: .*few.csv" "$T/err")" = 65,1,1
done
wrong "a column that is not there" 78 'voltage' good.csv --set "data.columns=[voltage]"
wrong "a column number that is too large" 78 '6' good.csv --set "data.columns=[0, 6]"

# A directory that had a good run: a bad one leaves it as it was, and so does one that does not come to its end.
all_of() { (cd "$T/run" && find . ! -type d ! -name .lock | sort | xargs cksum); }
seen() { all_of | grep -v ' ./stages/'; }
rm -rf "$T/run"
run_on good.csv
expect "a good run" 0 "${arguments[@]}"
all_of >"$T/before"
seen >"$T/seen"
run_on nan.npy
refused "bad data in its directory" 65 nan.npy "${arguments[@]}"
all_of >"$T/after"
check "leave it as it was" cmp "$T/before" "$T/after"
run_on good.csv
"$DISTILL" "${arguments[@]}" --set teacher.train.epochs=1000000 --set teacher.train.patience=0 >/dev/null 2>&1 &
job=$!
for _ in $(seq 600); do
    ls "$T"/run/stages/teacher-*.part/metrics.jsonl >/dev/null 2>&1 && break
    sleep 0.1
done
kill -TERM $job
wait $job
check "a run that was stopped was at work" test $? -eq 143
check "and leaves models and verdict of the one before" cmp "$T/seen" <(seen)
