#!/usr/bin/env bash
# ./dev docs [--check]: writes the generated parts of the documents again, or says which are stale.
set -euo pipefail
. tools/dev/common.sh

bash tools/dev/setup.sh
locked build build_gcc lifeboat
exec "$python" tools/docs.py "$@"
