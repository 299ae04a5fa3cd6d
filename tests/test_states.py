#!/usr/bin/env python3
"""The state graph: nothing illegal in any trace that the runtime wrote, time that adds up, selections, every format, damage.

    test_states.py [PROGRAM]        STWATCH_BLESS=1 writes tests/golden/states-stall.txt anew: read the difference before committing it.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness
import texttrace

STALL = os.path.join(harness.SOURCE, "examples", "traces", "stall.trace")
GOLDEN = os.path.join(harness.SOURCE, "tests", "golden", "states-stall.txt")
PAGE = os.path.join(harness.SOURCE, "docs", "states.md")
# Scenarios that Go's reader takes, although the runtime can't have written them: what we say of them.
FORBIDDEN = {"cgo-callback.txt": "coupling-violation", "event-newer-than-header.txt": "illegal-transition"}


def run(program, *args):
    done = subprocess.run([program, "states", *args], capture_output=True, timeout=300)
    return done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8")


def graph(program, *args):
    code, out, err = run(program, "--format", "json", *args)
    return code, json.loads(out) if out else None, err


def of(doc, resource):
    return next(r for r in doc["resources"] if r["resource"] == resource)


def arithmetic(doc):
    """What must add up in any graph of a whole trace."""
    for resource in doc["resources"]:
        name = resource["resource"]
        for row in resource["transitions"]:
            if row["measured"] > row["count"] or (row["measured"] > 0) != (row["max_ns"] is not None):
                return "%s %s: measured %s of %s" % (name, row["event"], row["measured"], row["count"])
            if row["measured"] and not row["p50_ns"] <= row["p99_ns"] <= row["max_ns"]:
                return "%s %s: percentiles out of order" % (name, row["event"])
        for state in resource["states"]:
            left = sum(t["count"] for t in resource["transitions"] if t["from"] == state["state"])
            entered = sum(t["count"] for t in resource["transitions"] if t["to"] == state["state"])
            # Whoever did not leave, or was not seen to enter, is censored.
            if not max(left, entered) <= state["stays"] <= max(left, entered) + state["censored"]:
                return "%s %s: %d stays, %d in, %d out" % (name, state["state"], state["stays"], entered, left)
    return None


def procs_fill_the_time(doc):
    """P's are there from the beginning to the end, so their time is a multiple of the trace's, where none came or went."""
    procs, duration = of(doc, "proc"), doc["inputs"][0]["duration_ns"]
    if any(s["state"] == "_Pdead" for s in procs["states"]) or not duration:
        return None
    total = sum(s["total_ns"] for s in procs["states"])
    return "%d is no multiple of %d" % (total, duration) if total % duration else None


def valid_traces(program, report):
    for path in sorted(glob.glob(os.path.join(harness.DATA, "traces", "*.trace"))) + [STALL]:
        code, doc, err = graph(program, path)
        name = os.path.basename(path)
        if not report.check(name, None if code == 0 else "exit %d: %s" % (code, err)):
            continue
        report.check("%s: nothing illegal" % name, str(doc["contradictions"][:3]) if doc["contradictions_total"] else None)
        unknown = [s for r in doc["resources"] for s in r["states"] if s["state"] == "unknown"]
        report.check("%s: all is known" % name, str(unknown) if unknown else None)
        report.check("%s: adds up" % name, arithmetic(doc))
        if "flight_recorder" not in name:
            report.check("%s: procs fill the time" % name, procs_fill_the_time(doc))


def scenarios(program, report):
    with harness.Scratch() as scratch:
        for path in sorted(glob.glob(os.path.join(harness.SOURCE, "tests", "scenarios", "*.txt"))):
            name = os.path.basename(path)
            case = texttrace.read(path)
            code, doc, err = graph(program, scratch.write(name, case.data))
            if not case.accept:
                report.check(name, None if code in (3, 4) and err else "exit %d for what is rejected: %s" % (code, err))
                continue
            told = {c["rule"] for c in (doc or {}).get("contradictions", [])}
            want = {FORBIDDEN[name]} if name in FORBIDDEN else set()
            report.check(name, None if code == 0 and (told >= want if want else not told) else "exit %d, told %s" % (code, told))


def damaged(program, report):
    for path in sorted(glob.glob(os.path.join(harness.DATA, "bad", "*.trace"))):
        code, doc, err = graph(program, path)
        stat = subprocess.run([program, "stat", "--format", "json", path], capture_output=True, timeout=300)
        name = os.path.basename(path)
        if stat.returncode == 0 and json.loads(stat.stdout)["inputs"][0]["kind"] != "go-trace":  # stat reads it, but it has no states
            report.check("%s is no trace" % name, None if code == 3 and err else "exit %d: %s" % (code, err))
            continue
        report.check("%s: the exit code of stat" % name, None if code == stat.returncode else "%d, not %d" % (code, stat.returncode))
        if code == 4:
            report.check("%s: what was readable" % name, None if doc and not doc["inputs"][0]["complete"] and err.startswith("stwatch: ") else err)


def selections(program, report):
    whole = graph(program, STALL)[1]
    duration = whole["inputs"][0]["duration_ns"]
    _, one, _ = graph(program, "--proc", "0", STALL)
    total = sum(s["total_ns"] for s in of(one, "proc")["states"])
    report.check("--proc: one P's time", None if total == duration else "%d of %d" % (total, duration))
    report.check("--proc: nothing else", None if not of(one, "goroutine")["states"] and not of(one, "thread")["states"] else "others are there")
    _, one, _ = graph(program, "--goroutine", "1", STALL)
    total = sum(s["total_ns"] for s in of(one, "goroutine")["states"])
    report.check("--goroutine: main's time", None if 0 < total <= duration else "%d of %d" % (total, duration))
    halves = [graph(program, *args, STALL)[1] for args in (("--to", "0.2"), ("--from", "0.2"))]
    for resource in ("goroutine", "proc", "thread"):
        parts = sum(t["count"] for half in halves for t in of(half, resource)["transitions"])
        all_of_them = sum(t["count"] for t in of(whole, resource)["transitions"])
        report.check("--from, --to: halves of %s" % resource, None if abs(parts - all_of_them) <= 1 else "%d, not %d" % (parts, all_of_them))
    window = [graph(program, *args, STALL)[1] for args in (("--time", "0.1..0.2"), ("--from", "0.1", "--to", "0.2"))]
    report.check("--time is --from and --to", None if window[0] == window[1] else "differ")
    report.check("--time without an end", None if graph(program, "--time", "0.2..", STALL)[1] == halves[1] else "differs")
    for args, words in ((("--time", "1"), "is no window"), (("--time", ".."), "is no window"), (("--time", "0..1", "--to", "2"), "give it, or them"),
                        (("--function", "no.such"), "no goroutine was started with")):
        code, out, err = run(program, *args, STALL)
        report.check(" ".join(args), None if code == 2 and words in err and not out else "exit %d: %s" % (code, err))
    functions(program, report)
    code, _, err = run(program, "--from", "2", "--to", "1", STALL)
    report.check("--to before --from", None if code == 2 and "--to" in err else "exit %d: %s" % (code, err))


def functions(program, report):
    """--function is the sum of its goroutines, as Go's own stacks show them, in both formats and every format of output."""
    for trace, function, roots in (("traces/runnable_starvation-go1.26.8.trace", "main.latencyHandler", (19, 20, 21)),
                                   ("path/served-go1.13.15.trace.gz", "main.slowBackup", (21,))):
        path = os.path.join(harness.DATA, trace)
        _, doc, err = graph(program, "--function", function, path)
        report.check("--function %s" % function, None if doc and doc["selection"]["function"] == function else err)
        sums = {}
        for g in roots:
            for s in of(graph(program, "--goroutine", str(g), path)[1], "goroutine")["states"]:
                sums[s["state"]] = sums.get(s["state"], 0) + s["total_ns"]
        got = {s["state"]: s["total_ns"] for s in of(doc, "goroutine")["states"]}
        report.check("--function %s: its goroutines' time" % function, None if got == sums else "%s, not %s" % (got, sums))
        report.check("--function %s: nothing else" % function, None if not of(doc, "proc")["states"] and not of(doc, "thread")["states"] else "others")
        for form, mark in (("table", "_Grunnable"), ("mermaid", "stateDiagram-v2"), ("dot", "digraph")):
            code, out, err = run(program, "--function", function, "--format", form, path)
            report.check("--function as %s" % form, None if code == 0 and mark in out else err)
    edges = re.findall(r"×[\d,]+<br/>p50\u00a0.*?, p99\u00a0.*?<br/>max\u00a0", run(program, "--format", "mermaid", STALL)[1])
    report.check("mermaid: p50, p99 and max before a transition", None if len(edges) > 5 else str(edges))


def formats(program, report):
    edges = sum(len(r["transitions"]) for r in graph(program, STALL)[1]["resources"])
    mermaid = run(program, "--format", "mermaid", STALL)[1]
    found = len(re.findall(r"^    \w+ --> \w+ : (ILLEGAL )?\w+ ×[\d,]+", mermaid, re.M))
    report.check("mermaid: an edge a transition", None if found == edges else "%d, not %d" % (found, edges))
    report.check("mermaid: fences", None if mermaid.count("```mermaid\n") == 3 and mermaid.count("```\n") == 3 else mermaid[:200])
    dot = run(program, "--format", "dot", STALL)[1]
    report.check("dot: an edge a transition", None if dot.count(" -> ") == edges and dot.count("{") == dot.count("}") else dot[:200])
    if shutil.which("dot"):
        drawn = subprocess.run(["dot", "-Tsvg"], input=dot.encode(), capture_output=True, timeout=60)
        report.check("dot: graphviz takes it", drawn.stderr.decode() or None)
    with open(PAGE, encoding="utf-8") as page:
        report.check("mermaid: as docs/states.md shows it", None if mermaid.split("\n```\n")[0] in page.read() else "the page shows another")


def golden(program, report):
    got = run(program, STALL)[1]
    if os.environ.get("STWATCH_BLESS"):
        with open(GOLDEN, "w", encoding="utf-8") as file:
            file.write(got)
    with open(GOLDEN, encoding="utf-8") as file:
        want = file.read()
    for i, (a, b) in enumerate(zip(want.splitlines() + [""], got.splitlines() + [""])):
        report.check("states-stall.txt line %d" % (i + 1), None if a == b else "expected %r, got %r" % (a, b))
    report.check("states-stall.txt", None if len(want) == len(got) else "another length")


def main():
    program, report = harness.program(), harness.Report()
    for part in (valid_traces, scenarios, damaged, selections, formats, golden):
        part(program, report)
    report.finish()


if __name__ == "__main__":
    main()
