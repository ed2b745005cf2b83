#!/bin/bash
# Tables as people have them, and configs of one line.
. tests/e2e/lib.sh

rows=200
numbers() { # ROWS: three columns without pattern
    awk -v n=$1 'BEGIN { srand(11); for (i = 0; i < n; i++)
        printf "%.6f,%.6f,%.6f\n", rand() + rand(), 10 * (rand() + rand()), -100 * (rand() + rand()) }'
}
numbers $rows >"$T/bare"
{ echo a,b,c; cat "$T/bare"; } >"$T/plain.csv"

# NAME CONFIG: a run that finds the names, the rows and, if $plain says what they give, the numbers of plain.csv.
same() {
    printf '%s\n' "$2" >"$T/c.yaml"
    expect "$1" 0 run "$T/c.yaml" "${QUICK[@]}" --set teacher.train.epochs=1 --set student.train.steps=5 \
        --set student.train.warmup=1 --set validate.samples=200 --out "$T/run" --set export.samples=3 --set export.file=x.csv
    check "$1: its names" test "$(head -n 1 "$T/run/export/x.csv")" = a,b,c
    check "$1: its rows" test "$(value "$T/run/validation.json" teacher.test_log_likelihood.rows)" -eq $((rows / 10))
    like=$(value "$T/run/validation.json" teacher.test_log_likelihood.value)
    [ -z "$plain" ] || check "$1: its numbers" test "$like" = "$plain"
}

plain=
same "a config of one line" 'data: {path: plain.csv}'
seeded='seed: 3, data: {path: '
same "with a seed" "{${seeded}plain.csv}}"
plain=$like
awk -F, 'NR == 1 { print "," $0; next } { print NR - 2 "," $0 }' "$T/plain.csv" >"$T/PANDAS.CSV"
same "the index of pandas, and a name in capitals" "{${seeded}PANDAS.CSV}}"
awk -F, 'NR == 1 { print; next } { print "\"" NR - 1 "\"," $0 }' "$T/plain.csv" >"$T/r.csv"
same "names of rows as R writes them" "{${seeded}r.csv}}"
tr ',.' ';,' <"$T/plain.csv" >"$T/comma.csv"
same "semicolons and decimal commas" "{${seeded}comma.csv}}"
{ echo '# made by X'; echo '# a b c'; tr , ' ' <"$T/bare"; } >"$T/savetxt.csv"
same "names in a comment, blanks between numbers" "{${seeded}savetxt.csv}}"
awk -F, -v OFS=, 'NR == 1 { print "note", $0; next } { print NR % 3 ? "red" : "NA", $0 }' "$T/plain.csv" >"$T/words.csv"
same "columns of words that are not wanted" "{${seeded}words.csv, columns: [a, b, c]}}"
awk -F, -v OFS=, 'NR == 1 { print; next } { print } NR % 40 == 7 { print $1, "NA", $3 }' "$T/plain.csv" >"$T/holes.csv"
same "missing values that are dropped" "{${seeded}holes.csv, nonfinite: drop}}"

# ---- what is refused before anything is trained

refused_table() { # NAME STATUS TEXT FILE [DATA KEYS]
    printf 'data: {path: %s%s}\n' "$4" "${5:-}" >"$T/c.yaml"
    refused "$1" "$2" "$3" check "$T/c.yaml"
}
sed '1s/a/gr\xf6\xdfe/' "$T/plain.csv" >"$T/latin1.csv"
refused_table "a name that is not UTF-8" 65 'latin1.csv:1:.*column 0.*byte 0xf6.*iconv' latin1.csv
refused_table "a column that is not there" 78 "no column 'bb'; did you mean 'b'" plain.csv ', columns: [a, bb]'
refused_table "a context that is not there" 78 "no column 'q'" plain.csv ', context: [q]'
gzip -c "$T/plain.csv" >"$T/zip.csv"
refused_table "a compressed table" 65 'zip.csv: is compressed by gzip' zip.csv
{ echo '0.5,one,1.5'; cat "$T/bare"; } >"$T/either.csv"
refused_table "a first line that could be either" 65 'either.csv:1: names or data?.*header: yes or header: no' either.csv
printf 'data: {path: words.csv}\n' >"$T/c.yaml"
refused "words in a column, and what to say" 65 "words.csv:2: column 0 'note'.*'NA\|red' is not a number; data.columns can" \
    run "$T/c.yaml" --out "$T/no"
