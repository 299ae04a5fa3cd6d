#!/usr/bin/env python3
"""The documentation is in step: the table of events, a page for each rule, thresholds with their defaults, links that lead somewhere."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness

DOCS = os.path.join(harness.SOURCE, "docs")
RULES = os.path.join(DOCS, "rules")
SETTING = re.compile(r'^STW_SETTING\(\w+, "([a-z-]+)", (\w+), (\d+),', re.M)
UNITS = {"ns": 1, "µs": 1000, "ms": 1000000, "s": 1000000000, "%": 10, "": 1}


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def pages():
    for folder, _, names in os.walk(harness.SOURCE):
        if os.path.relpath(folder, harness.SOURCE).split(os.sep)[0] in ("build", ".git"):
            continue
        yield from (os.path.join(folder, name) for name in names if name.endswith(".md"))


def dead_links(page):
    text = re.sub(r"```.*?```", "", read(page), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path = target.split("#")[0]
        if path and "://" not in target and not os.path.exists(os.path.join(os.path.dirname(page), path)):
            yield target


def wrong_defaults(name, defaults):
    for option, figure, unit in re.findall(r"^\| `--([a-z-]+)` \| (\d+) ?(\S*?) \|", read(RULES, name), re.M):
        if option not in defaults:
            yield "there is no option --%s" % option
        elif int(figure) * UNITS[unit] != defaults[option]:
            yield "--%s is not %s %s" % (option, figure, unit)


def rows_missing():
    """The rows of the table of older events that docs/format-v1.md lacks: number, name, number of arguments, version."""
    told = {(int(number), name, since): re.findall(r"\w+(?: \([^)]*\))?", args)
            for number, name, args, since in re.findall(r"^\| (\d+) \| (\w+) \| (.*?) \| 1\.(\d+) \|", read(DOCS, "format-v1.md"), re.M)}
    rows = re.findall(r"^STW_V1_EVENT\((\d+), (\w+), (\d+), (\d+), ([01])\)", read(harness.SOURCE, "src", "v1", "v1_events.def"), re.M)
    for number, name, since, count, stack in rows:
        args = [a for a in told.get((int(number), name, since), ["?"] * 9) if "to 1.6" not in a]
        if name != "String" and len(args) != int(count) + int(stack):
            yield "%s %s" % (number, name)


def recordings():
    """What the tests and examples have, by name."""
    return {name.removesuffix(".gz"): os.path.join(folder, name)
            for top in (harness.DATA, os.path.join(harness.SOURCE, "examples")) for folder, _, names in os.walk(top) for name in names}


def examples(page, known, program):
    """The lines of a rule's example that the program does not print, where its recording is kept here; the number of a finding may differ."""
    for block in re.findall(r"```\n(.*?)```", read(RULES, page).split("## Example")[-1], re.S):
        first, *lines = [line for line in block.split("\n") if line.strip() and not line.startswith("$")]
        file = known.get(first.split(" · ")[0])
        if file:
            out = harness.run_text(program, "diagnose", "--top", "0", file)[1]
            yield from (line for line in lines if re.sub(r"^\d+ ", "", line) not in out)


def main():
    report = harness.Report()
    report.check("table of older events", ", ".join(rows_missing()) or None)
    for script, what in (("events-table.py", "table of events"), ("states-table.py", "tables of states"), ("since-table.py", "newer versions"),
                         ("thresholds-table.py", "thresholds in the manual")):
        done = subprocess.run([sys.executable, os.path.join(harness.SOURCE, "tools", script), "--check"], capture_output=True, text=True)
        report.check(what, done.stdout.strip() or done.stderr.strip() or "failed" if done.returncode else None)
    explained = re.findall(r'^\t\{"([a-z-]+)",', read(harness.SOURCE, "src", "rules", "explain.c").split("/* ---- causes ---- */")[0], re.M)
    there = sorted(name[:-3] for name in os.listdir(RULES) if name != "README.md")
    report.check("a page for each rule", None if sorted(explained) == there else "explained: %s; pages: %s" % (sorted(explained), there))
    defaults = {option: int(value) for option, _, value in SETTING.findall(read(harness.SOURCE, "src", "rules", "settings.def"))}
    told, known, program = set(), recordings(), harness.program()
    for name in sorted(os.listdir(RULES)):
        told.update(re.findall(r"`--([a-z-]+)`", read(RULES, name)))
        report.check("example in %s" % name, "; ".join(list(examples(name, known, program))[:3]) or None)
        report.check("defaults in %s" % name, "; ".join(wrong_defaults(name, defaults)) or None)
    report.check("every threshold stands on a page", ", ".join(sorted(set(defaults) - told)) or None)
    for page in sorted(pages()):
        report.check("links in %s" % os.path.relpath(page, harness.SOURCE), ", ".join(dead_links(page)) or None)
    report.finish()


if __name__ == "__main__":
    main()
