#!/usr/bin/env bash
# ./dev fuzz NAME [SECONDS]: libFuzzer on test/fuzz/NAME_fuzz.cc; its corpus grows in out/fuzz.
set -euo pipefail
. tools/dev/common.sh

names() { find test/fuzz -maxdepth 1 -name '*_fuzz.cc' 2>/dev/null | sed 's,.*/,,; s,_fuzz\.cc$,,' | sort; }
[ $# -gt 0 ] || { echo "usage: ./dev fuzz NAME [SECONDS]; there are:" $(names) >&2; exit 2; }
name=$1
seconds=${2:-60}
bash tools/dev/setup.sh
locked build-fuzz build_fuzz "fuzz_$name"
mkdir -p "out/fuzz/$name" "test/fuzz/corpus/$name"
exec "build-fuzz/fuzz_$name" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10 \
    -artifact_prefix="out/fuzz/$name-" "out/fuzz/$name" "test/fuzz/corpus/$name"
