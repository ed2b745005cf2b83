#!/bin/bash
# The Python package: a wheel is built, unpacked, and held against the program.
. tests/e2e/lib.sh

python=$(command -v python3) || { skip "Python" "there is no python3"; exit; }
for module in numpy pytest; do
    "$python" -c "import $module" 2>/dev/null || { skip "Python" "python3 has no $module"; exit; }
done
export DISTILL_BUILD=$BUILD
check "a wheel is built" "$python" -c "
import sys
sys.path.insert(0, 'packaging')
import wheel
wheel.build_wheel('$T')"
check "and unpacked" "$python" -m zipfile -e "$T"/distill-*.whl "$T/site"
chmod +x "$T/site/distill/bin/distill" # which pip does
run run configs/two_moons.yaml "${QUICK[@]}" --out "$T/run"
awk 'BEGIN { srand(1); print "a,b,c"; for (i = 0; i < 2000; i++) { c = rand(); printf "%.6f,%.6f,%.6f\n", rand() + c, rand() * c, c } }' >"$T/given.csv"
printf 'data: {path: %s, context: [c]}\n' "$T/given.csv" >"$T/given.yaml"
run run "$T/given.yaml" "${QUICK[@]}" --out "$T/given"
export DISTILL_TEST=$T DISTILL_TEST_PROGRAM=$DISTILL PYTHONPATH=$T/site PYTHONDONTWRITEBYTECODE=1
"$python" -m pytest -q -p no:cacheprovider -rA tests/python >"$T/pytest" 2>&1
sed -n 's/^PASSED tests\/python\//ok /p; s/^\(FAILED\|ERROR\) tests\/python\/\([^ ]*\)/not ok \2:/p' "$T/pytest"
if grep -q '^FAILED\|^ERROR' "$T/pytest" || ! grep -q '^PASSED' "$T/pytest"; then
    not_ok "Python" "pytest"
    grep -v "^PASSED" "$T/pytest" | tail -60
fi
