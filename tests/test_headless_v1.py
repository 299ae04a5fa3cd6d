#!/usr/bin/env python3
"""Traces of Go 1.21 and earlier whose beginning is missing: what is left is read, the version is told from the batches, nothing is concluded of what was
before; and nothing else is taken for one.

    test_headless_v1.py [PROGRAM]
"""
import glob
import gzip
import json
import os
import random
import re
import struct
import subprocess
import sys
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness
import v1oracle
import v1wire

FOLDER = os.path.join(harness.DATA, "v1")
# Nobody planted anything that would be seen in the whole trace either.
SOUND = ("everything-p1-go1.10.8", "everything-p1-go1.17.13", "everything-p1-go1.20.14", "everything-p2-go1.21.13", "everything-p8-go1.11.13", "everything-p2-go1.7.6",
         "everything-p2-go1.9.7", "everything-p2-go1.5.4")


class Stwatch:
    def __init__(self, program, scratch):
        self.program, self.file = program, os.path.join(scratch.path, "rest.trace")

    def run(self, data, *command):
        with open(self.file, "wb") as f:
            f.write(data)
        return subprocess.run([self.program, *command, self.file], capture_output=True, timeout=120)

    def diagnose(self, data):
        done = self.run(data, "diagnose", "--format", "json")
        return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr.decode("utf-8", "replace")


def traces():
    for path in sorted(glob.glob(os.path.join(FOLDER, "*.trace.gz"))):
        yield os.path.basename(path)[:-9], v1oracle.unpacked(path)


def only_the_header(stwatch, report):
    """All that is missing are 16 bytes: all events are there, and what is found is what is found in the whole."""
    for name, data in traces():
        minor = int(data[5:data.index(b" trace")])
        whole = stwatch.diagnose(data)[1]
        code, rest, err = stwatch.diagnose(data[16:])
        if not report.check(name, None if code == 4 and rest else "exit %d: %s" % (code, err)):
            continue
        about = rest["inputs"][0]
        said = about["problems"][0]["what"]
        read_as = int(about["format"][4:])
        others = said.partition("; nothing in it tells it from")[2].split()
        ok = "header is missing" in said and "read as go 1.%d" % read_as in said and (read_as == minor or (read_as in (8, 11) and "1.%d" % minor in others))
        report.check(name + ": format", None if ok else said)
        report.check(name + ": events", None if about["events"] == whole["inputs"][0]["events"] else "%d of %d" % (about["events"], whole["inputs"][0]["events"]))
        if read_as == minor and whole["inputs"][0]["complete"]:
            found = [[(f["rule"], f["id"], f["cause"]) for f in doc["findings"]] for doc in (whole, rest)]
            # Events of some procs may be missing with the beginning, as far as anybody can know: then a cause may be unknown, and that a proc was idle.
            found[0] = [a for a in found[0] if a[0] != "proc-idle-with-backlog" or a in found[1]]
            same = len(found[0]) == len(found[1]) and all(a == b or (a[0] == b[0] and b[2] == "unknown") for a, b in zip(*found))
            report.check(name + ": findings", None if same and rest["summary"] == whole["summary"] else repr(found))
        events = [stwatch.run(d, "events", "--format", "text").stdout for d in (data, data[16:])]
        report.check(name + ": events as text", None if events[0] == events[1] or read_as != minor else "differ")
        spoilt = stwatch.diagnose(b"no 1.11 race\0\0\0\0" + data[16:])
        report.check(name + ": the header is spoilt", None if spoilt[0] == 4 and spoilt[1]["inputs"][0]["events"] == about["events"] else repr(spoilt)[:300])


def behind_other_bytes(stwatch, report):
    noise = random.Random(5).randbytes(3000)
    for name, data in traces():
        code, doc, err = stwatch.diagnose(noise + data)
        whole = stwatch.diagnose(data)[1]
        ok = code == 4 and doc["inputs"][0]["events"] == whole["inputs"][0]["events"] and "3000 bytes stand before the header" in doc["inputs"][0]["problems"][0]["what"]
        report.check(name + " behind noise", None if ok else "exit %d: %s" % (code, err))


def batches_from(data, at):
    """How many events stand in batches that begin at or behind a byte, and in how many such batches."""
    version, batches = v1wire.decode(data)
    tables = {v1wire.NUMBERS[n] for n in ("Stack", "String", "Frequency")}
    place, events, count = 16, 0, 0
    for batch in batches:
        n = sum(r.number not in tables for r in batch.records)
        if place >= at and n:
            events += n
            count += 1
        place += len(batch.encode(version))
    return events, count


def cut_anywhere(stwatch, report):
    """What stands in whole batches behind the cut is read, and no sound trace's rest gives a finding that warns."""
    rng = random.Random(3)
    for name, data in traces():
        if name not in SOUND:
            continue
        minor = int(data[5:data.index(b" trace")])
        for at in sorted(rng.randrange(17, len(data) - 1) for _ in range(60 if harness.HEAVY else 12)):
            code, doc, err = stwatch.diagnose(data[at:])
            events, batches = batches_from(data, at)
            what = "%s from byte %d" % (name, at)
            if code == 3:
                report.check(what, None if batches <= 1 or events < 100 else "not read, with %d events in %d batches" % (events, batches))
                continue
            about = doc["inputs"][0]
            report.check(what, None if code == 4 and not about["complete"] else "exit %d: %s" % (code, err))
            report.check(what + ": version", None if int(about["format"][4:]) in (minor, 11) or minor in (7, 8) else about["format"])
            # A made-up status, or a system call's two events for one record: not fewer by much, nor many more.
            report.check(what + ": events", None if 0.8 * events - 60 <= about["events"] <= 2.2 * events + 200 else "%d, %d records" % (about["events"], events))
            warned = [(f["rule"], f["title"]) for f in doc["findings"] if f["severity"] != "note"]
            report.check(what + ": no false alarm", warned or None)


def nothing_before(stwatch, report):
    """A goroutine that shows itself first when it is woken or started: nobody knows for how long it had waited. Nothing is made up."""
    name, data = next((n, d) for n, d in traces() if n == "everything-p8-go1.11.13")
    version, batches = v1wire.decode(data)
    rest = b"".join(b.encode(version) for b in batches[len(batches) // 4:])
    done = stwatch.run(rest, "events", "--format", "text")
    text = done.stdout.decode("utf-8", "replace")
    report.check("statuses come first", None if done.returncode == 4 and "Undetermined->" in text else done.stderr)
    done = stwatch.run(rest, "states", "--format", "json")
    doc = json.loads(done.stdout)
    illegal = [t for r in doc["resources"] for t in r["transitions"] if not t["legal"]]
    report.check("no move is called illegal", illegal or None)
    for command in (("stat",), ("path",), ("events", "--format", "jsonl"), ("diagnose", "--threads", "4")):
        done = stwatch.run(rest, *command)
        report.check(" ".join(command), None if done.returncode == 4 and done.stdout and b"header is missing" in done.stderr else (done.returncode, done.stderr))
    packed = stwatch.run(gzip.compress(rest), "stat")
    report.check("packed", None if packed.returncode == 4 else packed.stderr)
    done = stwatch.run(rest, "cut", "--anonymise", "-o", os.devnull)
    report.check("cut", None if done.returncode in (3, 4) and done.stderr else done.returncode)


def varint(n):
    return v1wire.varint(n)


def no_traces():
    rng = random.Random(9)
    text = open(os.path.join(harness.SOURCE, "docs", "format-v1.md"), "rb").read()
    yield "letters A", b"A" * 100000
    yield "text with controls", text + b"\x01\x02" * 100
    yield "text in Chinese", ("A一二三四五六七" * 5000).encode() + b"\0"
    yield "text of two bytes a letter", text.decode().encode("utf-16")
    for size in (100, 5000, 1 << 20):
        yield "random %d" % size, rng.randbytes(size)
    for i in range(1, 64):
        yield "bytes %d" % i, bytes([i]) * 40000
        yield "bytes %d, counted" % i, bytes([i | 0x40, 7]) * 40000
    yield "small numbers", bytes(rng.randrange(50) for _ in range(200000))
    yield "numbers of four bytes", b"".join(struct.pack("<I", rng.randrange(1 << 20)) for _ in range(50000))
    yield "floating", b"".join(struct.pack("<d", rng.random()) for _ in range(50000))
    yield "varints", b"".join(varint(rng.randrange(1 << rng.randrange(1, 40))) for _ in range(100000))
    yield "deflated", zlib.compress(rng.randbytes(1000) + text)
    yield "heads alone", b"".join(b"\x41" + varint(rng.randrange(8)) + varint((1 << 35) + i) for i in range(20000))
    # Records that make sense, but of nobody: no goroutine ever starts or stops.
    yield "heads and figures", b"".join(b"\x41" + varint(i % 4) + varint((1 << 35) + i) + (b"\x61\x05\x90\x4e" * 50) for i in range(2000))
    # Of one proc that starts without ever stopping.
    yield "starts alone", b"".join(b"\x41\x00" + varint((1 << 35) + i) + (b"\x66\x05\x09" * 50) for i in range(2000))
    for path in sorted(glob.glob(os.path.join(harness.DATA, "binaries", "*.elf.gz"))) + [harness.program(), sys.executable]:
        data = harness.read_bytes(path)
        data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        for at in (64, 4096, len(data) // 3):
            yield "%s from %d" % (os.path.basename(path), at), data[at:at + (2 << 20)]
    for folder in ("profiles", "dumps"):
        for path in sorted(glob.glob(os.path.join(harness.DATA, folder, "*")))[:6]:
            if os.path.isfile(path):
                data = harness.read_bytes(path)
                yield "the end of " + os.path.basename(path), b"\0" + (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)[100:]


def no_trace_is_one(stwatch, report):
    for name, data in no_traces():
        done = stwatch.run(data, "stat")
        read = done.returncode == 4 or b"go1." in done.stdout[:200]
        report.check("no trace: " + name, "read as a trace: %s" % done.stdout[:200] if read else None)
        done = stwatch.run(data, "events")
        report.check("no trace for events: " + name, None if done.returncode == 3 and not done.stdout else "exit %d" % done.returncode)


def the_rest_of_v2(stwatch, report):
    """What begins in the middle of a newer trace is never taken for an old one."""
    rng = random.Random(12)
    for path in sorted(glob.glob(os.path.join(harness.DATA, "traces", "*.trace")))[:40]:
        data = harness.read_bytes(path)
        for at in (16, rng.randrange(17, len(data)), len(data) * 3 // 4):
            code, doc, _ = stwatch.diagnose(data[at:])
            old = doc and doc["inputs"] and re.match(r"go1\.(\d+)$", doc["inputs"][0]["format"] or "")
            report.check("%s from %d" % (os.path.basename(path), at), "read as %s" % old[0] if old and int(old[1]) < 22 else None)


def main():
    report = harness.Report()
    with harness.Scratch() as scratch:
        stwatch = Stwatch(harness.program(), scratch)
        for part in (only_the_header, behind_other_bytes, cut_anywhere, nothing_before, no_trace_is_one, the_rest_of_v2):
            part(stwatch, report)
    report.finish()


if __name__ == "__main__":
    main()
