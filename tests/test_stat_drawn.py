#!/usr/bin/env python3
"""stat --mmu and --latency: the curve against a slow reckoning, that against Go's own tool; histograms add up; drawings fit.

    test_stat_drawn.py [PROGRAM]
"""
import glob
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness
import mmu

STALL = os.path.join(harness.SOURCE, "examples", "traces", "stall.trace")
STORM = os.path.join(harness.DATA, "traces", "gc_assist_storm-go1.22.12.trace")
OLD = os.path.join(harness.DATA, "path", "served-go1.21.13.trace.gz")
ALL = ("stw", "background", "assist")
CLOSE = 1e-6  # doubles, summed in another order
GO_CLOSE = 0.005


def stat(program, *args, **env):
    done = subprocess.run([program, "stat", *args], capture_output=True, timeout=300, env=dict(os.environ, **env))
    return done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8")


def events(program, trace):
    return subprocess.run([program, "events", "--format", "jsonl", trace], capture_output=True, timeout=300).stdout.decode("utf-8").splitlines()


def curve(program, report):
    traces = sorted(glob.glob(os.path.join(harness.DATA, "traces", "*-go1.26.*.trace"))) + [STALL, STORM, OLD]
    for trace in traces:
        name = os.path.basename(trace)
        code, out, err = stat(program, "--mmu", "--format", "json", trace)
        if not report.check(name, None if code == 0 else err):
            continue
        doc = json.loads(out)
        lines = events(program, trace)
        changes = mmu.levels(lines, ALL, 0 if any('"ProcsChange"' in line for line in lines) else len(doc["summary"]["procs"]))
        for point in doc["mmu_curve"]:
            slow = mmu.mmu(changes, point["window_ns"])
            report.check("%s, %d ns" % (name, point["window_ns"]),
                         None if slow is not None and abs(slow - point["utilisation"]) < CLOSE else "%s, slowly %s" % (point["utilisation"], slow))
        few = {p["window_ns"]: p["utilisation"] for p in doc["mmu_curve"]}
        report.check("%s: the figures of the page are those" % name, None if all(few.get(p["window_ns"]) == p["utilisation"] for p in doc["summary"]["mmu"]) else "differ")


def go_plot(trace, flags):
    """The curve that `go tool trace` serves."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serving = subprocess.Popen(["go", "tool", "trace", "-http=127.0.0.1:%d" % port, trace], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env=dict(os.environ, BROWSER="true"))
    try:
        for _ in range(120):
            try:
                with urllib.request.urlopen("http://127.0.0.1:%d/mmu?mode=plot&flags=%s" % (port, "%7C".join(flags)), timeout=30) as answer:
                    return json.load(answer)["curve"]
            except OSError:
                time.sleep(0.25)
        return None
    finally:
        serving.kill()
        serving.wait()


def against_go(program, report):
    """The slow reckoning is Go's, for stops and for assists. Mark workers Go's tool never forgets, and counts anew each time they run, so these
    can't be compared (Go 1.22 to 1.26, bgMark in internal/trace/gc.go)."""
    if not shutil.which("go") or subprocess.run(["go", "tool", "trace", "-h"], capture_output=True).returncode not in (0, 2):
        report.note("not compared with Go's own curve: no go tool trace here")
        return
    lines = events(program, STORM)
    for flags in (("stw",), ("stw", "assist")):
        plot = go_plot(STORM, flags)
        if plot is None:
            report.note("not compared with Go's own curve: go tool trace does not serve")
            return
        changes = mmu.levels(lines, flags)
        for window, share in plot:
            ours = mmu.mmu(changes, int(window))
            if ours is not None:
                report.check("%s of %d ns as in Go's tool" % ("+".join(flags), window), None if abs(ours - share) < GO_CLOSE else "%.4f, Go says %.4f" % (ours, share))


TICK_NS = 64 # runtime/trace.go: traceTimeDiv
GOROUTINE = re.compile(r"GoID=(\d+) (\w+)->(\w+)")


def reckoned(lines):
    """Figures that follow from the events one by one, without any of the ways that reading for figures is made quick by. The longest wait is
    left out where generations overlap: events then have later times than the trace gives them, as times strictly increase. So do those of several
    threads at the same tick, by a nanosecond each (TICK_NS)."""
    state, since, base = {}, {}, 0
    runnable = most = waits = longest = created = ended = 0
    for event in map(json.loads, lines):
        found = GOROUTINE.match(event.get("details") or "") if event["kind"] == "StateTransition" else None
        if not found or found[2] == found[3]:
            continue
        g, before, after = found.groups()
        created += before == "NotExist"
        ended += after == "NotExist"
        if before == "Runnable" and after == "Running" and g in since:
            waits, longest = waits + 1, max(longest, event["at_ns"] - since[g])
        if before == "Undetermined" and after == "Runnable": # it was from the beginning
            base, state[g] = base + 1, after
        runnable += (after == "Runnable") - (state.get(g) == "Runnable")
        most, state[g] = max(most, runnable), after
        since.pop(g, None)
        if after == "Runnable" and before != "Undetermined":
            since[g] = event["at_ns"]
    several = sum('"Sync"' in line for line in lines) > 2
    return {"runqueue_max": most + base, "sched_waits": waits, "latency": None if several else longest, "goroutines_created": created, "goroutines_ended": ended, "goroutines_seen": len(state)}


def figures(program, report):
    for trace in sorted(glob.glob(os.path.join(harness.DATA, "traces", "*.trace"))) + [STALL]:
        code, out, err = stat(program, "--format", "json", trace)
        if code != 0:
            report.note("%s is damaged" % os.path.basename(trace))
            continue
        summary, slow = json.loads(out)["summary"], reckoned(events(program, trace))
        longest = summary["sched_latency_ns"]["max"]
        near = slow["latency"] is not None and longest is not None and abs(longest - slow["latency"]) < TICK_NS
        told = {**{k: summary[k] for k in slow if k != "latency"}, "latency": slow["latency"] if near else slow["latency"] and longest}
        report.check("%s: figures follow from the events" % os.path.basename(trace), None if told == slow else "%s, reckoned %s" % (told, slow))


def histogram(program, report):
    for trace in sorted(glob.glob(os.path.join(harness.DATA, "traces", "*.trace"))) + [STALL, OLD]:
        doc = json.loads(stat(program, "--format", "json", trace)[1])
        name, buckets, summary = os.path.basename(trace), doc["sched_latency"], doc["summary"]
        total = sum(b["count"] for b in buckets)
        report.check("%s: every wait is in it" % name, None if total == summary["sched_waits"] else "%d of %d" % (total, summary["sched_waits"]))
        report.check("%s: without a gap" % name, None if all(a["to_ns"] == b["from_ns"] for a, b in zip(buckets, buckets[1:])) else str(buckets))
        if buckets:
            largest = summary["sched_latency_ns"]["max"]
            report.check("%s: the longest is in the last" % name, None if buckets[-1]["from_ns"] <= largest < buckets[-1]["to_ns"] else str(largest))
        report.check("%s: no curve unasked" % name, str(doc["mmu_curve"]) if doc["mmu_curve"] is not None else None)


def drawings(program, report):
    for locale, full, other in (("C.UTF-8", "█", "#"), ("POSIX", "#", "█")):
        code, out, err = stat(program, "--mmu", "--latency", "--color", "never", STALL, LC_ALL=locale)
        report.check("drawn for %s" % locale, None if code == 0 and full in out and other not in out and "\x1b" not in out else out + err)
        lines = out.splitlines()
        report.check("both, %s" % locale, None if "scheduling latency" in out and "minimum mutator utilisation" in out else out)
        report.check("no page, %s" % locale, None if "families" not in out else "the page too")
        report.check("as wide as the page, %s" % locale, None if max(map(len, lines)) <= 100 else "%d columns" % max(map(len, lines)))
        bars = [(float(share), len(bar)) for share, bar in re.findall(r" (\d+\.\d) %%  ?([%s▏▎▍▌▋▊▉.]*)$" % full, out, re.M)]
        mmu_bars = bars[-12:]
        report.check("longer bars for more, %s" % locale, None if mmu_bars and mmu_bars == sorted(mmu_bars) else str(mmu_bars))
    colours = stat(program, "--mmu", "--color", "always", STALL, LC_ALL="C.UTF-8")[1]
    report.check("in colour", None if "\x1b[" in colours else "no colour")
    nothing = stat(program, "--mmu", "--latency", os.path.join(harness.DATA, "dumps", "leak-go1.20.txt"))
    report.check("of no trace", None if nothing[0] == 0 and "nothing to draw" in nothing[1] else str(nothing))
    cut = os.path.join(harness.DATA, "bad", "gen3-cut-mid.trace")
    damaged = stat(program, "--mmu", cut)
    report.check("of a damaged one", None if damaged[0] == 4 and "minimum mutator" in damaged[1] else str(damaged))


def main():
    program, report = harness.program(), harness.Report()
    curve(program, report)
    figures(program, report)
    histogram(program, report)
    drawings(program, report)
    against_go(program, report)
    report.finish()


if __name__ == "__main__":
    main()
