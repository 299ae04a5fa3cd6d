"""Minimum mutator utilisation the slow and obvious way, from the lines of `stwatch events --format jsonl`."""
import bisect
import json
import re

STATES = re.compile(r"GoID=(\d+) (\w+)->(\w+)")
EXECUTES = ("Running", "Syscall")


def levels(lines, flags, procs=0):
    """procs: how many there are until an event says it. (time, share that is taken from then on) at each change; flags out of "stw", "background", "assist"."""
    out, stops = [], 0
    at_work, assists, workers, last = {}, set(), set(), None
    for line in lines:
        event = json.loads(line)
        name, details, g, p = event["name"], event["details"], event["goroutine"], event["proc"]
        if name == "Sync":
            continue
        last = event["at_ns"]
        if name == "ProcsChange":
            procs = int(re.search(r"Uint64\((\d+)\)", details).group(1))
        elif name == "STWBegin":
            stops += "stw" in flags and "(GC " in details
        elif name == "STWEnd":
            stops -= "stw" in flags and "(GC " in details
        elif name == "GCMarkAssistBegin" and "assist" in flags:
            assists.add(g)
            at_work[g] = p
        elif name == "GCMarkAssistEnd" and "assist" in flags:
            assists.discard(g)
            at_work.pop(g, None)
        elif name == "GoLabel" and "background" in flags:
            if re.search(r'"GC (?!\(idle\))', details):
                workers.add(g)
                at_work[g] = p
        else:
            moved = STATES.search(details) if event["kind"] == "StateTransition" else None
            if moved:
                who, before, after = int(moved.group(1)), moved.group(2) in EXECUTES, moved.group(3) in EXECUTES
                if before and not after:
                    at_work.pop(who, None)
                    workers.discard(who)
                elif after and not before and who in assists:
                    at_work[who] = p
        if not procs:
            continue
        level = 1.0 if stops else len(set(at_work.values())) / procs
        if not out or out[-1][1] != level:
            out.append((last, level))
    return out + [(last, 0.0)]


def mmu(changes, window):
    """The least share that is not taken in any window; None where none fits."""
    times = [t for t, _ in changes]
    sums = [0.0]
    for (t, level), (after, _) in zip(changes, changes[1:]):
        sums.append(sums[-1] + level * (after - t))

    def taken(t):
        i = max(0, bisect.bisect_right(times, t) - 1)
        return sums[i] + changes[i][1] * (t - times[i])

    if times[-1] - times[0] < window:
        return None
    starts = [t for t in times if t + window <= times[-1]] + [t - window for t in times if t - window >= times[0]]
    return 1 - max(taken(s + window) - taken(s) for s in starts) / window
