#!/bin/bash
# A student as near to its teacher as can be, and a teacher that is wrong about its data: no pass, and a warning that says
# why. The tables are those of public reports: sorted by a column, rows many times over, a marker of 1e6 among normals.
. tests/e2e/lib.sh

# table NAME COUNT PROGRAM: rows of awk, whose n() is a standard normal.
table() {
    awk -v count="$2" 'function n() { return sqrt(-2 * log(1 - rand())) * cos(6.283185307179586 * rand()) }
        BEGIN { srand(11); print "a,b"; for (i = 0; i < count; i++) { '"$3"' } }' >"$T/$1.csv"
}
table sorted 3000 'print i / 1500 - 1 "," n()'
table repeated 4000 'for (; k < 400; k++) row[k + 0] = n() "," n(); print rand() < .4 ? row[int(400 * rand())] : n() "," n()'
table marked 3000 'print (i % 300 == 7 ? 1e6 : n()) "," n()'

# Gates that look at the student alone, as most do, and hold.
gates=(--set 'validate.require={kl_reverse: "< 1", kl_forward: "< 1"}')
held() { # NAME ARGUMENT ...
    printf 'schema: 1\nseed: 3\ndata: {path: %s.csv}\n' "$1" >"$T/$1.yaml"
    expect "$1: the gates hold: exit code 0" 0 run "$T/$1.yaml" "${TEACH[@]:1}" "${gates[@]}" --out "$T/$1" "${@:2}"
    verdict=$T/$1/validation.json
    check "$1: it is no pass" test "$(value "$verdict" verdict)" = '"unverified"'
}
warned() { value "$verdict" warnings | tr ',' '\n' | grep -q "$1"; }

held sorted
check "a table that is sorted: data.split is named" warned 'teacher_likelihood_gap.*'
check "and said on stderr" sh -c 'tr -s " \n" " " <"$1" | grep -q "data.split: seed"' - "$T/err"
check "with the column" sh -c 'tr -s " \n" " " <"$1" | grep -q "teacher_mean_error is .*(column a)"' - "$T/err"
check "the reason names the figures" sh -c 'tr -s " \n" " " <"$1" | grep -q "reason .*teacher_two_sample_sigmas"' - "$T/err"

held repeated --set data.split=seed
check "rows many times over: test rows are training rows" warned 'teacher_repeated_rows is 0.[34]'

held marked --set data.split=seed
check "a marker among the numbers: the column is named" sh -c 'tr -s " \n" " " <"$1" | grep -q "column a"' - "$T/err"
check "and the range is that of the data" test "$(printf %.0f "$(value "$verdict" teacher.columns.0.range.data.1)")" = 1000000

table good 3000 'print n() "," n()'
printf 'schema: 1\nseed: 3\ndata: {path: good.csv}\n' >"$T/good.yaml"
expect "a good table runs" 0 run "$T/good.yaml" "${TEACH[@]:1}" "${gates[@]}" --out "$T/good"
verdict=$T/good/validation.json
check "its verdict is pass" test "$(value "$verdict" verdict)" = '"pass"'
check "the course of its speeds is told" test "$(grep -c '^  speed ' "$T/err")" -eq 3
expect "a gate of the teacher that fails: exit code 1" 1 run "$T/good.yaml" "${TEACH[@]}" --out "$T/strict" \
    --set 'validate.require={teacher_mean_error: "< -1"}'
check "which --quiet tells all the same" sh -c 'grep -q "^verdict   fail$" "$1" && grep -q "^  reason .*teacher_mean_error is" "$1"' - "$T/err"
check "but no progress, no lines of stages, no figures" sh -c '! grep -Eq "^(data|teacher|student|validate|export|report|  (KL|ESS|speed)) " "$1"' - "$T/err"
expect "again: nothing to do, and exit code 1" 1 run "$T/good.yaml" "${TEACH[@]}" --out "$T/strict" \
    --set 'validate.require={teacher_mean_error: "< -1"}'
check "has its words, too" grep -q "^  reason .*teacher_mean_error is" "$T/err"
