#!/usr/bin/env python3
"""The path gradient against the total one, on every posterior that is built in: the same flow, steps, rows and noise, as the
recipe finds them, under reverse KL alone.

    tests/bench/gradients.py [--seeds 1 2] [--posteriors garch nes ...] [--samples N] [--set KEY=VALUE ...]

KL r is absolute, through the target's log Z. A table in Markdown goes to stdout, one line a run to stderr."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "configs/data/posteriordb"

# Name: model, table, and log Z where the target does not compute it.
POSTERIORS = {
    "schools_centered": ("eight_schools_centered", None, None),
    "schools_noncentered": ("eight_schools_noncentered", None, None),
    "kidiq": ("kidscore_momiq", "kidiq.csv", None),
    "earnings": ("logearn_interaction", "earnings.csv", None),
    "nes": ("nes", "nes1980.csv", None),
    "blr": ("blr", "sblrc.csv", None),
    "arK": ("arK", "arK.csv", None),
    "garch": ("garch11", "garch.csv", -451.000),
    "gauss_mix": ("low_dim_gauss_mix", "low_dim_gauss_mix.csv", -2117.070),
}
GRADIENTS = ("path", "total")

# In few dimensions the recipe has a mixture base, whose weights neither gradient moves: splines behind a linear map, which it
# has for one piece of more dimensions.
LAYER = "{kind: autoregressive, transformer: {kind: spline, bins: 8}, conditioner: {hidden: [64, 64], activation: silu}}"
SPLINES = f"{{repeat: 3, layers: [{LAYER}, {{kind: permutation, pattern: reverse}}]}}, lu_linear"
FEW = {"garch": f"  flow: {{layers: [{SPLINES}]}}\n"}


def target(name):
    model, data, log_z = POSTERIORS[name]
    out = f"kind: posterior, model: {model}"
    out += f", data: {DATA / data}" if data else ""
    return out + (f", log_z: {log_z}" if log_z is not None else "")


def run(args, folder, name, gradient, seed):
    """KL r with its standard error, and seconds of a processor for a training row in the target and in all else."""
    at = pathlib.Path(folder) / f"{name}-{gradient}-{seed}"
    at.with_suffix(".yaml").write_text(
        f"schema: 1\nseed: {seed}\ntarget: {{{target(name)}}}\n"
        f"student:\n  train: {{objective: {{kind: kl}}, gradient: {gradient}{', lr: 1e-3' * (name in FEW)}}}\n"
        f"{FEW.get(name, '')}"
        f"validate: {{samples: {args.samples}}}\n")
    command = [args.distill, "run", at.with_suffix(".yaml"), "--quiet", "--threads", "1", "--out", at]
    for setting in args.set:
        command += ["--set", setting]
    ran = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if ran.returncode:
        sys.exit(f"{name} {gradient}: {ran.stderr.strip()}")
    verdict = json.loads((at / "validation.json").read_text())
    kl, speed = verdict["kl_reverse"], verdict["speed"]
    cost = speed["training_target_row_seconds"], speed["training_own_row_seconds"]
    print(f"{name} {gradient} seed {seed}: KL r {kl['value']:.5f} +- {kl['se']:.5f}, ESS r "
          f"{verdict['ess_reverse']['value']:.4f}, us a row {1e6 * cost[0]:.2f} + {1e6 * cost[1]:.2f}",
          file=sys.stderr, flush=True)
    return kl


def shown(kls):
    return ", ".join(f"{kl['value']:.5f} ({kl['se']:.5f})" for kl in kls)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--posteriors", nargs="+", choices=POSTERIORS, default=list(POSTERIORS))
    parser.add_argument("--samples", type=int, default=50000, help="rows of each KL")
    parser.add_argument("--set", action="append", default=[], help="a key for both, such as student.train.lr=5e-4")
    parser.add_argument("--distill", default=str(ROOT / "build/distill"))
    args = parser.parse_args()
    print(f"| posterior | path: KL r (se), seeds {', '.join(map(str, args.seeds))} | total |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in args.posteriors:
            kls = {g: [run(args, folder, name, g, s) for s in args.seeds] for g in GRADIENTS}
            print(f"| {name} | {shown(kls['path'])} | {shown(kls['total'])} |", flush=True)


if __name__ == "__main__":
    main()
