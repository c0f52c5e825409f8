#!/usr/bin/env bash
# compile.sh gcc|clang|fuzz [TARGET...]: builds in one of the trees, for the Python tools.
set -euo pipefail
. tools/dev/common.sh

case $1 in
    gcc) locked build build_gcc "${@:2}" ;;
    clang) locked build-clang build_clang "${@:2}" ;;
    fuzz) locked build-fuzz build_fuzz "${@:2}" ;;
    *) die "unknown tree '$1'" ;;
esac
