"""Times build/bench and its peers on the same sizes, in turns, and prints who is faster by how much.
Run by tests/bench/peers.sh, which installs what this needs; tests/bench/README.md explains."""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
OURS = "distill"
PEERS = {  # name: the package that it needs
    "plain": "torch",
    "zuko": "zuko",
    "nflows": "nflows",
    "normflows": "normflows",
    "flowjax": "flowjax",
}
OPS = {  # key of `bench --ops`: what a reader is told
    "step": "teacher training step",
    "density": "teacher density",
    "sample": "teacher sampling",
    "student": "student sampling",
    "one": "student, 1 row a call",
    "distill": "distillation step",
}


def say(text=""):
    print(text, flush=True)


def short(value):
    """Three digits and a unit: 1.23M, 45.6k, 789, 3.21."""
    units = ["", "k", "M", "G"]
    while value >= 999.5 and len(units) > 1:
        value /= 1000
        units.pop(0)
    digits = 0 if value >= 99.95 else 1 if value >= 9.995 else 2
    return f"{value:.{digits}f}{units[0]}"


# ---- who is measured


class Bench:
    """build/bench: a new process for each round, which does all operations."""

    def __init__(self, path, threads):
        self.path, self.threads = path, threads

    def run(self, number, ops, seconds):
        command = [self.path, "--sizes", str(number), "--ops", ",".join(ops), "--rounds", "1"]
        command += ["--seconds", str(seconds), "--threads", str(self.threads), "--json", "-"]
        done = subprocess.run(command, stdout=subprocess.PIPE)
        if done.returncode:
            sys.exit(f"{' '.join(command)}: status {done.returncode}")
        return json.loads(done.stdout)

    def first_step_command(self, size):
        return [self.path, "--first-step", "--sizes", str(size["number"])] + [
            "--threads",
            str(self.threads),
        ]

    def build(self, size):
        pass

    def round(self, size, ops, seconds, longest):
        self.last = self.run(size["number"], ops, seconds)
        done = self.last["sizes"][0]["ops"]
        return {op: (done[op]["rows_per_s"], False) for op in ops}


class Peer:
    """One process from first to last, asked over a pipe."""

    def __init__(self, name, threads):
        self.name, self.threads = name, threads
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            self.command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def command(self):
        program = os.path.join(HERE, "peer.py")
        return [sys.executable, program, self.name, "--threads", str(self.threads)]

    def first_step_command(self, size):
        return self.command() + ["--first-step", json.dumps(size)]

    def ask(self, **request):
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise RuntimeError(f"its process ended with status {self.process.wait()}")
        reply = json.loads(line)
        if "error" in reply:
            raise RuntimeError(reply["error"])
        return reply

    def build(self, size):
        if self.process.poll() is not None:  # it ended at the size before
            self.start()
        self.ask(build=size)

    def round(self, size, ops, seconds, longest):
        replies = {op: self.ask(rate=op, seconds=seconds, longest=longest) for op in ops}
        return {op: (reply["rate"], reply["bound"]) for op, reply in replies.items()}

    def close(self):
        self.process.communicate()


# ---- measuring


def all_sizes(bench):
    """As bench has them, numbered from 1."""
    numbers = range(1, 7)
    sizes = bench.run(",".join(map(str, numbers)), ["density"], 0.001)["sizes"]
    keys = ("dim", "layers", "hidden", "batch", "rows")
    return [{"number": n} | {k: s[k] for k in keys} for n, s in zip(numbers, sizes)]


def measure_size(size, who, args):
    """rates[op][name]: (rate, bound) of each round. A peer that fails is out for this size."""
    rates = {op: {} for op in OPS}
    able = {}
    for name, contender in who.items():
        try:
            contender.build(size)
            able[name] = contender
        except RuntimeError as error:
            say(f"   {name} is left out: {error}")
    for turn in range(args.rounds):
        names = list(able)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            try:
                done = able[name].round(size, list(OPS), args.seconds, args.longest)
            except RuntimeError as error:
                say(f"   {name} is left out: {error}")
                del able[name]
                for op in OPS:
                    rates[op].pop(name, None)
                continue
            for op, result in done.items():
                rates[op].setdefault(name, []).append(result)
    return rates


def first_step(contender, size):
    """Seconds from the start of a process to its first training step, and its peak memory after 20
    more, in MB."""
    start = time.perf_counter()
    process = subprocess.Popen(contender.first_step_command(size), stdout=subprocess.PIPE)
    line = process.stdout.readline()
    took = time.perf_counter() - start
    process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or not line.startswith(b"first step"):
        raise RuntimeError("its process failed")
    return took, usage.ru_maxrss / 1024


# ---- printing


def median_of(results):
    return statistics.median(rate for rate, _ in results)


def versus(rates):
    """Ours over the best peer, and the range over the rounds."""
    peers = [name for name in rates if name != OURS]
    if OURS not in rates or not peers:
        return "", None
    best = max(peers, key=lambda name: median_of(rates[name]))
    ratios = [ours[0] / peer[0] for ours, peer in zip(rates[OURS], rates[best])]
    ratio = statistics.median(ratios)
    return f"{ratio:5.2f} x {best} ({min(ratios):.2f} .. {max(ratios):.2f})", ratio


def print_size(size, rates, names):
    say(f"\n{size['number']}. D = {size['dim']}, {size['layers']} layers of {size['hidden']} x 2, "
        f"batch {size['batch']}, {size['rows']} rows a call")
    say(" " * 24 + "".join(f"{name:>10}" for name in names) + "   distill / best peer")
    for op, title in OPS.items():
        cells = ""
        for name in names:
            results = rates[op].get(name)
            bound = results and any(flag for _, flag in results)
            text = ("< " if bound else "") + short(median_of(results)) if results else "-"
            cells += f"{text:>10}"
        say(f"   {title:<21}{cells}   {versus(rates[op])[0]}")


def print_starts(starts, sizes, names):
    say("\nprocess start to first training step, and peak memory with 20 more steps")
    say(" " * 24 + "".join(f"{name:>18}" for name in names))
    for size in sizes:
        cells = ""
        for name in names:
            found = starts.get((size["number"], name))
            text = f"{found[0]:.3f} s {found[1]:.0f} MB" if found else "-"
            cells += f"{text:>18}"
        say(f"   size {size['number']:<16}{cells}")


# ---- the whole


def arguments():
    parser = argparse.ArgumentParser(prog="make bench-peers PEERS_ARGS=...")
    parser.add_argument("--bench", default="build/bench", help="the program (build/bench)")
    parser.add_argument("--threads", type=int, default=2, help="for both sides (2)")
    parser.add_argument("--sizes", help="by number, such as 1,3 (all)")
    parser.add_argument("--peers", default=",".join(PEERS), help=f"of {', '.join(PEERS)} (all)")
    parser.add_argument("--rounds", type=int, help="of which the median is printed (3)")
    parser.add_argument("--seconds", type=float, help="an operation in a round, at least (0.3)")
    parser.add_argument("--longest", type=float, default=4.0,
                        help="a library whose sampler needs more seconds a call is given density / D")
    parser.add_argument("--json", help="results, every round (beside the program)")
    parser.add_argument("--rounded", action="store_true",
                        help="low precision in PyTorch and ONNX Runtime instead; options of its own")
    parser.add_argument("--quick", action="store_true", help="sizes 1 and 3, one round of 0.2 s")
    args = parser.parse_args()
    args.sizes = args.sizes or ("1,3" if args.quick else "1,2,3,4,5,6")
    args.rounds = args.rounds or (1 if args.quick else 3)
    args.seconds = args.seconds or (0.2 if args.quick else 0.3)
    args.json = args.json or args.bench + "-peers.json"
    unknown = set(args.peers.split(",")) - set(PEERS)
    if unknown:
        parser.error(f"no peer {', '.join(sorted(unknown))}")
    return args


def start_peers(args):
    """The peers that are installed and start, and their versions."""
    who, versions = {}, {}
    for name in args.peers.split(","):
        if importlib.util.find_spec(PEERS[name]) is None:
            say(f"{name} is left out: {PEERS[name]} is not installed")
            continue
        try:
            peer = Peer(name, args.threads)
            versions[name] = peer.ask(versions=1)
            who[name] = peer
        except RuntimeError as error:
            say(f"{name} is left out: {error}")
    return who, versions


def busy_processors():
    """How many processors had work over one second, before there is any of ours. (The load average
    remembers what has ended.)"""

    def ticks():
        with open("/proc/stat", encoding="ascii") as file:
            fields = [int(field) for field in file.readline().split()[1:9]]
        return sum(fields), fields[3] + fields[4]

    total, idle = ticks()
    time.sleep(1)
    total_after, idle_after = ticks()
    return (1 - (idle_after - idle) / max(1, total_after - total)) * os.cpu_count()


def print_machine(bench, who, versions, args):
    busy, out = busy_processors(), bench.run(1, ["density"], 0.01)
    say(f"{out['processor']}; {args.threads} threads; f32")
    if busy > 0.2:
        say(f"   WARNING: {busy:.1f} processors are busy: something else runs here. PyTorch waits at a barrier "
            "in every product, so it suffers more than we do: do not quote these ratios")
    say(f"   distill: {out['backend']}; OpenBLAS {out['blas_core']}, sgemm "
        f"{args.threads} x {out['peak_flops_per_thread'] * 1e-9:.0f} Gflop/s")
    for name, found in versions.items():
        say(f"   {name}: " + "; ".join(f"{key} {value}" for key, value in found.items()))
    if "plain" in who:
        flops = who["plain"].ask(gemm=1)["flops"]
        say(f"   torch.mm: {flops * 1e-9:.0f} Gflop/s on {args.threads} threads")
    out["busy"] = round(busy, 2)
    return out


def measure_starts(who, sizes, names):
    """Medians of three starts, in turns. A peer's first one also warms the file cache up."""
    found = {}
    for size in sizes:
        for name in names * 3:
            try:
                found.setdefault((size["number"], name), []).append(first_step(who[name], size))
            except RuntimeError as error:
                say(f"   {name}: no first step: {error}")
    starts = {key: tuple(map(statistics.median, zip(*runs))) for key, runs in found.items()}
    print_starts(starts, sizes, names)
    return starts


def write_json(path, machine, versions, args, results, starts):
    sizes = [
        {**size, "ops": {op: {name: {"rows_per_s": median_of(found),
                                     "rounds": [rate for rate, _ in found],
                                     "upper_bound": any(flag for _, flag in found)}
                              for name, found in rates[op].items()}
                         | {"ratio_to_best_peer": versus(rates[op])[1]} for op in OPS}}
        for size, rates in results
    ]
    first = [{"size": number, "who": name, "first_step_s": found[0], "peak_memory_mb": found[1]}
             for (number, name), found in starts.items()]
    keys = ("processor", "backend", "blas_core", "peak_flops_per_thread")
    out = {**{k: machine[k] for k in keys}, "threads": args.threads, "versions": versions,
           "busy_processors_before": machine["busy"], "sizes": sizes, "first_step": first}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(out, file, indent=2)
        file.write("\n")
    say(f"\n{path}")


def main():
    args = arguments()
    processors = sorted(os.sched_getaffinity(0))
    if len(processors) < args.threads:
        sys.exit(f"--threads {args.threads}: this process may use {len(processors)} processors")
    os.sched_setaffinity(0, processors[: args.threads])
    bench = Bench(args.bench, args.threads)
    chosen = {int(n) for n in args.sizes.split(",")}
    sizes = [size for size in all_sizes(bench) if size["number"] in chosen]
    peers, versions = start_peers(args)
    machine = print_machine(bench, peers, versions, args)
    who = {OURS: bench, **peers}
    results = []
    for size in sizes:
        rates = measure_size(size, who, args)
        print_size(size, rates, list(who))
        results.append((size, rates))
    for peer in peers.values():
        peer.close()
    chosen = [size for size in sizes if size["number"] in (3, 6)] or sizes[-1:]
    starts = measure_starts(who, chosen, list(who))
    write_json(args.json, machine, versions, args, results, starts)


if __name__ == "__main__":
    main()
