#!/usr/bin/env python3
"""Writes what newer versions do better into the pages of docs/rules, from src/rules/since.def; with --check only says whether they are in step."""
import re
import sys

import doc_table

TABLE = "src/rules/since.def"
BEGIN, END = "<!-- newer versions: written by tools/since-table.py -->\n", "<!-- end of newer versions -->"
ROW = re.compile(r'^STW_SINCE(?:_OTHER)?\((\d+|"[^"]*"), "([^"]*)", "([^"]*)",\s*(?:"([^"]*)",\s*)?"([^"]*)"\)', re.M)


def part(rule, rows):
    """Versions in the order of the table; what is the same for several causes stands once."""
    told = {}
    for version, _, cause, function, text in (row for row in rows if row[1] == rule):
        told.setdefault((version.strip('"') if version.startswith('"') else "Go 1." + version, function, text), []).append(cause)
    lines = ["| since | cause | |", "|---|---|---|"]
    for (version, function, text), causes in told.items():
        lines.append("| %s | %s | %s%s |" % (version, ", ".join(c for c in causes if c) or "any", text, " (`%s…`)" % function if function else ""))
    return "\n".join(lines) + "\n"


def main():
    text = doc_table.source(TABLE)
    rows = ROW.findall(text)
    if len(rows) != len(re.findall(r"^STW_SINCE", text, re.M)):
        print("%s: a row is not understood" % TABLE)
        return 1
    in_step = True
    for rule in sorted({row[1] for row in rows}):
        in_step &= doc_table.keep("docs/rules/%s.md" % rule, BEGIN, END, part(rule, rows), TABLE)
    return 0 if in_step else 1


if __name__ == "__main__":
    sys.exit(main())
