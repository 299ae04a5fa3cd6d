#!/usr/bin/env python3
"""Goroutine dumps: what is planted in recorded ones (locks.go beside them) is found, in every wording and within a log; beside a trace of the same
process they are evidence; those of another process are not; cut anywhere they never fail.

    test_dumps.py [PROGRAM]
"""
import gzip
import json
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness

DUMPS = os.path.join(harness.DATA, "dumps")
TRACE = os.path.join(harness.DATA, "traces", "lock_convoy-go1.26.8.trace")
PLANTED = {  # file: rule, cause, severity, culprit's function, how many occurrences
    "abba-go1.26": ("deadlock", "lock-cycle", "error", "main.transfer", 2),
    "locked-twice-go1.5": ("deadlock", "locked-twice", "error", "main.(*node).outer", 1),
    "rwlock-go1.26": ("lock-convoy", "holder-blocked", "note", "main.(*store).flush", 8),
    "rwlock-sigquit-system-go1.12": ("lock-convoy", "holder-blocked", "note", "main.(*store).flush", 8),
    "rwlock-debug1-go1.12": ("lock-convoy", "unknown", "note", "main.(*store).get", 1),
    "leak-go1.20": ("goroutine-leak", "blocked-send", "note", "main.leaker", 30),
    "leak-debug1-go1.26": ("goroutine-leak", "unknown", "note", "main.leaker", 1),
    "leak-sigquit-crash-go1.26": ("goroutine-leak", "blocked-send", "note", "main.leaker", 30),
    "lock_convoy-go1.26.8": ("lock-convoy", "holder-blocked", "warning", "main.publishLocked", 15),
}


def run(*args):
    return harness.run_text(PROGRAM, *args)


def diagnose(*files):
    return harness.diagnose(PROGRAM, *files)


def read(name):
    with open(os.path.join(DUMPS, name + ".txt"), encoding="utf-8") as file:
        return file.read()


def outline(diagnosis):
    return [(f["rule"], f["cause"], f["severity"], f["culprit"]["function"], f["count"]) for f in diagnosis["findings"]]


def planted(report):
    for name, expected in sorted(PLANTED.items()):
        path = os.path.join(DUMPS, name + ".txt")
        code, d, err = diagnose(path)
        got = outline(d) if d else err
        report.check(name, None if code == 0 and got == [expected] else "exit %d, %s instead of %s" % (code, got, expected))
        lines = read(name).split("\n")
        for e in (d["findings"][0]["evidence"] if d and d["findings"] else []):
            header = lines[e["line"] - 1]
            who = r"goroutine %d [^\n]*\]:$" % e["goroutine"] if e["goroutine"] else r"\d+ @ |fatal error|goroutine \d+ .*\]:$"
            report.check("%s: line of the step '%s'" % (name, e["step"]), None if re.match(who, header) else "line %s is %r" % (e["line"], header))
            report.check("%s: no time" % name, None if e["at_ns"] is None else "at_ns is %s" % e["at_ns"])


def within_a_log(report, scratch):
    """What a log puts around the lines changes nothing but their numbers; carriage returns and compression neither."""
    text = read("lock_convoy-go1.26.8")
    stamped = "".join("2026-11-23T10:00:%02d host app[7]: %s\n" % (i % 60, line) for i, line in enumerate(text.split("\n")))
    noisy = "".join(line + "\n" + ("level=info msg=\"in between (%d)\"\n" % i if i % 5 == 3 else "") for i, line in enumerate(text.split("\n")))
    forms = {
        "before and after": ("up and running\n" * 20 + "\n" + text + "\nbye\n").encode(),
        "stamped": stamped.encode(),
        "in between": noisy.encode(),
        "carriage returns": text.replace("\n", "\r\n").encode(),
        "packed": gzip.compress(text.encode()),
    }
    for name, data in forms.items():
        _, d, err = diagnose(scratch.write("log", data))
        got = outline(d) if d else err
        report.check("within a log, " + name, None if got == [PLANTED["lock_convoy-go1.26.8"]] else got)


def minutes(report, scratch):
    """With minutes, waits are as long as they say: errors; and those for less than one don't count as leaked."""
    text = read("lock_convoy-go1.26.8").replace("[sync.Mutex.Lock]", "[sync.Mutex.Lock, 3 minutes]").replace("[chan send]", "[chan send, 3 minutes]")
    _, d, _ = diagnose(scratch.write("m", text.encode()))
    f = d["findings"][0]
    report.check("minutes", None if (f["severity"], f["worst_ns"], f["harm_ns"]) == ("error", 180 * 10 ** 9, 15 * 180 * 10 ** 9) else f)
    few = "\n\n".join(text.split("\n\n")[1:4])
    _, d, _ = diagnose(scratch.write("few", few.encode()))
    report.check("two waiters", None if outline(d) == [("goroutine-stuck-waiting", "held-lock", "error", "main.publishLocked", 2)] else outline(d))
    leak = read("leak-go1.20").replace("[chan send]", "[chan send, 2 minutes]")
    _, d, _ = diagnose(scratch.write("l", leak.encode()))
    f = d["findings"][0]
    report.check("leak of minutes", None if (f["severity"], f["confidence"], f["count"]) == ("warning", "likely", 30) else f)
    idle = leak.replace("[chan send", "[chan receive")
    _, d, _ = diagnose(scratch.write("i", idle.encode()))
    f = d["findings"][0]
    report.check("idle workers", None if (f["severity"], f["confidence"]) == ("note", "possible") else f)
    leaked = read("leak-go1.20").replace("[chan send]", "[chan receive (leaked)]")
    _, d, _ = diagnose(scratch.write("g", leaked.encode()))
    f = d["findings"][0]
    report.check("leaked, says the GC", None if (f["severity"], f["confidence"]) == ("warning", "certain") else f)


def beside_a_trace(report, scratch):
    dump = os.path.join(DUMPS, "lock_convoy-go1.26.8.txt")
    _, alone, _ = diagnose(TRACE)
    for files in ((TRACE, dump), (dump, TRACE)):
        _, both, _ = diagnose(*files)
        report.check("the same findings", None if outline(both) == outline(alone) else "%s, alone %s" % (outline(both), outline(alone)))
        steps = [e for f in both["findings"] if f["rule"] == "lock-convoy" for e in f["evidence"] if e["source"].startswith("lock_convoy-go1.26.8.txt")]
        told = {(e["step"], e["goroutine"], e["line"]) for e in steps}
        expected = {("waits", 35, 23), ("holder", 34, 15), ("holder-waits", 34, 15)}
        report.check("evidence of the dump", None if told == expected else "%s instead of %s" % (told, expected))
        report.check("the lock", None if any("0x671b40" in e["what"] for e in steps) else steps)
    other = read("lock_convoy-go1.26.8").replace("main.", "other.")
    _, both, _ = diagnose(TRACE, scratch.write("other", other.encode()))
    convoy = [f for f in both["findings"] if f["culprit"] and f["culprit"]["function"] == "main.publishLocked"]
    steps = [e for f in convoy for e in f["evidence"] if e["line"]]
    report.check("another process is no evidence", None if convoy and not steps else steps)


def cut(report, scratch):
    for name in ("abba-go1.26", "leak-debug1-go1.26", "leak-sigquit-crash-go1.26"):
        text = read(name)
        step = max(1, len(text) // (2000 if harness.HEAVY else 60))
        bad = []
        for n in range(0, len(text), step):
            code, d, err = diagnose(scratch.write("cut", text[:n].encode()))
            if code not in (0, 3) or (code == 0 and d is None):
                bad.append((n, code, err))
        report.check("%s cut anywhere" % name, bad or None)


def stat(report):
    code, out, _ = run("stat", "--format", "json", os.path.join(DUMPS, "lock_convoy-go1.26.8.txt"))
    source = json.loads(out)["sources"][0] if code == 0 else {}
    rows = [(r["goroutines"], r["state"], r["at"], r["line"]) for r in source.get("tables", {}).get("stacks", [])]
    found = (15, "sync.Mutex.Lock", "main.publishLocked lock_convoy.go:19", 23) in rows
    report.check("stat folds similar stacks", None if found else source)


def large(report, scratch):
    """Time grows with the size, not with the number of goroutines alike or different."""
    one = "goroutine %d [sync.Mutex.Lock, 3 minutes]:\nsync.(*Mutex).lockSlow(0xc%09x)\n\t/go/mutex.go:149 +0x1\nmain.f%d(0xc%09x)\n\t/s.go:%d +0x1\ncreated by main.g\n\t/s.go:1\n\n"
    n = 100000 if harness.HEAVY else 20000
    for name, different in (("alike", 1), ("different", n)):
        path = scratch.write("large", "".join(one % (i + 1, i % different * 8, i % different, i % different * 8, i % different) for i in range(n)).encode())
        began = time.monotonic()
        code, _, err = run("diagnose", path)
        took = time.monotonic() - began
        report.check("%d goroutines, %s" % (n, name), None if code == 0 and took < n / 1000 else "exit %d after %.1f s %s" % (code, took, err))


def main():
    report = harness.Report()
    with harness.Scratch() as scratch:
        planted(report)
        within_a_log(report, scratch)
        minutes(report, scratch)
        beside_a_trace(report, scratch)
        cut(report, scratch)
        stat(report)
        large(report, scratch)
    report.finish()


PROGRAM = harness.program()
if __name__ == "__main__":
    main()
