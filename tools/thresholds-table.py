#!/usr/bin/env python3
"""Writes the thresholds into the manual page, from src/rules/settings.def; with --check only says whether it is in step."""
import re
import sys

import doc_table

TABLE, PAGE = "src/rules/settings.def", "man/stwatch.1"
BEGIN, END = '.\\" thresholds: written by tools/thresholds-table.py\n', '.\\" end of thresholds\n'
ROW = re.compile(r'^STW_SETTING\(\w+, "([a-z-]+)", (\w+), (\d+), "([^"]*)"\)', re.M)
ARGS = {"NS": "duration", "PERMILLE": "percent", "COUNT": "n"}


def default(unit, value):
    if unit == "PERMILLE":
        return "%g%%" % (value / 10)
    if unit == "COUNT":
        return "%d" % value
    for name, size in (("s", 10**9), ("ms", 10**6)):
        if value >= size:
            return "%g%s" % (value / size, name)
    return "%gus" % (value / 1000)


def main():
    rows = ROW.findall(doc_table.source(TABLE))
    lines = [".It Fl -%s Ar %s\n%s (%s)\n" % (name, ARGS[unit], text.replace("…", r"\[u2026]"), default(unit, int(value))) for name, unit, value, text in rows]
    return 0 if doc_table.keep(PAGE, BEGIN, END, "".join(lines), TABLE) else 1


if __name__ == "__main__":
    sys.exit(main())
