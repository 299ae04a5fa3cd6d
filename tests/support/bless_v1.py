#!/usr/bin/env python3
"""Writes tests/data/v1/manifest.json anew: what each bundled version 1 trace must give, as Go's reader sees it (Go 1.26 or later), or
for headers below 1.11 the reader of an older Go (see v1oracle.py; its sources must be on this machine).

    bless_v1.py PROGRAM

PROGRAM is the built stwatch; only the place for what is built beside it is taken from it. Read the difference before committing it.
"""
import json
import os

import harness
import oracle
import v1oracle

FOLDER = os.path.join(harness.DATA, "v1")


def names():
    for folder in ("", "bad"):
        for name in sorted(os.listdir(os.path.join(FOLDER, folder))):
            if ".trace" in name:
                yield os.path.join(folder, name)


def entry(scratch, tool, old, name):
    data = v1oracle.unpacked(os.path.join(FOLDER, name))
    version = v1oracle.header_version(data)
    path = scratch.write("trace", data)
    reading = tool.read(path) if version in (11, 19, 21) else old.read(path)
    out = {"file": name, "bytes": len(data), "header": "go 1.%d trace" % version, "accept": reading.accepted}
    if reading.accepted:
        return dict(out, **v1oracle.figures(oracle.Stream(reading.text)))
    return dict(out, message=reading.message)


def main():
    tool, old = oracle.GoTool(), v1oracle.OldReader()
    with harness.Scratch() as scratch:
        entries = [entry(scratch, tool, old, name) for name in names()]
    with open(os.path.join(FOLDER, "manifest.json"), "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join("  " + json.dumps(e) for e in entries) + "\n]\n")
    print("%d traces" % len(entries))


if __name__ == "__main__":
    main()
