"""The shared library: where it is, and its functions as library/distill.h declares them."""

from __future__ import annotations

import ctypes
import os
from ctypes import POINTER, c_char, c_char_p, c_int, c_ssize_t, c_size_t, c_uint64, c_void_p
from pathlib import Path

BINARIES = Path(__file__).parent / "bin"


class Error(Exception):
    """What the library or the program says went wrong. `code`: a distill_code, or an exit code of the program."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class ErrorText(ctypes.Structure):
    _fields_ = [("code", c_int), ("text", c_char * 508)]


class Options(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("network", c_char_p), ("threads", c_size_t)]


class Stride(ctypes.Structure):
    _fields_ = [("row", c_ssize_t), ("column", c_ssize_t)]


class Strides(ctypes.Structure):
    _fields_ = [("x", Stride), ("z", Stride), ("context", Stride), ("log_q", c_ssize_t)]


def found(name: str, variable: str) -> str:
    """A file of the wheel; or what the environment says; or its name, to be looked for where the system does."""
    inside = BINARIES / name
    return os.environ.get(variable) or (str(inside) if inside.exists() else name)


def _declare(lib: ctypes.CDLL) -> ctypes.CDLL:
    model, error, strides = c_void_p, POINTER(ErrorText), POINTER(Strides)
    rows, n = c_void_p, c_size_t
    table = {
        "version": (c_char_p, []),
        "load": (model, [c_char_p, POINTER(Options), error]),
        "load_memory": (model, [c_char_p, n, POINTER(Options), error]),
        "share": (model, [model, error]),
        "free": (None, [model]),
        "why": (c_char_p, [model]),
        "code_text": (c_char_p, [c_int]),
        "dim": (n, [model]),
        "context_dim": (n, [model]),
        "name": (c_char_p, [model, n]),
        "context_name": (c_char_p, [model, n]),
        "description": (c_char_p, [model]),
        "dense": (Strides, [model]),
        "sample": (c_int, [model, c_uint64, c_uint64, n, rows, rows, rows, strides]),
        "noise": (c_int, [model, c_uint64, c_uint64, n, rows, strides]),
        "transport": (c_int, [model, rows, n, rows, rows, rows, strides]),
        "event": (c_int, [model, rows, n, rows, rows, rows, strides]),
        "log_prob": (c_int, [model, rows, n, rows, rows, strides]),
    }
    for name, (result, arguments) in table.items():
        function = getattr(lib, "distill_" + name)
        function.restype, function.argtypes = result, arguments
    return lib


LIBRARY = _declare(ctypes.CDLL(found("libdistill.so.0", "DISTILL_LIBRARY")))


def version() -> str:
    """Of the library: "0.1.0"."""
    text: bytes = LIBRARY.distill_version()
    return text.decode()
