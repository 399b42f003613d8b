#!/usr/bin/env bash
# Instructions and allocations per operation, under callgrind; names of systems as arguments print only theirs.
set -euo pipefail
cd "$(dirname "$0")"
command -v valgrind >/dev/null || { echo "needs valgrind" >&2; exit 1; }
exec cargo bench --quiet --features sqlite-log --bench instructions -- "$@"
