#!/usr/bin/env python3
"""A stop ends at its restart (ProcsChange), not where whoever stopped the world gets to write STWEnd: small traces made for it."""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness
import texttrace

# A clock tick is a nanosecond. Goroutine 1 stops the world on thread 1; the second proc stops at once and starts at +1 ms.
TEXT = """
expect accept
Trace Go1.26
gen 1
batch m=1 time=1000
ProcStatus p=0 status=running
GoStatus g=1 m=1 status=running
STWBegin dt=1000 kind_string="read mem stats" stack=runtime.ReadMemStats:9<main.ask:5<main.main:3
%s
STWEnd dt=%d
batch m=2 time=1100
ProcStatus p=1 status=running
GoStatus g=2 m=2 status=running
GoStop dt=2000 reason_string="preempted" stack=main.spin:7
ProcStop
ProcStart dt=1000000 p=1 p_seq=2
GoStart g=2 g_seq=2
"""
MS = 1000000
RESTART = "ProcsChange dt=1000000 procs_value=2"
CASES = [    # name, what is written before the end, the end's delay, the stop's length in ms in findings (None: none is told)
    ("the end is written late", RESTART, 60 * MS, None),
    ("the restart is late", "ProcsChange dt=60000000 procs_value=2", 1000, 60),
]


def main():
    stwatch, report = harness.program(), harness.Report()
    for name, before, delay, length in CASES:
        case = texttrace.read_scenario(TEXT % (before, delay))
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "0001")
            with open(path, "wb") as file:
                file.write(case.data)
            done = subprocess.run([stwatch, "diagnose", "--format", "json", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        found = json.loads(done.stdout)
        longest = max((f["worst_ns"] / MS for f in found["findings"] if f["rule"] in ("stw-prolonged", "gc-mark-termination")), default=None)
        told = found["summary"]["stw"][0]["max_ns"] / MS
        right = longest is None if length is None else longest is not None and abs(longest - length) < 2
        report.check(name, None if right else f"a stop of {longest} ms")
        report.check(name + ": stat counts to STWEnd", None if abs(told - 60) < 3 else f"{told} ms")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
