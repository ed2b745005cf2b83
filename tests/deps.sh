#!/bin/sh
# Installs the Debian packages that are missing; touches nothing if none is.
#   tests/deps.sh MODULE ...     the pkg-config modules and the library that are needed, beside a
#                                C compiler ($CC, default gcc) and pkg-config itself
# As root it installs. Anyone else is told the command that does, and the status is 1.
set -u
compiler=${CC:-gcc}
missing=

# A compiler may be there without the headers or the start files of the C library.
compiles() {
    out=$(mktemp) || exit 1
    printf '%s\n' '#include <math.h>' '#include <stdio.h>' 'int main(void) { return puts("") < 0; }' |
        $compiler -x c - -o "$out" 2>/dev/null
    status=$?
    rm -f "$out"
    return $status
}

package_of() {
    case $1 in
    openblas) echo libopenblas-dev ;;
    yaml-0.1) echo libyaml-dev ;;
    jansson) echo libjansson-dev ;;
    cairo) echo libcairo2-dev ;;
    hdf5) echo libhdf5-dev ;;
    criterion) echo libcriterion-dev ;;
    *) echo "tests/deps.sh: which package has $1?" >&2 && exit 70 ;;
    esac
}

look() {
    missing=
    compiles || missing="${compiler%% *} libc6-dev"
    command -v pkg-config >/dev/null || missing="$missing pkg-config"
    for module in "$@"; do
        package=$(package_of "$module") || exit
        pkg-config --exists "$module" 2>/dev/null || missing="$missing $package"
    done
    missing=${missing# }
}

look "$@"
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null; then
    echo "missing, by the names that Debian gives them: $missing" >&2
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "some packages are missing; this installs them:" >&2
    echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends $missing" >&2
    exit 1
fi
echo "installing $missing" >&2
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # a list of words
apt-get update -q </dev/null && apt-get install -q -y --no-install-recommends $missing </dev/null || exit 1
look "$@"
[ -z "$missing" ] && exit 0
echo "installed, but still not found: $missing" >&2
exit 1
