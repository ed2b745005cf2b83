#!/bin/sh
# distill.pc:  packaging/pkgconfig.sh PREFIX VERSION
cat <<END
prefix=$1
Name: distill
Description: samples and densities of distilled normalizing flows
Version: $2
Cflags: -I\${prefix}/include
Libs: -L\${prefix}/lib -ldistill
Requires.private: jansson
Libs.private: -lm -pthread
END
