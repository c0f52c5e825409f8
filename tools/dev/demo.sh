#!/usr/bin/env bash
# ./dev demo [ARGUMENT...]: the shop of examples/shop loses its database, its cache and its site.
set -euo pipefail
. tools/dev/common.sh

bash tools/dev/setup.sh
locked build build_gcc lifeboat
exec "$python" examples/shop/demo.py "$@"
