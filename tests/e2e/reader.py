"""tests/e2e/reader.py -- docs/reader.py against the tool: all files that reader.c has written to a directory.

    reader.py DIR     prints the largest deviations; status 1 if one is too large
"""
import glob, sys
import numpy as np
sys.dont_write_bytecode = True
sys.path.insert(0, "docs")
import reader

TOLERANCE = {"F64": 1e-10, "F32": 1e-5}
worst, count, bad = {"F64": 0, "F32": 0}, 0, 0
for path in sorted(glob.glob(sys.argv[1] + "/*.safetensors")):
    m, rows = reader.Model(path), np.loadtxt(path.replace(".safetensors", ".txt"), ndmin=2)
    D, C = len(m.names), len(m.context_units)
    z, c, x, logq = rows[:, :D], rows[:, D:D + C], rows[:, D + C:-1], rows[:, -1]
    with open(path, "rb") as f:
        kind = "F64" if b'"dtype":"F64"' in f.read() else "F32"  # without tensors it is single precision
    with np.errstate(all="ignore"):
        ours, density = m.transport(z, c)
        again = m.log_prob(x, c)
    far = np.abs(ours - x) / (1 + np.abs(x))
    for i, u in enumerate(m.units):  # once round is no distance
        ring = u.get("angle") or u.get("circle")
        if ring:
            far[:, i] = np.minimum(far[:, i], np.abs(np.abs(ours - x)[:, i] - ring["period"]))
    off = max(far.max(), (np.abs(density - logq) / (1 + np.abs(logq))).max(), (np.abs(again - logq) / (1 + np.abs(logq))).max())
    count, worst[kind] = count + 1, max(worst[kind], off)
    if not off <= TOLERANCE[kind]:
        bad += 1
        print(path, kind, "x %.3g log q %.3g, of x %.3g" % (far.max(), np.abs(density - logq).max(), np.abs(again - logq).max()), m.meta["flow"][:300], m.units)
print("%d files, %d off; the largest deviation is %.2g in double, %.2g in single precision" % (count, bad, worst["F64"], worst["F32"]))
sys.exit(bad > 0 or count == 0)
