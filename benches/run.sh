#!/usr/bin/env bash
# Prints every table of README.md. A quarter of an hour on two slow cores; names of benches as arguments print only theirs.
set -euo pipefail
cd "$(dirname "$0")"
benches=("$@")
[ ${#benches[@]} -gt 0 ] || benches=(instructions cost layer_cost fanout otlp)
for bench in "${benches[@]}"; do
  features=sqlite-log
  [ "$bench" != otlp ] || features=otlp
  cargo bench --quiet --features "$features" --bench "$bench"
done
