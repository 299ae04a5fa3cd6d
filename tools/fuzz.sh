#!/bin/sh
# Runs every fuzz target for some seconds: tools/fuzz.sh BUILD_DIR SECONDS
set -eu
for target in "$1"/tests/fuzz_*; do
	[ -x "$target" ] || { echo "fuzz: no targets in $1" >&2; exit 1; }
	corpus=build/corpus/$(basename "$target")
	mkdir -p "$corpus"
	"$target" -max_total_time="$2" -rss_limit_mb=2048 "$corpus" examples/traces
done
