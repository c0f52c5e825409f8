#!/usr/bin/env bash
# ./dev clean: removes the build trees and out/ of this clone. The compiler cache stays.
set -euo pipefail
. tools/dev/common.sh

rm -rf build build-clang build-fuzz out
