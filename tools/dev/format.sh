#!/usr/bin/env bash
# ./dev format [--check] [FILE...]: formats these files, or all C++ files that git knows or would add.
set -euo pipefail
. tools/dev/common.sh

bash tools/dev/setup.sh
mode=(-i)
if [ "${1:-}" = --check ]; then mode=(--dry-run -Werror); shift; fi
if [ $# -gt 0 ]; then files=("$@")
else mapfile -t files < <(git ls-files --cached --others --exclude-standard -- '*.cc' '*.h' | while read -r file; do [ ! -f "$file" ] || echo "$file"; done); fi
[ ${#files[@]} -gt 0 ] || exit 0
printf '%s\0' "${files[@]}" | xargs -0 -n 20 -P 2 clang-format-19 "${mode[@]}"
