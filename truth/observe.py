#!/usr/bin/env python3
"""What Go's own tool sees in a trace: its stops, and the longest waits of each function.

    observe.py TRACE...

A way to check that a planted fault does show in the recording, independent of stwatch.
"""
import collections
import re
import subprocess
import sys

HEAD = re.compile(r"^M=\S+ P=(\S+) G=(\S+) (\S+) Time=(-?\d+) ?(.*)$")
MOVE = re.compile(r"^GoID=(\d+) (\w+)->(\w+) Reason=\"(.*)\"")


def events(trace):
    """(time, kind, goroutine, rest, functions of the stack that matters), in order."""
    run = subprocess.Popen(["go", "tool", "trace", "-d=parsed", trace], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors="replace")
    now, frames, into = None, [], False
    for line in run.stdout:
        head = HEAD.match(line)
        if head:
            if now:
                yield (*now, frames)
            now, frames, into = (int(head[4]), head[3], head[2], head[5].rstrip()), [], False
        elif line.startswith("TransitionStack="):
            frames, into = [], True
        elif line.startswith("Stack="):
            into = not frames
        elif into and line.startswith("\t") and not line.startswith("\t\t"):
            frames.append(line.strip().rsplit(" @ ", 1)[0])
    if now:
        yield (*now, frames)
    run.wait()


def observe(trace):
    """{'stops': [(name, ms from the start, ms)], 'waits': {(state, function): [(ms from the start, ms)]}, …}"""
    start, last, count = None, 0, 0
    open_stops, stops = {}, []
    state, known, waits = {}, {}, collections.defaultdict(list)
    samples = 0

    def leave(goroutine, at):
        was = state.get(goroutine)
        if was and was[0] in ("Runnable", "Syscall", "Waiting") and at - was[1] >= 1_000_000:
            waits[(was[0], goroutine)].append(((was[1] - start) / 1e6, (at - was[1]) / 1e6, was[2]))

    for at, kind, goroutine, rest, frames in events(trace):
        start = at if start is None else start
        last, count = at, count + 1
        if kind == "RangeBegin" and '"stop-the-world' in rest:
            open_stops[goroutine] = (at, re.search(r'\((.*?)\)"', rest)[1], frames)
        elif kind == "RangeEnd" and '"stop-the-world' in rest and goroutine in open_stops:
            began, name, _ = open_stops.pop(goroutine)
            stops.append((name, (began - start) / 1e6, (at - began) / 1e6))
        elif kind == "StackSample":
            samples += 1
        elif kind == "StateTransition":
            move = MOVE.match(rest)
            if not move:
                continue
            who, before, after, reason = move.groups()
            own = [f for f in frames if not f.startswith(("runtime.", "runtime/", "sync.", "internal/", "syscall.", "time."))]
            if own:
                known[who] = own[-1] if before in ("NotExist", "Undetermined") or who not in known else known[who]
                if before != "NotExist":
                    known[who] = own[-1]
            if before == after:
                continue
            leave(who, at)
            state[who] = (after, at, reason)
    for who in state:
        leave(who, last)
    merged = collections.defaultdict(list)
    for (what, who), spans in waits.items():
        merged[(what, known.get(who, "?"))] += spans
    return {"events": count, "span_ms": (last - (start or 0)) / 1e6, "stops": stops, "samples": samples,
            "waits": {k: sorted(v, key=lambda w: -w[1]) for k, v in merged.items()}}


def main():
    for trace in sys.argv[1:]:
        seen = observe(trace)
        print(f"{trace}: {seen['events']} events, {seen['span_ms']:.0f} ms, {seen['samples']} CPU samples")
        stops = collections.defaultdict(list)
        for name, at, ms in seen["stops"]:
            stops[name].append((ms, at))
        for name, all_of in sorted(stops.items()):
            longest = ", ".join(f"{ms:.3f} at {at:.0f}" for ms, at in sorted(all_of, reverse=True)[:4])
            print(f"  stop {name}: {len(all_of)}, {sum(ms for ms, _ in all_of):.3f} ms; longest {longest}")
        for (what, function), spans in sorted(seen["waits"].items(), key=lambda kv: (kv[0][0], -kv[1][0][1])):
            if spans[0][1] >= (5 if what != "Waiting" else 50):
                longest = ", ".join(f"{ms:.1f} at {at:.0f}" for at, ms, _ in spans[:3])
                print(f"  {what} {function}: {len(spans)} over 1 ms; longest {longest}")


if __name__ == "__main__":
    main()
