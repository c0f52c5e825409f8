#!/usr/bin/env bash
# ./dev sim [--seed N] [--runs N]: the real run machine and driver in a simulated world.
set -euo pipefail
. tools/dev/common.sh

bash tools/dev/setup.sh
locked build build_gcc lifeboat_sim
exec build/lifeboat_sim "$@"
