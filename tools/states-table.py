#!/usr/bin/env python3
"""Writes the tables of states, transitions and coupling in docs/states.md from src/event/states.def; with --check only says whether they are in step."""
import re
import sys

import doc_table

BEGIN, END = "<!-- tables: written by tools/states-table.py -->\n", "<!-- end of tables -->"
STATE = re.compile(r'^STW_STATE\((\w), (\w+), "([^"]*)", (\d), "([^"]*)"\)', re.M)
MOVE = re.compile(r'^STW_MOVE\((\w), (\w+), (\w+), (\w+), (\d+), (\d+), "([^"]*)"\)', re.M)
COUPLE = re.compile(r'^STW_COUPLE\((\w+), (\w+), (\w+), "([^"]*)"\)', re.M)
RESOURCES = {"G": "Goroutines", "P": "P's", "M": "Threads"}


def versions(first, last):
    if last == "99":
        return "" if first == "22" else "since 1.%s" % first
    return "to 1.%s" % last if first == "22" else "1.%s to 1.%s" % (first, last)


def tables(text):
    names = {ident: name for _, ident, name, _, _ in STATE.findall(text)}
    names.update(UNKNOWN="unknown", NONE="–")
    out = []
    for letter, title in RESOURCES.items():
        out += ["### %s" % title, "", "| state | | in traces |", "|---|---|---|"]
        out += ["| %s | %s | %s |" % (name, why, "yes" if seen == "1" else "never")
                for resource, _, name, seen, why in STATE.findall(text) if resource == letter]
        out += ["", "| from | to | event | versions | why |", "|---|---|---|---|---|"]
        out += ["| %s | %s | %s | %s | %s |" % (names[a], names[b], "none" if event == "None" else event, versions(first, last), why)
                for resource, a, b, event, first, last, why in MOVE.findall(text) if resource == letter]
        out.append("")
    out += ["### What fits together", "", "| thread | P | goroutine | |", "|---|---|---|---|"]
    out += ["| %s | %s | %s | %s |" % (names[m], names[p], names[g], why) for m, p, g, why in COUPLE.findall(text)]
    return "\n".join(out) + "\n"


def main():
    new = "\n" + tables(doc_table.source("src/event/states.def")) + "\n"
    return 0 if doc_table.keep("docs/states.md", BEGIN, END, new, "src/event/states.def") else 1


if __name__ == "__main__":
    sys.exit(main())
