#!/bin/sh
# Configures (once) and builds one preset: tools/build.sh release [OPTIONS of cmake --build, such as --target]
set -eu
cd "$(dirname "$0")/.."
preset=$1
shift
[ -f "build/$preset/build.ninja" ] || cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset" "$@"
