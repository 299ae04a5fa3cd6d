#!/usr/bin/env python3
"""Traces of Go 1.5 to 1.21 (version 1 of the format): small ones in text, each of one situation (tests/scenarios/v1), and every way
of reading and printing them. What their events must be is test_oracle_v1.py's matter."""
import glob
import gzip
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness
import oracle
import v1oracle
import v1text
import v1wire
from test_scenarios import against_text

FOLDER = os.path.join(harness.DATA, "v1")


def scenarios(program, report, scratch):
    try:
        tool = oracle.GoTool()
    except oracle.Unavailable as why:
        tool = None
        report.note("without Go's opinion: %s" % why)
    for path in sorted(glob.glob(os.path.join(harness.SOURCE, "tests", "scenarios", "v1", "*.txt"))):
        case = v1text.read(path)
        trace = scratch.write("scenario.trace", case.data)
        ours = oracle.read_ours(program, trace)
        trouble = against_text(case, ours)
        go = tool.read(trace) if tool and v1oracle.header_version(case.data) >= 11 else None
        # A panic while printing is no verdict: Go's reader lets stacks pass whose strings are nowhere.
        if case.stricter:
            if go and not go.accepted:
                trouble = "the scenario is wrong: Go says %s" % go.message
            elif not re.search(case.error, ours.message):
                trouble = "must be rejected because of %s: %s" % (case.error, ours.message)
        elif go and not go.message.startswith("panic: "):
            if go.accepted != case.accept:
                trouble = "the scenario is wrong: Go says %s" % (go.message or "yes")
            elif not go.accepted and case.error and not re.search(case.error, go.message):
                trouble = "the scenario is wrong: Go says %s" % go.message
            trouble = v1oracle.disagreement(go, ours) or trouble
        report.check("v1/" + os.path.basename(path), trouble)


def run(program, *args, stdin=None):
    return subprocess.run([program, *args], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)


def accepted():
    with open(os.path.join(FOLDER, "manifest.json"), encoding="utf-8") as file:
        return [e for e in json.load(file) if e["accept"]]


def ways_of_reading(program, report, scratch):
    """Packed or not, from a file or a pipe, with one thread or more: the same events and figures."""
    for entry in accepted():
        packed = os.path.join(FOLDER, entry["file"])
        data = v1oracle.unpacked(packed)
        plain = scratch.write("plain.trace", data)
        want = run(program, "events", "--format", "jsonl", plain)
        report.check(entry["file"] + " as JSON", None if want.returncode == 0 else want.stderr.decode())
        lines = [json.loads(line) for line in want.stdout.splitlines()]
        report.check(entry["file"] + " in order", None if all(a["at_ns"] <= b["at_ns"] for a, b in zip(lines, lines[1:])) else "times go back")
        for what, got in (("packed", run(program, "events", "--format", "jsonl", packed)),
                          ("by a pipe", run(program, "events", "--format", "jsonl", "-", stdin=data)),
                          ("packed by a pipe", run(program, "events", "--format", "jsonl", "-", stdin=gzip.compress(data)))):
            report.check("%s %s" % (entry["file"], what), None if (got.returncode, got.stdout) == (0, want.stdout) else "exit %d, or other events" % got.returncode)
        for command in ("stat", "diagnose", "states"):
            one, more = (run(program, command, "--format", "json", "--threads", n, plain) for n in ("1", "4"))
            report.check("%s %s" % (command, entry["file"]), None if one.returncode == 0 else "exit %d: %s" % (one.returncode, one.stderr.decode()))
            report.check("%s %s with more threads" % (command, entry["file"]), None if one.stdout == more.stdout else "another result")


def what_stat_says(program, report, scratch):
    for entry in accepted():
        done = run(program, "stat", "--format", "json", os.path.join(FOLDER, entry["file"]))
        about = json.loads(done.stdout)["inputs"][0] if done.stdout else {}
        name = "stat of " + entry["file"]
        report.check(name + ": format", None if about.get("format") == entry["header"].split(" trace")[0].replace("go ", "go") else "format %r" % about.get("format"))
        report.check(name + ": complete", None if about.get("complete") else "complete: %r" % about.get("complete"))
        report.check(name + ": span", None if about.get("duration_ns") and abs(about["duration_ns"] - entry["last_ns"]) <= 2000 else
                     "duration %r, %d expected" % (about.get("duration_ns"), entry["last_ns"]))


def sound(data):
    """Whether a cut shows nowhere: it is between two records, and the frequency stands before it (to Go 1.10 tables follow)."""
    try:
        _, batches = v1wire.decode(data)
    except (ValueError, IndexError):
        return False
    return any(r.number == v1wire.FREQUENCY for batch in batches for r in batch.records)


def cut_anywhere(program, report, scratch):
    """A cut trace gives exit 3 or 4 and a message, and what stands before the cut."""
    for version, name in ((21, "lock_convoy-go1.21.13"), (11, "runnable_starvation-go1.11.13"), (10, "everything-p1-go1.10.8"), (7, "everything-p2-go1.7.6"), (5, "everything-p2-go1.5.4")):
        data = v1oracle.unpacked(os.path.join(FOLDER, name + ".trace.gz"))
        places = {16, 17, len(data) // 3, len(data) // 2, len(data) - 1} | {len(data) * i // 23 for i in range(1, 23)}
        for size in sorted(p for p in places if p >= 16):
            done = run(program, "events", "--format", "text", scratch.write("cut.trace", data[:size]))
            if sound(data[:size]):
                report.check("%s cut between two tables, at %d" % (name, size), None if done.returncode in (0, 4) else "exit %d" % done.returncode)
                continue
            trouble = None if done.returncode in (3, 4) and re.match(rb"stwatch: .*: at byte \d+: ", done.stderr) else "exit %d: %s" % (done.returncode, done.stderr.decode())
            report.check("%s cut at %d" % (name, size), trouble)
        half = run(program, "events", "--format", "text", scratch.write("cut.trace", data[:len(data) // 2]))
        report.check("%s cut in half shows its first half" % name, None if half.stdout.count(b"\n") > 20 else "%d lines" % half.stdout.count(b"\n"))


def damaged(program, report, scratch):
    for path in sorted(glob.glob(os.path.join(FOLDER, "bad", "*.trace"))):
        for command in ("stat", "diagnose", "events"):
            done = run(program, command, path)
            report.check("%s bad/%s" % (command, os.path.basename(path)), None if done.returncode in (3, 4) and done.stderr.startswith(b"stwatch: ") else
                         "exit %d: %s" % (done.returncode, done.stderr.decode()))


def versions(program, report, scratch):
    """A header that no Go wrote is refused; those that Go wrote are known."""
    body = v1text.read(os.path.join(harness.SOURCE, "tests", "scenarios", "v1", "syscalls.txt")).data[16:]
    for minor in (3, 4, 12, 13, 20):
        done = run(program, "stat", scratch.write("odd.trace", v1wire.header(minor) + body))
        report.check("header 1.%d" % minor, None if done.returncode == 3 and done.stderr else "exit %d" % done.returncode)


def main():
    program, report = harness.program(), harness.Report()
    with harness.Scratch() as scratch:
        for part in (scenarios, ways_of_reading, what_stat_says, cut_anywhere, damaged, versions):
            part(program, report, scratch)
    report.finish()


if __name__ == "__main__":
    main()
