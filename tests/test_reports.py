#!/usr/bin/env python3
"""Reports to be passed on: the page is one file below 1 MB that loads nothing and closes what it opens, hostile names stay text in every format, every
finding is there, and each finding that a trace shows has its timeline; diagrams name only participants that they declare.

    test_reports.py [PROGRAM]
"""
import glob
import html.parser
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import harness
import texttrace

TRACES = sorted(glob.glob(os.path.join(harness.DATA, "traces", "*.trace"))) + [os.path.join(harness.SOURCE, "examples", "traces", "stall.trace")]
VOID = {"meta", "path", "rect", "i"}
OPTIONAL_END = {"li", "dt", "dd", "p", "time"}
EVIL = '</title><script>alert(1)</script>&amp;\\"\'`|@someone#12[x](http://evil)%%{init}%%;end\u202e'
HOSTILE = """expect accept
Trace Go1.26
gen 1 freq=1000000
batch m=1 time=100
ProcStatus p=0 status=running
GoStatus g=1 m=1 status=running
GoCreate new_g=2 new_stack=main.EVIL:3
GoBlock reason_string="sleep" stack=runtime.gopark:1<main.main:4
GoStart g=2 g_seq=1
GoSyscallBegin dt=10 p_seq=1 stack=syscall.read:9<main.EVIL:5
GoSyscallEnd dt=900000
GoUnblock g=1 g_seq=1
GoStop dt=800000 reason_string="preempted" stack=main.EVIL:7
GoStart g=1 g_seq=2
GoDestroy dt=10
"""


def run(program, *args):
    done = subprocess.run([program, "diagnose", *args], capture_output=True, timeout=300)
    return done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8", "replace")


class Page(html.parser.HTMLParser):
    """Tags, in order and closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.trouble, self.sections = [], {}, [], []
        self.feed(text)
        self.close()
        left = [t for t in self.open if t not in OPTIONAL_END]
        if left:
            self.trouble.append("left open: %s" % left)

    def handle_starttag(self, tag, attributes):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        for name, value in attributes:
            if name in ("src", "href", "srcset", "action") or name.startswith("on") or "url(" in (value or ""):
                self.trouble.append("%s loads or runs something: %s=%s" % (tag, name, value))
        if tag in ("script", "link", "iframe", "object", "img", "image", "use", "form"):
            self.trouble.append("a %s" % tag)
        if tag not in VOID or tag == "i":
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in VOID and tag != "i" and (not self.open or self.open[-1] != tag):
            return
        while self.open and self.open[-1] != tag and self.open[-1] in OPTIONAL_END:
            self.open.pop()
        if not self.open or self.open.pop() != tag:
            self.trouble.append("</%s> closes nothing" % tag)


def check_page(report, name, text, findings):
    page = Page(text)
    report.check("%s: page" % name, "; ".join(page.trouble[:3]))
    report.check("%s: size" % name, None if len(text.encode()) < 1 << 20 else "%d bytes" % len(text.encode()))
    report.check("%s: findings" % name, None if page.tags.get("section", 0) == len(findings) else "%d of %d" % (page.tags.get("section", 0), len(findings)))
    timed = sum(f["start_ns"] is not None for f in findings[:20])
    report.check("%s: timelines" % name, None if page.tags.get("svg", 0) == timed else "%d of %d" % (page.tags.get("svg", 0), timed))
    for numbers in re.findall(r' (?:x|y|width|height)="([^"]*)"', text):
        if not re.fullmatch(r"\d+(\.\d+)?", numbers):
            report.check("%s: drawn" % name, "odd number %s" % numbers)
            break


def check_markdown(report, name, text, findings):
    report.check("%s: headings" % name, None if len(re.findall(r"^### \d+\. ", text, re.M)) == len(findings) else text[:300])
    report.check("%s: fences" % name, None if text.count("```") % 2 == 0 else "odd")
    for block in re.findall(r"^```mermaid\nsequenceDiagram\n(.*?)^```", text, re.M | re.S):
        declared = set(re.findall(r"^    participant (A\d+) as \S", block, re.M))
        used = set(re.findall(r"(?:Note over |^    |-x)(A\d+)(?=[:-])", block, re.M))
        lines = [l for l in block.splitlines() if not re.fullmatch(r"    (participant A\d+ as .+|Note over A\d+: .+|A\d+-xA\d+: .+)", l)]
        report.check("%s: diagram" % name, "not declared: %s" % (used - declared) if used - declared else "; ".join(lines[:2]) or None)


def check_chains(report, name, text, findings):
    """The chain of each finding that shows a system call: its nodes, the times on it, who waited."""
    chains = re.findall(r"^```mermaid\nflowchart LR\n(.*?)^```", text, re.M | re.S)
    wanted = [f for f in findings if f["culprit"] and any(e["step"] == "call" and e["stack"] for e in f["evidence"])]
    report.check("%s: chains" % name, None if len(chains) == len(wanted) else "%d of %d" % (len(chains), len(wanted)))
    for chain, f in zip(chains, wanted):
        lines = chain.splitlines()
        odd = [l for l in lines if not re.fullmatch(r'    ([A-Z]\w?\[".+"\]|K\(\["kernel"\]\)|[A-Z] (-->|-\.->)(\|".+"\|)? [A-Z]\w?)', l)]
        report.check("%s: chain of %s" % (name, f["id"]), "; ".join(odd[:2]) or None)
        call = next(e for e in f["evidence"] if e["step"] == "call")
        told = ['G["G%d' % call["goroutine"], '"%s"' % call["stack"][0]["function"], "%+.3f ms" % (call["at_ns"] / 1e6)]
        told += ['|"waited '] * bool(f["victims"])
        report.check("%s: told in the chain of %s" % (name, f["id"]), ", ".join(t for t in told if t not in chain))


def main():
    program, report = harness.program(), harness.Report()
    for trace in TRACES:
        name = os.path.basename(trace)
        findings = json.loads(run(program, "--format", "json", trace)[1])["findings"]
        for form, check in (("html", check_page), ("markdown", check_markdown)):
            code, out, err = run(program, "--format", form, trace)
            if report.check("%s: %s" % (name, form), code and err):
                check(report, name, out, findings)
            if form == "markdown":
                check_chains(report, name, out, findings)
    with harness.Scratch() as scratch:
        evil = HOSTILE.replace("main.EVIL", "main.EVILEVILEVIL")
        case = texttrace.read(scratch.write("evil.txt", evil.encode()))
        data = case.data.replace(b"main.EVILEVILEVIL", ("main." + EVIL)[:17].encode())
        trace = scratch.write("<script>&.trace", data)
        findings = json.loads(run(program, "--format", "json", trace)[1])["findings"]
        report.check("hostile: something to tell", None if findings else "no finding")
        # Names are longer than what they stand for: write them into the table of strings by way of a longer place holder.
        for start in range(0, len(EVIL), 12):
            piece = EVIL[start:start + 12].encode()[:12].decode("utf-8", "ignore")
            name = ("main." + piece).encode().ljust(17, b"_")[:17]
            trace = scratch.write("<script>&.trace", case.data.replace(b"main.EVILEVILEVIL", name))
            page, text = run(program, "--format", "html", trace)[1], run(program, "--format", "markdown", trace)[1]
            check_page(report, "hostile %d" % start, page, json.loads(run(program, "--format", "json", trace)[1])["findings"])
            check_markdown(report, "hostile %d" % start, text, json.loads(run(program, "--format", "json", trace)[1])["findings"])
            outside = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
            told = [w for w in ("<script", "@someone", "](http", "\u202e") if w in outside or w in page]
            report.check("hostile %d: harmless" % start, ", ".join(told))
        clean = run(program, "--format", "html", trace, "--ignore", "nothing", "--top", "1")[1]
        report.check("--top", None if Page(clean).tags.get("section", 0) <= 1 else "more than one")
    report.finish()


if __name__ == "__main__":
    main()
