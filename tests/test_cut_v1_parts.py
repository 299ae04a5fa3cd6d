#!/usr/bin/env python3
"""Parts of traces of Go 1.5 to 1.21: each opens here and in Go's own reader; its events are those of the whole in that time, and before them stands only
what a trace may begin with; stays that lie within it get the same diagnosis; a part of a part is a part; with pseudonyms no name is left.

    test_cut_v1_parts.py [PROGRAM] [TRACE…]
"""
import bisect
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
import v1text
import v1wire

WINDOWS = 60 if harness.HEAVY else 3
STAYS = 40 if harness.HEAVY else 3  # so many have a window of their own, just around them
SLACK_NS = oracle.SLACK_NS
# What may stand before a part.
BORDER = {"GoStatus", "ProcStatus", "ProcStop", "GoStart", "GoBlock", "GoLabel", "HeapAlloc", "HeapGoal", "UserTaskBegin", "UserRegionBegin", "GCBegin", "STWBegin",
    "GCSweepBegin", "GCMarkAssistBegin", "GoSyscallBegin"}
# What comes once all that existed has been told.
BEGUN = re.compile(r"P\S+ G\S+ (GoStart|GoBlock|GoStop|GoCreate|GoDestroy|GoUnblock|GoSyscallBegin|ProcStop) ")
# Rules that judge each stay by itself: what they say of one does not depend on the rest of the trace.
BY_STAY = ("stw-prolonged", "goroutine-starved", "goroutine-stuck-syscall", "non-preemptible", "proc-syscall-retake")


def cut(program, trace, out, from_ns, to_ns, *more):
    """(exit code, what it says, standard error)"""
    code, told, err = harness.run_bytes(program, "cut", "--format", "json", "--from", "%dns" % from_ns, *(["--to", "%dns" % to_ns] if to_ns else []), *more, "-o", out, trace)
    return code, json.loads(told) if told else None, err


def read(program, trace):
    """Events in order, as (time, thread, text with its stack); Sync events, which belong to no time, are left out."""
    code, out, err = harness.run_text(program, "events", trace)
    events = []
    for block in re.split(r"^(?=\+\d+\.\d{6} M)", out, flags=re.M):
        found = re.match(r"\+(\d+)\.(\d{6}) M(\S+) (.*)", block.rstrip(), re.S)
        if found and " Sync " not in found[4]:
            events.append((int(found[1] + found[2]), found[3], found[4]))
    return code, events, err


def windows(name, events):
    """Some of every size and place, from one event to another, or from or to in between."""
    pick = random.Random(name)
    times = [time for time, _, _ in events]
    for i in range(WINDOWS):
        length = max(1, int(len(times) * pick.choice((0.01, 0.05, 0.2, 0.5, 0.9))))
        first = pick.randrange(max(1, len(times) - length))
        last = min(len(times) - 1, first + length)
        yield max(1, times[first] + pick.choice((0, 0, 1, 5000))), times[last] + pick.choice((0, 0, 3, 70000))
    yield times[len(times) // 3], 0
    yield 0, times[2 * len(times) // 3]


def begins(whole):
    """When all that existed has been told."""
    return max([time for time, _, text in whole if " GoStatus " in text] + [time for time, _, text in whole if BEGUN.match(text)][:1] + [0])


def unequal(whole, part, start_ns, from_ns, to_ns):
    """Where the part's events differ from those of the whole in that time, or None. Those at its very ends may be in or out: what is to come at one
    instant is moved on by a ns each. Where it begins while the trace still tells what existed, that comes all at once."""
    from_ns = max(from_ns, begins(whole))
    low, high = from_ns + SLACK_NS, to_ns - SLACK_NS
    threads = {m for _, m, _ in whole} | {m for _, m, _ in part}
    here = {m: [] for m in threads}
    there = {m: [] for m in threads}
    for time, m, text in whole:
        if from_ns - SLACK_NS <= time <= to_ns + SLACK_NS:
            here[m].append((time, text))
    for time, m, text in part:
        if time + start_ns >= from_ns - SLACK_NS:
            there[m].append((time + start_ns, text))
    for m in sorted(threads):
        for some, others, which in ((here[m], there[m], "whole"), (there[m], here[m], "part")):
            texts = [text for time, text in some if low < time < high]
            times = {}
            for time, text in others:
                times.setdefault(text, []).append(time)
            for time, text in some:
                near = times.get(text, [])
                at = bisect.bisect_left(near, time - SLACK_NS)
                if low < time < high and not (at < len(near) and near[at] <= time + SLACK_NS):
                    return "only in the %s, on thread %s at %d: %s" % (which, m, time, text[:300])
            if m != "-" and which == "whole":
                found = [text for time, text in others]
                at = next((i for i in range(len(found) - len(texts) + 1) if found[i:i + len(texts)] == texts), None)
                if at is None:
                    return "thread %s has another order" % m
    return None


def strange(part, start_ns, from_ns):
    """What stands before the part and should not, or None."""
    for time, _, text in part:
        if time + start_ns < from_ns - SLACK_NS and text.split()[2] not in BORDER:
            return text[:200]
    return None


def stays(program, trace):
    document = harness.diagnose(program, trace)[1]
    return {} if not document else {(f["rule"], f["cause"], (f["culprit"] or {}).get("function"), o["start_ns"], o["duration_ns"])
            for f in document["findings"] if f["rule"] in BY_STAY for o in f["occurrences"]}


def missing_stay(whole, part, start_ns, from_ns, to_ns):
    """A stay of the whole, well within the part, that the part's diagnosis does not have; or None. A finding lists its worst hundred."""
    for rule, cause, function, start, duration in sorted(whole, key=repr):
        if sum(rule == other[0] for other in part) >= 100:
            continue
        if from_ns + 1000000 < start and start + duration < to_ns - 1000000:
            if not any(rule == r and cause == c and function == f and abs(start - s - start_ns) <= SLACK_NS and abs(duration - d) <= SLACK_NS for r, c, f, s, d in part):
                return "%s (%s) of %s at %d for %d: the part has %s" % (rule, cause, function, start, duration, sorted(part, key=repr))
    return None


class Checker:
    def __init__(self, report, program, judge, scratch):
        self.report, self.program, self.judge, self.scratch = report, program, judge, scratch

    def opens(self, name, path):
        code, events, err = read(self.program, path)
        good = self.report.check("%s reads" % name, code and "exit %d, %s" % (code, err))
        if good and self.judge and v1oracle.header_version(harness.read_bytes(path)) >= 11:
            verdict = self.judge.read(path)
            good = self.report.check("%s in Go's reader" % name, None if verdict.accepted else verdict.message)
            if good:
                ours = oracle.read_ours(self.program, path)
                self.report.check("%s as in Go's reader" % name, v1oracle.disagreement(verdict, ours))
        return events if good else None

    def part(self, name, trace, whole, findings, from_ns, to_ns):
        out = os.path.join(self.scratch.path, "part.trace")
        code, told, err = cut(self.program, trace, out, from_ns, to_ns)
        end = to_ns or whole[-1][0]
        name = "%s from %d to %d" % (name, from_ns, to_ns)
        inside = [1 for time, _, _ in whole if from_ns <= time <= end]
        if code == 2 and (len(inside) <= 2 or end < begins(whole)):
            return
        if not self.report.check(name, code and "exit %d, %s" % (code, err)):
            return
        events = self.opens(name, out)
        if events is None:
            return
        start = told["start_ns"]
        self.report.check("%s: the same events" % name, unequal(whole, events, start, from_ns, end))
        if from_ns:
            self.report.check("%s: before it" % name, strange(events, start, from_ns))
        if findings:
            self.report.check("%s: the same stays" % name, missing_stay(findings, stays(self.program, out), start, from_ns, end))

    def part_of_part(self, name, trace, whole):
        first, second = os.path.join(self.scratch.path, "first.trace"), os.path.join(self.scratch.path, "second.trace")
        times = [time for time, _, _ in whole]
        at = lambda share: times[int(share * (len(times) - 1))]
        code, told, err = cut(self.program, trace, first, at(0.2), at(0.8))
        if not self.report.check("%s: a part" % name, code and err):
            return
        offset = told["start_ns"]
        code, told, err = cut(self.program, first, second, at(0.4) - offset, at(0.6) - offset)
        if self.report.check("%s: a part of a part" % name, code and err):
            events = self.opens("%s: a part of a part" % name, second)
            self.report.check("%s: a part of a part: the same events" % name, unequal(whole, events or [], offset + told["start_ns"], at(0.4), at(0.6)))

    def anonymous(self, name, trace, whole):
        plain, out = os.path.join(self.scratch.path, "plain.trace"), os.path.join(self.scratch.path, "anonymous.trace")
        low, high = whole[len(whole) // 4][0], whole[3 * len(whole) // 4][0]
        cut(self.program, trace, plain, low, high)
        self.opens("%s: as it is" % name, plain)
        code, _, err = cut(self.program, trace, out, low, high, "--anonymise")
        if not self.report.check("%s: anonymised" % name, code and err):
            return
        mine = self.opens("%s: anonymised" % name, out) or []
        shape = lambda events: [(time, m, text.split("\n")[0].split('="')[0], text.count("\n")) for time, m, text in events]
        self.report.check("%s: anonymised: the same events" % name, None if shape(mine) == shape(read(self.program, plain)[1]) else "others")
        left = [text for text in texts(harness.read_bytes(out)) if text.startswith((b"/", b"main.")) and text in texts(harness.read_bytes(trace)) and not text.startswith((b"main.main", b"main.init"))]
        self.report.check("%s: anonymised: names" % name, "left: %r" % left[:3] if left else None)


def texts(data):
    return {r.text for batch in v1wire.decode(data)[1] for r in batch.records if r.number == v1wire.STRING}


def unused(data):
    """Strings and stacks that nothing in the file names."""
    version, batches = v1wire.decode(data)
    specs = v1wire.specs(version)
    strings, stacks, named, used = set(), set(), set(), set()
    for record in (r for batch in batches for r in batch.records):
        if record.number == v1wire.STRING:
            strings.add(record.values[0])
        elif record.number == v1wire.STACK:
            stacks.add(record.values[0])
            if version >= 7:
                named |= {v for i in range(2, len(record.values), 4) for v in record.values[i + 1:i + 3]}
        else:
            for arg, value in zip(specs[record.number].args, record.values):
                (used if arg in ("stack", "new_stack") else named if arg in ("name", "key", "label") else set()).add(value)
    return len(strings - named) + len(stacks - used)


def traces():
    given = [a for a in sys.argv[2:]]
    for path in given or sorted(glob.glob(os.path.join(harness.DATA, "v1", "*.gz"))):
        yield os.path.basename(path), v1oracle.unpacked(path) if path.endswith(".gz") else harness.read_bytes(path)


def main():
    program, report = harness.program(), harness.Report()
    judge = oracle.go_reader(report)
    held = 0
    with harness.Scratch() as scratch:
        checker = Checker(report, program, judge, scratch)
        for name, data in traces():
            trace = scratch.write("whole.trace", data)
            code, whole, _ = read(program, trace)
            if code:  # times out of order: what is cut out ends there
                continue
            findings = stays(program, trace)
            around = [(max(1, start - 2000000), start + duration + 2000000) for _, _, _, start, duration in sorted(findings, key=repr)[:STAYS]]
            held += len(around)
            for from_ns, to_ns in list(windows(name, whole)) + around:
                checker.part(name, trace, whole, findings, from_ns, to_ns)
            checker.part_of_part(name, trace, whole)
            checker.anonymous(name, trace, whole)
            checker.part("%s, all" % name, trace, whole, findings, 0, 0)
            report.check("%s: tables" % name, "%d entries that nothing names" % unused(harness.read_bytes(os.path.join(scratch.path, "part.trace"))) if unused(harness.read_bytes(os.path.join(scratch.path, "part.trace"))) else None)
    report.check("stays are looked at", None if held >= 10 or len(sys.argv) > 2 else "only %d" % held)
    if judge:
        judge.close()
    report.finish()


if __name__ == "__main__":
    main()
