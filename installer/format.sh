#!/usr/bin/env bash
# Formats every C++ file of the tree with clang-format 14; with --check it only names the files that differ.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
formatter="$(command -v clang-format-14 || command -v clang-format)" ||
    { echo "format.sh: clang-format 14 is not installed" >&2; exit 1; }
files() { find app core kernels tests ui -name '*.h' -print0 -o -name '*.cpp' -print0 | sort -z; }
if [ "${1:-}" = --check ]; then
    files | xargs -0 "$formatter" --dry-run --Werror
else
    files | xargs -0 "$formatter" -i
fi
