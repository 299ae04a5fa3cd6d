#!/usr/bin/env python3
"""A stage includes only itself and stages above it; the program knows nothing but the public headers and its own."""
import pathlib
import re
import sys

# Stages on one line are neighbours and never meet.
ORDER = [["base"], ["event"], ["wire"], ["v1", "v2"], ["order"], ["model"], ["engine"], ["analysis"], ["sources"], ["rules"], ["output"], ["api"]]
RANK = {stage: rank for rank, stages in enumerate(ORDER) for stage in stages}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def includes(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1)


def library_complaint(stage, target):
    """Why a file of this stage may not include this target, or None."""
    top = target.split("/")[0]
    if "/" not in target:
        return "names no stage"
    if top == "stwatch" or top == stage:
        return None
    if top not in RANK:
        return f"{top} is no stage of the library"
    if stage not in RANK:
        return f"{stage} is not in the order of stages"
    if RANK[top] == RANK[stage]:
        return f"{stage} and {top} are neighbours and never meet"
    if RANK[top] > RANK[stage]:
        return f"{top} comes after {stage}"
    return None


def cli_complaint(target):
    return None if target.split("/")[0] in ("stwatch", "cli") else "the program uses only stwatch/*.h and cli/*.h"


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    complaints = []
    for path in sorted(root.glob("src/*/*.[ch]")):
        for number, target in includes(path):
            why = library_complaint(path.parent.name, target)
            if why:
                complaints.append(f"{path.relative_to(root)}:{number}: includes {target}: {why}")
    for path in sorted(root.glob("cli/*.[ch]")):
        for number, target in includes(path):
            why = cli_complaint(target)
            if why:
                complaints.append(f"{path.relative_to(root)}:{number}: includes {target}: {why}")
    print("\n".join(complaints) or "layering: in order")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
