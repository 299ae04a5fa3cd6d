#!/bin/sh
# About a minute of fuzzing, shared by all targets, where this machine's clang has libFuzzer. Elsewhere the corpus is replayed only.
set -eu
cd "$(dirname "$0")/.."
each=8
log=build/fuzz-smoke.log

has_fuzzer() {
	mkdir -p build
	echo 'int LLVMFuzzerTestOneInput(const char *d, long n) { return d && n < 0; }' |
		clang -fsanitize=fuzzer,address -x c - -o build/has-fuzzer 2>/dev/null
}

has_fuzzer || { echo "fuzz-smoke: no clang with libFuzzer here, passed over"; exit 0; }
tools/build.sh fuzz --target fuzz_targets
tools/fuzz.sh build/fuzz $each >"$log" 2>&1 || { tail -n 60 "$log"; echo "fuzz-smoke: failed; the input is in build/crashes, all of it in $log"; exit 1; }
grep -c '^stat::number_of_executed_units' "$log" | sed 's/$/ fuzz targets, each for '$each' s: nothing found/'
