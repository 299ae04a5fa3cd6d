#!/usr/bin/env python3
"""`cut`: every generation opens alone, here and in Go's own reader; a whole cut is the trace; pseudonyms are consistent, nothing of the program's
names is left, and the diagnosis is the same but for names; the output is there whole or not at all.

    test_cut.py [PROGRAM]
"""
import glob
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness
import oracle
import texttrace
import tracewire as wire

TRACES = sorted(glob.glob(os.path.join(harness.DATA, "traces", "*.trace"))) + [os.path.join(harness.SOURCE, "examples", "traces", "stall.trace")]
REASONS = ("GoStop", "GoBlock", "STWBegin")
# A program's own words, each also a word that must stay.
HOSTILE = """expect accept
Trace Go1.26
gen 1
batch m=1 time=100
ProcStatus p=0 status=running
GoStatus g=1 m=1 status=running
UserTaskBegin task=3 parent_task=0 name_string="sleep" stack=secret/corp.(*Vault).Open.func1:3<main.main:4<runtime.main:5
UserRegionBegin task=3 name_string="runtime.gopark" stack=sort.Slice[go.shape.*main.Secret]:7<type:.eq.main.Secret:9
UserLog task=3 key_string="GC (dedicated)" value_string="Geheimnis"
UserLog task=3 key_string="" value_string="sleep"
GoLabel label_string="GC (dedicated)"
GoLabel label_string="private"
UserRegionEnd task=3 name_string="runtime.gopark"
UserTaskEnd task=3
GoBlock reason_string="sleep" stack=runtime.gopark:3<main.main:4
"""
SECRETS = (b"secret", b"Secret", b"corp", b"Vault", b"Open", b"Geheimnis", b"private")


def placed(data):
    """The plain batches of a trace, each with the place of its generation."""
    place, last = 0, None
    for batch in wire.batches(data):
        ended = batch.kind == "EndOfGeneration"
        place += ended or (data[5:7] < b"26" and last not in (None, batch.gen))
        last = None if ended else batch.gen
        if batch.kind == "EventBatch":
            yield place, batch


def strings(data):
    """The strings of a trace, as {(generation's place, id): text}."""
    out = {}
    for place, batch in placed(data):
        if batch.first() == wire.number("Strings"):
            for number, args, rest in wire.events(batch.data):
                if number == wire.number("String"):
                    size, at = wire.read_varint(rest, 0)
                    out[place, args[0]] = rest[at:at + size]
    return out


def in_stacks(data):
    """The places and ids of strings that name functions and files."""
    out = set()
    for place, batch in placed(data):
        for number, _, rest in wire.events(batch.data) if batch.first() == wire.number("Stacks") else ():
            at, numbers = 0, []
            while number == wire.number("Stack") and at < len(rest):
                value, at = wire.read_varint(rest, at)
                numbers.append(value)
            out.update((place, id) for i, id in enumerate(numbers) if i % 4 in (1, 2))
    return out


def used(data):
    """Strings as events use them: the texts of the program, and the reasons of the runtime."""
    table, texts, reasons = strings(data), set(), set()
    for place, batch in placed(data):
        if batch.first() in (wire.number("Strings"), wire.number("Stacks"), wire.number("CPUSamples")):
            continue
        for number, args, _ in wire.events(batch.data):
            spec = wire.EVENTS[number]
            for name, value in zip(spec.args, args):
                if name.endswith("_string"):
                    (reasons if spec.name in REASONS else texts).add(table.get((place, value), b""))
    return texts, reasons


def starts(program, trace):
    _, out, _ = harness.run_bytes(program, "events", "--kind", "Sync", "--format", "jsonl", trace)
    return [json.loads(line)["at_ns"] for line in out.splitlines()][:-1]


def shape(finding, rename):
    party = lambda p: p and [rename(p[k]) for k in ("function", "leaf", "root")] + [p["goroutine"], p["proc"], p.get("thread"), p["count"]]
    return [finding[k] for k in ("rule", "cause", "severity", "confidence", "start_ns", "duration_ns", "count", "worst_ns", "harm_ns", "phases")] + [
        party(finding["culprit"]), sorted(repr(party(v) + [v["delay_ns"]]) for v in finding["victims"]),
        [[e["at_ns"], e["step"], e["goroutine"], e["proc"], [[rename(f["function"]), f["line"]] for f in e["stack"]]] for e in finding["evidence"]]]


def diagnosis(program, trace, rename):
    code, out, err = harness.run_bytes(program, "diagnose", "--format", "json", trace)
    return [shape(f, rename) for f in json.loads(out)["findings"]] if out else err


def check_anonymous(report, program, name, trace, out):
    code, _, err = harness.run_bytes(program, "cut", "--anonymise", "-o", out, trace)
    if not report.check("%s: anonymised" % name, code and err):
        return
    before, after = strings(harness.read_bytes(trace)), strings(harness.read_bytes(out))
    names, trouble = {}, []
    for key in in_stacks(harness.read_bytes(trace)) & set(before):
        if names.setdefault(before[key], after[key]) != after[key]:
            trouble.append("%r has two pseudonyms" % before[key])
    texts, reasons = used(harness.read_bytes(trace))
    now_texts, now_reasons = used(harness.read_bytes(out))
    kept = {t for t in texts if t.startswith(b"GC (")}
    trouble += ["text %r is left" % t for t in sorted((texts & now_texts) - kept - {b""})]
    trouble += ["reason %r is gone" % t for t in sorted(reasons - now_reasons)]
    trouble += ["%r is left" % t for t in after.values() if t.startswith(b"main.") and t not in (b"main.main", b"main.init") and t in before.values() and not
                t.startswith((b"main.main.func", b"main.init."))]
    trouble += ["path %r is left" % t for t in after.values() if t.startswith(b"/")  and t in before.values()]
    report.check("%s: names" % name, "; ".join(trouble[:4]))
    words = {k.decode("utf-8", "replace"): v.decode("utf-8", "replace") for k, v in names.items()}
    mine, other = diagnosis(program, trace, lambda f: words.get(f, f)), diagnosis(program, out, lambda f: f)
    # Findings of equal weight are in order of their ids, which hold names.
    report.check("%s: the same diagnosis" % name, None if sorted(map(repr, mine)) == sorted(map(repr, other)) else "%s\n%s" % (mine, other))


def check_generations(report, program, judge, name, trace, out):
    times = starts(program, trace)
    for i, at in enumerate(times):
        end = times[i + 1] if i + 1 < len(times) else None
        window = ["--from", "%dns" % (at + 1)] + (["--to", "%dns" % ((at + 1 + end) // 2)] if end else [])
        for more in ([], ["--anonymise"]):
            code, told, err = harness.run_bytes(program, "cut", "--format", "json", *window, *more, "-o", out, trace)
            what = "%s: generation %d %s" % (name, i, " ".join(more))
            # The end of a generation can lie behind the begin of the next: then the cut has both.
            if not report.check(what, code and err or not 1 <= json.loads(told)["generations"] <= 2 and told.decode()):
                continue
            report.check(what + " reads", harness.run_bytes(program, "events", out)[0] and harness.run_bytes(program, "events", out)[2])
            if judge:
                verdict = judge.read(out)
                report.check(what + " in Go's reader", None if verdict.accepted else verdict.message)


def check_hostile(report, program, scratch):
    case = texttrace.read(scratch.write("hostile.txt", HOSTILE.encode()))
    trace = scratch.write("hostile.trace", case.data)
    for copies in (1, 30):  # the second makes a batch that is longer than one may be, once its strings have numbers of their own
        out, again = os.path.join(scratch.path, "h1"), os.path.join(scratch.path, "h2")
        if copies > 1:
            lines = HOSTILE.splitlines()
            logs = ['UserLog task=3 key_string="sleep" value_string="sleep"'] * 9000 + ["GoLabel label_string=\"w%d\"" % i for i in range(300)]
            lines[12:12] = logs
            trace = scratch.write("long.trace", texttrace.read(scratch.write("long.txt", "\n".join(lines).encode())).data)
        for path in (out, again):
            code, _, err = harness.run_bytes(program, "cut", "--anonymise", "-o", path, trace)
            report.check("hostile names: cut", code and err)
        data = harness.read_bytes(out)
        report.check("hostile names: gone", ", ".join(str(s) for s in SECRETS if s in data))
        report.check("hostile names: another key another time", None if data != harness.read_bytes(again) else "the same pseudonyms twice")
        texts, reasons = used(data)
        report.check("hostile names: words of the runtime that the program used too", ", ".join(
            str(t) for t in texts & {b"sleep", b"runtime.gopark"}) or (None if b"sleep" in reasons else "the reason is gone"))
        ours = harness.run_bytes(program, "events", out)
        report.check("hostile names: reads", ours[0] and ours[2])
        report.check("hostile names: as many events", None if ours[1].count(b"\n") == harness.run_bytes(program, "events", trace)[1].count(b"\n") else "lost some")


def check_files(report, program, scratch):
    trace, out = TRACES[0], os.path.join(scratch.path, "out")
    scratch.write("out", b"before")
    report.check("needs --output", None if harness.run_bytes(program, "cut", trace)[0] == 2 else "no")
    report.check("nothing there", None if harness.run_bytes(program, "cut", "--from", "1h", "-o", out, trace)[0] == 2 and harness.read_bytes(out) == b"before" else "no")
    report.check("no trace", None if harness.run_bytes(program, "cut", "-o", out, __file__)[0] == 3 and harness.read_bytes(out) == b"before" else "no")
    report.check("no folder", None if harness.run_bytes(program, "cut", "-o", os.path.join(out, "x"), trace)[0] == 3 else "no")
    code, told, _ = harness.run_bytes(program, "cut", "-o", "-", trace)
    report.check("to standard output", None if code == 0 and told == harness.read_bytes(trace) else "not the trace")
    with open(trace, "rb") as file:
        done = subprocess.run([program, "cut", "-o", out, "-"], stdin=file, capture_output=True)
    report.check("from standard input", None if done.returncode == 0 and harness.read_bytes(out) == harness.read_bytes(trace) else done.stderr)
    cut = scratch.write("cut.trace", harness.read_bytes(trace)[:-100])
    report.check("damaged", None if harness.run_bytes(program, "cut", "-o", out, cut)[0] == 4 else "no")
    report.check("nothing is left over", None if sorted(os.listdir(scratch.path))[:2] == ["cut.trace", "h1"] or not glob.glob(out + ".*") else os.listdir(scratch.path))


def main():
    program, report = harness.program(), harness.Report()
    judge = oracle.go_reader(report)
    with harness.Scratch() as scratch:
        out = os.path.join(scratch.path, "out.trace")
        for trace in TRACES:
            name = os.path.basename(trace)
            code, _, err = harness.run_bytes(program, "cut", "-o", out, trace)
            report.check("%s: whole" % name, code and err or (None if harness.read_bytes(out) == harness.read_bytes(trace) else "the copy differs"))
            check_generations(report, program, judge, name, trace, out)
            check_anonymous(report, program, name, trace, out)
        check_hostile(report, program, scratch)
        check_files(report, program, scratch)
    if judge:
        judge.close()
    report.finish()


if __name__ == "__main__":
    main()
