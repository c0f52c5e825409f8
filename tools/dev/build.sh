#!/usr/bin/env bash
# ./dev build [TARGET...]: builds build/lifeboat, or the targets. One build at a time in a clone.
set -euo pipefail
. tools/dev/common.sh

bash tools/dev/setup.sh
locked build build_gcc "${@:-lifeboat}"
