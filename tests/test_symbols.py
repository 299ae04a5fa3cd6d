#!/usr/bin/env python3
"""Binaries: names for traces that have none (Go 1.5 and 1.6), every layout of Go's table of functions, position-independent ones, what
does not fit the trace, and what is damaged.

    test_symbols.py [PROGRAM]

The recordings in tests/data/binaries are of tests/support/oldfaults, built by the old Gos themselves (`-ldflags="-s -w"`); their
binaries are slimmed to what naming needs (binarywire.py slim). With a Go toolchain here, a fresh binary is looked at too.
"""
import gzip
import json
import os
import random
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import binarywire as bw
import harness
import profilewire as pw
import v1wire as wire

FOLDER = os.path.join(harness.DATA, "binaries")
TEXT = 0x401000


def run(*args):
    return harness.run_text(PROGRAM, *args)


def diagnose(*files):
    return harness.diagnose(PROGRAM, *files)


def figures(path):
    code, out, err = run("stat", "--format", "json", path)
    doc = json.loads(out) if out else {"sources": [{}], "inputs": [{}]}
    return code, doc["sources"][0].get("figures", {}), doc["inputs"][0], err


def unpacked(path):
    with gzip.open(path) as file:
        return file.read()


def names_line(doc):
    return next((l for l in doc["limits"] if "has no names" in l), None)


# ---- the real ones

def real(report, scratch):
    for version in ("1.5.4", "1.6.4"):
        trace, binary = (os.path.join(FOLDER, "oldfaults-go%s.%s.gz" % (version, kind)) for kind in ("trace", "elf"))
        for order in ((binary, trace), (trace, binary)):
            code, doc, err = diagnose(*order)
            found = [(f["rule"], (f["culprit"] or {}).get("function"), f["victims"][0]["function"] if f["victims"] else None) for f in doc["findings"]]
            report.check("real %s" % version, None if code == 0 and ("lock-convoy", "main.publish", "main.publish") in found else "%s %s %s" % (code, found, err))
            frames = {"%s %s:%d" % (fr["function"], os.path.basename(fr["file"]), fr["line"]) for f in doc["findings"] for e in f["evidence"] for fr in e["stack"]}
            want = {"main.publish main.go:%d" % line_of("results <- i"), "main.publisher main.go:%d" % line_of("publish(i)")}
            report.check("frames %s" % version, None if want <= frames else "%s in %s" % (want, sorted(frames)))
            report.check("said %s" % version, None if "oldfaults-go%s.elf.gz" % version in (names_line(doc) or "") else names_line(doc))
            kinds = [i["kind"] for i in doc["inputs"]]
            report.check("kinds %s" % version, None if sorted(kinds) == ["go-binary", "go-trace"] else kinds)
        code, doc, _ = diagnose(trace)
        report.check("alone %s" % version, None if "binary too" in names_line(doc) else names_line(doc))
        code, doc, _ = diagnose(trace, os.path.join(FOLDER, "oldfaults-go%s.elf.gz" % ("1.6.4" if version == "1.5.4" else "1.5.4")))
        wrong = [fr["function"] for f in doc["findings"] for e in f["evidence"] for fr in e["stack"] if fr["function"]]
        report.check("another's %s" % version, None if not wrong and "another build" in names_line(doc) else "%s %s" % (wrong, names_line(doc)))


def line_of(text):
    with open(os.path.join(harness.SOURCE, "tests", "support", "oldfaults", "main.go"), encoding="utf-8") as file:
        return next(i for i, line in enumerate(file, 1) if line.strip() == text)


def single(report, scratch):
    """The commands of one trace take its binary too, before it or behind it."""
    trace, binary = (os.path.join(FOLDER, "oldfaults-go1.6.4.%s.gz" % kind) for kind in ("trace", "elf"))
    out, plain = os.path.join(scratch.path, "out.pb.gz"), scratch.write("plain.trace", unpacked(trace))
    for order in ((trace, binary), (binary, trace)):
        code, text, err = run("events", "--format", "go", *(plain if name == trace else name for name in order))
        report.check("events", None if code == 0 and "main.publish" in text else "%s %s" % (code, err))
        code, text, err = run("states", "--function", "main.publish", "--format", "json", *order)
        report.check("states", None if code == 0 and any(r["states"] for r in json.loads(text)["resources"]) else "%s %s" % (code, err))
        code, text, err = run("path", "--function", "main.publisher", *order)
        report.check("path", None if code == 0 and "main.publish" in text else "%s %s %s" % (code, err, text[:300]))
        code, text, err = run("profile", "--type", "sync", "-o", out, *order)
        with gzip.open(out) as file:
            report.check("profile", None if code == 0 and b"main.publish" in file.read() else "%s %s" % (code, err))
    code, text, err = run("events", "--format", "go", plain)
    report.check("without it", None if code == 0 and "main.publish" not in text else code)
    code, text, err = run("events", trace, os.path.join(FOLDER, "oldfaults-go1.5.4.elf.gz"))
    report.check("another's for events", None if code == 3 and not text and "gives it no names" in err else "%s %s" % (code, err))
    for order, why in (((trace, __file__), __file__), ((__file__, trace), __file__)):
        code, text, err = run("states", *order)
        report.check("no binary", None if code == 3 and not text and why in err else "%s %s" % (code, err))


# ---- made ones: a program of three functions, of which two call

def program():
    return [bw.Function("runtime.goexit", "/go/src/runtime/asm.s", [(32, 7)]),
            bw.Function("main.main", "/src/app/main.go", [(16, 10), (16, 11), (32, 12)]),
            bw.Function("main.worker", "/src/app/work.go", [(64, 20), (64, 25)])]


CALLS = (32 + 24, 32 + 64 + 40, 32 + 64 + 100, 32 + 64 + 120)  # offsets to which calls return
WORKER = 32 + 64


def code():
    out = bytearray(b"\x90" * 512)
    for at in CALLS:
        out[at - 5] = 0xe8
    return bytes(out)


def trace(slide=0, starts=(WORKER,), returns=CALLS):
    """G1 makes G2, which stands runnable for 300 ms until G1 lets it; addresses as of a program at TEXT + slide."""
    rec = lambda name, *values: wire.Record(wire.NUMBERS[name], list(values))
    at = lambda offset: TEXT + slide + offset
    main, worker = 1, 2
    events = [rec("GoCreate", 1, 1, 1, at(starts[0]), main), rec("ProcStart", 1, 1, 7), rec("GoStart", 1, 1, 1),
              rec("Gomaxprocs", 1, 1, 1, main), rec("GoCreate", 1, 10, 2, at(starts[-1]), main),
              rec("GoSched", 1, 300000000, main), rec("GoStart", 1, 10, 2), rec("GoSched", 1, 100000000, worker), rec("GoStart", 1, 10, 1),
              rec("GoEnd", 1, 10), rec("GoStart", 1, 10, 2), rec("GoEnd", 1, 10)]
    stacks = [wire.Record(wire.STACK, [main, 1, at(returns[0])]), wire.Record(wire.STACK, [worker, len(returns) - 1] + [at(r) for r in returns[1:]])]
    head = wire.Record(wire.BATCH, [0, 1, 1000])
    tail = [wire.Record(wire.FREQUENCY, [1000000000, 0])] + stacks
    return wire.encode(5, [wire.Batch(head, events), wire.Batch(wire.Record(wire.BATCH, [0, 100, 400000000]), tail)])


def named(doc):
    frames = {(fr["function"], fr["file"], fr["line"]) for f in doc["findings"] for e in f["evidence"] for fr in e["stack"]}
    return frames, {(f["culprit"] or {}).get("function") for f in doc["findings"]} | {v["function"] for f in doc["findings"] for v in f["victims"]}


def layouts(report, scratch):
    """Each layout is read; names come from the first only, since no later Go writes traces without them."""
    for layout in bw.MAGICS:
        for word, big in ((8, False), (4, False), (8, True), (4, True)):
            name = "layout %d %d%s" % (layout, word, " big" if big else "")
            data = bw.elf(bw.Table(program(), TEXT, layout, word, big).encode(), code(), TEXT, word, big)
            status, got, entry, err = figures(scratch.write("p", data))
            want = got.get("functions") == 3 and got.get("text") == "0x401000 to 0x4010e0" and entry["kind"] == "go-binary" and status == 0
            report.check(name, None if want else "%s %s %s" % (status, got, err))


def made(report, scratch):
    table = bw.Table(program(), TEXT).encode()
    plain = scratch.write("plain", bw.elf(table, code(), TEXT))
    where = scratch.write("t", trace())
    status, doc, err = diagnose(where, plain)
    frames, who = named(doc)
    report.check("made", None if ("main.main", "/src/app/main.go", 11) in frames and "main.worker" in who else "%s %s %s" % (frames, who, doc["limits"]))
    sectionless = bytearray(bw.elf(table, code(), TEXT))
    struct.pack_into("<HHH", sectionless, 58, 0, 0, 0)
    _, doc, _ = diagnose(where, scratch.write("sectionless", bytes(sectionless)))
    report.check("without sections", None if "main.worker" in named(doc)[1] else doc["limits"])
    for name, functions, bytes_of, t in (
            ("start within a function", program(), code(), trace(starts=(WORKER, WORKER + 8))),
            ("return outside", program(), code(), trace(returns=CALLS[:-1] + (4000,))),
            ("no calls there", program(), b"\x90" * 512, trace()),
            ("slid, but not position-independent", program(), code(), trace(slide=0x1000))):
        binary = scratch.write("other", bw.elf(bw.Table(functions, TEXT).encode(), bytes_of, TEXT))
        _, doc, _ = diagnose(scratch.write("u", t), binary)
        report.check(name, None if "another build" in (names_line(doc) or "") and not any(f[0] for f in named(doc)[0]) else "%s %s" % (names_line(doc), named(doc)))
    later = scratch.write("later", bw.elf(bw.Table(program(), TEXT, 120).encode(), code(), TEXT))
    _, doc, _ = diagnose(where, later)
    report.check("a later Go's", None if "later Go" in names_line(doc) else names_line(doc))
    _, doc, _ = diagnose(where, later, plain)
    report.check("the second of two", None if "plain" in names_line(doc) else names_line(doc))


def slides(report, scratch):
    """A position-independent binary was loaded somewhere: found where one place fits, and only then."""
    pie = scratch.write("pie", bw.elf(bw.Table(program(), TEXT).encode(), code(), TEXT, kind=bw.DYN))
    for slide in (0, 0x555555000000, 0x7000):
        _, doc, _ = diagnose(scratch.write("t", trace(slide)), pie)
        report.check("slide 0x%x" % slide, None if "main.worker" in named(doc)[1] else names_line(doc))
    _, doc, _ = diagnose(scratch.write("t", trace(0x7010)), pie)
    report.check("no whole pages", None if "wherever it may have been loaded" in names_line(doc) and "main.worker" not in named(doc)[1] else names_line(doc))
    # The addresses in the table are left to the loader: they stand in .rela.dyn.
    table = bytearray(bw.Table(program(), TEXT).encode())
    relocations = b""
    for i in range(4):
        place = 16 + i * 16
        relocations += struct.pack("<QQQ", 0x800000 + place, 8, struct.unpack_from("<Q", table, place)[0])
        table[place:place + 8] = bytes(8)
    data = bw.elf(bytes(table), code(), TEXT, kind=bw.DYN, section=".data.rel.ro.gopclntab", more=[(".rela.dyn", 0x900000, relocations)])
    _, doc, _ = diagnose(scratch.write("t", trace(0x1000000)), scratch.write("rela", data))
    report.check("relocated", None if "main.worker" in named(doc)[1] else names_line(doc))


# ---- refused, damaged

def refused(report, scratch):
    for name, data, words in (
            ("Mach-O", b"\xcf\xfa\xed\xfe" + bytes(60), "macOS or Windows"), ("PE", b"MZ" + bytes(200), "macOS or Windows"),
            ("C", bw.elf(b"nothing", code(), section=".data"), "without Go's table"), ("core", bw.elf(b"", code(), kind=4), "core file"),
            ("cut head", b"\x7fELF\x02\x01\x01" + bytes(20), "ends within the ELF header")):
        status, out, err = run("stat", scratch.write("x", data))
        report.check(name, None if words in err and status in (3, 4) else "%s %s" % (status, err))


def damaged(report, scratch):
    """Whatever is done to it, it is read, refused or called damaged; a cut table is a problem, and what is left gives no wrong names."""
    whole = bw.elf(bw.Table(program(), TEXT).encode(), code(), TEXT)
    real_one = unpacked(os.path.join(FOLDER, "oldfaults-go1.5.4.elf.gz"))
    where = scratch.write("t", trace())
    rng = random.Random(5)
    for i in range(300 if not harness.HEAVY else 5000):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] = rng.choice((0, 1, 0x7f, 0x80, 0xff, rng.randrange(256)))
        if rng.random() < 0.3:
            data = data[:rng.randrange(len(data))]
        status, out, err = run("diagnose", where, scratch.write("d", bytes(data)))
        report.check("mutant %d" % i, None if status in (0, 3, 4) else "exit %s: %s" % (status, err or harness.keep("binary-mutant", bytes(data))))
    status, out, err = run("diagnose", os.path.join(FOLDER, "oldfaults-go1.5.4.trace.gz"), scratch.write("cut", real_one[:0xcb1c0 + 30000]))
    report.check("cut", None if status in (3, 4) and "Go's table of functions" in err else "%s %s" % (status, err))


# ---- profiles without names

BUSY = b"""package main

import (
	"os"
	"runtime/pprof"
	"syscall"
	"time"
)

var sink [64]uint64

func mix(x uint64) uint64 { return (x ^ x>>31) * 0x9e3779b97f4a7c15 }

func twice(x uint64) uint64 { return mix(mix(x) + 1) }

//go:noinline
func work(x uint64) uint64 {
	for i := range sink {
		sink[i] = twice(x + sink[i])
	}
	return sink[x % 64]
}

// Samples come by CPU time, which a busy machine gives late.
func spent() time.Duration {
	var used syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano())
}

//go:noinline
func busy(until time.Duration) uint64 {
	x := uint64(1)
	for n := 0; n%4096 != 0 || spent() < until; n++ {
		x = work(x)
	}
	return x
}

//go:noinline
func middle(until time.Duration) uint64 { return busy(until) + 1 }

//go:noinline
func outer(until time.Duration) uint64 { return middle(until) + 1 }

func main() {
	pprof.StartCPUProfile(os.Stdout)
	outer(400 * time.Millisecond)
	pprof.StopCPUProfile()
}
"""


def varint_at(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7f) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 0x80:
            return value, at


def fields_of(data):
    at = 0
    while at < len(data):
        tag, at = varint_at(data, at)
        value, at = varint_at(data, at)
        if tag & 7 == 2:
            yield tag >> 3, data[at:at + value]
            at += value
        else:
            yield tag >> 3, value


def nameless(data):
    """A profile without functions, and without lines in its locations."""
    put = lambda field, value: pw.message(field, value) if isinstance(value, bytes) else pw.number(field, value)
    out = b""
    for field, value in fields_of(data):
        if field == 4:
            value = b"".join(put(f, v) for f, v in fields_of(value) if f != 4)
        out += put(field, value) if field != 5 else b""
    return out


def profiles(report, scratch):
    """What the binary names in a profile without names is what the profile had, inlined calls and lines too."""
    go = shutil.which("go")
    if not go:
        return report.note("no Go toolchain here: no profile is recorded")
    folder = os.path.join(scratch.path, "busy")
    os.makedirs(folder)
    scratch.write("busy/main.go", BUSY)
    scratch.write("busy/go.mod", b"module example.com/busy\n\ngo 1.18\n")
    for flags in ([], ["-ldflags=-s -w"], ["-buildmode=pie"]):
        built = subprocess.run([go, "build", "-o", "busy.bin", *flags, "."], cwd=folder, capture_output=True,
                               env=dict(os.environ, CGO_ENABLED="0", GOFLAGS="-buildvcs=false", GOWORK="off"))
        if built.returncode:
            return report.note("go build does not work here: %s" % built.stderr.decode()[:200])
        binary = os.path.join(folder, "busy.bin")
        data = gzip.decompress(subprocess.run([binary], capture_output=True, timeout=60).stdout)
        whole, bare = scratch.write("whole", data), scratch.write("bare", nameless(data))
        answers = [json.loads(run("stat", "--format", "json", *files)[1]) for files in ((whole,), (bare, binary), (bare,))]
        rows = [a["sources"][0]["tables"] for a in answers]
        limits = [a["limits"] for a in answers]
        report.check("profile named %s" % flags, None if rows[0] == rows[1] and "main.mix" in json.dumps(rows[0]) else "%s\n%s\n%s" % (rows[0], rows[1], limits[1]))
        report.check("said %s" % flags, None if any("those of busy.bin are used" in l for l in limits[1]) and any("give the program's binary" in l for l in limits[2]) else limits)
        wrong = json.loads(run("stat", "--format", "json", bare, os.path.join(FOLDER, "oldfaults-go1.6.4.elf.gz"))[1])
        named = "main." in json.dumps(wrong["sources"][0]["tables"])
        report.check("another's names %s" % flags, None if not named and any("binary gives none" in l for l in wrong["limits"]) else wrong["limits"])
    return None


# ---- what Go builds today

def fresh(report, scratch):
    go = shutil.which("go")
    if not go:
        return report.note("no Go toolchain here: binaries of today are not looked at")
    os.makedirs(os.path.join(scratch.path, "app"))
    scratch.write("app/main.go", b"package main\n\nfunc main() { println(1) }\n")
    scratch.write("app/go.mod", b"module example.com/app\n\ngo 1.22\n")
    for flags in ([], ["-ldflags=-s -w"], ["-buildmode=pie", "-ldflags=-s -w"]):
        built = subprocess.run([go, "build", "-trimpath", "-o", "../app.bin", *flags, "."], cwd=os.path.join(scratch.path, "app"), capture_output=True,
                               env=dict(os.environ, CGO_ENABLED="0", GOFLAGS="-buildvcs=false", GOWORK="off"))
        if built.returncode:
            return report.note("go build does not work here: %s" % built.stderr.decode()[:200])
        path = os.path.join(scratch.path, "app.bin")
        status, got, entry, err = figures(path)
        ok = status == 0 and got["go_version"].startswith("go1.") and got["module"] == "example.com/app" and got["functions"] > 500
        report.check("fresh %s" % flags, None if ok else "%s %s" % (got, err))
        report.check("stripped %s" % flags, None if (got["symbols"] == "stripped") == bool(flags) else got["symbols"])


PROGRAM = harness.program()


def main():
    report = harness.Report()
    with harness.Scratch() as scratch:
        for test in (real, single, layouts, made, slides, refused, damaged, profiles, fresh):
            test(report, scratch)
    report.finish()


if __name__ == "__main__":
    main()
