#!/bin/bash
# Columns by name: what a model file keeps of them, and how sample, logp and ladder find, check and warn by it.
. tests/e2e/lib.sh

# Normal numbers for awk, whose rand is uniform.
NORMAL='function g(  u) { u = 1 - rand(); return sqrt(-2 * log(u)) * cos(6.283185307179586 * rand()) } '
mean() { tail -n +2 "$1" | awk -F, '{ sum += $1 } END { printf "%.5f\n", sum / NR }'; }
near() { awk -v a="$1" -v b="$2" -v t="$3" 'BEGIN { exit !(a - b <= t && b - a <= t) }'; }
says() { grep -q -- "$1" "$T/err"; }

# ---- text that is none

printf 'gr\366\337e,b\n1,2\n3,5\n4,4\n' >"$T/latin.csv"
printf 'schema: 1\nseed: 1\ndata: {path: %s}\n' "$T/latin.csv" >"$T/latin.yaml"
OUTPUT=$T/latin
refused "a header in Latin-1" 65 "latin.csv:1: .* column 0 (counted from 0) is not UTF-8 (byte 0xf6 at 2).*iconv -f latin1" \
    run "$T/latin.yaml" "${TEACH[@]}" --out "$T/latin"
check "leaves no directory behind" test ! -e "$T/latin"
{ echo height,b; seq 1 60 | awk '{ print $1 * $1 % 17 "," $1 }'; } >"$T/few.csv"
printf 'schema: 1\nseed: 1\ndata: {path: %s}\n' "$T/few.csv" >"$T/few.yaml"
expect "a run directory whose name is no text" 0 run "$T/few.yaml" "${TEACH[@]}" --out "$T"/r$'\366' \
    --set teacher.flow.transformer=affine --set teacher.flow.activation=relu \
    --set teacher.train.epochs=100 --set teacher.train.warmup=0 --set teacher.train.lr=0.01 --set teacher.train.patience=0
few=$(echo "$T"/r?/teacher/model.safetensors)

# ---- the same columns in another order

awk "$NORMAL"'BEGIN { srand(7); print "height,weight"
    for (i = 0; i < 3000; i++) printf "%.9g,%.9g\n", g(), 100 + 10 * g() }' >"$T/train.csv"
printf 'schema: 1\nseed: 1\ndata: {path: %s}\n' "$T/train.csv" >"$T/order.yaml"
run run "$T/order.yaml" "${TEACH[@]}" --out "$T/order" --set teacher.train.epochs=6
teacher=$T/order/teacher/model.safetensors student=$T/order/student/model.safetensors
tail -n 300 "$T/train.csv" | sed '1i height,weight' >"$T/same.csv"
awk -F, '{ print $2 "," $1 }' "$T/same.csv" >"$T/swapped.csv"
tail -n +2 "$T/same.csv" >"$T/bare.csv"
OUTPUT=$T/bad.csv
run logp "$teacher" "$T/same.csv" -o "$T/same.logp" --format csv
check "names that fit need no word" test ! -s "$T/err"
run logp "$teacher" "$T/swapped.csv" -o "$T/swapped.logp" --format csv
check "columns in another order are the same rows" cmp "$T/same.logp" "$T/swapped.logp"
run logp "$teacher" "$T/bare.csv" -o "$T/bare.logp" --format csv
check "without names, by position" cmp "$T/same.logp" "$T/bare.logp"
check "and says so" says "^distill: note: .*bare.csv: columns taken by position, as 'height', 'weight'"
check "in one line" test "$(wc -l <"$T/err")" -eq 1
check "densities are those of the truth, in the units of the data" near "$(mean "$T/same.logp")" -5.14 0.3
check "the run says the same number" near "$(mean "$T/same.logp")" \
    "$(value "$T/order/validation.json" teacher.test_log_likelihood.value)" 0.00001
check "and so do the losses of the fit" near "$(mean "$T/same.logp")" \
    "-$("$PROBE" lines "$T/order/teacher/metrics.jsonl" valid_loss | tail -n 1)" 0.2
check "and which units it has" grep -q '"units": "nats per row, in the units of the data"' "$T/order/validation.json"

sed 's/weight/mass/' "$T/same.csv" >"$T/other.csv"
refused "a column that is missing" 65 "there is no column 'weight'; its columns are 'height', 'mass'" \
    logp "$teacher" "$T/other.csv" -o "$OUTPUT"
awk -F, '{ print $0 "," (NR == 1 ? "id" : "event" NR) }' "$T/swapped.csv" >"$T/more.csv"
refused "a column that the model does not know" 65 "does not know column 'id'.*--extra" logp "$teacher" "$T/more.csv" -o "$OUTPUT"
run logp "$teacher" "$T/more.csv" --extra
check "is left aside with --extra" cmp "$T/same.logp" "$T/out"
sed '1s/.*/height,height/' "$T/same.csv" >"$T/twice.csv"
refused "a name that is there twice" 65 "'height'" logp "$teacher" "$T/twice.csv" -o "$OUTPUT"

# ---- numbers that are none, and far ones

printf 'weight,height\n100,0\n90,inf\n90,nan\n' >"$T/inf.csv"
refused "a row that is not finite" 65 "inf.csv: 2 of 3 rows are not finite; first: row 1 (line 3), column 1 'height' .* is inf" \
    logp "$teacher" "$T/inf.csv" -o "$OUTPUT"
printf 'weight,height\n100,0\n300,0\n' >"$T/far.csv"
expect "a row far outside of the training rows" 0 logp "$teacher" "$T/far.csv"
check "is warned of, with row, column, value and range" \
    says "^distill: warning: .*far.csv: 1 of 2 rows are far .* row 1 (line 3), column 0 'weight' .* is 300, .* had [56].* \.\. 1[34]"

printf 'height,b\n1,2\n-1.7e308,1.7e308\n' >"$T/huge.csv"
run logp "$few" "$T/huge.csv"
check "a row whose density is no number is an error" test "$status" -eq 65 -a ! -s "$T/out"
check "that names it" says "error: .*huge.csv: row 1: its log-density is not a number"

# ---- whether a header is one

printf '1,2\n0.5,101\n' >"$T/numbers.csv"
run logp "$teacher" "$T/numbers.csv" --header no
check "--header no: two rows" test "$(wc -l <"$T/out")" -eq 3
refused "--header yes: names, and not the model's" 65 "there is no column 'height', 'weight'; its columns are '1', '2'" \
    logp "$teacher" "$T/numbers.csv" --header yes
expect "--header of nothing" 64 logp "$teacher" "$T/numbers.csv" --header maybe
OUTPUT=
refused "run reads --header, too" 65 "train.csv:1: column 0 .*'height' is not a number" \
    run "$T/order.yaml" --header no --out "$T/headless" --quiet
refused "and check" 78 "no column 'height'; its columns have no names" check "$T/order.yaml" --header no --set "data.columns=[height]"
OUTPUT=$T/bad.csv

# ---- a conditional model

awk "$NORMAL"'BEGIN { srand(8); print "x,c"
    for (i = 0; i < 4000; i++) { c = 6 * rand() - 3; printf "%.9g,%.9g\n", sin(c) + .2 * g(), c } }' >"$T/given.csv"
printf 'schema: 1\nseed: 1\ndata: {path: %s, columns: [x], context: [c]}\n' "$T/given.csv" >"$T/given.yaml"
run run "$T/given.yaml" "${TEACH[@]}" --out "$T/given" --set teacher.train.epochs=50
teacher=$T/given/teacher/model.safetensors student=$T/given/student/model.safetensors
printf 'c\n1.5\n' >"$T/one.csv"
{ echo c; yes 1.5 | head -n 20000; } >"$T/many.csv"
expect "one row of context for all samples" 0 sample "$student" -n 20000 --context "$T/one.csv" -o "$T/one.out" --format csv
run sample "$student" -n 20000 --context "$T/many.csv" -o "$T/many.out" --format csv
check "is that row for each of them" cmp "$T/one.out" "$T/many.out"
check "and the samples are those of that context" near "$(mean "$T/one.out")" 0.9975 0.1
run sample "$student" -n 20000 --context c=1.5
check "a context on the command line is the same" cmp "$T/one.out" "$T/out"
cut -d , -f 1 "$T/given.csv" >"$T/x.csv" && cut -d , -f 2 "$T/given.csv" >"$T/c.csv"
run logp "$teacher" "$T/given.csv" -o "$T/both.logp" --format csv
run logp "$teacher" "$T/x.csv" --context "$T/c.csv"
check "logp finds data and context in one table" cmp "$T/both.logp" "$T/out"
run logp "$teacher" "$T/given.csv" --context c=1.5 -o "$T/a.logp" --format csv
run logp "$teacher" "$T/x.csv" --context <(:) --context "$T/one.csv"
check "a context that is given goes before, one for all rows" cmp "$T/a.logp" "$T/out"
{ echo c; yes 1000 | head -n 5; } >"$T/far.csv"
expect "a context far outside" 0 sample "$student" -n 5 --context "$T/far.csv"
check "is warned of" says "warning: .*far.csv: 5 of 5 rows .* row 0 (line 2), column 0 'c' .* is 1000, the training rows had -2.9.* \.\. 2.9"
expect "one on the command line" 0 sample "$student" -n 5 --context c=1000
check "is warned of, too" says "warning: --context: 1 of 1 rows"
printf 'c\n1\nnan\n2\n' >"$T/nan.csv"
for verb in "sample $student -n 3" "ladder $teacher -n 100"; do
    # shellcheck disable=SC2086 # a list of words
    refused "${verb%% *}: a context that is no number" 65 "nan.csv: 1 of 3 rows are not finite; first: row 1 (line 3), column 0 'c'" \
        $verb --context "$T/nan.csv"
done
printf 'c\n1\n2\n3\n' >"$T/three.csv"
refused "three contexts for four samples" 65 "3 rows of context for 4 rows; give as many, or one for all" \
    sample "$student" -n 4 --context "$T/three.csv"
refused "a context of another name" 65 "there is no column 'c'; its columns are 'd'" sample "$student" -n 1 --context d=1
refused "a context twice" 64 "'c' is given twice" sample "$student" -n 1 --context c=1,c=2
refused "a context that the model does not know" 65 "does not know column 'd'" sample "$student" -n 1 --context c=1,d=2
for bad in c= c=nan c=1e999 =1 c=one c=1,; do
    expect "--context $bad" 64 sample "$student" -n 1 --context "$bad"
done
check "is told how it is written" says "error: --context wants name=value, got ''"

# ---- temperature and many samples

sd() { tail -n +2 "$1" | awk -F, '{ s += $1; q += $1 * $1 } END { printf "%.5f\n", sqrt(q / NR - s * s / (NR * NR)) }'; }
run sample "$teacher" -n 5000 --context c=1 --temperature 1 -o "$T/t1.out" --format csv
run sample "$teacher" -n 5000 --context c=1
check "temperature 1 changes nothing" cmp "$T/t1.out" "$T/out"
run sample "$teacher" -n 5000 --context c=1 --temperature 0.25 --logp -o "$T/cold.out" --format csv
check "a quarter is narrower" awk -v a="$(sd "$T/cold.out")" -v b="$(sd "$T/t1.out")" 'BEGIN { exit !(a < b / 2) }'
# Over samples of q, 1/q has the width of an interval that they cover as its mean, if q is the density that they have.
run sample "$teacher" -n 20000 --context c=1 --temperature 2 --logp -o "$T/hot.out" --format csv
check "twice has the density that --logp says" sh -c 'tail -n +2 "$1" | awk -F, "
    { if (\$1 > .5 && \$1 < 1.2) sum += exp(-\$2) } END { sum /= NR; print sum; exit !(sum > .66 && sum < .74) }"' - "$T/hot.out"
expect "a temperature of 0" 64 sample "$teacher" -n 1 --context c=1 --temperature 0
expect "a million to .npy" 0 sample "$teacher" -n 1e6 --context c=1 -o "$T/million.npy"
check "is a million" test "$(stat -c %s "$T/million.npy")" -eq $((128 + 8 * 1000000))
expect "1e3 to stdout" 0 sample "$teacher" -n 1e3 --context c=1
check "is a thousand, and a name" test "$(wc -l <"$T/out")" -eq 1001
