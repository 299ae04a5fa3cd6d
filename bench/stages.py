"""What each stage costs: the instructions of `stwatch stat --threads 1`, counted by callgrind and told apart by source folder.

A count of instructions doesn't depend on who else uses the machine, so it shows a change of one percent. Inlined code counts where its
source stands, which debug information tells.
"""
import collections
import json
import os
import re
import shutil
import subprocess
import tempfile

# The first that matches names the stage of a source file. What is not ours (the C library, zlib) comes last.
STAGES = (
    ("decode", r"/src/(v1|v2)/|/src/wire/varint\.h"),
    ("read", r"/src/wire/"),
    ("order", r"/src/order/"),
    ("fold", r"/src/model/fold|/src/analysis/"),
    ("model", r"/src/model/"),
    ("base", r"/src/base/"),
    ("rest", r"/src/|/cli/"),
    ("libraries", r""),
)


def available():
    return shutil.which("valgrind") is not None


def by_file(profile):
    """{source file: instructions} of a callgrind profile; those of callees belong to their own files."""
    names, cost = {}, collections.Counter()
    current, of_callee = None, False
    for line in profile:
        found = re.match(r"(c?f[lie])=\((\d+)\)(?: (.*))?$", line)
        if found:
            if found[3]:
                names[found[2]] = found[3]
            if found[1] in ("fl", "fi", "fe"):
                current = names[found[2]]
        elif line.startswith("calls="):
            of_callee = True
        elif re.match(r"\d+ \d+$", line):
            if not of_callee:
                cost[current] += int(line.split()[1])
            of_callee = False
    return cost


def callgrind(out, program, trace, threads, *options):
    """What `stat` prints, run under callgrind, which leaves its profile at out."""
    command = ["valgrind", "--tool=callgrind", "--compress-pos=no", "--callgrind-out-file=" + out, *options, program, "stat", "--threads", str(threads), "--format", "json", trace]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout)


def measure(program, trace):
    """Instructions an event, in all and by stage."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out")
        said = callgrind(out, program, trace, 1)
        with open(out, encoding="utf-8", errors="replace") as file:
            cost = by_file(line.rstrip("\n") for line in file)
    events = sum(i["events"] for i in said["inputs"]) or 1
    stages = collections.Counter({name: 0 for name, _ in STAGES})
    for path, count in cost.items():
        stages[next(name for name, pattern in STAGES if re.search(pattern, path or ""))] += count
    return {"instructions_per_event": sum(cost.values()) / events, "stages": {name: count / events for name, count in stages.items()}}


def alone_share(program, trace):
    """The share of the instructions of `stat` with two workers that the main thread runs: finding the generations, joining what the
    workers made of them, the figures. It is what more workers don't make faster. None where there were no workers."""
    with tempfile.TemporaryDirectory() as folder:
        callgrind(os.path.join(folder, "out"), program, trace, 2, "--separate-threads=yes")
        totals = {}
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                found = re.search(r"^totals: (\d+)", file.read(), re.MULTILINE)
            if found and name != "out":
                totals[name] = int(found[1])
    if len(totals) < 2:
        return None
    return totals[min(totals)] / sum(totals.values())
