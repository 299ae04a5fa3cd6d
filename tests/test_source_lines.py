#!/usr/bin/env python3
"""`diagnose --source DIR`: the culprit's lines in each format, however the trace names the file; never anything outside DIR; what has
changed since is said; text that would play tricks is made harmless.

    test_source_lines.py [PROGRAM]
"""
import glob
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness

FILES = sorted(glob.glob(os.path.join(harness.DATA, "binaries", "oldfaults-go1.5.4.*")))
SOURCE = os.path.join(harness.SOURCE, "tests", "support", "oldfaults", "main.go")


def run(*args):
    done = subprocess.run([PROGRAM, "diagnose", *args], capture_output=True, timeout=120)
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def listings(folder):
    """Those of the convoy, and the limits."""
    code, out, err = run("--format", "json", "--source", folder, *FILES)
    doc = json.loads(out)
    return next(f for f in doc["findings"] if f["rule"] == "lock-convoy")["source_lines"], doc["limits"]


def put(folder, path, data):
    path = os.path.join(folder, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    return path


def main():
    report = harness.Report()
    with open(SOURCE, "rb") as file:
        whole = file.read()
    lines = whole.decode().split("\n")
    with harness.Scratch() as scratch:
        new = lambda name: os.path.join(scratch.path, name)
        for name, path in (("flat", "main.go"), ("deep", "services/prog/main.go")):
            put(new(name), path, whole)
            got, _ = listings(new(name))
            first = got[0] if got else {}
            marked = [l["text"].strip() for l in first.get("lines", ()) if l["marked"]]
            right = all(l["text"] == lines[l["line"] - 1] for l in first.get("lines", ()))
            report.check(name, None if first.get("path") == path and first["doubt"] is None and "results <- i" in marked and right else got)
        # Of two files of one name: the one that ends with more of the path, then the one that has the function.
        put(new("two"), "other/main.go", b"package main\n\nfunc main() {}\n" + b"\n" * 100)
        put(new("two"), "x/main.go", whole)
        report.check("the one with the function", None if listings(new("two"))[0][0]["path"] == "x/main.go" else listings(new("two")))
        # Changed since.
        put(new("short"), "main.go", b"package main\n")
        got, _ = listings(new("short"))
        report.check("short", None if got and "has 1 lines" in got[0]["doubt"] else got)
        put(new("moved"), "main.go", whole.replace(b"func publish(", b"func announce("))
        got, _ = listings(new("moved"))
        report.check("moved", None if got and "is not in publish" in got[0]["doubt"] else got)
        # Outside.
        outside = put(new("outside"), "main.go", whole)
        os.makedirs(new("link"))
        os.symlink(outside, os.path.join(new("link"), "main.go"))
        os.symlink(os.path.dirname(outside), os.path.join(new("link"), "prog"))
        got, limits = listings(new("link"))
        report.check("links", None if not got and any("no file that a finding names" in l for l in limits) else got)
        os.makedirs(new("fifo"))
        os.mkfifo(os.path.join(new("fifo"), "main.go"))
        report.check("a pipe", None if not listings(new("fifo"))[0] else "read")
        # Hostile text.
        put(new("bad"), "main.go", whole.replace(b"\tresults <- i", b"\tresults <- i // \x1b[31m<script>&\xff```\n```"))
        for kind in ("text", "markdown", "html"):
            code, out, err = run("--format", kind, "--source", new("bad"), *FILES)
            text = out.replace("<script>&", "") if kind != "html" else out
            report.check("hostile " + kind, None if "results" in out and "\x1b" not in out and "<script" not in text and "\n```\n```" not in out else out[-500:])
        code, out, err = run("--source", SOURCE, *FILES)
        report.check("no folder", None if code == 2 and "is no folder" in err else "%s %s" % (code, err))
        code, out, _ = run("--source", new("flat"), *FILES)
        report.check("text", None if " > " in out and "main.go" in out and "results <- i" in out else out)
    report.finish()


PROGRAM = harness.program()

if __name__ == "__main__":
    main()
