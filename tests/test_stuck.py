#!/usr/bin/env python3
"""events --kind stuck: every stay beyond the thresholds, found once more from the transitions that `events` prints.  test_stuck.py [PROGRAM]"""
import collections
import glob
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness

MOVE = re.compile(r'GoID=(\d+) (\w+)->(\w+) Reason="(.*)"')
STATES = {"Waiting": ("_Gwaiting", 10_000_000), "Syscall": ("_Gsyscall", 5_000_000), "Runnable": ("_Grunnable", 10_000_000)}
STUCK = re.compile(r"State=(\S+) For=(\d+) Since=(-?\d+)( OpenBegin)?( OpenEnd)? Idle=(\d+)")


def lines(program, *args):
    done = subprocess.run([program, "events", "--format", "jsonl", *args], capture_output=True, timeout=300)
    return done.returncode, [json.loads(line) for line in done.stdout.decode("utf-8").splitlines()]


def expected(events):
    """(goroutine, state, length) of every stay beyond its threshold whose begin and end are events."""
    since, found = {}, collections.Counter()
    for event in events:
        move = MOVE.match(event["details"])
        if not move:
            continue
        goroutine, before, after, reason = int(move[1]), move[2], move[3], move[4]
        if before == after or before == "Undetermined":
            continue
        if goroutine in since:
            state, limit = STATES.get(before, (None, 0))
            length = event["at_ns"] - since[goroutine][0]
            if state and length >= limit and since[goroutine][1] != "preempted":
                found[goroutine, state, length] += 1
        since[goroutine] = (event["at_ns"], reason if after == "Waiting" else "")
    return found


def trouble(program, trace):
    code, told = lines(program, "--kind", "stuck", trace)
    also, events = lines(program, "--kind", "StateTransition", trace)
    if code != also:
        return "exit %d, and %d for the transitions" % (code, also)
    got = collections.Counter()
    for line in told:
        if line["name"] == "QueueStuck":
            continue
        stuck = STUCK.match(line["details"])
        if line["name"] != "GoStuck" or not stuck:
            return "not understood: %s" % line
        if int(stuck[6]) > int(stuck[2]):
            return "more idle than it lasted: %s" % line
        if int(stuck[3]) + int(stuck[2]) != line["at_ns"]:
            return "since and length don't make its end: %s" % line
        if not stuck[4] and not stuck[5]:
            got[line["goroutine"], stuck[1], int(stuck[2])] += 1
    want = expected(events)
    # Times of events are stretched to increase, by nanoseconds.
    near = lambda a, b: any((k[0], k[1], k[2] + d) in b for d in range(-3, 4) for k in [a])
    missing = [k for k in want if not near(k, got)]
    more = [k for k in got if not near(k, want)]
    if missing or more:
        return "missing %s, too many %s" % (missing[:3], more[:3])
    return None


def main():
    program = harness.program()
    report = harness.Report()
    seen = 0
    for trace in sorted(glob.glob(os.path.join(harness.DATA, "traces", "*-go1.2[2-9]*.trace"))):
        seen += 1
        report.check(os.path.basename(trace), trouble(program, trace))
    report.check("there are traces", None if seen > 10 else "only %d" % seen)
    burst = os.path.join(harness.DATA, "traces", "netpoll_imbalance-go1.26.8.trace")
    _, all_of = lines(program, "--kind", "stuck", burst)
    _, fewer = lines(program, "--kind", "stuck", "--wait-note", "10s", "--starved-note", "50ms", burst)
    report.check("a queue is told", None if any(e["name"] == "QueueStuck" for e in all_of) else "no QueueStuck")
    report.check("thresholds are options", None if 0 < len(fewer) < len(all_of) else "%d of %d" % (len(fewer), len(all_of)))
    goroutine = next(e["goroutine"] for e in all_of if e["goroutine"] is not None)
    _, one = lines(program, "--kind", "stuck", "--goroutine", str(goroutine), burst)
    report.check("one goroutine", None if one == [e for e in all_of if e["goroutine"] == goroutine] else "not its own")
    _, part = lines(program, "--kind", "stuck", "--from", "0.5", "--to", "1", burst)
    report.check("a part", None if part == [e for e in all_of if 500_000_000 <= e["at_ns"] <= 1_000_000_000] else "not the part")
    for wrong in (["--kind", "stuck,Log"], ["--kind", "stuck", "--format", "go"], ["--kind", "stuck", "--proc", "1"]):
        done = subprocess.run([program, "events", *wrong, burst], capture_output=True)
        report.check(" ".join(wrong), None if done.returncode == 2 else "exit %d" % done.returncode)
    report.finish()


if __name__ == "__main__":
    main()
