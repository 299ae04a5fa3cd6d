#!/usr/bin/env python3
"""GODEBUG output: logs of programs with a planted fault are diagnosed alone, those of healthy ones are not; in other wrappings and with other processes' lines in
between they say the same; beside a trace of the same process queues are known, of another one they are not used; wall times place a log in whatever way they are
written, unless they leave a doubt; cut anywhere they never fail.

    test_godebug.py [PROGRAM]
"""
import datetime
import glob
import gzip
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
    "forced-go1.11.13": ("allocation-starvation", "requested-gc", "warning"),
    "forced-go1.26.8": ("allocation-starvation", "requested-gc", "warning"),
    "growth-leak-detail-go1.11.13": ("goroutine-leak", "blocked-send", "warning"),
    "growth-leak-detail-go1.26.8": ("goroutine-leak", "blocked-send", "warning"),
    "growth-connections-detail-go1.26.8": ("goroutine-leak", "blocked-receive", "note"),
}
NO_MORE = {"growth-connections-detail-go1.26.8": "note"}  # what may not be louder
LEVELS = ["note", "warning", "error"]
PAIR = (os.path.join(LOGS, "burst-go1.18.10.trace.gz"), os.path.join(LOGS, "burst-go1.18.10.log"))
QUEUE_LIMIT = "can't be told apart"


def run(*args):
    return harness.run_text(PROGRAM, *args)


def diagnose(*files):
    return harness.diagnose(PROGRAM, *files)


def path_of(name):
    path = os.path.join(LOGS, name + ".log")
    return path if os.path.exists(path) else path + ".gz"


def read(name):
    path = path_of(name)
    with (gzip.open(path, "rt", encoding="utf-8") if path.endswith(".gz") else open(path, encoding="utf-8")) as file:
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
        code, d, err = diagnose(path_of(name))
        found = [f for f in (d or {}).get("findings", []) if (f["rule"], f["cause"]) == (rule, cause) and LEVELS.index(f["severity"]) >= LEVELS.index(least)]
        report.check(name, None if code == 0 and found else "exit %d, %s" % (code, outline(d) if d else err))
        loud = [f["title"] for f in found if f["severity"] != NO_MORE.get(name, f["severity"])]
        report.check("%s is not louder" % name, loud and loud[0])
        lines = read(name).split("\n")
        for f in (d or {}).get("findings", []):
            wrong = [e for e in f["evidence"] if not e["line"] or not re.search(r"SCHED|gc \d", lines[e["line"] - 1]) or e["at_ns"] is not None]
            report.check("%s: each step of %s has its line and no time of a trace" % (name, f["rule"]), wrong and str(wrong[0]) or None)
            report.check("%s: nothing of %s is certain" % (name, f["rule"]), None if f["confidence"] in ("likely", "possible") else f["confidence"])
            report.check("%s: no time is made up for %s" % (name, f["rule"]), None if f["start_ns"] is None and f["end_ns"] is None else str(f["start_ns"]))


def healthy(report):
    for path in sorted(glob.glob(os.path.join(LOGS, "healthy-*.log*"))):
        code, d, err = diagnose(path)
        if "growth" in path or "benchmark" in path:  # what looks like it and is none
            report.check("%s: nothing at all" % os.path.basename(path), outline(d) and str(outline(d)))
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


# ---- wall times ----

def trace_of(name):
    return os.path.join(LOGS, name + ".trace.gz")


def placed(trace, text):
    """Where the log's time 0 lies, as "stat" says: the way, the time at which the trace begins and how exactly, in ns; or why not."""
    def stat(path):
        _, out, _ = harness.run_bytes(PROGRAM, "stat", "--format", "json", trace, path)
        return json.loads(out)
    d = with_log(text, stat)
    figures = d["sources"][0]["figures"]
    if "trace_time" in figures:
        return figures["trace_time"], figures["trace_begins_ns"], figures["trace_slack_ns"]
    return None, next((limit for limit in d["limits"] if "no certain place" in limit), ""), None


def stamped(name):
    """The lines of a log of Docker's or one in RFC 3339: the time in ns and the text of each."""
    lines = []
    for line in read(name).splitlines():
        if line.startswith("{"):
            row = json.loads(line)
            when, text = row["time"], row["log"].rstrip("\n")
        else:
            when, text = line.split(" ", 1)
        found = re.match(r"(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)\.(\d{9})Z", when)
        at = datetime.datetime(*(int(n) for n in found.groups()[:6]), tzinfo=datetime.timezone.utc)
        lines.append((int(at.timestamp()) * 10**9 + int(found[7]), text))
    return lines


def at(ns, form, digits=0, zone=0):
    """A time as form has it (strftime), with so many digits of a second, so many minutes ahead of UTC."""
    when = datetime.datetime.fromtimestamp(ns // 10**9, datetime.timezone(datetime.timedelta(minutes=zone)))
    return when.strftime(form) + (".%09d" % (ns % 10**9))[:digits + 1] if digits else when.strftime(form)


def forms(lines):
    """The same log as other loggers and collectors would have written it, by what is known then: True: a zone."""
    iso, go, bsd = "%Y-%m-%dT%H:%M:%S", "%Y/%m/%d %H:%M:%S", "%b %d %H:%M:%S"
    yield "RFC 3339", True, ["%sZ %s" % (at(t, iso, 9), x) for t, x in lines]
    yield "another zone", True, ["%s+05:30 %s" % (at(t, iso, 3, 330), x) for t, x in lines]
    yield "whole seconds", True, ["%sZ %s" % (at(t, iso), x) for t, x in lines]
    yield "journald's short-iso", True, ["%s-0330 host app[12]: %s" % (at(t, iso, 0, -210), x) for t, x in lines]
    yield "CRI", True, ["%sZ stderr F %s" % (at(t, iso, 9), x) for t, x in lines]
    yield "seconds since 1970", True, ["%d.%06d %s" % (t // 10**9, t % 10**9 // 1000, x) for t, x in lines]
    yield "zap's", True, [json.dumps({"level": "info", "ts": t / 1e9, "msg": x}) for t, x in lines]
    yield "journald's JSON", True, [json.dumps({"__REALTIME_TIMESTAMP": str(t // 1000), "MESSAGE": x}) for t, x in lines]
    yield "Go's log in a local zone", False, ["%s %s" % (at(t, go, 6, 345), x) for t, x in lines]
    yield "syslog", False, ["%s host app[12]: %s" % (at(t, bsd, 0, -480), x) for t, x in lines]
    yield "the time of day", False, ["%s %s" % (at(t, "%H:%M:%S", 6, 60), x) for t, x in lines]


def wall(report):
    trace, lines = trace_of("wall-docker-go1.26.8"), stamped("wall-docker-go1.26.8")
    way, begins, slack = placed(trace, read("wall-docker-go1.26.8"))
    report.check("Docker's log is placed by its times", None if way == "by wall times" and slack < 30000000 else "%s %s %s" % (way, begins, slack))
    for what, _, log in forms(lines):
        way, other, width = placed(trace, "\n".join(log) + "\n")
        report.check("%s: the same place" % what, None if way and abs(other - begins) <= slack + width else "%s %s instead of %s" % (way, other, begins))
    seconds, iso = 10**9, "%Y-%m-%dT%H:%M:%S"
    doubtful = {
        "a clock that is three seconds ahead": [(t + 3 * seconds, x) for t, x in lines],
        "the day before": [(t - 86400 * seconds, x) for t, x in lines],
    }
    for what, log in doubtful.items():
        way, why, _ = placed(trace, "".join("%sZ %s\n" % (at(t, iso, 9), x) for t, x in log))
        report.check("%s: no place, and why" % what, None if way is None and "wall times" in why else "%s %s" % (way, why))
    blocks = [(lines[min(i // 40 * 40 + 39, len(lines) - 1)][0], x) for i, (_, x) in enumerate(lines)]
    way, other, width = placed(trace, "".join("%sZ %s\n" % (at(t, iso, 9), x) for t, x in blocks))
    report.check("times that came in blocks are not used", None if way == "by queue lengths" and abs(other - begins) <= slack + width else "%s %s" % (way, other))
    start = min(t for t, _ in lines) + begins
    earlier = [(t - 3600 * seconds if t < start - 4 * seconds // 10 else t, x) for t, x in lines]
    way, other, width = placed(trace, "".join("%sZ %s\n" % (at(t, iso, 9), x) for t, x in earlier))
    report.check("a clock that was set before the trace", None if way and abs(other - begins) <= slack + width else "%s %s" % (way, other))
    quiet = stamped("wall-quiet-go1.26.8")
    shift = min(t for t, _ in lines) - min(t for t, _ in quiet)
    both = sorted([(t, "web_1  | %sZ %s" % (at(t, iso, 9), x)) for t, x in lines] + [(t + shift, "web_2  | %sZ %s" % (at(t + shift, iso, 9), x)) for t, x in quiet])
    way, other, width = placed(trace, "".join(x + "\n" for _, x in both))
    report.check("one of two processes in the log", None if way == "by wall times" and abs(other - begins) <= slack + width else "%s %s" % (way, other))


def wall_alone(report):
    trace, name = trace_of("wall-quiet-go1.26.8"), "wall-quiet-go1.26.8"
    for what, zoned, log in forms(stamped(name)):
        way, why, _ = placed(trace, "\n".join(log) + "\n")
        if zoned:
            report.check("%s: a quiet process has a place, and may be another one" % what, None if way is None or "may be another process" in way else way)
        else:
            report.check("%s: a quiet process has none" % what, None if way is None and "no time zone" in why else "%s %s" % (way, why))
    d = diagnose(trace, path_of(name))[1]
    report.check("it tells nothing of the trace's queues", None if QUEUE_LIMIT in str(d["limits"]) else str(d["limits"]))


def wall_around(report):
    trace, name = trace_of("wall-slog-go1.26.8"), "wall-slog-go1.26.8"
    code, d, err = diagnose(trace, path_of(name))
    report.check("the times of the program's own lines place those between them", None if placed(trace, read(name))[0] == "by wall times" else str(placed(trace, read(name))))
    backlog = [f for f in d["findings"] if f["rule"] == "runqueue-backlog"] if d else []
    steps = [e for f in backlog for e in f["evidence"] if e["step"] == "queues"]
    report.check("so that samples are evidence", None if code == 0 and steps else "%s %s" % (outline(d) if d else err, backlog))
    queued = max(e["values"]["queue_global"] + e["values"]["queue_local"] for e in steps) if steps else 0
    most = json.loads(harness.run_bytes(PROGRAM, "stat", "--format", "json", trace)[1])["summary"]["runqueue_max"]
    report.check("goroutines that never ran in the trace stand in its queues", None if 0 <= most - queued <= 8 else "%s of %s" % (most, queued))


def torn(report):
    _, out, _ = run("stat", path_of("torn-go1.26.8"))
    report.check("a line that the program's log has torn is put together", None if "put together 1" in out and "left out" not in out else out)
    text = read("backlog-go1.14.15") + "SCHED 99999ms: gomaxprocs=2 idleprocs=0 thre\n"
    code, d, err = with_log(text, diagnose)
    report.check("what is left out is said", None if code == 0 and "1 line of GODEBUG output torn" in str(d["limits"]) else err or str(d["limits"]))


def goal_off(report):
    path = os.path.join(LOGS, "gogc-off-go1.21.13.trace")
    _, out, _ = run("stat", path)
    report.check("GOGC=off is no goal of 8 million TiB", None if "last goal off" in out and "TiB" not in out else out)
    d = json.loads(harness.run_bytes(PROGRAM, "stat", "--format", "json", path)[1])
    report.check("nor in JSON", None if d["summary"]["heap_goal_last_bytes"] is None else str(d["summary"]["heap_goal_last_bytes"]))
    line = "gc 1 @0.051s 0%: 0.29+0.58+0.010 ms clock, 0.59+0/0.39/0.30+0.020 ms cpu, 2->2->2 MB, 8532210231537 MB goal, 0 MB stacks, 0 MB globals, 2 P (forced)\n"
    out = with_log(line, lambda log: run("stat", log)[1])
    report.check("nor in a log", "iB" in re.search(r"heap goal.*", out)[0] and out or None)


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
    for part in (planted, healthy, wrapped, beside_a_trace, wall, wall_alone, wall_around, torn, goal_off, cut):
        part(report)
    report.finish()


PROGRAM = harness.program()
if __name__ == "__main__":
    main()
