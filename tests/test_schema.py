#!/usr/bin/env python3
"""What is printed as JSON is what docs/schema says.  test_schema.py STWATCH"""
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    if os.path.exists("/usr/bin/python3") and not os.path.samefile(sys.executable, "/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])  # Debian's modules are that one's
    print("skipped: the Python module jsonschema is not installed (Debian: python3-jsonschema)")
    sys.exit(77)

PROGRAM = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build/release/stwatch")
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TRACES = sorted(glob.glob(os.path.join(ROOT, "examples", "traces", "*.trace")) + glob.glob(os.path.join(ROOT, "tests", "data", "traces", "*.trace")))
PROFILES = sorted(glob.glob(os.path.join(ROOT, "tests", "data", "profiles", "*")))
DAMAGED = sorted(glob.glob(os.path.join(ROOT, "tests", "data", "bad", "*")))
LINES_CHECKED = 2000


def closed(schema):
    """The schema with every further key forbidden: users must accept new ones, we must document them."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: closed(value) for key, value in schema.items()}
    if "required" in out:
        out.setdefault("additionalProperties", False)
    return out


def validator(name):
    with open(os.path.join(ROOT, "docs", "schema", name + ".json"), encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(closed(schema))


def output(*args):
    return subprocess.run([PROGRAM, *args], capture_output=True, timeout=300).stdout.decode("utf-8")


def complaints(check, text, where):
    for error in check.iter_errors(json.loads(text)):
        yield "%s: at %s: %s" % (where, "/".join(map(str, error.absolute_path)), error.message[:300])


def main():
    found, documents = [], 0
    for command, name in (("diagnose", "diagnosis"), ("stat", "stat"), ("states", "states")):
        check = validator(name)
        for trace in TRACES + PROFILES + DAMAGED:
            text = output(command, "--format", "json", trace)
            if text or trace in TRACES:
                documents += 1
                found += complaints(check, text, "%s %s" % (command, trace))
    check = validator("path")
    for trace in TRACES:
        documents += 1
        found += complaints(check, output("path", "--format", "json", "--function", "main.", trace) or output("path", "--format", "json", trace), "path %s" % trace)
    check = validator("cut")
    documents += 1
    found += complaints(check, output("cut", "--format", "json", "-o", os.devnull, TRACES[0]), "cut %s" % TRACES[0])
    check = validator("index")
    with tempfile.TemporaryDirectory() as folder:
        trace = shutil.copy(TRACES[0], folder)
        documents += 1
        found += complaints(check, output("index", "--format", "json", trace), "index %s" % TRACES[0])
    check = validator("profile")
    documents += 1
    text = output("profile", "--format", "json", "--type", "sched", "-o", os.devnull, TRACES[0])
    found += complaints(check, text, "profile %s" % TRACES[0]) if text else []
    check = validator("explain")
    topics = output("explain", "--format", "json")
    for text in [topics] + [output("explain", "--format", "json", topic) for topic in json.loads(topics)["topics"]]:
        documents += 1
        found += complaints(check, text, "explain")
    check = validator("doctor")
    documents += 1
    found += complaints(check, output("doctor", "--format", "json"), "doctor")
    check = validator("event")
    for line in output("events", "--format", "jsonl", TRACES[0]).splitlines()[:LINES_CHECKED]:
        documents += 1
        found += complaints(check, line, "events %s" % TRACES[0])
    print("\n".join(found[:20]))
    print("%d documents and lines, %d complaints" % (documents, len(found)))
    return 1 if found or documents < 3 else 0


if __name__ == "__main__":
    sys.exit(main())
