#!/usr/bin/env python3
"""The index of a trace of Go 1.5 to 1.21 changes what a reading costs, never what it says: of sound and damaged traces, any part of the events is the same with an
index and without, and so is any other command; a damaged index is not used, and a note says so.

STWATCH_HEAVY=1 asks for more parts, more damage and all traces.

    test_index_v1.py [PROGRAM] [TRACE…]
"""
import glob
import json
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness
import indexfile
import v1mutate
import v1oracle
import v1text
from test_index import run

WINDOWS = 40 if harness.HEAVY else 4
MUTANTS = 400 if harness.HEAVY else 40
SPOILT = 400 if harness.HEAVY else 60
LARGEST_BASE = 100000
FORMS = ("text", "go", "jsonl")
FEW = ("everything-p8", "everything-p2-go1.5", "stw_kinds", "annotations", "cgo_callback-go1.21")


def traces():
    """(name, bytes)"""
    for path in sys.argv[2:]:
        yield os.path.basename(path), v1oracle.unpacked(path) if path.endswith(".gz") else harness.read_bytes(path)
    if len(sys.argv) > 2:
        return
    for path in sorted(glob.glob(os.path.join(harness.DATA, "v1", "*.trace.gz"))):
        if harness.HEAVY or any(part in path for part in FEW):
            yield os.path.basename(path), v1oracle.unpacked(path)
    for path in sorted(glob.glob(os.path.join(harness.DATA, "v1", "bad", "*.trace"))):
        yield os.path.basename(path), harness.read_bytes(path)


def scenarios():
    for path in sorted(glob.glob(os.path.join(harness.SOURCE, "tests", "scenarios", "v1", "*.txt"))):
        yield os.path.basename(path), v1text.read(path).data


def windows(program, trace, rng):
    _, out, _ = run(program, "events", "--format", "jsonl", trace)
    times = [json.loads(line)["at_ns"] for line in out.splitlines()] or [0]
    end = times[-1]
    yield []
    yield ["--from", "%dns" % (end + 1)]
    yield ["--to", "%dns" % max(1, end // 2)]
    for _ in range(WINDOWS):
        at = rng.randrange(len(times))
        to = min(len(times) - 1, at + rng.choice((0, 1, 30, 1000, 30000)))
        yield ["--from", "%dns" % max(1, times[at] + rng.choice((0, 0, 1, -1))), "--to", "%dns" % (times[to] + rng.choice((0, 0, 1)))]


def ask(program, trace, args):
    """What it prints, and what it writes."""
    done = run(program, *args)
    part = trace + ".part"
    written = harness.read_bytes(part) if os.path.exists(part) else b""
    if written:
        os.remove(part)
    return (*done, written)


def check_same(report, program, name, trace, rng):
    """Whether the index has a state within the trace."""
    asked = []
    for n, window in enumerate(windows(program, trace, rng)):
        asked += [["events", "--format", form, *window, trace] for form in (FORMS if harness.HEAVY else FORMS[n % 3:n % 3 + 1])]
        asked.append(["cut", "--format", "json", *window, "-o", trace + ".part", trace])
    asked.append(["stat", "--format", "json", trace])
    before = [ask(program, trace, args) for args in asked]
    code, out, err = run(program, "index", "--format", "json", trace)
    index = trace + ".stwidx"
    if not os.path.exists(index):
        report.check("%s: no index" % name, None if code in (2, 3, 4) and err else "exit %d: %s" % (code, err))
        return False
    told = json.loads(out)
    whole = run(program, "events", "--format", "go", trace)
    report.check("%s: events" % name, None if told["events"] == whole[1].count(b"\nM=") + whole[1].startswith(b"M=") else "%d are told" % told["events"])
    for args, want in zip(asked, before):
        got = ask(program, trace, args)
        trouble = None if got == want else "exit %s and %s, %d and %d bytes, %d and %d; %s; %s" % (want[0], got[0], len(want[1]), len(got[1]), len(want[3]), len(got[3]), want[2], got[2])
        report.check("%s: %s" % (name, " ".join(args[:-1])), trouble) or harness.keep("index-v1-%s" % name, harness.read_bytes(trace))
    os.remove(index)
    return told["borders"] > 0


def is_used(program, trace):
    return b"not used" not in run(program, "events", "--from", "1ms", trace)[2]


def check_spoilt(report, program, scratch, rng):
    """Whatever stands in the index, what is printed is right, or the reading ends with a message."""
    source = os.path.join(harness.DATA, "v1", "everything-p8-go1.11.13.trace.gz")
    trace = scratch.write("spoilt.trace", v1oracle.unpacked(source))
    index = trace + ".stwidx"
    asked = [["events", "--from", "10150us", "--to", "11ms", trace], ["cut", "--from", "10150us", "--to", "11ms", "-o", trace + ".part", trace]]
    wanted = [ask(program, trace, args) for args in asked]
    report.check("there is something in that time", None if wanted[0][1] and wanted[1][0] == 0 and wanted[1][3] else wanted)
    run(program, "index", trace)
    good = harness.read_bytes(index)
    report.check("used", None if is_used(program, trace) else "not used")
    for n in range(SPOILT):
        data = bytearray(good)
        if n % 3 == 0:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        elif n % 3 == 1:
            del data[rng.randrange(len(data)):]
        else:
            at = rng.randrange(len(data))
            data[at:at] = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 20)))
        with open(index, "wb") as file:
            file.write(data)
        for args, want in zip(asked, wanted):
            got = ask(program, trace, args)
            report.check("spoilt index %d: %s" % (n, args[0]), None if got[:2] == want[:2] and got[3] == want[3] else "exit %s: %s" % (got[0], got[2]))
    data = good
    for n, (_, size, _) in enumerate(indexfile.states(good)):
        data = indexfile.with_state(data, n, rng.randbytes(size))
    with open(index, "wb") as file:
        file.write(data)
    for args, want in zip(asked, wanted):
        got = ask(program, trace, args)
        ok = got[:2] == want[:2] and got[3] == want[3] and b"its index is not used: it is damaged" in got[2]
        report.check("states that make no sense: %s" % args[0], None if ok else "exit %s: %s" % (got[0], got[2]))
    with open(index, "wb") as file:
        file.write(good)
    with open(trace, "r+b") as file:
        file.seek(-9, 2)
        byte = file.read(1)[0]
        file.seek(-9, 2)
        file.write(bytes([byte ^ 1]))
    report.check("of another state", None if not is_used(program, trace) else "used")
    os.remove(index)
    os.remove(trace)


def main():
    program, report, rng = harness.program(), harness.Report(), random.Random(11)
    with harness.Scratch() as scratch:
        with_states = 0
        bases = []
        for name, data in traces():
            with_states += check_same(report, program, name, scratch.write("t.trace", data), rng)
            if name.endswith(".gz") and len(data) < LARGEST_BASE:
                bases.append((name, data))
        for name, data in scenarios():
            check_same(report, program, name, scratch.write("t.trace", data), rng)
        for name, data in v1mutate.mutants(bases, MUTANTS, 5) if bases else ():
            check_same(report, program, name, scratch.write("m.trace", data), rng)
        report.check("states", None if with_states > 1 else "no trace has any")
        check_spoilt(report, program, scratch, rng)
    report.finish()


if __name__ == "__main__":
    main()
