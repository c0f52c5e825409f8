#!/usr/bin/env bash
# ./dev test [WORD]: builds everything and runs every test; the last line counts them.
set -euo pipefail
. tools/dev/common.sh

bash tools/dev/setup.sh
exec "$python" tools/run_tests.py "$@"
