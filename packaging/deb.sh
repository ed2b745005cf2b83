#!/bin/sh
# A Debian package of what `make install` installs.
#   packaging/deb.sh VERSION FILE.deb       in the root of the repository; make, CC and BUILD as there
# It needs what its programs are linked with, by the packages that these libraries are from here.
set -eu
version=$1 file=$2
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
make -s install PREFIX=/usr DESTDIR="$stage"
strip --strip-unneeded "$stage/usr/bin/distill" "$stage"/usr/lib/libdistill.so.*
strip --strip-debug "$stage/usr/lib/libdistill.a"

# Packages that hold a file may be diverted, or have it below /usr: both are asked.
package_of() {
    { dpkg -S "$1" || dpkg -S "$(readlink -f "$1")" || dpkg -S "/usr$1"; } 2>/dev/null | sed 's/:.*//; 1q'
}
needed=$(ldd "$stage/usr/bin/distill" "$stage"/usr/lib/libdistill.so.* | sed -n 's/.* => \(\/[^ ]*\).*/\1/p' | sort -u)
direct=$(readelf -d "$stage/usr/bin/distill" "$stage"/usr/lib/libdistill.so.* | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort -u)
depends=$(for name in $direct; do
    for path in $needed; do [ "${path##*/}" != "$name" ] || package_of "$path"; done
done | sort -u | paste -sd, | sed 's/,/, /g')

mkdir "$stage/DEBIAN"
cat >"$stage/DEBIAN/control" <<END
Package: distill
Version: $version
Architecture: $(dpkg --print-architecture)
Maintainer: the authors of distill
Depends: $depends
Section: science
Priority: optional
Description: fast samplers out of densities that are slow to sample
 Fits normalizing flows to data or to densities up to a constant, distils them into
 samplers, and measures how right these are. With a library for C, C++ and Python.
END
dpkg-deb --root-owner-group --build "$stage" "$file" >/dev/null
