#!/usr/bin/env python3
"""Writes the table of events in docs/format-v2.md from src/event/events.def; with --check only says whether it is in step."""
import re
import sys

import doc_table

ROW = re.compile(r'^STW_EVENT\((\d+), (\w+), (\w+), \d+, "([^"]*)"', re.M)
BEGIN, END = "<!-- events: written by tools/events-table.py -->\n", "<!-- end of events -->"
# The first header whose traces may hold the event, by the highest number before the next one.
SINCE = [(44, "1.22"), (49, "1.23"), (51, "1.25"), (52, "1.26"), (255, "1.23")]


def words(kind):
    return "" if kind == "0" else "".join(part.capitalize() for part in kind.removeprefix("STWATCH_EVENT_").split("_"))


def table():
    rows = ["| no. | event | arguments | kind | since |", "|---|---|---|---|---|"]
    for number, name, kind, args in ROW.findall(doc_table.source("src/event/events.def")):
        since = next(version for highest, version in SINCE if int(number) <= highest)
        rows.append(f"| {number} | {name} | {args} | {words(kind) or 'structure'} | {since} |")
    return "\n".join(rows) + "\n"


def main():
    return 0 if doc_table.keep("docs/format-v2.md", BEGIN, END, table(), "src/event/events.def") else 1


if __name__ == "__main__":
    sys.exit(main())
