#!/bin/bash
# A look at the table before training: what ruins a density is refused with its remedy, what is likely to is
# warned of, and good tables are passed in silence. What is found in which table: tests/teacher/look.c.
. tests/e2e/lib.sh

# table NAME ROWS STATEMENTS: $T/NAME.csv; in awk, z() is a standard normal.
table() {
    awk -v n="$2" 'function z() { return sqrt(-2 * log(1 - rand())) * cos(6.283185307179586 * rand()) }
        BEGIN { srand(5); OFMT = CONVFMT = "%.9g"; for (i = 0; i < n; i++) { '"$3"' } }' >"$T/$1.csv"
    printf 'schema: 1\nseed: 1\ndata: {path: %s.csv}\n' "$1" >"$T/$1.yaml"
}
loud=("${QUICK[@]:1}") # without --quiet

# ---- certain to fail: an error, before anything is written

table total 3000 'if (!i) print "food,rent,total"; a = z(); b = z(); print a "," b "," a + b'
refused "a sum beside its parts is refused" 65 "column 2 'total'.* is food + rent .*data.columns: \[food, rent\]" \
    run "$T/total.yaml" "${QUICK[@]}" --out "$T/run"
check "and nothing is written" test ! -e "$T/run/teacher"
expect "the remedy helps" 0 run "$T/total.yaml" "${QUICK[@]}" --out "$T/run" --set "data.columns=[food, rent]"
check "and then there is not a word on it" sh -c '! grep -q "^warning .*\(food\|rent\)\|^data" "$1"' - "$T/err"
check "but a verdict" grep -q "^verdict   unverified" "$T/err"
table again 3000 'if (i < 400) row[i] = z() "," z(); print i < 400 ? row[i] : row[int(400 * rand())]'
refused "rows drawn again and again are refused" 65 'training rows, too .*data.weights' \
    run "$T/again.yaml" "${QUICK[@]}" --out "$T/run"
check "with their number" grep -q '400 of 3000 rows differ' "$T/err"
expect "unless they are to be kept" 0 run "$T/again.yaml" "${loud[@]}" --out "$T/run" --set data.repeated=keep
check "with a warning" grep -q '^warning .*400 of 3000 rows differ' "$T/err"
check "and no pass" test "$(value "$T/run/validation.json" verdict)" = '"unverified"'
awk -F, '{ n[$0]++ } END { print "a,b,w"; for (row in n) print row "," n[row] }' "$T/again.csv" >"$T/counted.csv"
printf 'data: {path: counted.csv, weights: w}\n' >"$T/counted.yaml"
expect "the remedy: one of each, counted in weights" 0 run "$T/counted.yaml" "${loud[@]}" --out "$T/run"
check "is silent on copies" sh -c '! grep -q "rows differ\|copies" "$1"' - "$T/err"

# ---- likely to: a warning that names column and key; a run all the same

table count 3000 'if (!i) print "n,x"; print int(4 * rand()) "," z()'
expect "whole numbers run" 0 run "$T/count.yaml" "${loud[@]}" --out "$T/run"
check "with a warning" grep -q "^warning .*column 0 'n' .*4 different values in 3000 rows" "$T/err"
expect "quiet ones, too" 0 run "$T/count.yaml" "${QUICK[@]}" --out "$T/run" --force data
check "with the same warning" grep -q "^warning .*column 0 'n' .*4 different values in 3000 rows" "$T/err"
expect "and as before" 0 run "$T/count.yaml" "${loud[@]}" --out "$T/run" --force data
columns=$(sed -n 's/.*all of it: data.columns: //p' "$T/err")
check "that says the key" test "$columns" = "{n: {step: 1, support: [0, inf]}, x: {}}"
expect "which helps" 0 run "$T/count.yaml" "${loud[@]}" --out "$T/run" --set "data.columns=$columns"
check "for silence on them" sh -c '! grep "different values" "$1"' - "$T/err"
table few 60 'print z() "," z()'
expect "sixty rows run" 0 run "$T/few.yaml" "${loud[@]}" --out "$T/run"
check "with a word on the warm-up" grep -q 'teacher.train.warmup: 100 of the 2 steps' "$T/err"
check "and on the rows" grep -q '^warning .*48 rows to train on' "$T/err"
table sorted 3000 'print i "," z()'
expect "sorted rows run" 0 run "$T/sorted.yaml" "${loud[@]}" --out "$T/run" --set student.train.steps=100
check "with a warning" grep -A 1 '^warning .*column 0 .*sorted by' "$T/err"
check "of which the remedy" grep -q 'data.split: seed' "$T/err"
expect "is good" 0 run "$T/sorted.yaml" "${loud[@]}" --out "$T/run" --set data.split=seed
check "for silence" sh -c '! grep -q "sorted by" "$1"' - "$T/err"

# ---- a few wild values do not squeeze the others

table wild 5000 'print (i % 1000 == 7 ? "1e6" : z()) "," z()'
table clean 2000 'print z() "," z()'
expect "wild values run" 0 run "$T/wild.yaml" "${loud[@]}" --out "$T/run" --set teacher.train.epochs=8 --set teacher.train.lr=5e-3
check "with a warning" grep -q '^warning .*column 0 .*5 rows that make up its standard deviation.*row 7 .*is 1e+06' "$T/err"
run logp "$T/run/teacher/model.safetensors" "$T/clean.csv"
check "clean rows have the density that they have" awk 'NR > 1 { sum += $1 }
    END { mean = sum / (NR - 1); print mean; exit !(mean > -3.04 && mean < -2.7) }' "$T/out"

# ---- networks

printf 'schema: 1\ndata: {path: %s}\nteacher: {flow: {hidden: [4, 2]}}\n' "$PWD/$POWER" >"$T/thin.yaml"
expect "a thin network is checked" 0 check "$T/thin.yaml"
check "with a warning" grep -q '^warning .*teacher.flow: a hidden layer of 2 units' "$T/err"
check "that says how wide it should be" grep -q 'hidden: 5 units' "$T/err"
expect "a network that is wide enough" 0 check "$T/thin.yaml" --set "teacher.flow.hidden=[5]"
check "gives none" test "$(wc -l <"$T/err")" -eq 1
expect "nor do narrow networks of couplings, which have one mask" 0 check "$T/thin.yaml" --set "teacher.flow.hidden=[2]" \
    --set teacher.flow.kind=realnvp
check "get one" test "$(wc -l <"$T/err")" -eq 1

# ---- inspect

expect "inspect of a good table" 0 inspect "$POWER"
check "has a line a column" test "$(grep -cE '^(active_power|voltage|sub[123]|minute) ' "$T/out")" -eq 6
expect "inspect of a bad one" 65 inspect "$T/total.csv"
check "still shows it" grep -q '^error: column 2 .total. .*food + rent' "$T/out"
expect "the same for programs" 65 inspect "$T/total.csv" --json
cp "$T/out" "$T/look.json"
check "is JSON" test "$(value "$T/look.json" findings.0.kind)" = '"tied_columns"'
check "with the figures" test "$(value "$T/look.json" rows.train)" -eq 2400
table events 3000 'if (!i) print "mass [GeV],n,share,phi,low"; a = 80 - log(1 - rand()) "," int(4 * rand())
    print a "," rand() "," 6.283185307179586 * rand() "," 5 + log(1 - rand())'
expect "inspect of events" 0 inspect "$T/events.csv"
columns=$(tail -n 1 "$T/out" | sed "s/^    data.columns: //")
check "ends in what the config should say" test "$columns" = \
    "{'mass [GeV]': {support: [80, inf]}, n: {step: 1, support: [0, inf]}, share: {support: [0, 1]}, phi: {period: 6.283185307}, low: {support: [-inf, 5]}}"
expect "which it understands" 0 run "$T/events.yaml" "${loud[@]}" --out "$T/run" --set "data.columns=$columns" \
    --set teacher.train.warmup=5
check "and then there is no warning left" sh -c '! grep "^warning" "$1"' - "$T/err"
printf '1\n2\n3\nnan\n' >"$T/tiny.csv"
expect "inspect of a config" 0 inspect configs/power_given_time.yaml
check "knows what is given" grep -q '^minute .* given$' "$T/out"
check "and columns of kinds" sh -c 'printf "schema: 1\ndata: {path: %s/events.csv, columns: %s}\n" "$1" "$2" >"$1/kinds.yaml"' \
    - "$T" "$columns"
expect "of which nothing is left to say" 0 inspect "$T/kinds.yaml"
check "of a count, a circle and ends" sh -c '! grep -E "^(note|warning|error)" "$1"' - "$T/out"
refused "a header of a config" 64 "data.header" inspect "$T/kinds.yaml" --header no
refused "a table of three rows" 65 'too few' inspect "$T/tiny.csv"
refused "a file that is not there" 66 none.csv inspect "$T/none.csv"
expect "a header of another kind" 64 inspect "$T/total.csv" --header maybe
check "says which there are" grep -q "auto, yes or no" "$T/err"

# ---- no false alarm

for file in configs/data/*.npy; do
    expect "$file is good" 0 inspect "$file"
    check "$file: no warning" sh -c '! grep -E "^(warning|error)" "$1"' - "$T/out"
done
expect "made-up data are good" 0 run configs/two_moons.yaml "${loud[@]}" --out "$T/run" --set data.rows=4000 \
    --set validate.require=null --set teacher.train.warmup=5
check "two moons: no warning" sh -c '! grep "^warning" "$1"' - "$T/err"
