#!/usr/bin/env bash
# Prints every table of README.md. A quarter of an hour on two slow cores; names of benches as arguments print only theirs.
set -euo pipefail
cd "$(dirname "$0")"
benches=("$@")
[ ${#benches[@]} -gt 0 ] || benches=(instructions cost layer_cost fanout)
for bench in "${benches[@]}"; do
  cargo bench --quiet --features sqlite-log --bench "$bench"
done
