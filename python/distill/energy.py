"""A log-density in Python as a target of the program: a plug-in (energy.c) asks for rows over a socket."""

from __future__ import annotations

import os
import socket
import struct
import tempfile
import threading
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._library import found

Array = NDArray[np.float64]
Energy = Callable[[Array], Any]

# As in energy.c: native numbers, both ends are on this machine.
ABOUT = struct.Struct("=QIId")  # dim, whether there is a gradient, bytes of names, log Z (NaN: not known)
ASK = struct.Struct("=QII")  # rows, whether the gradient is wanted, 0
ANSWER = struct.Struct("=iI")  # 0 good, -1 fatal; bytes of a message
MOST_TEXT = 500


class Served:
    """Answers as many plug-ins as ask, each in a thread of its own, while it is entered."""

    def __init__(
        self,
        energy: Energy,
        dim: int | None,
        names: Sequence[str] | None,
        gradient: bool,
        log_z: float | None,
    ) -> None:
        if dim is None and names is None:
            raise ValueError("an energy wants dim= or names=")
        self.energy, self.gradient = energy, gradient
        self.names = list(names) if names is not None else [f"x{i}" for i in range(dim or 0)]
        if not self.names or (dim is not None and dim != len(self.names)):
            raise ValueError(f"{len(self.names)} names for dim={dim}")
        self.log_z = float("nan") if log_z is None else log_z
        self.exception: BaseException | None = None

    def target(self) -> dict[str, str]:
        """The key of a config."""
        plugin = os.path.abspath(found("energy.so", "DISTILL_ENERGY"))
        return {"kind": "plugin", "path": plugin, "options": self.path}

    def __enter__(self) -> Served:
        self.folder = tempfile.TemporaryDirectory(prefix="distill-")
        self.path = os.path.join(self.folder.name, "energy")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *unused: object) -> None:
        self.listener.close()
        self.folder.cleanup()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:  # closed
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rwb") as stream:
            names = b"".join(name.encode() + b"\0" for name in self.names)
            stream.write(ABOUT.pack(len(self.names), self.gradient, len(names), self.log_z) + names)
            stream.flush()
            while len(head := stream.read(ASK.size)) == ASK.size:
                n, wanted, _ = ASK.unpack(head)
                rows = np.frombuffer(stream.read(8 * n * len(self.names))).reshape(n, -1)
                stream.write(self._answer(rows, bool(wanted)))
                stream.flush()

    def _answer(self, rows: Array, wanted: bool) -> bytes:
        try:
            log_p, gradient = self._called(rows)
        except BaseException as exception:  # told to the program, and raised when it has ended
            self.exception = self.exception or exception
            text = traceback.format_exception_only(exception)[-1].strip().encode()[:MOST_TEXT]
            return ANSWER.pack(-1, len(text)) + text
        body = log_p.tobytes() + (gradient.tobytes() if wanted and gradient is not None else b"")
        return ANSWER.pack(0, 0) + body

    def _called(self, rows: Array) -> tuple[Array, Array | None]:
        given = self.energy(rows)
        if not self.gradient:
            return _of_shape(given, rows.shape[:1], "the log-density"), None
        if not isinstance(given, tuple) or len(given) != 2:
            raise TypeError("an energy with gradient=True returns (log p, gradient)")
        return (
            _of_shape(given[0], rows.shape[:1], "the log-density"),
            _of_shape(given[1], rows.shape, "the gradient"),
        )


def _of_shape(given: Any, shape: tuple[int, ...], name: str) -> Array:
    out = np.ascontiguousarray(given, dtype=np.float64)
    if out.shape != shape:
        raise ValueError(f"{name} of {shape[0]} rows wants shape {shape}, has {out.shape}")
    return out
