#!/usr/bin/env bash
# ./dev bench NAME [ARGUMENT...]: bench/NAME.py, which measures against peers, or build/bench_NAME.
set -euo pipefail
. tools/dev/common.sh

names() { find bench -maxdepth 1 \( -name '*.cc' -o -name '*.py' \) 2>/dev/null | sed 's,.*/,,; s,\(_bench\)*\.[a-z]*$,,' | sort -u; }
[ $# -gt 0 ] || { echo "usage: ./dev bench NAME [ARGUMENT...]; there are:" $(names) >&2; exit 2; }
name=$1
shift
peers=()
[ "$name" != engine ] || peers=(ansible-core)
bash tools/dev/setup.sh "${peers[@]}"
if [ -f "bench/$name.py" ]; then
    locked build build_gcc lifeboat benchmarks
    exec "$python" "bench/$name.py" "$@"
fi
locked build build_gcc "bench_$name"
exec "build/bench_$name" "$@"
