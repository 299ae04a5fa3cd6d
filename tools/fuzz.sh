#!/bin/sh
# Runs every fuzz target for some seconds: tools/fuzz.sh BUILD_DIR SECONDS [TARGET...]
# The corpus grows in build/corpus, from tests/fuzz/corpus; an input that fails is kept in build/crashes, and replays with `BUILD_DIR/tests/TARGET FILE`.
set -eu
build=$1
seconds=$2
shift 2
[ $# -gt 0 ] || set -- $(cd "$build/tests" && ls -d fuzz_* | grep -v '\.')
seeds=build/corpus/seeds
mkdir -p build/crashes
python3 tests/fuzz/seed.py "$seeds"
failed=0
for name; do
	target=$build/tests/$name
	[ -x "$target" ] || { echo "fuzz: no target $name in $build" >&2; exit 1; }
	mkdir -p "build/corpus/$name"
	pairs=
	[ "$name" != fuzz_together ] || pairs=$seeds/pairs
	# To weigh inputs by how rare what they do is (entropic) takes as long as running them.
	"$target" -entropic=0 -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 \
		-artifact_prefix="build/crashes/$name-" "build/corpus/$name" "$seeds/one" $pairs tests/fuzz/corpus tests/data/fuzz-crashes || failed=1
done
exit $failed
