#!/bin/sh
# Configures (once) and builds one preset: tools/build.sh release
set -eu
cd "$(dirname "$0")/.."
preset=$1
[ -f "build/$preset/build.ninja" ] || cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset"
