"""The build backend of pyproject.toml (PEP 517): make builds, and this puts what it built into a wheel.

Needs nothing beside Python, make and what `make deps` installs. DISTILL_BUILD: the directory that make builds in.
"""

import base64
import hashlib
import io
import os
import re
import subprocess
import sysconfig
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = os.environ.get("DISTILL_BUILD", "build")
VERSION = re.search(r"^VERSION\s*:=\s*(\S+)", (ROOT / "Makefile").read_text(), re.M).group(1)
NAME = f"distill-{VERSION}"
METADATA = f"""Metadata-Version: 2.1
Name: distill
Version: {VERSION}
Summary: fast samplers out of densities that are slow to sample
Requires-Python: >=3.9
Requires-Dist: numpy
"""
BINARIES = ("distill", "libdistill.so.0", "python/energy.so")  # below the build directory


def make():
    targets = [f"{BUILD}/{name}" for name in BINARIES]
    jobs = f"-j{os.cpu_count() or 1}"
    if subprocess.run(["make", "-s", jobs, f"BUILD={BUILD}", *targets], cwd=ROOT).returncode:
        raise SystemExit("distill: make failed; `make deps` installs what it needs")


def contents():
    """(name in the wheel, bytes, whether it can be run)"""
    for file in sorted((ROOT / "python" / "distill").iterdir()):
        if file.suffix in (".py", ".typed"):
            yield f"distill/{file.name}", file.read_bytes(), False
    for built in BINARIES:
        yield f"distill/bin/{Path(built).name}", (ROOT / BUILD / built).read_bytes(), True


def tag():
    platform = re.sub(r"[-.]", "_", sysconfig.get_platform())
    return f"py3-none-{platform}"


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    make()
    info, record = f"{NAME}.dist-info", []
    name = f"{NAME}-{tag()}.whl"
    about = f"Wheel-Version: 1.0\nGenerator: distill\nRoot-Is-Purelib: false\nTag: {tag()}\n"
    with zipfile.ZipFile(Path(wheel_directory) / name, "w", zipfile.ZIP_DEFLATED) as out:

        def put(path, content, runs=False):
            entry = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = (0o100755 if runs else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            out.writestr(entry, content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record.append(f"{path},sha256={digest},{len(content)}\n")

        for path, content, runs in contents():
            put(path, content, runs)
        put(f"{info}/METADATA", METADATA.encode())
        put(f"{info}/WHEEL", about.encode())
        record.append(f"{info}/RECORD,,\n")
        put(f"{info}/RECORD", "".join(record).encode())
    return name


def build_sdist(sdist_directory, config_settings=None):
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    name = f"{NAME}.tar.gz"
    with tarfile.open(Path(sdist_directory) / name, "w:gz") as out:
        about = tarfile.TarInfo(f"{NAME}/PKG-INFO")
        about.size = len(METADATA.encode())
        out.addfile(about, io.BytesIO(METADATA.encode()))
        for file in files.splitlines():
            out.add(ROOT / file, f"{NAME}/{file}", recursive=False)
    return name
