#!/bin/bash
# Tables in HDF5 files, from the command line.
. tests/e2e/lib.sh

"$BUILD/tests/e2e/h5" "$T/t.h5"
if [ $? -eq 69 ]; then
    skip "HDF5" "this is built without"
    exit
fi
near=$T/t.h5:/near
expect "inspect" 0 inspect "$near"
check "shows rows and columns" grep -q '2000 rows of 2 columns' "$T/out"
expect "init writes a config for it" 0 init --data "$near" -o "$T/near.yaml"
check "which checks" "$DISTILL" check "$T/near.yaml"
expect "it runs" 0 run "$T/near.yaml" "${TEACH[@]}" --out "$T/run"
expect "and has nothing to do again" 0 run "$T/run"
check "as it says" grep -q 'nothing' "$T/err"
run plan "$T/run" --set data.path="$T/t.h5:/far"
check "another dataset of the same file is other data" grep -q '^teacher *run' "$T/out"
mv "$T/t.h5" "$T/moved.h5"
run plan "$T/run" --set data.path="$T/moved.h5:/near"
check "the same one, elsewhere, is not" grep -q '^teacher *skip' "$T/out"
expect "logp" 0 logp "$T/run" "$T/moved.h5:/near" -o "$T/logp.npy"
refused "a dataset that is not there" 65 "there are /far, /near" inspect "$T/moved.h5:/none"
refused "a file without one" 65 "wants a dataset, FILE.h5:/DATASET; there are /far, /near" inspect "$T/moved.h5"
