#!/usr/bin/env python3
"""`cut --anonymise` of traces of Go 1.5 to 1.21: the whole of them, with the same events and the same diagnosis but for names, read by Go's own
reader, and nothing of the program's names left. Of a damaged one, what can be read. (Parts: test_cut_v1_parts.py.)

    test_cut_v1.py [PROGRAM]
"""
import glob
import json
import os
import re
import resource
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness
import oracle
import v1oracle
import v1text
import v1wire

FOLDER = os.path.join(harness.DATA, "v1")
# A program's own words, each also a word that must stay.
HOSTILE = """expect accept
Trace Go1.21
batch p=0 time=100
GoCreate g=1 new_stack=secret/corp.(*Vault).Open:3
GoCreate g=2 new_stack=runtime.gcBgMarkWorker:4
ProcStart thread=7
GoStartLocal g=1
Gomaxprocs procs=1
TaskCreate task=1 parent=0 name="runtime.gopark" stack=runtime.gopark:3<main.main:4
Region task=1 mode=0 name="Geheimnis" stack=secret/corp.(*Vault).Open:3<main.main:4
Region task=1 mode=1 name="Geheimnis" stack=secret/corp.(*Vault).Open:3<main.main:4
Log task=1 key="GC (dedicated)" stack=main.main:4 text="private"
Log task=1 key="runtime.gopark" stack=main.main:4 text="%s"
TaskEnd task=1 stack=main.main:4
GoSched stack=main.main:4
GoStartLabel g=2 seq=1 label="GC (dedicated)"
GoStop stack=runtime.gopark:3
""" % ("private " * 40)
SECRETS = (b"secret", b"corp", b"Vault", b"Open", b"Geheimnis", b"private", b"scenario.go")


def strings(data):
    _, batches = v1wire.decode(data)
    return {r.values[0]: r.text for batch in batches for r in batch.records if r.number == v1wire.STRING}


def verdict(program, trace):
    found = json.loads(harness.run_bytes(program, "diagnose", "--format", "json", trace)[1])
    return sorted(repr([f[k] for k in ("rule", "cause", "severity", "start_ns", "duration_ns", "count", "worst_ns", "harm_ns")]) for f in found["findings"])


def events(program, trace):
    """The events without the words of the program."""
    out = harness.run_bytes(program, "events", trace)[1].decode("utf-8", "replace")
    return re.sub(r'(Type|Category|Message|Label)="[^"]*"', "", out)


def check(report, program, judge, name, trace, out):
    code, _, err = harness.run_bytes(program, "cut", "--anonymise", "-o", out, trace)
    if not report.check("%s: anonymised" % name, code and err):
        return
    before, after = strings(harness.read_bytes(trace)), strings(harness.read_bytes(out))
    left = [text for id, text in before.items() if after.get(id) == text and (text.startswith(b"main.") and not re.fullmatch(rb"main\.(main|init)(\.func\d+)*", text) or text.startswith(b"/"))]
    report.check("%s: names" % name, "left: %r" % left[:3] if left else None)
    report.check("%s: all strings are there" % name, None if set(before) <= set(after) else "some are gone")
    report.check("%s: the same events" % name, None if events(program, trace) == events(program, out) else "others")
    report.check("%s: the same diagnosis" % name, None if verdict(program, trace) == verdict(program, out) else "another")
    if judge and v1oracle.header_version(harness.read_bytes(trace)) >= 11:
        was, told = judge.read(trace), judge.read(out)
        report.check("%s: in Go's reader" % name, None if told.accepted == was.accepted else told.message)


def check_damaged(report, program, scratch, hostile, out):
    """What comes before the first loss is written, and reads without a complaint; where that is nothing, nothing is."""
    data = harness.read_bytes(hostile)
    for name, damaged in (("tables", data[:-30]), ("a record", data[:60] + b"\xff\xff" + data[62:])):
        trace = scratch.write("damaged.trace", damaged)
        for more in ([], ["--anonymise"]):
            if os.path.exists(out):
                os.remove(out)
            code = harness.run_bytes(program, "cut", *more, "-o", out, trace)[0]
            report.check("damaged %s: exit code" % name, None if code == 4 else "exit %d" % code)
            if not report.check("damaged %s: something is written" % name, None if os.path.exists(out) else "no"):
                continue
            report.check("damaged %s: what is written is sound" % name, None if harness.run_bytes(program, "events", out)[0] == 0 else "no")
            report.check("damaged %s: no names" % name, ", ".join(str(s) for s in SECRETS if more and s in harness.read_bytes(out)))
    trace = scratch.write("damaged.trace", v1oracle.unpacked(os.path.join(FOLDER, "serve-stopped-go1.21.13.trace.gz"))[5000:])
    os.remove(out)
    code = harness.run_bytes(program, "cut", "-o", out, trace)[0]
    report.check("without its beginning: nothing is written", None if code == 4 and not os.path.exists(out) else "exit %d" % code)
    trace = scratch.write("damaged.trace", data[:19] + b"\x3f" * 20)
    code = harness.run_bytes(program, "cut", "-o", out, trace)[0]
    report.check("damaged from the start: nothing is written", None if code == 4 and not os.path.exists(out) else "exit %d" % code)


def check_no_room(report, program, scratch):
    """What is to be read back before it is handed on has no room: that is said, and of which file."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    trace = scratch.write("busy.trace", v1oracle.unpacked(os.path.join(FOLDER, "everything-p2-go1.21.13.trace.gz")))
    done = subprocess.run([program, "cut", "--from", "1ms", "-o", os.devnull, trace], capture_output=True, preexec_fn=limit)
    report.check("no room", None if done.returncode == 3 and b"can't write a temporary file" in done.stderr else (done.returncode, done.stderr))


def main():
    program, report = harness.program(), harness.Report()
    judge = oracle.go_reader(report)
    with harness.Scratch() as scratch:
        out = os.path.join(scratch.path, "out.trace")
        for packed in sorted(glob.glob(os.path.join(FOLDER, "*.gz"))):
            check(report, program, judge, os.path.basename(packed), scratch.write("plain.trace", v1oracle.unpacked(packed)), out)
        hostile = scratch.write("hostile.trace", v1text.read(scratch.write("hostile.txt", HOSTILE.encode())).data)
        check(report, program, judge, "hostile names", hostile, out)
        report.check("hostile names: gone", ", ".join(str(s) for s in SECRETS if s in harness.read_bytes(out)))
        report.check("hostile names: the label stays", None if b'Label="GC (dedicated)"' in harness.run_bytes(program, "events", out)[1] else "no")
        words = re.findall(rb'(?:Type|Category)="([^"]*)"', harness.run_bytes(program, "events", out)[1])
        report.check("hostile names: words of the runtime that the program used too", None if words and not {b"runtime.gopark", b"GC (dedicated)"} & set(words) else repr(words))
        long = scratch.write("long.trace", v1text.read(scratch.write("long.txt", HOSTILE.replace("private " * 40, "private " * 5000).encode())).data)
        printed = harness.run_bytes(program, "events", long)[1]
        report.check("a long text is printed whole", None if b'Message="' + b"private " * 5000 + b'"\n' in printed else "no")
        whole = harness.run_bytes(program, "cut", "-o", out, hostile)
        report.check("the whole as it is", whole[2] or (None if events(program, out) == events(program, hostile) else "other events"))
        check_damaged(report, program, scratch, hostile, out)
        check_no_room(report, program, scratch)
    if judge:
        judge.close()
    report.finish()


if __name__ == "__main__":
    main()
