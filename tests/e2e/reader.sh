#!/bin/bash
# docs/reader.py, which shares no code with the tool, reads files of every kind that is registered and computes the same.
# PYTHON: one that has numpy.
. tests/e2e/lib.sh

# ---- inspect of a model, before all that wants python
"$BUILD/tests/e2e/reader" "$T" || not_ok "files of all kinds are written" "$BUILD/tests/e2e/reader"
file=$T/0201.safetensors
expect "a model is looked at" 0 inspect "$file"
check "its layers are shown with all keys" grep -q '"transformer":{.*"activation":"silu"' "$T/out"
check "and its units" grep -q '"softplus":' "$T/out"
check "and its tensors" grep -q 'layers.0.conditioner.0.weight *\[' "$T/out"
expect "for programs" 0 inspect "$file" --json
check "likewise" grep -q '"iterations"\|"groups"' "$T/out"
refused "--header of a model" 64 "is a model" inspect "$file" --header no
head -c 300 "$file" >"$T/cut.safetensors"
refused "a model that is cut off" 65 "cut.safetensors" inspect "$T/cut.safetensors"

PYTHON=${PYTHON:-python3}
if ! "$PYTHON" -c 'import numpy' 2>"$T/err"; then
    skip "a reader of its own" "no $PYTHON with numpy"
    exit 0
fi
rm "$T/cut.safetensors"
check "their reader has the tool's samples and densities" "$PYTHON" tests/e2e/reader.py "$T"
cat "$T/check.log"

# ---- what a run leaves
expect "a run" 0 run configs/power.yaml "${TEACH[@]}" --set validate.require=null --out "$T/run"
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
