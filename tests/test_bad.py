#!/usr/bin/env python3
"""The damaged and odd files of tests/data/bad and tests/data/v1/bad, each through every command: the exit code that it must give, what must be said of it, and how
many events must be read; nothing crashes, hangs or takes much memory.

    test_bad.py [PROGRAM]
"""
import gzip
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness

# What Go 1.26 wrote: 613 events; in four generations: 877. Of Go 1.20: 479.
# file: exit code, what standard error says (a regular expression; "": nothing), events at least and at most
TABLE = {
    "bad/batch-too-big.trace": (4, r"at byte 16: invalid batch size 1073741824 .*9 bytes up to byte 25 can't be read", 613, 613),
    "bad/batches-regrouped.trace": (0, "", 877, 877),
    "bad/batches-shuffled.trace": (0, "", 877, 877),
    "bad/empty.trace": (3, r"at byte 0: the file is empty", 0, 0),
    "bad/first-gen-missing.trace": (0, "", 419, 419),
    "bad/future-version.trace": (3, r"at byte 3: trace format go 1.99 is not known", 0, 0),
    "bad/gen3-cut-mid.trace": (4, r"the input ends within a batch", 622, 877),
    "bad/gzipped.trace": (0, "", 613, 613),
    "bad/header-part.trace": (3, r"at byte 7: the header is cut", 0, 0),
    "bad/nottrace-json.trace": (3, r"not a Go execution trace: it seems to be JSON", 0, 0),
    "bad/nottrace-pprof.trace": (3, r"not a Go execution trace", 0, 0),
    "bad/nottrace-text.trace": (3, r"not a Go execution trace: it seems to be GODEBUG=schedtrace output", 0, 0),
    "bad/odd-version.trace": (3, r"at byte 3: trace format go 1.24 is not known", 0, 0),
    "bad/trailing-garbage.trace": (4, r"at byte 8823: .*27 bytes up to byte 8850 can't be read", 613, 613),
    "bad/twice.trace": (4, r"left out|exists already", 613, 613),
    "bad/v2-cut-in-batch.trace": (4, r"the head of a batch is cut", 470, 480),
    "bad/v2-flip1.trace": (4, r"invalid status 6 for goroutine 2", 590, 620),
    "bad/v2-flip3.trace": (4, r"found event type 139", 570, 620),
    "bad/v2-flip40.trace": (4, r"found event type 15 where a stack was expected", 450, 620),
    "bad/v2-header-only.trace": (0, "", 1, 1),
    "bad/v2-zeros.trace": (4, r"found event type 0 where a batch was expected", 470, 613),
    "bad/varint-overlong.trace": (4, r"at byte 16: .*overflows 64 bits", 613, 613),
    "v1/bad/cut.trace": (4, r"the file ends within a string", 470, 479),
    "v1/bad/flip1.trace": (4, r"lost", 470, 485),
    "v1/bad/flip3.trace": (4, r"an event has the wrong number of values", 470, 485),
    "v1/bad/flip40.trace": (4, r"298 bytes are lost, up to the next batch at byte 1952", 350, 490),
    "v1/bad/header-only.trace": (4, r"no frequency: the file is cut before its end", 1, 1),
    "v1/bad/string-huge.trace": (4, r"a string has an invalid length", 470, 485),
}
EMPTY = ("bad/v2-header-only.trace", "v1/bad/header-only.trace")
# By command: the exit codes of some that are not the file's.
INDEX = {"bad/gzipped.trace": 2, "bad/v2-header-only.trace": 2}
CUT = {"bad/v2-header-only.trace": 2}
PROFILES = {"bad/nottrace-pprof.trace": 0}  # is read as what it is
COMMANDS = {
    ("diagnose",): PROFILES,
    ("diagnose", "--format", "markdown"): PROFILES,
    ("diagnose", "--follow"): PROFILES,
    ("stat",): PROFILES,
    ("stat", "--follow"): PROFILES,
    ("events",): {},
    ("events", "--format", "jsonl"): {},
    ("events", "--follow"): {},
    ("events", "--format", "go"): {"bad/gzipped.trace": 3},
    ("states",): {},
    ("states", "--format", "mermaid"): {},
    ("path",): {},
    ("path", "--goroutine", "1"): {name: 2 for name in EMPTY},
    ("profile", "--type", "sync", "-o", os.devnull): {},
    ("index", "--cache"): INDEX,
    ("cut", "-o", "OUT"): CUT,
    ("cut", "--anonymise", "-o", "OUT"): {"bad/v2-header-only.trace": 2},
}


def run(args, data=None, scratch=None):
    environment = {**os.environ, "XDG_CACHE_HOME": scratch} if scratch else None
    return subprocess.run([PROGRAM, *args], input=data, capture_output=True, timeout=120, env=environment)


def commands(report, name, scratch):
    code, said, _, _ = TABLE[name]
    path, out = os.path.join(harness.DATA, name), os.path.join(scratch.path, "out")
    for command, others in COMMANDS.items():
        if command[0] == "profile" and "pprof" not in run(("--version",)).stdout.decode():
            continue
        done = run([out if a == "OUT" else a for a in command] + ["--memory", "64M", path], scratch=scratch.path)
        want, err = others.get(name, code), done.stderr.decode("utf-8", "replace")
        trouble = None if done.returncode == want else "exit %d, not %d: %s" % (done.returncode, want, err)
        if want and want == code and not trouble and command[0] not in ("index", "cut", "path") and "go" not in command and not re.search(said, err):
            trouble = "says %r" % err
        if want and not (err.startswith("stwatch: " + path) or err.startswith("stwatch: " + os.path.basename(path))):
            trouble = trouble or "says %r" % err
        report.check("%s of %s" % (" ".join(command), name), trouble)
        if command[0] == "cut" and os.path.exists(out):
            again = run(("events", "--format", "go", out))
            report.check("%s of %s is sound" % (" ".join(command), name), None if again.returncode == 0 else again.stderr)
            os.remove(out)


def contents(report, name):
    code, _, least, most = TABLE[name]
    path = os.path.join(harness.DATA, name)
    lines = run(("events", path)).stdout.count(b"\n")
    report.check("events in " + name, None if least <= lines <= most else "%d, %d to %d expected" % (lines, least, most))
    if code == 3:
        return
    done = run(("diagnose", "--format", "json", path))
    about = json.loads(done.stdout)["inputs"][0]
    report.check("figures of " + name, None if least <= about["events"] <= most and about["complete"] == (code == 0) == (not about["problems"]) else about)
    piped = run(("events", "-"), harness.read_bytes(path))
    report.check("%s by a pipe" % name, None if piped.returncode == code and piped.stdout.count(b"\n") == lines else piped.stderr)
    packed = run(("events", "-"), gzip.compress(harness.read_bytes(path)))
    report.check("%s packed" % name, None if packed.stdout == piped.stdout or name == "bad/gzipped.trace" else packed.stderr)


def same_answers(report):
    """What differs in the order of its batches only is the same trace."""
    answer = lambda name: {k: v for k, v in json.loads(run(("diagnose", "--format", "json", os.path.join(harness.DATA, name))).stdout).items() if k in ("summary", "findings", "limits")}
    for name, original in (("bad/batches-shuffled.trace", "traces/lock_convoy-3gen-go1.26.8.trace"), ("bad/batches-regrouped.trace", "traces/lock_convoy-3gen-go1.26.8.trace"),
                           ("bad/gzipped.trace", "traces/lock_convoy-go1.26.8.trace"), ("bad/trailing-garbage.trace", "traces/lock_convoy-go1.26.8.trace")):
        one, other = (json.dumps(answer(n)).replace(os.path.basename(n), "FILE") for n in (name, original))
        report.check(name + " is " + original, None if one == other else "not the same")


def main():
    report = harness.Report()
    there = {top + "/" + n for top in ("bad", "v1/bad") for n in os.listdir(os.path.join(harness.DATA, top))}
    report.check("the table names all files", sorted(there ^ set(TABLE)) or None)
    with harness.Scratch() as scratch:
        for name in TABLE:
            commands(report, name, scratch)
            contents(report, name)
    same_answers(report)
    report.finish()


if __name__ == "__main__":
    PROGRAM = harness.program()
    main()
