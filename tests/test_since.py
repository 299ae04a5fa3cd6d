#!/usr/bin/env python3
"""Advice names the version of Go that does better, on traces of an older one, and on no other; explain names all that concern a rule or a
cause.  test_since.py [PROGRAM]"""
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness

# trace, rule, words that its advice has; None: that it says nothing of a newer Go
CASES = (
    ("v1/stw_nopreempt-spin-gc-go1.10.8.trace.gz", "stw-prolonged", "since Go 1.14 a loop that calls nothing is preempted by a signal"),
    ("v1/stw_nopreempt-spin-gc-go1.11.13.trace.gz", "stw-prolonged", "(the trace does not tell whether its Go is older)"),
    ("v1/lock_convoy-go1.21.13.trace.gz", "lock-convoy", None),
    ("traces/stw_nopreempt-clear-procs-go1.26.8.trace", "stw-prolonged", None),
)


def main():
    program, report = harness.program(), harness.Report()
    for name, rule, words in CASES:
        done = subprocess.run([program, "diagnose", "--format", "json", os.path.join(harness.DATA, name)], capture_output=True, timeout=120)
        advice = [f["advice"] for f in json.loads(done.stdout)["findings"] if f["rule"] == rule]
        right = advice and all(words in a if words else "since Go" not in a for a in advice[:1])
        report.check(name, None if right else advice)
    rows = open(os.path.join(harness.SOURCE, "src", "rules", "since.def"), encoding="utf-8").read()
    for name in sorted({n for n in re.findall(r'^STW_SINCE\w*\([^,]+, "([^"]+)", "([^"]*)"', rows, re.M) for n in n if n}):
        told = json.loads(subprocess.run([program, "explain", "--format", "json", name], capture_output=True).stdout).get("since", [])
        texts = set(re.findall(r'^STW_SINCE\w*\([^,]+, (?:"%s", "[^"]*"|"[^"]*", "%s"),\s*(?:"[^"]*",\s*)?"([^"]+)"\)' % (name, name), rows, re.M))
        right = {t["text"] for t in told} == texts and len(told) >= len(texts) and all(name in (t["rule"], t["cause"]) for t in told)
        page = " ".join(subprocess.run([program, "explain", name], capture_output=True, text=True).stdout.split())
        report.check("explain %s" % name, None if right and all("since %s %s" % (t["version"], t["text"]) in page for t in told) else told)
    report.finish()


if __name__ == "__main__":
    main()
