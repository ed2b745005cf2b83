"""A model: samples, densities, transport of noise. Every array is float64, and used where it lies."""

from __future__ import annotations

import ctypes
import json
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._library import LIBRARY, Error, ErrorText, Options, Stride, Strides

Array = NDArray[np.float64]


def load(
    model: str | os.PathLike[str] | bytes, network: str | None = None, threads: int = 1
) -> Model:
    """The model of a file, of its bytes, or the student of a run directory.

    network: what its networks compute in, "f32", "bf16", "int16" or "int8"; None: as it was validated, or as it was
    trained. threads: that share the rows of a call. Each thread of yours wants a handle of its own: Model.share.
    """
    return Model(_opened(model, network, threads))


class Model:
    """A density over `dim` columns given `context_dim` others. One call at a time: others wait for it."""

    def __init__(self, handle: int) -> None:
        """Made by load."""
        self._handle: int | None = handle
        self._lock = threading.Lock()

    # ---- what it is

    @property
    def dim(self) -> int:
        return int(LIBRARY.distill_dim(self._open()))

    @property
    def context_dim(self) -> int:
        return int(LIBRARY.distill_context_dim(self._open()))

    @property
    def names(self) -> list[str]:
        return [LIBRARY.distill_name(self._open(), i).decode() for i in range(self.dim)]

    @property
    def context_names(self) -> list[str]:
        return [
            LIBRARY.distill_context_name(self._open(), i).decode()
            for i in range(self.context_dim)
        ]

    @property
    def description(self) -> dict[str, Any]:
        """Flow, layers, base and units, as the model file has them."""
        out: dict[str, Any] = json.loads(LIBRARY.distill_description(self._open()))
        return out

    def __repr__(self) -> str:
        if self._handle is None:
            return "<distill.Model, closed>"
        given = f" given {', '.join(self.context_names)}" if self.context_dim else ""
        return f"<distill.Model of {', '.join(self.names)}{given}>"

    # ---- what it does

    def sample(
        self,
        n: int,
        seed: int = 0,
        first: int = 0,
        context: ArrayLike | None = None,
        log_q: bool = True,
        out: Array | None = None,
    ) -> tuple[Array, Array | None]:
        """x (n, D) and log q (n): rows first .. first + n - 1 of the samples of this seed.

        context: (n, C), or one row (C,) for all. log_q False: None in its place. out: where x goes.
        """
        call = _Call(self, n, context)
        x, q = call.output(out), call.values(log_q)
        call.run("sample", seed, first, n, call.x(x), call.log_q(q), call.context)
        return x, q

    def noise(self, n: int, seed: int = 0, first: int = 0, out: Array | None = None) -> Array:
        """z (n, D): what sample makes those rows of."""
        call = _Call(self, n, None, conditional=False)
        z = call.output(out)
        call.run("noise", seed, first, n, call.z(z))
        return z

    def transport(
        self, z: ArrayLike, context: ArrayLike | None = None, out: Array | None = None
    ) -> tuple[Array, Array]:
        """x (n, D) and log q (n) of the noise z (n, D)."""
        z = _apart(self._rows(z, "z"), out)
        call = _Call(self, len(z), context)
        x, q = call.output(out), call.values()
        call.run("transport", call.z(z), len(z), call.x(x), call.log_q(q), call.context)
        return x, q

    def event(
        self, u: ArrayLike, context: ArrayLike | None = None, out: Array | None = None
    ) -> tuple[Array, Array]:
        """x (n, D) and weight 1/q (n) of points u of the unit hypercube (n, D): the mean of f(x) weight is the integral of f."""
        u = _apart(self._rows(u, "u"), out)
        call = _Call(self, len(u), context)
        x, weight = call.output(out), call.values()
        call.run("event", call.z(u), len(u), call.x(x), call.log_q(weight), call.context)
        return x, weight

    def log_prob(self, x: ArrayLike, context: ArrayLike | None = None) -> Array:
        """log p (n) of rows x (n, D); -inf where there is no density."""
        x = self._rows(x, "x")
        call = _Call(self, len(x), context)
        p: Array = call.values()
        call.run("log_prob", call.x(x), len(x), call.log_q(p), call.context)
        return p

    # ---- handles

    def share(self) -> Model:
        """Another handle of the same weights, for another thread."""
        why = ErrorText()
        handle = LIBRARY.distill_share(self._open(), ctypes.byref(why))
        if not handle:
            raise Error(why.code, why.text.decode())
        return Model(handle)

    def close(self) -> None:
        """Frees it; what is called afterwards is an error. Also done by `with`, and when it is collected."""
        with self._lock:
            if self._handle is not None:
                LIBRARY.distill_free(self._handle)
            self._handle = None

    def __enter__(self) -> Model:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_handle", None) is not None:
            self.close()

    def __reduce__(self) -> Any:
        raise TypeError("a distill.Model cannot be pickled: load it in the other process")

    def _open(self) -> int:
        if self._handle is None:
            raise ValueError("the model is closed")
        return self._handle

    def _rows(self, rows: ArrayLike, name: str) -> Array:
        out = _numbers(rows, name)
        if out.ndim == 1 and self.dim == 1:
            out = out[:, None]
        if out.ndim != 2 or out.shape[1] != self.dim:
            raise ValueError(f"{name} wants shape (n, {self.dim}), has {out.shape}")
        return out


# ---- arrays


def _numbers(given: ArrayLike, name: str) -> Array:
    """As float64: real numbers of another type are converted, others refused."""
    if isinstance(given, np.ma.MaskedArray):
        raise ValueError(f"{name} is masked: a row that is not there has no density")
    array = np.asarray(given)
    if not np.can_cast(array.dtype, np.float64, "same_kind"):
        raise ValueError(f"{name} is of type {array.dtype}, which is no real number")
    return _usable(array.astype(np.float64, copy=False))


def _apart(array: Array, out: Array | None) -> Array:
    """A copy if what is written may lie where it is read."""
    return array.copy() if out is not None and np.may_share_memory(array, out) else array


def _usable(array: Array) -> Array:
    """As it is, if its numbers lie where numbers can: else a copy."""
    good = array.flags.aligned and all(s % array.itemsize == 0 for s in array.strides)
    return array if good else np.array(array, order="C")


class _Call:
    """One call: arrays as pointers and strides."""

    def __init__(
        self, model: Model, n: int, context: ArrayLike | None, conditional: bool = True
    ) -> None:
        if n < 0:
            raise ValueError(f"{n} rows")
        self.model, self.n = model, n
        self.strides: Strides = LIBRARY.distill_dense(model._open())
        self.keep: list[Array] = []
        self.context = self._context(context) if conditional else None

    def _pointer(self, array: Array, field: str | None) -> int:
        self.keep.append(array)
        if field:
            row, column = (s // array.itemsize for s in array.strides)
            setattr(self.strides, field, Stride(row, column))
        return array.ctypes.data

    def x(self, array: Array) -> int:
        return self._pointer(array, "x")

    def z(self, array: Array) -> int:
        return self._pointer(array, "z")

    def log_q(self, array: Array | None) -> int | None:
        return None if array is None else self._pointer(array, None)

    def _context(self, given: ArrayLike | None) -> int | None:
        width = self.model.context_dim
        if given is None:
            if width:
                raise ValueError(f"the model is conditional: context of {width} columns is missing")
            return None
        rows = _numbers(given, "context")
        if rows.shape == (width,):
            rows = np.broadcast_to(rows, (self.n, width))
        if rows.shape != (self.n, width):
            raise ValueError(
                f"context wants shape ({self.n}, {width}) or ({width},), has {rows.shape}"
            )
        return self._pointer(rows, "context")

    def output(self, out: Array | None) -> Array:
        shape = (self.n, self.model.dim)
        if out is None:
            return np.empty(shape)
        if out.shape != shape or out.dtype != np.float64 or not out.flags.writeable:
            raise ValueError(f"out wants to be float64 of shape {shape} that can be written to")
        if _usable(out) is not out:
            raise ValueError("out is not aligned")
        return out

    def values(self, wanted: bool = True) -> Any:
        return np.empty(self.n) if wanted else None

    def run(self, name: str, *arguments: int | None) -> None:
        function = getattr(LIBRARY, "distill_" + name)
        with self.model._lock:
            handle = self.model._open()
            code = function(handle, *arguments, ctypes.byref(self.strides))
            if code:
                raise Error(code, LIBRARY.distill_why(handle).decode())


# ---- files


def _student_of(run: Path) -> tuple[Path, str | None]:
    """The file of a run's student, and the network that it was validated with."""
    verdict = run / "validation.json"
    student = json.loads(verdict.read_text()).get("student") if verdict.exists() else None
    return run / "student" / "model.safetensors", (student or {}).get("network")


def _opened(model: str | os.PathLike[str] | bytes, network: str | None, threads: int) -> int:
    why = ErrorText()
    path: Path | None = None
    if not isinstance(model, bytes):
        path = Path(model)
        if path.is_dir():
            path, validated = _student_of(path)
            network = network or validated
    options = Options(
        ctypes.sizeof(Options), network.encode() if network is not None else None, threads
    )
    if path is not None:
        handle = LIBRARY.distill_load(os.fsencode(path), ctypes.byref(options), ctypes.byref(why))
    else:
        assert isinstance(model, bytes)
        handle = LIBRARY.distill_load_memory(
            model, len(model), ctypes.byref(options), ctypes.byref(why)
        )
    if not handle:
        raise Error(why.code, why.text.decode(errors="replace"))
    return int(handle)
