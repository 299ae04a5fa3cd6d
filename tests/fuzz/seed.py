#!/usr/bin/env python3
"""Fills a folder with inputs to begin fuzzing from: seed.py FOLDER

Small bundled traces, damaged ones, every scenario, and mutants of them. Small inputs fuzz fastest, so large ones stay out.
"""
import glob
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
import harness
import mutate
import texttrace

LARGEST = 32 << 10
MUTANTS = 300


def inputs():
    for path in sorted(glob.glob(os.path.join(harness.DATA, "*", "*.trace"))):
        if os.path.getsize(path) <= LARGEST:
            with open(path, "rb") as file:
                yield os.path.basename(path), file.read()
    for path in sorted(glob.glob(os.path.join(harness.SOURCE, "tests", "scenarios", "*.txt"))):
        yield os.path.basename(path)[:-len(".txt")] + ".trace", texttrace.read(path).data


def main():
    if len(sys.argv) != 2:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    os.makedirs(sys.argv[1], exist_ok=True)
    found = list(inputs())
    sound = [(name, data) for name, data in found if data[:4] == b"go 1" and mutable(data)]
    found += [("mutant-%d.trace" % i, data) for i, (_, data) in enumerate(mutate.mutants(sound, MUTANTS, 1))]
    for name, data in found:
        with open(os.path.join(sys.argv[1], name), "wb") as file:
            file.write(data)
    print("%d inputs in %s" % (len(found), sys.argv[1]))
    return 0


def mutable(data):
    try:
        return bool(mutate.Trace(data).batches)
    except (ValueError, IndexError):
        return False


if __name__ == "__main__":
    sys.exit(main())
