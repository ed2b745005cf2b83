#!/bin/sh
# tests/stan/data.sh -- the data of a model of this directory as JSON on stdout; from configs/data/posteriordb.
#   tests/stan/data.sh MODEL
set -eu
tables=$(dirname "$0")/../../configs/data/posteriordb

# json TABLE ROWS [MORE]: every column by its name, the number of rows by the name ROWS, and what else there is.
json() {
    awk -F, -v rows="$2" -v more="${3:-}" '
        NR == 1 { for (i = 1; i <= NF; i++) name[i] = $i }
        NR > 1 { for (i = 1; i <= NF; i++) column[i] = column[i] (NR > 2 ? ", " : "") $i }
        END { printf "{\"%s\": %d%s", rows, NR - 1, more ? ", " more : ""
              for (i = 1; i <= NF; i++) printf ",\n\"%s\": [%s]", name[i], column[i]
              print "}" }' "$tables/$1.csv"
}

# regression TABLE: its first column y, a row of X the others.
regression() {
    awk -F, 'NR > 1 { y = y (NR > 2 ? ", " : "") $1
                      x = x (NR > 2 ? ",\n" : "") "[" $2; for (i = 3; i <= NF; i++) x = x ", " $i; x = x "]" }
        END { printf "{\"N\": %d, \"D\": %d,\n\"y\": [%s],\n\"X\": [%s]}\n", NR - 1, NF - 1, y, x }' "$tables/$1.csv"
}

case ${1:-} in
eight_schools_*) echo '{"J": 8, "y": [28, 8, -3, 7, -1, 1, 18, 12], "sigma": [15, 10, 16, 11, 9, 11, 10, 18]}' ;;
kidscore_momiq) json kidiq N ;;
logearn_interaction) json earnings N ;;
nes) json nes1980 N ;;
blr) regression sblrc ;;
arK) json arK T '"K": 5' ;;
garch11) json garch T '"sigma1": 0.5' ;;
low_dim_gauss_mix) json low_dim_gauss_mix N ;;
*) echo "tests/stan/data.sh: wanted a model of tests/stan/" >&2 && exit 64 ;;
esac
