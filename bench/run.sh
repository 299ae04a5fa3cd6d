#!/bin/sh
# What `make bench` runs: bench/run.sh PROGRAM [OPTIONS of run.py]
exec python3 "$(dirname "$0")/run.py" "$@"
