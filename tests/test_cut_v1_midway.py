#!/usr/bin/env python3
"""Parts of traces of Go 1.5 to 1.21 that begin in the middle: each opens here without complaint and in Go's own reader, from where the events of all procs are
there; its events are those of the rest in that time, and where nothing is wrong in the whole, nothing is in the part. Where more is damaged, a part still opens,
or there is none.

    test_cut_v1_midway.py [PROGRAM] [TRACE…]
"""
import glob
import json
import os
import random
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness
import oracle
import v1oracle
import v1wire
from test_cut_v1_parts import cut, read, texts, unequal

SHARES = (0.125, 0.3, 0.5, 0.7, 0.9) if harness.HEAVY else (0.125, 0.5)
WINDOWS = ((0, 0), (0.3, 0.6), (0.5, 0), (0.1, 0.9))
DAMAGED = 24 if harness.HEAVY else 2  # of each rest
RECORDS = 40  # of a batch, as if buffers were small
# What a rest tells of what it had not known until then, and a part as what was there before it.
STATUS = re.compile(r"GoStatus|ProcStatus|GoSyscallEndBlocked|ProcSteal")


def findings(program, trace):
    """Rules that warn."""
    document = harness.diagnose(program, trace)[1]
    return {f["rule"] for f in document["findings"] if f["severity"] != "note"} if document else None


def same_threads(events):
    """Threads without a number have one in the part: what happens is compared on each proc."""
    out = []
    for time, _, text in events:
        proc = text.split()[0]
        if not STATUS.search(text):
            out.append((time, proc, text))
    return out


class Checker:
    def __init__(self, report, program, judge, scratch):
        self.report, self.program, self.judge, self.scratch = report, program, judge, scratch
        self.parts = self.refused = 0

    def part(self, name, rest, events, found, from_ns, to_ns):
        out = os.path.join(self.scratch.path, "part.trace")
        if os.path.exists(out):
            os.remove(out)
        code, told, err = cut(self.program, rest, out, from_ns, to_ns)
        end = to_ns or events[-1][0]
        if "nothing can be cut out" in err:
            self.report.check(name + ": why not", None if code == 4 and "at byte 0: nothing can be cut out" in err and "may be missing" in err and not os.path.exists(out) else (code, err))
            self.refused += 1
            return
        if code == 2:
            inside = [1 for time, _, _ in events if from_ns <= time <= end]
            self.report.check(name + ": nothing there", None if len(inside) <= 3 and not os.path.exists(out) else err)
            return
        if not self.report.check(name, None if code == 4 and told and "header is missing" in err else "exit %d, %s" % (code, err)):
            return
        self.parts += 1
        code, mine, err = read(self.program, out)
        if not self.report.check(name + ": opens", code and err):
            return
        if self.judge and v1oracle.header_version(harness.read_bytes(out)) >= 11:
            verdict = self.judge.read(out)
            if self.report.check(name + ": in Go's reader", None if verdict.accepted else verdict.message):
                self.report.check(name + ": as in Go's reader", v1oracle.disagreement(verdict, oracle.read_ours(self.program, out)))
        missing = re.search(r"missing up to \+(\d+)\.(\d{3}) ms", harness.run_text(self.program, "stat", rest)[1].replace("\n                ", " "))
        begins = max(from_ns, (int(missing[1] + missing[2]) + 1) * 1000 if missing else 0)
        self.report.check(name + ": the same events", unequal(same_threads(events), same_threads(mine), told["start_ns"], begins, end))
        if not found:
            self.report.check(name + ": no false alarm", findings(self.program, out) or None)

    def anonymous(self, name, rest, whole):
        out = os.path.join(self.scratch.path, "part.trace")
        code, told, err = cut(self.program, rest, out, 0, 0, "--anonymise")
        if "nothing can be cut out" in err or code == 2:
            return
        if self.report.check(name + ": anonymised", None if code == 4 and told else "exit %d, %s" % (code, err)):
            self.report.check(name + ": anonymised: opens", read(self.program, out)[0] or None)
            left = [t for t in texts(harness.read_bytes(out)) & texts(whole) if t.startswith((b"/", b"main.")) and not t.startswith((b"main.main", b"main.init"))]
            self.report.check(name + ": anonymised: names", "left: %r" % left[:3] if left else None)

    def damaged(self, name, data, rng, last):
        """Holes, zeros and flipped bits: what is cut out holds for a strict reader, or nothing is left behind."""
        out = os.path.join(self.scratch.path, "part.trace")
        for i in range(DAMAGED):
            rest = bytearray(data)
            for _ in range(rng.randrange(1, 4)):
                at, size = rng.randrange(len(rest)), rng.choice((1, 3, 20, 200))
                rest[at:at + size] = rng.choice((b"", bytes(min(size, len(rest) - at)), bytes([rest[at] ^ 1 << rng.randrange(8)]) + rest[at + 1:at + size]))
            if os.path.exists(out):
                os.remove(out)
            low = rng.choice((0, rng.random()))
            what = "%s, damaged %d, from %g" % (name, i, low)
            code, _, err = cut(self.program, self.scratch.write("damaged.trace", bytes(rest)), out, int(low * last), 0)
            self.report.check(what, None if code in (2, 3, 4) else "exit %d, %s" % (code, err))
            if os.path.exists(out):
                code, _, err = read(self.program, out)
                self.report.check(what + ": opens", code and err)

    def trace(self, name, data):
        whole = v1wire.rebatched(data, RECORDS)
        version, batches = v1wire.decode(whole)
        path = self.scratch.write("whole.trace", whole)
        if read(self.program, path)[0]:  # times out of order: what is cut out ends there
            return
        found = findings(self.program, path)
        for share in SHARES:
            rest = self.scratch.write("rest.trace", b"".join(b.encode(version) for b in batches[int(len(batches) * share) + 1:]))
            code, events, err = read(self.program, rest)
            if code == 3:  # too little of it to be taken for a trace
                continue
            what = "%s from %g on" % (name, share)
            self.report.check(what, None if code == 4 and events else "exit %d, %s" % (code, err))
            last = events[-1][0]
            for low, high in WINDOWS:
                self.part("%s, part %g to %g" % (what, low, high or 1), rest, events, found, int(low * last), int(high * last))
            self.anonymous(what, rest, whole)
            self.damaged(what, harness.read_bytes(rest), random.Random(what), last)


def main():
    program, report = harness.program(), harness.Report()
    judge = oracle.go_reader(report)
    with harness.Scratch() as scratch:
        checker = Checker(report, program, judge, scratch)
        for path in sys.argv[2:] or sorted(glob.glob(os.path.join(harness.DATA, "v1", "*.gz"))):
            checker.trace(os.path.basename(path), v1oracle.unpacked(path) if path.endswith(".gz") else harness.read_bytes(path))
    report.check("parts were cut", None if checker.parts > 10 * max(1, checker.refused) else "%d, %d refused" % (checker.parts, checker.refused))
    if judge:
        judge.close()
    report.finish()


if __name__ == "__main__":
    main()
