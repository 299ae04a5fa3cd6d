#!/usr/bin/env python3
"""Fills a folder with inputs to begin fuzzing from: seed.py FOLDER

Small bundled traces, damaged ones, every scenario, and mutants of them, in FOLDER/one; in FOLDER/pairs what only a target that reads two inputs
takes apart. Small inputs fuzz fastest, so large ones stay out, and pairs where they would be one trace with much behind it.
"""
import glob
import gzip
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
import binarywire
import harness
import mutate
import texttrace
import v1mutate
import v1oracle
import v1text

LARGEST = 32 << 10
MUTANTS = 300


def inputs():
    for path in sorted(glob.glob(os.path.join(harness.DATA, "*", "*.trace"))):
        if os.path.getsize(path) <= LARGEST:
            with open(path, "rb") as file:
                yield os.path.basename(path), file.read()
    for path in sorted(glob.glob(os.path.join(harness.SOURCE, "tests", "scenarios", "*.txt"))):
        yield os.path.basename(path)[:-len(".txt")] + ".trace", texttrace.read(path).data
    for path in sorted(glob.glob(os.path.join(harness.DATA, "profiles", "*.pprof"))):
        with gzip.open(path) as file:
            yield os.path.basename(path), file.read()


def texts():
    """Logs and dumps."""
    for path in sorted(glob.glob(os.path.join(harness.DATA, "godebug", "*.log")) + glob.glob(os.path.join(harness.DATA, "dumps", "*.txt"))):
        with open(path, "rb") as file:
            yield os.path.basename(path), file.read()


def with_texts():
    """Each of them with a trace of the same kind of process."""
    traces = [(name, data) for name, data in inputs() if data[:4] == b"go 1"]
    for path in sorted(glob.glob(os.path.join(harness.DATA, "godebug", "*.trace.gz"))):
        name = os.path.basename(path)[:-len(".trace.gz")]
        with gzip.open(path) as file, open(path[:-len(".trace.gz")] + ".log", "rb") as log:
            yield name + "+log", file.read()[:40 << 10] + b"\n----\n" + log.read()
    for i, (name, text) in enumerate(texts()):
        for trace, data in traces[i % 7::29]:
            yield "%s+%s" % (trace, name), data + b"\n----\n" + text


def pairs():
    """Two traces of one process, one way round and the other, of two processes, and one with what was done to the other."""
    folder = os.path.join(harness.DATA, "snapshots")
    for version in ("go1.22", "go1.26"):
        of = {name: harness.read_bytes(os.path.join(folder, version, name + ".trace")) for name in "abcde"}
        for a, b in ("ab", "ba", "ac", "cd", "ce", "de"):
            yield "joined-%s-%s%s" % (version, a, b), of[a] + b"\n----\n" + of[b]
        for i, (name, data) in enumerate(mutate.mutants([(name, of[name]) for name in "bd"], 40, 2)):
            yield "joined-%s-mutant-%d" % (version, i), of["ac"[i % 2]] + b"\n----\n" + data
    yield "joined-other", harness.read_bytes(os.path.join(folder, "go1.26", "a.trace")) + b"\n----\n" + harness.read_bytes(os.path.join(folder, "other", "c.trace"))


def v1_inputs():
    """Traces of Go 1.5 to 1.21: recordings, unpacked, and scenarios."""
    for path in sorted(glob.glob(os.path.join(harness.DATA, "v1", "*.gz")) + glob.glob(os.path.join(harness.DATA, "v1", "bad", "*.trace"))):
        data = v1oracle.unpacked(path)
        if len(data) <= LARGEST:
            yield "v1-" + os.path.basename(path), data
    for path in sorted(glob.glob(os.path.join(harness.SOURCE, "tests", "scenarios", "v1", "*.txt"))):
        yield "v1-" + os.path.basename(path), v1text.read(path).data


def binaries():
    """Small programs in every layout of Go's table of functions, loaded at their own addresses or anywhere, and the tables alone."""
    functions = [binarywire.Function("main.f%d" % i, "/src/f%d.go" % (i % 2), [(16, 10 + i), (16, 30 - i)]) for i in range(6)]
    record = b"\xff Go buildinf:" + b"\x08\x02" + bytes(16)
    text = b"0" * 16 + b"path\tm\nmod\tm\tv1\t\nbuild\tA=b\nbuild\t\"q\"=c\n" + b"1" * 16
    for layout in binarywire.MAGICS:
        for word, big in ((8, False), (4, True)):
            table = binarywire.Table(functions, 0x401000, layout, word, big).encode()
            yield "table-%d-%d" % (layout, word), table
            for kind in (binarywire.EXEC, binarywire.DYN):
                more = [(".go.buildinfo", 0x900000, record + b"\x08go1.26.8" + bytes([len(text)]) + text), (".rela.dyn", 0xa00000, bytes(24) * 3),
                        (".go.module", 0xb00000, bytes(256))]
                yield "binary-%d-%d-%d" % (layout, word, kind), binarywire.elf(table, b"\xe8\0\0\0\0" * 40, 0x401000, word, big, kind, more=more)


def packed(data):
    """The same bytes in the ways that are unpacked: gzip in one member and in two, zstd in raw blocks, and one of a repeated byte."""
    half = len(data) // 2
    yield "gz", gzip.compress(data, mtime=0)
    yield "2.gz", gzip.compress(data[:half], mtime=0) + gzip.compress(data[half:], mtime=0)
    blocks = [data[i:i + 100000] for i in range(0, len(data), 100000)] + [b""]
    raw = b"".join((len(block) << 3 | (not block)).to_bytes(3, "little") + block for block in blocks)
    yield "zst", b"\x28\xb5\x2f\xfd\x00\x58" + raw
    yield "rle.zst", b"\x28\xb5\x2f\xfd\x00\x58" + (5000 << 3 | 3).to_bytes(3, "little") + data[:1]


def main():
    if len(sys.argv) != 2:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    found = list(inputs())
    sound = [(name, data) for name, data in found if data[:4] == b"go 1" and mutable(data)]
    found += [("mutant-%d.trace" % i, data) for i, (_, data) in enumerate(mutate.mutants(sound, MUTANTS, 1))]
    old = list(v1_inputs())
    sound_old = [(name, data) for name, data in old if mutable_v1(data)]
    found += old + [("v1-mutant-%d.trace" % i, data) for i, (_, data) in enumerate(v1mutate.mutants(sound_old, MUTANTS, 1))]
    found += list(texts())
    smallest = min((data for name, data in sound), key=len)
    found += [("packed.%s" % name, data) for name, data in packed(smallest)]
    found += binaries()
    write(os.path.join(sys.argv[1], "one"), found)
    write(os.path.join(sys.argv[1], "pairs"), list(with_texts()) + list(pairs()))
    return 0


def write(folder, found):
    os.makedirs(folder, exist_ok=True)
    for name, data in found:
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)
    print("%d inputs in %s" % (len(found), folder))


def mutable(data):
    try:
        return bool(mutate.Trace(data).batches)
    except (ValueError, IndexError):
        return False


def mutable_v1(data):
    try:
        return bool(v1mutate.Trace(data).batches)
    except (ValueError, IndexError):
        return False


if __name__ == "__main__":
    sys.exit(main())
