"""Go's own reader as the judge of ours.

Two ways to ask it: GoTool starts `go tool trace -d=parsed` for each trace (needs Go 1.26 or later, nothing else); GoReader keeps one
process that reads many (tests/support/goreader, needs the Go module proxy or its cache once).

What "the same" means: the trace fixes the order of events on each thread; which of two threads comes first at one instant is the
reader's choice, and shifts times by a few ns, because emitted times strictly increase. So the events of each thread must be the same
to the letter, their times within SLACK_NS, and our times must never go back. A rejected trace must be rejected with a message, and
what was printed before must agree as far as both printed.
"""
import hashlib
import json
import os
import re
import select
import shutil
import subprocess
import threading

import harness
import tracewire

SLACK_NS = 200
TIMEOUT_S = 120
LINE = re.compile(rb"M=(-?\d+) (.*?) Time=(-?\d+)(.*)", re.S)
ENV = dict(os.environ, TZ="UTC", GOTOOLCHAIN="local", GOWORK="off", GOFLAGS="")


class Unavailable(Exception):
    """The judge can't be asked here; says why."""


class Reading:
    """What a reader made of a trace."""

    def __init__(self, accepted, text, message, code=None, early=False):
        self.accepted, self.text, self.message, self.code = accepted, text, message, code
        self.early = early  # Go's reader took an error for the end of the trace, and left the rest unread


def _last_line(raw):
    lines = raw.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else ""


def run(command, timeout=TIMEOUT_S):
    """(exit code or None if it had to be killed, stdout, stderr)"""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENV, timeout=timeout)
    except subprocess.TimeoutExpired as late:
        return None, late.stdout or b"", b"did not end within %d s" % timeout
    return done.returncode, done.stdout, done.stderr


def go_version():
    """The minor version of the installed Go; Unavailable without one."""
    if not shutil.which("go"):
        raise Unavailable("no Go installed")
    code, out, err = run(["go", "env", "GOVERSION"])
    found = re.match(rb"go1\.(\d+)", out)
    if code != 0 or not found:
        raise Unavailable("`go env GOVERSION` says %r" % (out or err))
    return int(found[1])


class GoTool:
    """`go tool trace -d=parsed`, by the path of the tool itself, which saves the start of `go`."""

    def __init__(self):
        if go_version() < 26:
            raise Unavailable("Go 1.26 or later is needed to read every header")
        code, out, err = run(["go", "tool", "-n", "trace"])
        self.path = out.decode().strip()
        if code != 0 or not self.path:
            raise Unavailable("`go tool -n trace`: %s" % _last_line(err))
        if not os.access(self.path, os.X_OK):  # built when first used
            run(["go", "tool", "trace", "-d=parsed", os.devnull])
        self.command = [self.path] if os.access(self.path, os.X_OK) else ["go", "tool", "trace"]

    def read(self, trace):
        code, out, err = run(self.command + ["-d=parsed", trace])
        if code is None:
            raise Unavailable("Go's tool hangs on %s" % trace)
        panic = re.search(rb"^panic: .*", err, re.M)
        return Reading(code == 0, out, panic[0].decode("utf-8", "replace") if panic else _last_line(err), code)


class GoReader:
    """Go's reader as a library, in a process that reads one trace after another."""

    def __init__(self):
        if go_version() < 26:
            raise Unavailable("Go 1.26 or later is needed to read every header")
        source = os.path.join(harness.SOURCE, "tests", "support", "goreader")
        folder = os.path.join(os.path.dirname(harness.program()), "test-tools")
        os.makedirs(folder, exist_ok=True)
        self.path = os.path.join(folder, "goreader")
        fresh = "%s.%d.%d" % (self.path, os.getpid(), threading.get_ident())
        code, _, err = run(["go", "build", "-C", source, "-trimpath", "-o", fresh, "."], timeout=300)
        if code != 0:
            raise Unavailable("building tests/support/goreader: %s" % _last_line(err))
        os.replace(fresh, self.path)
        self.process = None

    def close(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
            self.process = None

    def _exactly(self, size):
        data = self.process.stdout.read(size)
        if len(data) != size:
            raise EOFError
        return data

    def read(self, trace):
        if not self.process:
            self.process = subprocess.Popen([self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=dict(ENV, GOMEMLIMIT="1GiB"))
        try:
            self.process.stdin.write(os.fsencode(trace) + b"\n")
            self.process.stdin.flush()
            if not select.select([self.process.stdout], [], [], TIMEOUT_S)[0]:
                raise EOFError
            verdict = json.loads(self.process.stdout.readline() or b"null")
            if verdict is None:
                raise EOFError
            text = self._exactly(verdict["bytes"])
        except (EOFError, BrokenPipeError):
            self.close()  # it ran out of memory or hangs: no verdict that could be held against anybody
            raise Unavailable("Go's reader died on %s" % trace) from None
        message = ("panic: " if verdict["panicked"] else "") + verdict["error"]
        if verdict["early"]:
            # A table that is cut between two numbers makes the reader return io.EOF, which everybody takes for the end of the trace.
            # That is an accident of its own: bytes were lost, and we say so.
            return Reading(False, text, "ends early", early=True)
        return Reading(verdict["accepted"], text, message)


def go_reader(report):
    """Go's reader; None where there is none, which the report then says."""
    try:
        return GoReader()
    except Unavailable as why:
        report.note("not held against Go's reader: %s" % why)
        return None


def read_ours(program, trace, timeout=TIMEOUT_S):
    code, out, err = run([program, "events", "--format", "go", trace], timeout)
    return Reading(code == 0, out, _last_line(err), code)


def lost_generations(data, reading):
    """How many of a trace's generations Go's reader left out without a word: it says Sync once for each, and once at the end."""
    try:
        numbers, ended = [], True
        for batch in tracewire.batches(data):
            if batch.kind == "EndOfGeneration":
                ended = True
            elif ended or batch.gen != numbers[-1]:
                numbers.append(batch.gen)
                ended = False
    except (ValueError, IndexError):
        return 0
    return len(numbers) + 1 - len(re.findall(rb"^M=-1 P=-1 G=-1 Sync ", reading.text, re.M))


class Stream:
    """Printed events, by thread."""

    def __init__(self, text):
        self.threads = {}   # thread: [(event without its time, time)]
        self.count = 0
        self.back = 0       # how often time went back
        self.first = self.last = None
        self.sum = 0
        for block in re.split(rb"^(?=M=)", text, flags=re.M):
            found = LINE.match(block.rstrip())
            if not found:
                continue
            time = int(found[3])
            self.threads.setdefault(int(found[1]), []).append((found[2] + found[4], time))
            self.back += self.last is not None and time < self.last
            self.first = time if self.first is None else self.first
            self.last = time
            self.sum += time
            self.count += 1

    def figures(self):
        """What can be kept of a stream without keeping it: the number of events, a hash over every thread's events without their times
        (which may differ a little), and the times of the first, the last and on average."""
        digest = hashlib.sha256()
        for thread in sorted(self.threads):
            digest.update(b"thread %d\n" % thread)
            for event, _ in self.threads[thread]:
                digest.update(event + b"\n")
        mean = self.sum // self.count if self.count else 0
        return {"events": self.count, "sha256": digest.hexdigest(), "first_ns": self.first, "last_ns": self.last, "mean_ns": mean}


def difference(theirs, ours, prefix):
    """Where two streams first differ, or None. With prefix, one may be longer than the other."""
    for thread in sorted(set(theirs.threads) | set(ours.threads)):
        a, b = theirs.threads.get(thread, []), ours.threads.get(thread, [])
        for i, (x, y) in enumerate(zip(a, b)):
            if x[0] != y[0] or abs(x[1] - y[1]) > SLACK_NS:
                show = lambda e: "Time=%d %s" % (e[1], e[0][:400].decode("utf-8", "replace"))
                return "thread %d, its event %d:\n  Go's: %s\n  ours: %s" % (thread, i, show(x), show(y))
        if not prefix and len(a) != len(b):
            extra = max(a, b, key=len)[min(len(a), len(b))]
            return "thread %d has %d events in Go's, %d in ours; only there: %s" % (thread, len(a), len(b), extra[0][:300].decode("utf-8", "replace"))
    return None


def disagreement(go, ours):
    """What is wrong with our reading of a trace, given Go's; None if nothing is."""
    if ours.code is None or ours.code < 0 or ours.code > 5:
        return "ours ended with %s: %s" % (ours.code, ours.message)
    if go.accepted:
        if ours.code != 0:
            return "Go accepts it; ours: exit %s, %s" % (ours.code, ours.message)
        if go.text == ours.text:
            return None
        theirs, mine = Stream(go.text), Stream(ours.text)
        if mine.back:
            return "our times go back %d times" % mine.back
        return difference(theirs, mine, prefix=False)
    # A panic is no judgement: it comes from printing what the reader let pass (an unknown experiment, a sample's unknown stack), and
    # such things we may show.
    panicked = go.message.startswith("panic: ")
    if ours.code not in ((0, 3, 4) if panicked else (3, 4)):
        return "Go rejects it (%s); ours: exit %s, %s" % (go.message, ours.code, ours.message)
    if ours.code != 0 and not ours.message:
        return "Go rejects it (%s); ours does so without a word" % go.message
    if go.text.startswith(ours.text) or ours.text.startswith(go.text):
        longer = max(go.text, ours.text, key=len)
        return None if longer is go.text or not Stream(ours.text).back else "our times go back"
    theirs, mine = Stream(go.text), Stream(ours.text)
    if mine.back:
        return "our times go back %d times" % mine.back
    return difference(theirs, mine, prefix=True)


def figures_disagree(want, got):
    """The same by figures alone, for machines without Go."""
    if want["events"] != got["events"]:
        return "%d events, %d expected" % (got["events"], want["events"])
    if want["sha256"] != got["sha256"]:
        return "the number of events is right, but not what they say"
    for name in ("first_ns", "last_ns", "mean_ns"):
        if (want[name] is None) != (got[name] is None) or want[name] is not None and abs(want[name] - got[name]) > SLACK_NS:
            return "%s is %s, %s expected" % (name, got[name], want[name])
    return None
