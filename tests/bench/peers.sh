#!/bin/sh
# tests/bench/peers.sh -- `make bench-peers`: installs PyTorch and JAX flow libraries from PyPI into a
# virtual environment outside the repository, once, and times them and build/bench in turns.
#
#   PEERS_VENV      the environment; default $XDG_CACHE_HOME/distill-peers or ~/.cache/distill-peers
#   PEERS_PIP_ARGS  more arguments of `pip install torch`, such as an --index-url that has CPU builds
#   PYTHON          that makes the environment; default python3
#
# All arguments go to peers/compare.py (--help lists them), or with --rounded among them to
# peers/rounded.py: low precision in PyTorch and ONNX Runtime. A peer that cannot be installed is left
# out with a message; plain PyTorch is all that the comparison needs.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
venv=${PEERS_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/distill-peers}
python=$venv/bin/python

say() { printf '%s\n' "bench-peers: $*" >&2; }

has() { "$python" -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)' "$1"; }

# make_environment: an empty one, if there is none that works.
make_environment() {
    "$python" -c '' 2>/dev/null && return
    mkdir -p "$(dirname "$venv")"
    "${PYTHON:-python3}" -m venv "$venv" || {
        say "cannot make $venv; Debian has the module in the package python3-venv"
        exit 1
    }
}

# room_for GB: whether the disk has that much.
room_for() {
    free=$(df -Pk "$venv" | awk 'NR == 2 {print int($4 / 1048576)}')
    [ "$free" -ge "$1" ] || { say "$venv needs $1 GB, the disk has $free GB"; return 1; }
}

# install PACKAGE ARGUMENT...: unless it is there.
install() {
    package=$1
    shift
    has "$package" && return
    say "installing $package into $venv"
    "$python" -m pip install --quiet --disable-pip-version-check "$package" "$@" ||
        say "$package cannot be installed"
}

# On x86-64 Linux PyPI has PyTorch with CUDA only: 3 GB to fetch and 6 GB on disk, of which the
# processor's part is used. PEERS_PIP_ARGS may name a smaller one.
install_all() {
    has torch || room_for 10 || return 0
    # shellcheck disable=SC2086 # a list of arguments
    install torch ${PEERS_PIP_ARGS:-}
    has torch || return 0
    for package in numpy zuko nflows normflows; do
        install "$package"
    done
}

# Flow libraries have no low precision. Compiled settings want g++ besides, and are left out where there is none.
install_rounded() {
    has torch || room_for 10 || return 0
    # shellcheck disable=SC2086 # a list of arguments
    install torch ${PEERS_PIP_ARGS:-}
    for package in numpy onnx onnxruntime; do
        install "$package"
    done
}

make_environment
program=compare.py
case " $* " in
*' --rounded '*)
    program=rounded.py
    install_rounded
    ;;
*)
    install_all
    install flowjax
    ;;
esac

# A core that the environment forces on OpenBLAS would slow either side down.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
export CUDA_VISIBLE_DEVICES='' JAX_PLATFORMS=cpu PYTHONDONTWRITEBYTECODE=1
exec "$python" "$here/peers/$program" "$@"
