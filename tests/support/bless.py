#!/usr/bin/env python3
"""Writes tests/data/manifest.json anew: what each bundled trace must give, as `go tool trace -d=parsed` (Go 1.26 or later) sees it.

Run it after adding a trace, and read the difference before committing it.
"""
import json
import os
import re

import harness
import oracle

# What we promise beyond what Go's reader says: exit 3 where nothing is known as a trace, 4 where one is damaged.
EXITS = {
    "batch-too-big": 4, "empty": 3, "future-version": 3, "gen3-cut-mid": 4, "header-part": 3, "nottrace-json": 3, "nottrace-pprof": 3,
    "nottrace-text": 3, "odd-version": 3, "trailing-garbage": 4, "twice": 4, "v2-cut-in-batch": 4, "v2-flip1": 4, "v2-flip3": 4,
    "v2-flip40": 4, "v2-zeros": 4, "varint-overlong": 4,
}
# Files that we read and Go's tool does not, and the file that they must equal.
SAME_AS = {"bad/gzipped.trace": "traces/lock_convoy-go1.26.8.trace"}


def entry(tool, name):
    path = os.path.join(harness.DATA, name)
    reading = tool.read(path)
    out = {"file": name, "bytes": os.path.getsize(path)}
    with open(path, "rb") as file:
        header = re.match(rb"go 1\.\d+ trace", file.read(16))
    out["header"] = header[0].decode() if header else None
    if name in SAME_AS:
        return dict(out, accept=True, same_as=SAME_AS[name])
    out["accept"] = reading.accepted
    if reading.accepted:
        out.update(oracle.Stream(reading.text).figures())
    else:
        out["exit"] = EXITS[os.path.basename(name)[:-len(".trace")]]
        out["events_before"] = oracle.Stream(reading.text).count
    return out


def main():
    tool = oracle.GoTool()
    names = sorted(os.path.join(folder, name) for folder in ("traces", "bad") for name in os.listdir(os.path.join(harness.DATA, folder)))
    entries = [entry(tool, name) for name in names if name.endswith(".trace")]
    path = os.path.join(harness.DATA, "manifest.json")
    with open(path, "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join("  " + json.dumps(e) for e in entries) + "\n]\n")
    print("%d traces in %s" % (len(entries), path))


if __name__ == "__main__":
    main()
