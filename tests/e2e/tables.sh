#!/bin/bash
# Tables of data through the program: real columns, csv, conditional models, a single column.
. tests/e2e/lib.sh

columns=(Global_active_power Global_reactive_power Voltage)
mapfile -t names <configs/data/power_dec2006.cols

# ---- a real table

printf 'schema: 1\nseed: 5\ndata: {path: %s}\n' "$PWD/$POWER" >"$T/power.yaml"
expect "the power table runs" 0 run "$T/power.yaml" "${TEACH[@]}" --out "$T/power" --set export.samples=2000 \
    --set export.file=x.csv --set teacher.train.epochs=25 --set student.train.steps=500 --set student.flow.iterations=2
check "the columns of the samples are those of the table" \
    test "$(head -n 1 "$T/power/export/x.csv")" = "$(IFS=,; echo "${names[*]}")"
check "the teacher learns: nats, and its last validation loss is its best but noise" sh -c \
    '"$1" lines "$2" valid_loss | awk "NR == 1 { first = best = \$1 } { last = \$1 } \$1 < best { best = \$1 }
        END { exit !(last < first - 3 && last < best + 0.02) }"' \
    - "$PROBE" "$T/power/teacher/metrics.jsonl"
check "test rows are a tenth of the table" test "$(value "$T/power/validation.json" \
    teacher.test_log_likelihood.rows)" -eq 1945
check "no mode shares where no modes are known" test "$(value "$T/power/validation.json" mode_share)" = null

# Samples are in the units of the table: its mean, within a fifth of its standard deviation, which is right
# within a factor of 2 (two of the columns have rare large values).
column_means() { # FILE COLUMNS, rows of numbers on stdin
    awk -F '[ ,]+' -v d="$1" '{ off = $1 == "" ? 1 : 0; for (i = 1; i <= d; i++) { v = $(i + off); s[i] += v; q[i] += v * v } }
        END { for (i = 1; i <= d; i++) { m = s[i] / NR; print m, sqrt(q[i] / NR - m * m) } }'
}
table_rows() { od -An -v -tf4 -w24 -j$((10 + $(od -An -tu2 -j8 -N2 $POWER))) $POWER; }
in_units() {
    paste -d ' ' <(table_rows | column_means 6) <(tail -n +2 "$T/power/export/x.csv" | column_means 6) |
        awk '{ d = $1 - $3; if (d > 0.2 * $2 || d < -0.2 * $2 || $4 > 2 * $2 || $4 < $2 / 2) { print; exit 1 } }'
}
check "samples are in the units of the table" in_units

expect "columns by name and by number" 0 run "$T/power.yaml" "${QUICK[@]}" --out "$T/two" \
    --set "data.columns=[${names[2]}, 0]" --set export.samples=10 --set export.file=x.csv
check "come in the order asked for" test "$(head -n 1 "$T/two/export/x.csv")" = "${names[2]},${names[0]}"

# ---- csv

table_rows | head -n 4000 | awk -v OFS=, '{ print $1, $2, $3 }' >"$T/bare.csv"
{ echo "${columns[*]}" | tr ' ' ,; cat "$T/bare.csv"; } >"$T/named.csv"
for kind in bare named; do
    printf 'schema: 1\nseed: 5\ndata: {path: %s.csv}\n' $kind >"$T/$kind.yaml"
    expect "a $kind csv runs, its path relative to the yaml" 0 run "$T/$kind.yaml" "${QUICK[@]}" --out "$T/$kind"
done
check "a header changes nothing but the names" cmp "$T/bare/teacher/metrics.jsonl" "$T/named/teacher/metrics.jsonl"
run sample "$T/named/student/model.safetensors" -n 1
check "the names are in the model" test "$(head -n 1 "$T/out")" = "$(echo "${columns[*]}" | tr ' ' ,)"

# ---- conditional: two columns given the minute of the day

conditional=("${QUICK[@]}" --set "data.columns=[0, 1]" --set "data.context=[5]" --set export.samples=20)
expect "a conditional run" 0 run "$T/power.yaml" "${conditional[@]}" --out "$T/given"
teacher=$T/given/teacher/model.safetensors student=$T/given/student/model.safetensors
printf '60\n720\n1400\n' >"$T/minutes.csv"
expect "conditional samples, one per row of context" 0 sample "$student" -n 3 --context "$T/minutes.csv" --logp -o "$T/given.csv"
check "there are three" test "$(wc -l <"$T/given.csv")" -eq 4
refused "conditional samples without a context" 64 context sample "$student" -n 3
refused "a context of too few rows" 65 minutes.csv sample "$student" -n 4 --context "$T/minutes.csv"
paste -d , "$T/minutes.csv" "$T/minutes.csv" >"$T/wide.csv"
refused "a context of too many columns" 65 wide.csv sample "$student" -n 3 --context "$T/wide.csv"
refused "a context for a model that has none" 64 "no context" sample "$T/power/student/model.safetensors" -n 3 \
    --context "$T/minutes.csv"

tail -n +2 "$T/given.csv" | cut -d , -f 1,2 >"$T/points.csv"
tail -n +2 "$T/given.csv" | cut -d , -f 3 >"$T/log_q"
expect "conditional log-densities" 0 logp "$student" "$T/points.csv" --context "$T/minutes.csv" -o "$T/logp.csv"
check "agree with what sampling said" same_numbers "$T/log_q" <(tail -n +2 "$T/logp.csv") 1e-4
run logp "$teacher" "$T/points.csv" --context "$T/minutes.csv" -o "$T/teacher.csv"
printf '61\n721\n1401\n' >"$T/minutes.csv"
run logp "$teacher" "$T/points.csv" --context "$T/minutes.csv" -o "$T/later.csv"
check "and depend on the context" sh -c '[ -s "$1" ] && [ -s "$2" ] && ! cmp -s "$1" "$2"' - "$T/teacher.csv" "$T/later.csv"

# ---- one column

expect "a table of one column" 0 run "$T/power.yaml" "${QUICK[@]}" --out "$T/one" --set "data.columns=[2]" \
    --set teacher.flow.transformer=spline --set student.flow.transformer=spline --set export.samples=100
check "has samples of one column" test "$(npy_rows "$T/one/export/samples.npy" 1 | wc -l)" -eq 100
run sample "$T/one/student/model.safetensors" -n 200 --logp -o "$T/one.csv"
tail -n +2 "$T/one.csv" | cut -d , -f 1 >"$T/points.csv"
expect "and log-densities" 0 logp "$T/one/student/model.safetensors" "$T/points.csv" -o "$T/logp.csv"
check "that agree with what sampling said" same_numbers <(tail -n +2 "$T/one.csv" | cut -d , -f 2) \
    <(tail -n +2 "$T/logp.csv") 1e-4

# ---- transformations of the data

digits=(--set "data.columns=[10, 20, 28]" --set data.logit.alpha=1e-6)
printf 'schema: 1\nseed: 5\ndata: {path: %s}\n' "$PWD/configs/data/digits.npy" >"$T/digits.yaml"
expect "a logit of data in an interval" 0 run "$T/digits.yaml" "${QUICK[@]}" "${digits[@]}" --out "$T/digits" \
    --set export.samples=5000
check "has samples in the interval only" sh -c 'awk "{ for (i = 1; i <= NF; i++) if (!(\$i >= 0 && \$i <= 1)) exit 1 }
    END { exit NR != 5000 }" "$1"' - <(npy_rows "$T/digits/export/samples.npy" 3)
expect "an interval that data leave is refused" 65 run "$T/digits.yaml" "${QUICK[@]}" "${digits[@]}" --out "$T/outside" \
    --set data.logit.hi=0.5
