"""Judges of version 1 traces.

Of Go 1.11 to 1.21 it is Go's own reader, as for version 2 (oracle.py). Two things in what it prints differ from run to run, since it
walks over maps: the order of what happens at the same instant on different procs, and the order in which it names the goroutines that
were there before the trace. Both only touch events of no thread (system calls' ends, wake-ups by timers and the network, GC), so
those are compared without regard to order; every real thread's events must be the same to the letter and in the same order.

Of Go 1.5 to 1.10, which no reader since Go 1.22 takes, it is the reader of an older Go (1.11 to 1.21), built from that Go's sources
where they are on this machine. It gives events of the old kind; converted() says what Go's reader would make of them. That
conversion is itself held against Go's on traces that both can read.
"""
import collections
import glob
import gzip
import json
import os
import re
import shutil
import subprocess

import harness
import oracle
import v1wire

LEGACY_REASONS = {
    "GoStop": "forever", "GoSleep": "sleep", "GoBlock": "", "GoBlockSend": "chan send", "GoBlockRecv": "chan receive", "GoBlockSelect": "select",
    "GoBlockSync": "sync", "GoBlockCond": "sync.(*Cond).Wait", "GoBlockNet": "network", "GoBlockGC": "GC mark assist wait for work",
}
NO_TASK = (1 << 64) - 1


def header_version(data):
    """The minor version in a trace's header; None if it has none."""
    found = re.match(rb"go 1\.(\d+) trace", data[:16])
    return int(found[1]) if found else None


# ---- comparing streams

def _loose(theirs, ours, slack):
    """Events of no thread: the same ones at the same times, in whatever order."""
    by = lambda events: {text: sorted(t for t, _ in times) for text, times in _grouped(events).items()}
    a, b = by(theirs), by(ours)
    for text in sorted(set(a) | set(b)):
        show = text[:400].decode("utf-8", "replace")
        if len(a.get(text, ())) != len(b.get(text, ())):
            return "no thread, %d times in Go's, %d in ours: %s" % (len(a.get(text, ())), len(b.get(text, ())), show)
        for x, y in zip(a[text], b[text]):
            if abs(x - y) > slack:
                return "no thread, at %d in Go's, at %d in ours: %s" % (x, y, show)
    return None


def _grouped(events):
    out = collections.defaultdict(list)
    for text, time in events:
        out[text].append((time, text))
    return out


def difference(theirs, ours):
    """Where two streams of a version 1 trace first differ, or None."""
    slack = oracle.SLACK_NS + sum(b"Undetermined->Runnable" in text for text, _ in theirs.threads.get(-1, ()))
    for thread in sorted(set(theirs.threads) | set(ours.threads)):
        a, b = theirs.threads.get(thread, []), ours.threads.get(thread, [])
        if thread == -1:
            where = _loose(a, b, slack)
            if where:
                return where
            continue
        for i, (x, y) in enumerate(zip(a, b)):
            if x[0] != y[0] or abs(x[1] - y[1]) > slack:
                show = lambda e: "Time=%d %s" % (e[1], e[0][:400].decode("utf-8", "replace"))
                return "thread %d, its event %d:\n  Go's: %s\n  ours: %s" % (thread, i, show(x), show(y))
        if len(a) != len(b):
            extra = max(a, b, key=len)[min(len(a), len(b))]
            return "thread %d has %d events in Go's, %d in ours; only there: %s" % (thread, len(a), len(b), extra[0][:300].decode("utf-8", "replace"))
    return None


def disagreement(go, ours):
    """What is wrong with our reading of a version 1 trace, given Go's; None if nothing is."""
    if not go.accepted or ours.code != 0 or go.text == ours.text:
        return oracle.disagreement(go, ours)
    theirs, mine = oracle.Stream(go.text), oracle.Stream(ours.text)
    return "our times go back %d times" % mine.back if mine.back else difference(theirs, mine)


# What Go's reader lets pass and no runtime writes: procs, sweeps and assists of nobody, a system call's end before it was asked for, a wake-up
# of a goroutine that is in one.
_STRICTER = re.compile(r"without a proc|of no goroutine|which is (not )?in a system call")
# From here on numbers stand for something else to Go's reader: any sequence number, or the next; no goroutine in particular, or the collector.
_STAND_FOR = (1 << 64) - 3


def _names_missing_string(version, records):
    """Whether something names a string that is nowhere: Go's reader then may show one of its own words, which get the next numbers."""
    there = {r.values[0] for r in records if r.number == v1wire.STRING} | {0}
    specs = v1wire.specs(version)
    for r in records:
        if r.number == v1wire.STACK:
            named = {v for i in range(2, len(r.values), 4) for v in r.values[i + 1:i + 3]}
        else:
            args = specs[r.number].args if r.number in specs else []
            named = {v for arg, v in zip(args, r.values) if arg in ("name", "key", "label")}
        if named - there:
            return True
    return False


def _differs_rightly(data, go, ours):
    """Why the two may differ on this damaged trace; None where they may not. None of this is in a trace that a runtime wrote."""
    try:
        version, batches = v1wire.decode(data)
    except (ValueError, IndexError):
        return None
    records = [r for batch in batches for r in batch.records]
    specs = v1wire.specs(version)
    has = lambda name: any(r.number == v1wire.NUMBERS[name] for r in records)
    created = collections.Counter(r.values[1] for r in records if r.number == v1wire.NUMBERS["GoCreate"] and len(r.values) > 1)
    passed = go.accepted or go.message.startswith("panic: ")  # while it prints what it let pass
    if passed and ours.code == 4 and _STRICTER.search(ours.message):
        return "we are stricter"
    if passed and ours.code == 0 and _names_missing_string(version, records):
        return "a string that is nowhere"
    if any(value >= _STAND_FOR for r in records if r.number in specs for arg, value in zip(specs[r.number].args, r.values) if arg in ("g", "seq")):
        return "a number that stands for something else in Go's reader"
    if go.accepted and has("GoStartLabel") and not has("Gomaxprocs"):
        return "a label before all that existed has been told"
    if go.message.startswith("unexpected event type 36") and ours.code == 0:
        return "a futile wake-up, which only Go 1.5 wrote, is no error to us"
    if "during syscall exit" in go.message and has("GoSysExitLocal"):
        return "an event that no Go wrote, which Go's reader takes for one of no goroutine"
    if re.search("no consistent ordering|impossible goroutine state transition", go.message) and max(created.values(), default=0) > 1:
        return "a goroutine's number is used again after its end, which we forget"
    if go.accepted and re.search(rb"^M=0 ", go.text, re.M) and not re.search(rb"^M=0 ", ours.text, re.M):
        return "an event of a proc that never started, which Go's reader puts on thread 0"
    return None


def verdict(judges, path, data, go, ours):
    """Go's reading of a damaged trace, and what is wrong with ours. Where the two disagree Go is asked again, some times: of a trace that
    depends on which of two procs' events at one instant comes first, it says now this and now that."""
    trouble = disagreement(go, ours)
    for _ in range(8 if trouble else 0):
        again = judges.read(path)
        if disagreement(again, ours) is None:
            return again, None
    crashed = ours.code is None or ours.code not in (0, 3, 4)
    return go, trouble if trouble and (crashed or not _differs_rightly(data, go, ours)) else None


def figures(stream):
    """oracle.Stream.figures(), but the events of no thread in an order that doesn't vary."""
    plain = oracle.Stream(b"")
    plain.__dict__.update(stream.__dict__, threads=dict(stream.threads))
    plain.threads[-1] = sorted(stream.threads.get(-1, ()))
    return plain.figures()


def unpacked(path):
    """A file's bytes, unpacked if they are gzip."""
    with open(path, "rb") as file:
        data = file.read()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


# ---- the reader of an old Go

def _roots():
    """GOROOTs of Go 1.11 to 1.21 on this machine, newest first: STWATCH_OLD_GOROOT, and what the module cache has."""
    given = [os.environ["STWATCH_OLD_GOROOT"]] if os.environ.get("STWATCH_OLD_GOROOT") else []
    code, out, _ = oracle.run(["go", "env", "GOMODCACHE"])
    found = []
    for path in glob.glob(os.path.join(out.decode().strip(), "golang.org", "toolchain@v0.0.1-go1.*")) if code == 0 else ():
        minor = re.search(r"-go1\.(\d+)", path)
        if minor and 11 <= int(minor[1]) <= 21:
            found.append((int(minor[1]), path))
    return given + [path for _, path in sorted(found, reverse=True)]


class OldReader:
    """The reader of Go 1.11 to 1.21; oracle.Unavailable where its sources are not on this machine."""

    def __init__(self):
        if not shutil.which("go"):
            raise oracle.Unavailable("no Go installed")
        roots = [r for r in _roots() if os.path.exists(os.path.join(r, "src", "internal", "trace", "parser.go"))]
        if not roots:
            raise oracle.Unavailable("no sources of Go 1.11 to 1.21 here (set STWATCH_OLD_GOROOT, or `go mod download golang.org/toolchain@v0.0.1-go1.21.13.linux-amd64`)")
        self.root = roots[0]
        folder = os.path.join(os.path.dirname(harness.program()), "test-tools", "oldreader-src")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(os.path.join(folder, "trace"))
        ours = os.path.join(harness.SOURCE, "tests", "support", "oldreader")
        for source, to in ((os.path.join(ours, "dump.go.in"), "trace/dump.go"), (os.path.join(ours, "main.go.in"), "main.go"),
                           (os.path.join(self.root, "src", "internal", "trace", "parser.go"), "trace/parser.go"),
                           (os.path.join(self.root, "src", "internal", "trace", "order.go"), "trace/order.go")):
            shutil.copyfile(source, os.path.join(folder, to))
        with open(os.path.join(folder, "go.mod"), "w", encoding="ascii") as file:
            file.write("module stwatch.test/oldreader\n\ngo 1.21\n")
        self.path = os.path.join(os.path.dirname(folder), "oldreader")
        code, _, err = oracle.run(["go", "build", "-C", folder, "-o", self.path, "."], timeout=300)
        if code != 0:
            raise oracle.Unavailable("building the reader of %s: %s" % (self.root, err.decode("utf-8", "replace")[-300:]))

    def read(self, trace, by_pc=False, futile=True):
        """A Reading of its events, converted. by_pc: with one frame for each pc, the first that is told, as Go's reader has it since
        1.22. futile: with wake-ups that the old tool left out."""
        code, out, err = oracle.run([self.path] + (["-futile"] if futile else []) + [trace])
        message = err.decode("utf-8", "replace").strip().splitlines()
        panic = [line for line in message if line.startswith("panic: ")]
        if code != 0:
            return oracle.Reading(False, b"", (panic or message or [""])[0], code)
        lines = out.decode("utf-8", "replace").splitlines()
        head = json.loads(lines[0])
        stacks = {at: head["Stacks"][str(at)] or [] for at in head["Order"] or ()}
        if by_pc:
            frames = {}
            stacks = {at: [frames.setdefault(f["PC"], f) for f in stack] for at, stack in stacks.items()}
        return oracle.Reading(True, converted(head["Version"] - 1000, stacks, [json.loads(line) for line in lines[1:]]), "", 0)


# ---- old events as Go's reader shows them

def _quoted(text):
    return json.dumps(text, ensure_ascii=False)


class _Printer:
    def __init__(self, stacks):
        self.stacks, self.out, self.last = stacks, [], -1

    def stack(self, title, frames):
        lines = ["", title + "="]
        for f in frames:
            lines += ["\t%s @ 0x%x" % (f["Fn"], f["PC"]), "\t\t%s:%d" % (f["File"], f["Line"])]
        return "\n".join(lines) + "\n"

    def put(self, m, p, g, kind, time, text, transition=None, stack=None):
        """transition, stack: ids; None: there is none to print, 0: an empty one in a transition, none elsewhere."""
        time = max(time, self.last + 1) if self.out else time
        self.last = time
        line = "M=%d P=%d G=%d %s Time=%d %s" % (m, p, g, kind, time, text) if text else "M=%d P=%d G=%d %s Time=%d" % (m, p, g, kind, time)
        if transition is not None:
            line += self.stack("TransitionStack", self.stacks.get(transition, ()))
        if stack:
            line += self.stack("Stack", self.stacks.get(stack, ()))
        self.out.append(line.rstrip() + "\n")


def _blocked_calls(events):
    """The places of system calls whose goroutine's next event says that they blocked."""
    blocked, following = set(), {}
    for i in range(len(events) - 1, -1, -1):
        e = events[i]
        if e["Type"] == "GoSysCall" and following.get(e["G"]) == "GoSysBlock":
            blocked.add(i)
        following[e["G"]] = e["Type"]
    return blocked


def _stop_name(version, event):
    if version < 21:
        return {0: "GC mark termination", 1: "GC sweep termination"}.get(event["Args"][0], "")
    name = (event["SArgs"] or [""])[0]
    return "" if name == "unknown" else "all goroutine stack trace" if name == "all goroutines stack trace" else name


def converted(version, stacks, events):
    """The text that Go's reader would print for these events."""
    out, blocked = _Printer(stacks), _blocked_calls(events)
    out.put(-1, -1, -1, "Sync", -1, "N=1")
    early, runnable_early = True, []
    threads, seen, tasks, stop = {}, set(), {}, ""
    transition = lambda what, where, frm, to, reason="": "%s=%d %s->%s Reason=%s" % (what, where, frm, to, _quoted(reason))
    for i, e in enumerate(events):
        kind, p, args, time = e["Type"], e["P"], e["Args"], e["Ts"]
        g = e["G"] or -1
        stk = e["StkID"] if e["StkID"] in stacks else 0
        m = threads.get(p, -1) if p != -1 else -1
        put = lambda k, text, t=None, s=stk: out.put(m, p, g, k, time, text, t, s)
        move = lambda frm, to, reason="", t=None, s=stk, who=g: out.put(m, p, g, "StateTransition", time, transition("GoID", who, frm, to, reason), t, s)
        if kind == "Gomaxprocs":
            if early:
                early = False
                for one in runnable_early:
                    out.put(-1, -1, -1, "StateTransition", time, transition("GoID", one, "Undetermined", "Runnable"))
            else:
                put("Metric", 'Name="/sched/gomaxprocs:threads" Value=Value{Uint64(%d)}' % args[0])
        elif kind in ("ProcStart", "ProcStop"):
            if kind == "ProcStart":
                m = threads[p] = args[0]
            frm = ("Idle" if kind == "ProcStart" else "Running") if p in seen else "Undetermined"
            put("StateTransition", transition("ProcID", p, frm, "Running" if kind == "ProcStart" else "Idle"))
            seen.add(p)
            if kind == "ProcStop":
                threads.pop(p, None)
        elif kind in ("GCStart", "GCDone"):
            put("RangeBegin" if kind == "GCStart" else "RangeEnd", 'Name="GC concurrent mark phase" Scope=None%s' % (" Attributes=[]" if kind == "GCDone" else ""))
        elif kind in ("STWStart", "GCSTWStart"):
            stop = _stop_name(version, e)
            put("RangeBegin", 'Name="stop-the-world (%s)" Scope=Goroutine(%d)' % (stop, g))
        elif kind in ("STWDone", "GCSTWDone"):
            put("RangeEnd", 'Name="stop-the-world (%s)" Scope=Goroutine(%d) Attributes=[]' % (stop, g))
        elif kind == "GCSweepStart":
            put("RangeBegin", 'Name="GC incremental sweep" Scope=Proc(%d)' % p)
        elif kind == "GCSweepDone":
            put("RangeEnd", 'Name="GC incremental sweep" Scope=Proc(%d) Attributes=["bytes swept"=Value{Uint64(%d)} "bytes reclaimed"=Value{Uint64(%d)}]' % (p, args[0], args[1]))
        elif kind == "GCMarkAssistStart":
            put("RangeBegin", 'Name="GC mark assist" Scope=Goroutine(%d)' % g)
        elif kind == "GCMarkAssistDone":
            put("RangeEnd", 'Name="GC mark assist" Scope=Goroutine(%d) Attributes=[]' % g)
        elif kind == "GoCreate":
            if early:
                runnable_early.append(args[0])
            else:
                move("NotExist", "Runnable", t=args[1], who=args[0])
        elif kind in ("GoStart", "GoStartLabel"):
            if early and kind == "GoStart":
                move("Undetermined", "Running", s=None, who=args[0])
                if args[0] in runnable_early:
                    runnable_early.remove(args[0])
            else:
                move("Runnable", "Running", s=None, who=args[0])
            if kind == "GoStartLabel":
                put("Label", "Label=%s Resource=Goroutine(%d)" % (_quoted(e["SArgs"][0]), g), s=None)
        elif kind == "GoEnd":
            move("Running", "NotExist")
        elif kind in ("GoSched", "GoPreempt"):
            move("Running", "Runnable", "runtime.Gosched" if kind == "GoSched" else "preempted", t=stk or None)
        elif kind in LEGACY_REASONS:
            move("Running", "Waiting", LEGACY_REASONS[kind], t=stk or None)
        elif kind == "GoUnblock":
            move("Waiting", "Runnable", who=args[0])
        elif kind == "GoSysCall":
            move("Running", "Syscall", t=stk or None)
            if i not in blocked:
                out.put(m, p, g, "StateTransition", time + 1, transition("GoID", g, "Syscall", "Running"))
        elif kind == "GoSysExit":
            move("Syscall", "Runnable")
        elif kind in ("GoWaiting", "GoInSyscall"):
            move("Undetermined", "Waiting" if kind == "GoWaiting" else "Syscall", who=args[0])
            if args[0] in runnable_early:
                runnable_early.remove(args[0])
        elif kind in ("HeapAlloc", "HeapGoal", "NextGC"):
            put("Metric", 'Name="%s" Value=Value{Uint64(%d)}' % ("/memory/classes/heap/objects:bytes" if kind == "HeapAlloc" else "/gc/heap/goal:bytes", args[0]))
        elif kind == "UserTaskCreate":
            tasks[args[0]] = (args[1], e["SArgs"][0])
            put("TaskBegin", "ID=%d Parent=%d Type=%s" % (args[0], args[1] or NO_TASK, _quoted(e["SArgs"][0])))
        elif kind == "UserTaskEnd":
            parent, name = tasks.pop(args[0], (NO_TASK, ""))
            put("TaskEnd", "ID=%d Parent=%d Type=%s" % (args[0], parent, _quoted(name)))
        elif kind == "UserRegion":
            put("RegionEnd" if args[1] else "RegionBegin", "Task=%d Type=%s" % (args[0], _quoted(e["SArgs"][0])))
        elif kind == "UserLog":
            put("Log", "Task=%d Category=%s Message=%s" % (args[0], _quoted(e["SArgs"][0]), _quoted(e["SArgs"][1])))
        elif kind == "CPUSample":
            out.put(-1, p, g, "StackSample", time, "", None, stk)
        # GoSysBlock and FutileWakeup: nothing
    out.put(-1, -1, -1, "Sync", out.last + 1, "N=2")
    return "\n".join(out.out).encode("utf-8")
