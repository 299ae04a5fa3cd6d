"""What is found in each bundled trace: severity, rule, cause, culprit and first victim, held against tests/golden/diagnoses.txt.

    test_diagnoses.py [PROGRAM]        STWATCH_BLESS=1 writes the golden file anew: read the difference before committing it.

A look-alike or clean trace that begins to warn, or a planted fault whose culprit changes, shows here.
"""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
from harness import DATA, SOURCE, Report, program

GOLDEN = os.path.join(SOURCE, "tests", "golden", "diagnoses.txt")


def lines_of(stwatch, folder, name):
    done = subprocess.run([stwatch, "diagnose", "--format", "json", os.path.join(folder, name)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    yield f"{name} exit {done.returncode}"
    if not done.stdout:
        return
    found = json.loads(done.stdout)
    for stop in (found["summary"] or {}).get("stw") or []:
        if stop["inferred"]:
            yield f"  inferred {stop['count']} × {stop['kind']}"
    for f in found["findings"]:
        culprit = (f["culprit"] or {}).get("function")
        victim = f["victims"][0]["function"] if f["victims"] else None
        yield f"  {f['severity']} {f['rule']} {f['cause']} culprit={culprit} victim={victim} times={f['count']}"


def main():
    stwatch, report = program(), Report()
    got = []
    for folder in ("traces", "bad", "v1"):
        folder = os.path.join(DATA, folder)
        for name in sorted(os.listdir(folder)):
            if name.endswith((".trace", ".trace.gz")):
                got += lines_of(stwatch, folder, name)
    if os.environ.get("STWATCH_BLESS"):
        os.makedirs(os.path.dirname(GOLDEN), exist_ok=True)
        with open(GOLDEN, "w", encoding="utf8") as f:
            f.write("\n".join(got) + "\n")
    with open(GOLDEN, encoding="utf8") as f:
        want = f.read().splitlines()
    for i in range(max(len(got), len(want))):
        a, b = (x[i] if i < len(x) else "nothing" for x in (want, got))
        report.check(f"line {i + 1}", None if a == b else f"expected {a!r}, got {b!r}")
    report.finish()


if __name__ == "__main__":
    main()
