#!/bin/bash
# The benchmark runs; its figures are not judged here.
. tests/e2e/lib.sh

check "two sizes" "$BUILD/bench" --sizes 1,2 --rounds 1 --seconds 0.01 --threads 2 --json "$T/bench.json"
check "its JSON" "$PROBE" json "$T/bench.json"
