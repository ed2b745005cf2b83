#!/bin/sh
# tests/stan/build.sh -- a shared library with BridgeStan's functions from a Stan model, by packages of Debian alone:
# r-cran-rstan, which brings what else is needed. No network. Some 20 s and 1.5 GB.
#   tests/stan/build.sh MODEL.stan OUT.so
# STAN_THREADS=true, as with BridgeStan: several threads may call one model. CXX, default g++. Status 69, and which
# package is missing, if one is.
set -eu
here=$(dirname "$0")
model=$1 out=$2
missing() {
    echo "$1 is missing: apt-get install r-cran-rstan g++" >&2
    exit 69
}
type Rscript >/dev/null 2>&1 || missing Rscript
type "${CXX:-g++}" >/dev/null 2>&1 || missing "${CXX:-g++}"
code=$(mktemp "${TMPDIR:-/tmp}/stan-XXXXXX.hpp")
trap 'rm -f "$code" "$code.log"' EXIT

# Its C++, and where the headers are, -I each, in the order in which they shall be found.
status=0
includes=$(Rscript -e '
    if (!requireNamespace("rstan", quietly = TRUE)) quit(status = 69)
    at <- commandArgs(TRUE)
    headers <- function(of) system.file("include", package = of)
    name <- gsub("[^A-Za-z0-9]", "_", sub("[.]stan$", "", basename(at[1])))
    cat(rstan::stanc(at[1], model_name = name, obfuscate_model_name = FALSE)$cppcode, file = at[2])
    cat(paste0("-I", c(file.path(headers("StanHeaders"), "src"), sapply(c("StanHeaders", "RcppEigen", "RcppParallel"), headers))))' \
    "$model" "$code" 2>"$code.log") || status=$?
[ $status -ne 69 ] || missing rstan
[ $status -eq 0 ] || {
    cat "$code.log" >&2
    exit 65
}

# Where a model is while it throws is one number in all, by this stanc: of each thread here.
sed -i 's/^static int current_statement_begin__/static thread_local int current_statement_begin__/' "$code"
[ "${STAN_THREADS:-}" = true ] && threads="-DSTAN_THREADS -ltbb" || threads=
# shellcheck disable=SC2086 # lists of words
"${CXX:-g++}" -std=c++14 -O2 -w -shared -fPIC -DNDEBUG -DBOOST_BIND_GLOBAL_PLACEHOLDERS \
    $includes -include "$code" "$here/bridge.cpp" -o "$out" $threads
