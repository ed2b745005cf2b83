#!/bin/bash
# docs/reader.py, which shares no code with the tool, reads files of every kind that is registered and computes the same.
# PYTHON: one that has numpy.
. tests/e2e/lib.sh

PYTHON=${PYTHON:-python3}
if ! "$PYTHON" -c 'import numpy' 2>"$T/err"; then
    skip "a reader of its own" "no $PYTHON with numpy"
    exit 0
fi
mkdir "$T/models"
check "files of all kinds are written" "$BUILD/tests/e2e/reader" "$T/models"
check "their reader has the tool's samples and densities" "$PYTHON" tests/e2e/reader.py "$T/models"
cat "$T/check.log"

# ---- what a run leaves
expect "a run" 0 run configs/power.yaml "${TEACH[@]}" --out "$T/run"
for role in teacher student; do
    "$DISTILL" sample "$T/run/$role/model.safetensors" -n 50 --logp --seed 3 >"$T/$role.csv" 2>"$T/err" || not_ok "samples of the $role" "$(cat "$T/err")"
    check "the reader has the density of the $role's samples" "$PYTHON" - "$T/run/$role/model.safetensors" "$T/$role.csv" <<'P'
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, "docs")
import numpy, reader
rows = numpy.loadtxt(sys.argv[2], delimiter=",", skiprows=1)
off = numpy.abs(reader.Model(sys.argv[1]).log_prob(rows[:, :-1]) - rows[:, -1]).max()
sys.exit(0 if off < 1e-3 else "off by %g" % off)
P
done
