#!/usr/bin/env python3
"""GODEBUG output: logs of programs with a planted fault are diagnosed alone, those of healthy ones are not; in other wrappings and with other processes' lines in
between they say the same; beside a trace of the same process queues are known, of another one they are not used; cut anywhere they never fail.

    test_godebug.py [PROGRAM]
"""
import glob
import json
import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness

LOGS = os.path.join(harness.DATA, "godebug")
PLANTED = {  # log: what must be found (rule, cause, at least this severity), whatever else is
    "backlog-go1.14.15": ("runqueue-backlog", "saturation", "error"),
    "calls-go1.9.7": ("goroutine-stuck-syscall", "thread-growth", "warning"),
    "stuck-calls-detail-go1.26.8": ("goroutine-stuck-syscall", "blocking-call", "note"),
    "non-preemptible-detail-go1.10.8": ("non-preemptible", "no-preemption-point", "error"),
    "non-preemptible-go1.5.4": ("stw-prolonged", "unknown", "error"),
    "storm-json-go1.9.7": ("allocation-starvation", "allocation", "warning"),
    "storm-pacer-go1.18.10": ("allocation-starvation", "allocation", "warning"),
}
LEVELS = ["note", "warning", "error"]
PAIR = (os.path.join(LOGS, "burst-go1.18.10.trace.gz"), os.path.join(LOGS, "burst-go1.18.10.log"))
QUEUE_LIMIT = "can't be told apart"


def run(*args):
    return harness.run_text(PROGRAM, *args)


def diagnose(*files):
    return harness.diagnose(PROGRAM, *files)


def read(name):
    with open(os.path.join(LOGS, name + ".log"), encoding="utf-8") as file:
        return file.read()


def outline(diagnosis):
    return [(f["rule"], f["cause"], f["severity"], f["count"], f["worst_ns"]) for f in diagnosis["findings"]]


def with_log(text, use):
    with tempfile.NamedTemporaryFile("w", suffix=".log", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        return use(file.name)


def planted(report):
    for name, (rule, cause, least) in sorted(PLANTED.items()):
        code, d, err = diagnose(os.path.join(LOGS, name + ".log"))
        found = [f for f in (d or {}).get("findings", []) if (f["rule"], f["cause"]) == (rule, cause) and LEVELS.index(f["severity"]) >= LEVELS.index(least)]
        report.check(name, None if code == 0 and found else "exit %d, %s" % (code, outline(d) if d else err))
        lines = read(name).split("\n")
        for f in (d or {}).get("findings", []):
            wrong = [e for e in f["evidence"] if not e["line"] or not re.search(r"SCHED|gc \d", lines[e["line"] - 1]) or e["at_ns"] is not None]
            report.check("%s: each step of %s has its line and no time of a trace" % (name, f["rule"]), wrong and str(wrong[0]) or None)
            report.check("%s: nothing of %s is certain" % (name, f["rule"]), None if f["confidence"] in ("likely", "possible") else f["confidence"])
            report.check("%s: no time is made up for %s" % (name, f["rule"]), None if f["start_ns"] is None and f["end_ns"] is None else str(f["start_ns"]))


def healthy(report):
    for path in sorted(glob.glob(os.path.join(LOGS, "healthy-*.log"))):
        code, d, err = diagnose(path)
        loud = [f["title"] for f in (d or {}).get("findings", []) if f["severity"] != "note"]
        report.check(os.path.basename(path), None if code == 0 and not loud else "exit %d, %s %s" % (code, loud, err))
    code, out, err = run("diagnose", os.path.join(LOGS, "healthy-fanout-go1.26.8.log"))
    report.check("nothing wrong is said, and what was looked at", None if code == 0 and "nothing wrong found" in out else out)


def wrapped(report):
    name = "backlog-go1.14.15"
    text = read(name)
    expected = outline(diagnose(os.path.join(LOGS, name + ".log"))[1])
    other = read("healthy-http-go1.22.12").split("\n")
    mixed = []
    for i, line in enumerate(text.split("\n")):
        mixed += ["web_1  | " + line] + ["web_2  | " + o for o in other[3 * i:3 * i + 3]]
    wrappings = {
        "in a container's log": "".join(json.dumps({"log": line + "\n", "stream": "stderr"}).replace(">", "\\u003e") + "\n" for line in text.splitlines()),
        "behind times": "".join("2026/11/29 08:%02d:%02d.%06d server: %s\n" % (i // 60, i % 60, i, line) for i, line in enumerate(text.splitlines())),
        "as journald has it": "".join("Nov 29 08:01:%02d host server[4711]: %s\n" % (i % 60, line) for i, line in enumerate(text.splitlines())),
        "with Windows' ends of lines": text.replace("\n", "\r\n"),
        "with another process": "\n".join(mixed),
        "with a torn line": text + "SCHED 99999ms: gomaxprocs=2 idleprocs=0 thre\ngc 7 @1.0s 3%: 0.01+hello\n",
    }
    for what, wrapping in wrappings.items():
        d = with_log(wrapping, diagnose)[1]
        report.check(what, None if d and outline(d) == expected else "%s instead of %s" % (d and outline(d), expected))


def beside_a_trace(report):
    code, d, err = diagnose(*PAIR)
    backlog = [f for f in d["findings"] if f["rule"] == "runqueue-backlog"] if d else []
    report.check("the trace's backlog is found once", None if code == 0 and len(backlog) == 1 else "exit %d, %s" % (code, outline(d) if d else err))
    lines = open(PAIR[1], encoding="utf-8").read().split("\n")
    steps = [e for e in backlog[0]["evidence"] if e["step"] == "queues"] if backlog else []
    report.check("samples are its evidence", None if steps else "no step")
    for e in steps:
        line = lines[e["line"] - 1]
        told = (int(re.search(r" runqueue=(\d+)", line)[1]), sum(map(int, re.search(r"\[([\d ]+)\]", line)[1].split())))
        got = (e["values"]["queue_global"], e["values"]["queue_local"])
        report.check("line %d" % e["line"], None if got == told and 0 <= e["at_ns"] <= d["inputs"][0]["duration_ns"] else "%s instead of %s, at %s" % (got, told, e["at_ns"]))
    report.check("queues can be told apart", QUEUE_LIMIT in str(d["limits"]) and "the limit is still there" or None)
    report.check("in either order", None if outline(diagnose(*reversed(PAIR))[1]) == outline(d) else "another outcome")
    code, out, err = run("stat", *PAIR)
    report.check("stat shows the place", None if "in the trace's time by collections" in out else out)
    other = os.path.join(LOGS, "storm-pacer-go1.18.10.log")
    d = diagnose(PAIR[0], other)[1]
    used = [f["rule"] for f in d["findings"] for e in f["evidence"] if "storm-pacer" in e["source"] and f["rule"] == "runqueue-backlog"]
    report.check("another process's log is no evidence", used and str(used) or None)
    report.check("and that is said", None if "no certain place" in str(d["limits"]) and QUEUE_LIMIT in str(d["limits"]) else str(d["limits"]))


def never_ran(report):
    most = json.loads(harness.run_bytes(PROGRAM, "stat", "--format", "json", os.path.join(LOGS, "wall-slog-go1.26.8.trace.gz"))[1])["summary"]["runqueue_max"]
    report.check("goroutines that never ran in the trace stand in its queues", None if most == 132 else str(most))


def goal_off(report):
    path = os.path.join(LOGS, "gogc-off-go1.21.13.trace")
    _, out, _ = run("stat", path)
    report.check("GOGC=off is no goal of 8 million TiB", None if "last goal off" in out and "TiB" not in out else out)
    d = json.loads(harness.run_bytes(PROGRAM, "stat", "--format", "json", path)[1])
    report.check("nor in JSON", None if d["summary"]["heap_goal_last_bytes"] is None else str(d["summary"]["heap_goal_last_bytes"]))


def cut(report):
    for name in ("non-preemptible-detail-go1.10.8", "storm-json-go1.9.7"):
        text = read(name)
        failed = []
        for at in range(text.index("\n") + 1, len(text), max(1, len(text) // 40)):
            code, _, err = with_log(text[:at], lambda path: run("diagnose", path))
            if code != 0:
                failed.append("at %d: exit %d, %s" % (at, code, err))
        report.check("%s, cut anywhere" % name, failed and failed[0] or None)


def main():
    report = harness.Report()
    for part in (planted, healthy, wrapped, beside_a_trace, never_ran, goal_off, cut):
        part(report)
    report.finish()


PROGRAM = harness.program()
if __name__ == "__main__":
    main()
