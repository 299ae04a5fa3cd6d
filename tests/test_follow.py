#!/usr/bin/env python3
"""--follow: what is told of a trace while it is being written, through a file, a pipe, packed or not, is what is told of the whole; findings and
events come before it is complete; it ends with its writer, after a silence, or at Ctrl-C.

    test_follow.py [PROGRAM]
"""
import concurrent.futures
import glob
import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness

SNAPSHOTS = os.path.join(harness.DATA, "snapshots")
TRACES = [os.path.join(SNAPSHOTS, version, "c.trace") for version in ("go1.22", "go1.26")]
V1 = sorted(glob.glob(os.path.join(harness.DATA, "v1", "*.gz")))[-1]
LIMIT, PAUSE = 90, 0.01


def run(*args):
    done = subprocess.run([PROGRAM, *args], capture_output=True, timeout=LIMIT)
    return done.returncode, done.stdout, done.stderr.decode("utf-8", "replace")


def read(path):
    with open(path, "rb") as file:
        return file.read()


class Follower:
    """The program, following; its output is collected meanwhile."""

    def __init__(self, *args, stdin=None):
        self.process = subprocess.Popen([PROGRAM, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=stdin)
        self.out, self.lines = b"", 0
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self.collect, daemon=True)
        self.thread.start()

    def collect(self):
        for line in self.process.stdout:
            with self.changed:
                self.out += line
                self.lines += 1
                self.changed.notify_all()

    def wait_for(self, lines):
        """True once so many lines are there."""
        with self.changed:
            return self.changed.wait_for(lambda: self.lines >= lines, LIMIT)

    def end(self):
        try:
            self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.thread.join(LIMIT)
        return self.process.returncode, self.out, self.process.stderr.read().decode("utf-8", "replace")


def pieces(data, n):
    size = len(data) // n + 1
    return [data[at:at + size] for at in range(0, len(data), size)]


def write_slowly(path, data):
    with open(path, "wb", buffering=0) as file:
        for piece in pieces(data, 12):
            file.write(piece)
            time.sleep(PAUSE)


def follow(scratch, kind, data, *args):
    """Its result, with the data coming in pieces by a way of this kind."""
    path = os.path.join(scratch.path, "trace")
    if os.path.exists(path):
        os.unlink(path)
    if kind == "file":
        file = open(path, "wb", buffering=0)
        file.write(data[:7])
        follower = Follower(*args, path)
        for piece in pieces(data[7:], 12):
            file.write(piece)
            time.sleep(PAUSE)
        file.close()
    elif kind == "pipe":
        os.mkfifo(path)
        follower = Follower(*args, path)
        write_slowly(path, data)
    else:
        follower = Follower(*args, "-", stdin=subprocess.PIPE)
        for piece in pieces(data, 12):
            follower.process.stdin.write(piece)
            follower.process.stdin.flush()
        follower.process.stdin.close()
    return follower.end()


def without_names(doc):
    """What does not depend on how it was given."""
    doc = json.loads(doc)
    for i in doc["inputs"]:
        i["file"] = i["bytes"] = None
    for f in doc.get("findings", []):
        for e in f["evidence"]:
            e["source"] = e["source"].partition(": ")[2]
    doc["limits"] = [l for l in doc["limits"] if "still being written" not in l]
    return doc


def same_as_whole(report, scratch):
    for path in TRACES + [V1]:
        whole = read(path)
        ways = [(kind, whole) for kind in ("file", "pipe", "standard input")]
        if path != V1:
            ways += [("file", gzip.compress(whole)), ("pipe", gzip.compress(whole))]
        _, events, _ = run("events", path)
        _, diagnosis, _ = run("diagnose", "--format", "json", path)
        _, figures, _ = run("stat", "--format", "json", path)
        for kind, data in ways:
            name = "%s by %s%s" % (os.path.basename(os.path.dirname(path)), kind, "" if data is whole else ", packed")
            code, out, err = follow(scratch, kind, data, "events", "--follow")
            report.check("events of " + name, None if code == 0 and out == events else (code, err, len(out), len(events)))
            for command, want in (("diagnose", diagnosis), ("stat", figures)):
                code, out, err = follow(scratch, kind, data, command, "--follow", "--format", "json")
                last = out.splitlines()[-1] if out else b"{}"
                ok = code == 0 and without_names(last) == without_names(want)
                report.check("%s of %s" % (command, name), None if ok else (code, err, last[:300]))


def without_a_header(report, scratch):
    """What can't be told generation by generation is told at its end."""
    for name, data in (("old", gzip.decompress(read(V1))[16:]), ("new", read(TRACES[1])[16:])):
        rest = scratch.write("rest.trace", data)
        for kind in ("file", "pipe", "standard input"):
            for command in (("events",), ("diagnose",)):
                want, (code, out, err) = run(*command, rest), follow(scratch, kind, data, *command, "--follow")
                same = out == want[1] if command[0] == "events" else len(out) > 100
                report.check("%s of an %s one without a header, by %s" % (command[0], name, kind), None if code == want[0] == 4 and same and "header is missing" in err else (code, want[0], err, len(out), len(want[1])))


def comes_early(report, scratch):
    """Events and findings of what is complete are there before the rest is written."""
    for path in [os.path.join(os.path.dirname(path), "d.trace") for path in TRACES]: # its last generation is after the fault
        data = read(path)
        for kind, args in (("events", ("events",)), ("a finding", ("diagnose", "--format", "json"))):
            target = os.path.join(scratch.path, "early")
            if os.path.exists(target):
                os.unlink(target)
            with open(target, "wb", buffering=0) as file:
                follower = Follower(*args, "--follow", target)
                file.write(data[:-50])
                early = follower.wait_for(1)
                first = follower.out.splitlines()[:1]
                file.write(data[-50:])
            code, out, err = follower.end()
            ok = early and code == 0
            if kind == "a finding":
                found = json.loads(first[0]) if early else {}
                ok = ok and found.get("schema") == "stwatch.finding/1" and found["culprit"]["function"] == "main.holdLast"
                with open(os.path.join(harness.SOURCE, "docs", "schema", "finding.json"), encoding="utf-8") as schema:
                    ok = ok and set(found) == set(json.load(schema)["properties"]) == {"schema", *json.loads(out.splitlines()[-1])["findings"][0]}
            report.check("%s of %s early" % (kind, os.path.basename(os.path.dirname(path))), None if ok else (code, err, first))


def past_damage(report, scratch):
    """Damage in the first generation holds up neither the events nor the figures of those behind it."""
    for path in [os.path.join(os.path.dirname(path), "d.trace") for path in TRACES]:
        data, name = read(path), os.path.basename(os.path.dirname(path))
        at = len(data) // 8
        broken, target = data[:at] + bytes(200) + data[at + 200:], os.path.join(scratch.path, "broken")
        with open(target, "wb") as file:
            file.write(broken)
        _, events, _ = run("events", target)
        borders = [i for i, line in enumerate(events.splitlines()) if b" Sync N=" in line]
        for args in (("events",), ("stat", "--format", "json")):
            os.unlink(target)
            with open(target, "wb", buffering=0) as file:
                follower = Follower(*args, "--follow", target)
                file.write(broken[:-50])
                early = follower.wait_for(borders[-2] if args[0] == "events" else 1)  # all but the last generation
                first = follower.out.splitlines()[:1]
                file.write(broken[-50:])
            code, out, err = follower.end()
            ok = early and code == 4
            if args[0] == "events":
                ok = ok and out == events
            else:
                told = json.loads(first[0])["inputs"][0] if first else {"generations": 0}
                ok = ok and told["generations"] >= 2 and not told["complete"]
            report.check("%s behind damage of %s" % (args[0], name), None if ok else (code, err, early, len(out), len(events), first))


def endings(report, scratch):
    path = os.path.join(os.path.dirname(TRACES[1]), "d.trace")  # of it each command prints a line before its end is there
    data = read(path)
    code, out, err = run("diagnose", "--follow", path)
    report.check("nobody writes it", None if code == 0 and b"main.holdLast" in out else (code, err))
    target = os.path.join(scratch.path, "ending")
    with open(target, "wb", buffering=0) as file:
        file.write(data[:-100])
        code, out, err = run("diagnose", "--format", "json", target)
        told = json.loads(out)["limits"][0]
        report.check("being written, not followed", None if code == 4 and "is still being written" in told else (code, err, told))
        code, out, err = run("stat", "--follow", "--follow-timeout", "300ms", target)
        report.check("silence", None if code == 4 and "the input ends within" in err else (code, err))
        for args in (("diagnose",), ("stat",), ("events",)):
            follower = Follower(*args, "--format", "json", "--follow", target)
            begun = follower.wait_for(1)
            follower.process.send_signal(signal.SIGINT)
            code, out, err = follower.end()
            ok = begun and code == 130
            if args != ("events",):
                doc = json.loads(out.splitlines()[-1])
                ok = ok and doc["inputs"][0]["complete"] is False and doc["inputs"][0]["generations"] == 2 and "interrupted" in doc["limits"][0]
            report.check("%s interrupted" % args, None if ok else (code, err, out[-300:]))
        follower = Follower("stat", "--follow", target)
        time.sleep(0.2)
        file.truncate(20)
        code, out, err = follower.end()
        report.check("it became shorter", None if code == 3 and "became shorter" in err else (code, err))
    for args, word in ((("diagnose", "--follow", path, path), "one FILE"), (("stat", "--follow-timeout", "1s", path), "goes with --follow")):
        code, out, err = run(*args)
        report.check("usage: %s" % word, None if code == 2 and word in err else (code, err))
    text = scratch.write("text", b"hello\n")
    code, out, err = run("diagnose", "--follow", text)
    report.check("no trace at all", None if code == 3 and "not a Go execution trace" in err else (code, err))


LIVE = """package main

import (
	"os"
	"runtime/trace"
	"time"
)

func main() {
	f, err := os.OpenFile(os.Args[1], os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		panic(err)
	}
	trace.Start(f)
	for i := 0; i < 90; i++ {
		time.Sleep(25 * time.Millisecond)
	}
	trace.Stop()
	f.Close()
	os.Stdin.Read(make([]byte, 1))
}
"""


def follow_live(binary, kind, path):
    if kind == "pipe":
        os.mkfifo(path)
    program = subprocess.Popen([binary, path], stdin=subprocess.PIPE)
    deadline = time.monotonic() + LIMIT
    while kind == "file" and time.monotonic() < deadline and not (os.path.exists(path) and os.path.getsize(path) > 0):
        time.sleep(0.02)
    result = Follower("stat", "--follow", "--format", "json", path).end()
    program.communicate(b"x", timeout=LIMIT)
    return result


def live(report, scratch):
    """A real program that writes, and goes on living after it has closed the file."""
    if not shutil.which("go"):
        report.note("no live program was followed: there is no go here")
        return
    source = scratch.write("live.go", LIVE.encode())
    binary = os.path.join(scratch.path, "live")
    built = subprocess.run(["go", "build", "-o", binary, source], capture_output=True, timeout=300, env=dict(os.environ, CGO_ENABLED="0"))
    if built.returncode:
        report.note("no live program was followed: go build: %s" % built.stderr.decode()[-200:])
        return
    kinds = ("file", "pipe")
    with concurrent.futures.ThreadPoolExecutor(len(kinds)) as side_by_side:
        results = list(side_by_side.map(lambda kind: follow_live(binary, kind, os.path.join(scratch.path, "live-" + kind)), kinds))
    for kind, (code, out, err) in zip(kinds, results):
        doc = json.loads(out.splitlines()[-1]) if out else {"inputs": [{"complete": False}]}
        ok = code == 0 and doc["inputs"][0]["complete"] and doc["inputs"][0]["generations"] >= 2
        report.check("a live program by " + kind, None if ok else (code, err, doc["inputs"][0]))


if __name__ == "__main__":
    PROGRAM = harness.program()
    counts = harness.Report()
    with harness.Scratch() as folder:
        same_as_whole(counts, folder)
        without_a_header(counts, folder)
        comes_early(counts, folder)
        past_damage(counts, folder)
        endings(counts, folder)
        live(counts, folder)
    counts.finish()
