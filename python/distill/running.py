"""Runs of the program, from a config to a verdict."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from ._library import Error, found
from .energy import Energy, Served

FAILED_A_GATE = 1
Progress = Callable[[dict[str, Any]], object]


def run(
    config: str | os.PathLike[str] | Mapping[str, Any],
    out: str | os.PathLike[str] | None = None,
    set: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    energy: Energy | None = None,
    dim: int | None = None,
    names: Sequence[str] | None = None,
    gradient: bool = False,
    log_z: float | None = None,
) -> dict[str, Any]:
    """What `distill run CONFIG --out OUT --set KEY=VALUE ...` does.

    config: a file, a run directory, or keys. progress: called with each line that the program tells, as a dict
    {"level": "progress", "stage": ..., "done": ..., "total": ..., ...} or {"level": "info" | ..., "text": ...}. An
    exception of it, or an interrupt, stops the run in an orderly way; the same call again goes on from there.

    energy: a log-density up to a constant, f(x (n, dim)) -> log p (n), or -> (log p, gradient (n, dim)) with
    gradient=True, as the target: for small jobs, since every batch goes through Python. -inf: no density there.

    A run with an energy begins anew each time: nobody can tell whether f is the same.

    Returns {"directory", "exit_code", "verdict": "pass" | "unverified" | "fail", "validation": validation.json}. A gate
    that fails is a result; whatever else ends a run is an Error with the program's own words.
    """
    with contextlib.ExitStack() as stack:
        served = None
        assignments = dict(set or {})
        if energy is not None:
            served = stack.enter_context(Served(energy, dim, names, gradient, log_z))
            assignments["target"] = served.target()
        file = stack.enter_context(_as_file(config))
        arguments = [found("distill", "DISTILL_PROGRAM"), "run", file, "--log-format", "json"]
        if out is not None:
            arguments += ["--out", os.fspath(out)]
        elif isinstance(config, Mapping):
            raise ValueError("keys without a file want out=, the directory of the run")
        for key, value in assignments.items():
            arguments += ["--set", f"{key}={json.dumps(value)}"]
        return _watch(arguments, progress, served)


@contextlib.contextmanager
def _as_file(config: str | os.PathLike[str] | Mapping[str, Any]) -> Iterator[str]:
    """JSON is YAML."""
    if not isinstance(config, Mapping):
        yield os.fspath(config)
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config.yaml"
        file.write_text(json.dumps({"name": "python", **config}))
        yield str(file)


def _lines(stream: IO[str]) -> Iterator[dict[str, Any]]:
    for line in stream:
        try:
            told = json.loads(line)
        except ValueError:
            told = line.rstrip("\n")
        yield told if isinstance(told, dict) else {"level": "info", "text": str(told)}


def _watch(
    arguments: list[str], progress: Progress | None, served: Served | None
) -> dict[str, Any]:
    errors: list[str] = []
    process = subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    assert process.stdout and process.stderr
    with process:
        try:
            for told in _lines(process.stderr):
                if told["level"] == "error":
                    errors.append(str(told.get("text")))
                if progress:
                    progress(told)
            directory = process.stdout.read().strip()
        except BaseException:
            process.send_signal(signal.SIGINT)  # it writes a checkpoint and ends
            for _ in process.stderr:
                pass
            process.wait()
            raise
    if served and served.exception:
        raise served.exception
    return _result(process.returncode, directory, errors)


def _result(code: int, directory: str, errors: list[str]) -> dict[str, Any]:
    if code not in (0, FAILED_A_GATE):
        raise Error(code, "\n".join(errors) or f"distill ended with exit code {code}")
    file = Path(directory) / "validation.json"
    validation = json.loads(file.read_text()) if file.exists() else {}
    return {
        "directory": directory,
        "exit_code": code,
        "verdict": validation.get("verdict"),
        "validation": validation or None,
    }
