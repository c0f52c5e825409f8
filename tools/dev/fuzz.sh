#!/usr/bin/env bash
# ./dev fuzz NAME|all [SECONDS]: libFuzzer on test/fuzz/NAME_fuzz.cc; its corpus grows in out/fuzz.
# all: each for SECONDS, as many side by side as there are processors; the log is out/fuzz/NAME.log.
# $FUZZ_SEED repeats a run; without it each run is another.
set -euo pipefail
. tools/dev/common.sh

names() { find test/fuzz -maxdepth 1 -name '*_fuzz.cc' 2>/dev/null | sed 's,.*/,,; s,_fuzz\.cc$,,' | sort; }
[ $# -gt 0 ] || { echo "usage: ./dev fuzz NAME|all [SECONDS]; there are:" $(names) >&2; exit 2; }
name=$1
seconds=${2:-60}

run_fuzzer() {
    mkdir -p "out/fuzz/$1" "test/fuzz/corpus/$1"
    "build-fuzz/fuzz_$1" -seed="${FUZZ_SEED:-0}" -max_total_time="$2" -rss_limit_mb=2048 -timeout=10 \
        -artifact_prefix="out/fuzz/$1-" "out/fuzz/$1" "test/fuzz/corpus/$1"
}

run_quietly() {
    if run_fuzzer "$1" "$2" > "out/fuzz/$1.log" 2>&1; then
        echo "$1: $(grep -o 'Done [0-9]* runs in [0-9]* second' "out/fuzz/$1.log" || tail -1 "out/fuzz/$1.log")"
    else
        tail -40 "out/fuzz/$1.log" >&2
        echo "$1: FAILED; what did it is beside out/fuzz/$1.log"
        return 1
    fi
}

bash tools/dev/setup.sh
if [ "$name" != all ]; then
    locked build-fuzz build_fuzz "fuzz_$name"
    run_fuzzer "$name" "$seconds"
    exit
fi
locked build-fuzz build_fuzz fuzzers
mkdir -p out/fuzz
export -f run_fuzzer run_quietly
names | xargs -P "$(nproc)" -I{} bash -c 'run_quietly "$@"' - {} "$seconds"
