#!/usr/bin/env bash
# ./dev check [STAGE...]: everything that can be found without running the product.
set -euo pipefail
. tools/dev/common.sh

bash tools/dev/setup.sh
exec "$python" tools/check.py "$@"
