#!/usr/bin/env python3
"""What is left of damaged traces: holes, noise, zeros, cuts, flipped bits, batches twice, no header, two traces in one file. Nothing crashes or hangs,
the exit code is 4 (0 where nothing was lost), what is sound is read, and no finding of a clean trace's damaged copy is a warning.

    test_damage.py [PROGRAM] [TRACE…]
"""
import glob
import json
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import damages
import harness
import mutate
import tracewire as wire
import v1oracle
import v1text
import v1wire

FOLDER = os.path.join(harness.DATA, "traces")
CLEAN = [os.path.join(FOLDER, n) for n in ("clean-go1.22.12.trace", "clean-go1.24.0.trace", "clean-go1.26.8.trace", "clean-allocfree-go1.26.8.trace",
                                           "coroutines-go1.25.0.trace", "annotations-go1.26.8.trace")]
SEVERAL = [os.path.join(FOLDER, n) for n in ("lock_convoy-3gen-go1.22.12.trace", "lock_convoy-3gen-go1.25.0.trace", "lock_convoy-3gen-go1.26.8.trace")]
VARIANTS = 2000 if harness.HEAVY else 150


def read(path):
    with open(path, "rb") as f:
        return f.read()


class Stwatch:
    def __init__(self, program, scratch):
        self.program, self.file = program, os.path.join(scratch, "damaged.trace")

    def run(self, data, *command):
        with open(self.file, "wb") as f:
            f.write(data)
        return subprocess.run([self.program, *command, self.file], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)

    def diagnose(self, data):
        """(exit code, input, findings that warn)"""
        done = self.run(data, "diagnose", "--format", "json")
        if not done.stdout:
            return done.returncode, None, []
        told = json.loads(done.stdout)
        return done.returncode, told["inputs"][0], [f for f in told["findings"] if f["severity"] != "note"]


def ends_of_generations(data):
    """Where each generation's bytes end."""
    ends, at, number = [], 16, None
    for batch in wire.batches(data):
        if batch.kind == "EndOfGeneration":
            at += 1
            ends.append(at)
            number = None
            continue
        if number is not None and batch.gen != number and int(data[5:7]) < 26:
            ends.append(at)
        number = batch.gen
        size = len(batch.encode())  # the runtime pads sizes: find the real one
        head = 1 + (batch.kind == "ExperimentalBatch")
        p = at + head
        for _ in range(4):
            _, p = wire.read_varint(data, p)
        at = p + len(batch.data)
        assert at >= p and size
    if int(data[5:7]) < 26:
        ends.append(len(data))
    return ends


def behind_first_batches(data, ends):
    """Behind the batch that begins each generation and only dates it: Go's reader too takes a trace that ends there for whole."""
    for at in [16] + ends[:-1]:
        p = at + 1
        for _ in range(4):
            size, p = wire.read_varint(data, p)
        yield p + size


def damage(rng, data, kind, other):
    at = rng.randrange(16, len(data))
    size = min(1 << rng.randrange(10, 17), len(data) // 3)
    rest = data[at + size:]
    if kind == "hole":
        return data[:at] + rest
    if kind == "noise":
        return data[:at] + rng.randbytes(min(size, len(data) - at)) + rest
    if kind == "zeros":
        return data[:at] + bytes(min(size, len(data) - at)) + rest
    if kind == "cut":
        return data[:at]
    if kind == "insert":
        return data[:at] + rng.randbytes(size) + data[at:]
    if kind == "flip":
        flipped = bytearray(data)
        flipped[at] ^= 1 << rng.randrange(8)
        return bytes(flipped)
    if kind == "joined":
        return data + other
    return data[16:]  # without a header


KINDS = ("hole", "noise", "zeros", "cut", "insert", "flip", "joined", "headless")


def only_unread(data, damaged):
    """Whether they differ in nothing, or just in what an experiment wrote, which nobody reads."""
    if data == damaged:
        return True
    changed = [i for i in range(len(data)) if data[i] != damaged[i]] if len(data) == len(damaged) else [0]
    at = 16
    for batch in wire.batches(data):
        at += 1 + (batch.kind == "ExperimentalBatch")
        if batch.kind == "EndOfGeneration":
            continue
        for _ in range(4):
            _, at = wire.read_varint(data, at)
        if batch.kind == "ExperimentalBatch" and at <= changed[0] and changed[-1] < at + len(batch.data):
            return True
        at += len(batch.data)
    return False


def check_variants(stwatch, report):
    rng = random.Random(20)
    sound = {path: stwatch.diagnose(read(path)) for path in CLEAN}
    events = dict.fromkeys(KINDS, 0.0)
    for path in CLEAN:
        report.check("clean: " + os.path.basename(path), None if sound[path][0] == 0 and not sound[path][2] else repr(sound[path]))
    for i in range(VARIANTS):
        kind, path = KINDS[i % len(KINDS)], rng.choice(CLEAN)
        data = damage(rng, read(path), kind, read(rng.choice(CLEAN)))
        if only_unread(read(path), data):
            continue
        code, told, warned = stwatch.diagnose(data)
        name = "%s %d of %s" % (kind, i, os.path.basename(path))
        if kind == "flip":  # some flips no reader can see; what they say is then what the trace says
            report.check(name, None if code in (0, 4) else "exit %d" % code)
        elif kind == "joined":
            report.check(name, None if code == 4 and not told["complete"] and told["problems"] else "exit %d" % code)
        else:
            trouble = "exit %d" % code if code != 4 else "not told" if told["complete"] or not told["problems"] else None
            report.check(name, trouble or (warned and "warns: %s" % [(f["rule"], f["title"]) for f in warned]))
        if told:
            events[kind] += told["events"] / sound[path][1]["events"] / (VARIANTS // len(KINDS))
    for kind, least in (("hole", 0.5), ("noise", 0.5), ("zeros", 0.5), ("insert", 0.6), ("flip", 0.7), ("joined", 0.95), ("headless", 0.95)):
        report.check("events read after " + kind, None if events[kind] >= least else "%.2f of what there was" % events[kind])


def check_cuts(stwatch, report):
    """At whatever byte a trace is cut, every generation before the cut is read."""
    for path in SEVERAL:
        data = read(path)
        ends = ends_of_generations(data)
        stride = 1 if harness.HEAVY else 97
        dated = list(behind_first_batches(data, ends))
        near = [e + d for e in ends[:-1] for d in (-1, 0, 1)] + dated
        for at in sorted(set(list(range(16, len(data), stride)) + near)):
            code, told, _ = stwatch.diagnose(data[:at])
            whole = sum(e <= at for e in ends)
            have = told["generations"] if told else 0
            # A cut between two generations is no damage that shows.
            silent = int(data[5:7]) < 26 or at in ends or at - 1 in ends or at in dated or at == 16
            trouble = "exit %d" % code if code != 4 and not (code == 0 and silent) else None
            report.check("%s cut at %d" % (os.path.basename(path), at), trouble or (have < whole and "%d of %d generations" % (have, whole)))


def check_gaps(stwatch, report):
    """Damage in one generation leaves the others alone."""
    for path in SEVERAL:
        data = read(path)
        ends = [16] + ends_of_generations(data)
        all_of_it = stwatch.diagnose(data)[1]["generations"]
        for i in range(len(ends) - 1):
            middle, size = (ends[i] + ends[i + 1]) // 2, (ends[i + 1] - ends[i]) // 3
            for kind, bytes_ in (("zeros", bytes(size)), ("noise", random.Random(i).randbytes(size))):
                code, told, _ = stwatch.diagnose(data[:middle] + bytes_ + data[middle + size:])
                report.check("%s of generation %d of %s" % (kind, i + 1, os.path.basename(path)),
                             None if code == 4 and told["generations"] >= all_of_it - 1 else "exit %d, %s" % (code, told and told["generations"]))


def batches_lost(rng, data, kind):
    """Batches that are lost, or stand elsewhere, with nothing else wrong: only sequence numbers tell."""
    trace = mutate.Trace(data)
    step = getattr(mutate, kind)
    for _ in range(8):
        try:
            step(rng, trace)
            return trace.encode()
        except (ValueError, IndexError):
            continue
    return data


def check_batches(stwatch, report):
    """Whatever is lost in whole batches, nothing is concluded from it but that something is wrong."""
    rng = random.Random(7)
    contradictions = ("illegal-transition", "coupling-violation")
    for i in range(max(180, VARIANTS // 3)):
        kind, path = ("drop_batch", "shuffle_in_generation", "double_batch", "drop_generation")[i % 4], rng.choice(CLEAN)
        code, told, warned = stwatch.diagnose(batches_lost(rng, read(path), kind))
        wrong = [(f["rule"], f["title"]) for f in warned if f["rule"] not in contradictions]
        trouble = wrong or (kind == "shuffle_in_generation" and (code or warned) and (code, warned)) or (code not in (0, 4) and code)
        report.check("%s %d of %s" % (kind, i, os.path.basename(path)), trouble or None)


def check_states(stwatch, report):
    """Where bytes are missing, no move is called illegal."""
    rng = random.Random(3)
    for i in range(VARIANTS // 5):
        kind, path = ("hole", "zeros", "noise", "headless")[i % 4], rng.choice(CLEAN)
        done = stwatch.run(damage(rng, read(path), kind, b""), "states", "--format", "json")
        doc = json.loads(done.stdout)
        illegal = [t for r in doc["resources"] for t in r["transitions"] if not t["legal"]]
        codes = (0, 4) if kind == "noise" else (4,)  # which may change nothing that makes no sense
        report.check("states after %s %d of %s" % (kind, i, os.path.basename(path)), illegal or None if done.returncode in codes else "exit %d" % done.returncode)


def check_misread(stwatch, report):
    """A hole lets the bytes behind it pass for a batch that the end of the file cuts: what no thread can have written in that order, or its version of Go does not
    write at all, ends it."""
    data = read(CLEAN[0])
    damaged = data[:62069] + data[62069 + 31944:]
    told = stwatch.run(damaged, "events").stdout.decode()
    report.check("no event of a later Go", [w for w in ("GoCreateBlocked", "GoSwitch") if w in told] or None)
    doc = json.loads(stwatch.run(damaged, "states", "--format", "json").stdout)
    report.check("no move that nobody made", [t for r in doc["resources"] for t in r["transitions"] if not t["legal"]] or None)
    for path in CLEAN[4:5]:  # without its header, a newer trace keeps what only newer ones have
        newer = read(path)
        kept = [stwatch.run(d, "events").stdout.decode().count("GoCreateBlocked") for d in (newer, newer[16:])]
        report.check("no header, %s: as many events" % os.path.basename(path), None if kept[0] == kept[1] > 0 else kept)


def check_order(stwatch, report):
    """Generations in another order, as a ring of bytes leaves them, are read in theirs."""
    for path in SEVERAL:
        data = read(path)
        ends = [16] + ends_of_generations(data)
        parts = [data[a:b] for a, b in zip(ends, ends[1:])]
        for order in (parts[2:] + parts[:2], parts[:1] + parts[2:0:-1] + parts[3:], parts[1:] + parts[:1]):
            turned = data[:16] + b"".join(order)
            name = "%s in another order" % os.path.basename(path)
            for command in (("events",), ("states", "--format", "mermaid")):
                whole, done = stwatch.run(data, *command), stwatch.run(turned, *command)
                report.check("%s: %s" % (name, command[0]), None if done.returncode == 4 and done.stdout == whole.stdout else
                             "exit %d, %d of %d bytes: %r" % (done.returncode, len(done.stdout), len(whole.stdout), done.stderr[:300]))
            told = stwatch.diagnose(turned)[1]
            report.check(name, None if told["events"] == stwatch.diagnose(data)[1]["events"] and not told["complete"] else repr(told)[:300])


def check_v1_cuts(stwatch, report):
    """A trace of Go 1.21 and earlier that is cut has what stands before the cut."""
    tables = {v1wire.NUMBERS[n] for n in ("Stack", "String", "Frequency")}
    for name in ("everything-p2-go1.21.13", "everything-p8-go1.11.13", "everything-p2-go1.5.4"):
        data = v1oracle.unpacked(os.path.join(harness.DATA, "v1", name + ".trace.gz"))
        version, batches = v1wire.decode(data)
        counts = [sum(r.number not in tables for r in b.records) for b in batches]
        whole, at, before = stwatch.diagnose(data)[1]["events"], 16, 0
        for i, batch in enumerate(batches):
            for cut in (at - 1, at, at + 1):
                if cut > 16 and (harness.HEAVY or i % 7 == 0):
                    code, told, _ = stwatch.diagnose(data[:cut])
                    least = 0.9 * whole * (before - (counts[i - 1] if cut < at and i else 0)) / sum(counts)
                    have = told["events"] if told else 0
                    report.check("%s cut at %d" % (name, cut), None if code in (0, 4) and have >= least else "exit %d, %d events of %d" % (code, have, least))
            at, before = at + len(batch.encode(version)), before + counts[i]


def check_v1_unnamed(stwatch, report):
    """An old trace that is cut between two stacks of its table has all events, and they tell that stacks are missing: every command says so, but what stands in
    for Go's reader, which lets it pass. What is cut out of it is whole."""
    part = os.path.join(os.path.dirname(stwatch.file), "part.trace")
    index = stwatch.file + ".stwidx"
    commands = (["stat"], ["diagnose"], ["events"], ["events", "--from", "0.001", "--to", "0.002"], ["states"], ["path"], ["profile", "--type", "sync", "-o", os.devnull])
    cuts = (["cut", "-o", part], ["cut", "--to", "0.1", "-o", part], ["cut", "--anonymise", "-o", part])
    for name in ("everything-p2-go1.7.6", "everything-p8-go1.8.7", "everything-p2-go1.9.7", "everything-p1-go1.10.8", "everything-p8-go1.11.13", "everything-p1-go1.20.14", "everything-p2-go1.21.13"):
        data = v1oracle.unpacked(os.path.join(harness.DATA, "v1", name + ".trace.gz"))
        version, batches = v1wire.decode(data)
        at, borders = 16, []
        for record in (r for b in batches for r in ([b.head] if b.head else []) + b.records):
            if record.number == v1wire.STACK:
                borders.append((at, record.values[0]))
            at = v1wire.read_record(version, data, at)[1]
        ids = [i for _, i in borders]
        for n, (at, _) in enumerate(borders):
            first_ones = n > 0 and max(ids[:n]) == n  # of those, none shows that there were more
            if first_ones or not (harness.HEAVY or n % 23 == 0 or n == len(borders) - 1):
                continue
            what = "%s with %d of %d stacks" % (name, n, len(borders))
            code, told, _ = stwatch.diagnose(data[:at])
            said = told and [(p["offset"], "events name some that their table does not have" in p["what"], "(it has %d, " % n in p["what"]) for p in told["problems"]]
            report.check(what, None if code == 4 and not told["complete"] and said == [(at, True, True)] else (code, told and told["problems"]))
        whole = stwatch.diagnose(data)[1]["events"]
        report.check(name + ": no event is missing", None if told["events"] == whole else (told["events"], whole))
        half = data[:borders[len(borders) // 2][0]]
        for indexed in (False, True):
            for command in (*commands, *cuts, ["index"])[:None if not indexed else -1]:
                done = stwatch.run(half, *command)
                told = b"at byte %d: stacks are missing" % len(half) in done.stderr
                report.check("%s, %s%s" % (name, " ".join(command[:-1] or command), " by its index" if indexed else ""), None if done.returncode == 4 and told else (done.returncode, done.stderr))
                if command[0] == "cut":
                    done = subprocess.run([stwatch.program, "stat", part], capture_output=True)
                    report.check("%s, %s: the part" % (name, " ".join(command[:2])), None if done.returncode == 0 else (done.returncode, done.stderr))
            done = stwatch.run(half, "events", "--format", "go") if version in v1wire.CONVERTED else None
            report.check(name + ", as Go's reader", None if not done or (done.returncode == 0 and not done.stderr) else (done.returncode, done.stderr))
        os.remove(index)


def check_v1_variants(stwatch, report):
    """Whatever is done to a sound trace of Go 1.21 and earlier: what is lost is told with its byte, and nothing is concluded from it; but where no byte shows it, that the trace contradicts itself."""
    rng = random.Random(5)
    names = ("everything-p1-go1.10.8", "everything-p1-go1.17.13", "everything-p1-go1.20.14", "everything-p2-go1.21.13", "everything-p8-go1.11.13", "everything-p2-go1.9.7", "everything-p2-go1.5.4")
    whole = {n: v1oracle.unpacked(os.path.join(harness.DATA, "v1", n + ".trace.gz")) for n in names}
    sound = {n: stwatch.diagnose(data)[1]["events"] for n, data in whole.items()}
    for i in range(VARIANTS):
        kind, name = KINDS[i % len(KINDS)], rng.choice(names)
        data = damage(rng, whole[name], kind, whole[rng.choice(names)])
        if data == whole[name]:
            continue
        code, told, warned = stwatch.diagnose(data)
        what = "%s %d of %s" % (kind, i, name)
        allowed = ("illegal-transition", "coupling-violation") if kind in ("hole", "flip") else ()
        wrong = [(f["rule"], f["title"]) for f in warned if f["rule"] not in allowed]
        unseen = kind in ("hole", "flip")
        trouble = "exit %d" % code if code != 4 and not (code == 0 and unseen) else code and (told["complete"] or not told["problems"] or told["problems"][0]["offset"] is None)
        report.check(what, trouble or (wrong and "warns: %s" % wrong) or None)
        if kind == "joined":
            report.check(what + ": only the first", None if told["events"] == sound[name] and "another trace begins here" in told["problems"][-1]["what"] else repr(told)[:300])


def begins(data):
    """Where batches begin."""
    at = 16
    for piece in damages.pieces(data):
        yield at
        at += len(piece)


def check_v1_times(stwatch, report):
    """Where bytes of an old trace are lost, none of what only looks like events makes it longer than it was: the tables are dated when all has been written (since
    Go 1.10), and a head that stands right before bytes that make no sense is none."""
    rng = random.Random(1)
    names = ("everything-p2-go1.21.13", "stw_kinds-go1.21.13", "stw_nopreempt-spin-procs-go1.20.14", "runnable_starvation-go1.11.13", "annotations-go1.21.13", "stw_nopreempt-spin-memstats-go1.11.13")
    whole = {n: v1oracle.unpacked(os.path.join(harness.DATA, "v1", n + ".trace.gz")) for n in names}
    length = {n: stwatch.diagnose(data)[1]["duration_ns"] for n, data in whole.items()}
    longer = []
    heads = {n: {at for begin in begins(data) for at in range(begin, begin + 12)} for n, data in whole.items()}
    for i in range(VARIANTS):
        name, kind = rng.choice(names), rng.choice((damages.hole, damages.noise, damages.flips, damages.zeros))
        data = kind(rng, whole[name])
        done = stwatch.run(data, "stat", "--format", "json")
        told = json.loads(done.stdout)["inputs"][0] if done.stdout else None
        said = " ".join(p["what"] for p in told["problems"]) if told else ""
        last = next((at for at in range(len(data) - 1, 0, -1) if len(data) == len(whole[name]) and data[at] != whole[name][at]), None)
        if last in heads[name]:  # a head that is there and wrong is believed
            continue
        if "are lost" in said and "no frequency" not in said and told["duration_ns"] > 1.5 * length[name]:
            longer.append((i, kind.__name__, name, told["duration_ns"], said[:200]))
    report.check("times of damaged traces", None if len(longer) <= VARIANTS // 200 else longer)  # some heads that damage makes up are as good as others


def check_v1_ring(stwatch, report):
    """An old trace that a ring of bytes has turned is not put in order, but that something is wrong is told, and nothing is concluded from it."""
    for name in ("everything-p2-go1.21.13", "everything-preempt-go1.19.13", "everything-p8-go1.11.13"):
        data = v1wire.rebatched(v1oracle.unpacked(os.path.join(harness.DATA, "v1", name + ".trace.gz")), 300)
        for at in (len(data) // 3, len(data) // 2):
            for what, earlier in (("with its header", data[:at]), ("without", data[16:at])):
                code, told, warned = stwatch.diagnose(data[at:] + earlier)
                report.check("%s turned at %d, %s" % (name, at, what), None if code == 4 and told["problems"] and not warned else (code, told, [f["title"] for f in warned]))


def check_refused(stwatch, report):
    """What every official tool refuses, for its order is broken (golang/go issues 16755, 29707), is read as far as it holds, and who could not go on is told."""
    data = v1oracle.unpacked(os.path.join(harness.DATA, "v1", "cgo_callback-go1.21.13.trace.gz"))
    code, told, _ = stwatch.diagnose(data)
    clocks = v1text.read(os.path.join(harness.SOURCE, "tests", "scenarios", "v1", "clocks-differ.txt")).data
    what = stwatch.diagnose(clocks)[1]["problems"][0]["what"]
    report.check("clocks that differ", None if "GoStart of goroutine 2 on proc 1 is 54 ns earlier than what has to come before it on proc 0" in what else what)
    what = told["problems"][0]["what"]
    report.check("a broken order", None if code == 4 and told["events"] > 500 and "none of the 2 procs can advance: proc " in what else repr(told))
    for path in CLEAN:
        trace, data = mutate.Trace(read(path)), read(path)
        broken = None
        for batch in trace.batches[len(trace.batches) // 3:]:
            listed = wire.events(batch.data) if batch.kind == "EventBatch" and batch.first() > 8 else []
            starts = [e for e in listed if e[0] == wire.number("GoStart") and e[1][2] > 1]
            if starts and broken is None:
                broken = starts[len(starts) // 2]
                broken[1][2] += 7
                batch.data = wire.encode_events(listed)
        code, told, warned = stwatch.diagnose(trace.encode())
        sound = stwatch.diagnose(data)[1]
        name = "a sequence number of %s" % os.path.basename(path)
        report.check(name, None if code == 4 and any("can advance: thread " in p["what"] or " threads can advance" in p["what"] for p in told["problems"]) else repr(told)[:600])
        report.check(name + ": the rest", None if told["events"] > 0.9 * sound["events"] else "%d of %d" % (told["events"], sound["events"]))
        wrong = [f["rule"] for f in warned if f["rule"] not in ("illegal-transition", "coupling-violation")]
        report.check(name + ": no more", wrong or None)


def check_twice(stwatch, report):
    data = read(SEVERAL[2])
    once, twice = stwatch.diagnose(data)[1], stwatch.diagnose(data + data)[1]
    report.check("the same trace twice counts once", None if twice["events"] == once["events"] and not twice["complete"] else repr(twice))


def split(data):
    """The header, and each generation's bytes."""
    ends = [16] + ends_of_generations(data)
    return data[:16], [data[a:b] for a, b in zip(ends, ends[1:])]


def renumbered(part, number):
    batches = list(wire.batches(b"go 1.26 trace\0\0\0" + part))
    for batch in batches:
        batch.gen = number
    return b"".join(b.encode() for b in batches)


def check_earlier_among_inputs(stwatch, report):
    """Of several inputs, a generation that is earlier than what was read, whatever its number, is left out, and that is said of its own input; the rest is
    what it is without it."""
    snapshots = os.path.join(harness.DATA, "snapshots", "go1.26")
    a, c = (os.path.join(snapshots, n + ".trace") for n in "ac")
    header, parts = split(read(c))
    early = renumbered(split(read(a))[1][0], 999)
    odd = os.path.join(os.path.dirname(stwatch.file), "odd.trace")
    with open(odd, "wb") as f:
        f.write(header + b"".join(parts) + early)
    sound = json.loads(subprocess.run([stwatch.program, "diagnose", "--format", "json", a, c], capture_output=True).stdout)
    for order in ((a, odd), (odd, a)):
        done = subprocess.run([stwatch.program, "diagnose", "--format", "json", *order], capture_output=True)
        doc = json.loads(done.stdout) if done.stdout else {"inputs": [], "summary": None, "findings": []}
        told = {os.path.basename(i["file"]): i for i in doc["inputs"]}
        ok = done.returncode == 4 and "left out" in " ".join(p["what"] for p in told["odd.trace"]["problems"]) and not told["a.trace"]["problems"]
        report.check("an earlier generation, %s first" % os.path.basename(order[0]), None if ok else (done.returncode, done.stderr, told))
        same = doc["summary"] == sound["summary"] and [f["id"] for f in doc["findings"]] == [f["id"] for f in sound["findings"]]
        report.check("an earlier generation changes nothing, %s first" % os.path.basename(order[0]), None if same else (doc["summary"], sound["summary"]))
        for command in (("events",), ("states",), ("path",)):
            done, want = (subprocess.run([stwatch.program, *command, *files], capture_output=True) for files in (order, (a, c)))
            ok = done.returncode == 4 and b"odd.trace" in done.stderr and b"left out" in done.stderr
            lines = [[line for line in d.stdout.splitlines() if b" Sync " not in line] for d in (done, want)]
            ok = ok and (command[0] != "events" or lines[0] == lines[1])
            report.check("an earlier generation in %s, %s first" % (command[0], os.path.basename(order[0])), None if ok else (done.returncode, done.stderr))


def check_commands(stwatch, report):
    """Every command goes on past damage; what stands in for Go's reader ends at it."""
    data = read(SEVERAL[2])
    ends = ends_of_generations(data)
    broken = data[:ends[0] + 40] + bytes(300) + data[ends[0] + 340:]
    lines = {}
    for command in (("stat",), ("states",), ("events",), ("events", "--format", "jsonl"), ("events", "--format", "go"), ("profile", "--type", "sync", "-o", os.devnull)):
        done = stwatch.run(broken, *command)
        lines[command] = done.stdout.count(b"\n")
        report.check(" ".join(command), None if done.returncode == 4 and b"at byte" in done.stderr else "exit %d %r" % (done.returncode, done.stderr))
    whole = stwatch.run(data, "events").stdout.count(b"\n")
    report.check("events past the damage", None if lines[("events",)] > whole * 0.6 else "%d of %d" % (lines[("events",)], whole))
    report.check("jsonl has the same", None if lines[("events",)] == lines[("events", "--format", "jsonl")] else repr(lines))
    sound = stwatch.run(data[:ends[0]], "events").stdout.splitlines()[:-1]
    report.check("events before the damage", None if stwatch.run(broken, "events").stdout.splitlines()[:len(sound)] == sound else "differ")
    alike = [stwatch.run(broken, "diagnose", "--format", "json", "--threads", n).stdout for n in ("1", "2", "8")]
    report.check("for any number of threads", None if alike[0] == alike[1] == alike[2] else "differ")


# A sound trace says as little of them as one in which bytes are missing without showing it: what contradicts itself is told.
LOST = "(unknown)"
CONTRADICTIONS = ("illegal-transition", "coupling-violation")
SWEPT = 6000 if harness.HEAVY else 45


def blamed(findings):
    return {(f["rule"], (f["culprit"] or {}).get("function")) for f in findings}


def check_untold_procs(stwatch, report):
    """Without its first batches a trace doesn't tell of all procs: who asked for a stop is not blamed for the time in which one was waited for."""
    for path in sorted(glob.glob(os.path.join(FOLDER, "stw_nopreempt-*.trace"))):
        data = open(path, "rb").read()
        known = blamed(stwatch.diagnose(data)[2])
        at = 0
        for batch in wire.batches(data)[:-1]:
            at = data.index(batch.data, at) + len(batch.data)
            told = [f for f in stwatch.diagnose(data[at:])[2] if f["rule"] == "stw-prolonged"]
            report.check("%s from byte %d" % (os.path.basename(path), at), [who for who in blamed(told) - known if who[1]] or None)


# What happened to a trace, where, and who was blamed for it: who let go of something else, or of whom no stack is left, the one who asked for a stop that a proc was
# waited for whose events are gone, the scheduler as a proc's start was gone, and who allocates least, as the stacks of all others were gone.
WRONGLY = (
    ("traces", "annotations-go1.25.0.trace", damages.twice, 5058, 11468, ("proc-idle-with-backlog", None)),
    ("traces", "annotations-go1.22.12.trace", damages.twice, 5991, 10878, ("proc-idle-with-backlog", None)),
    ("traces", "pool_misuse-bad-go1.22.12.trace", damages.twice, 197662, 130, ("allocation-starvation", "net/http.(*conn).serve")),
    ("v1", "lock_convoy-go1.9.7.trace.gz", damages.twice, 403, 344, ("lock-convoy", "main.slowConsumer")),
    ("v1", "stw_nopreempt-spin-memstats-go1.11.13.trace.gz", damages.hole, 2797, 3582, ("stw-prolonged", "main.trigger")),
)


def check_blamed(stwatch, report):
    """Whom the whole trace does not blame."""
    for folder, name, kind, at, size, who in WRONGLY:
        data = v1oracle.unpacked(os.path.join(harness.DATA, folder, name))
        damaged = data[:at + size] + data[at:] if kind is damages.twice else data[:at] + data[at + size:]
        code, _, warned = stwatch.diagnose(damaged)
        report.check("%s, %s" % (name, kind.__name__), None if code == 4 and who not in blamed(warned) else (code, blamed(warned)))


def check_sweep(stwatch, report, paths):
    """Whatever happens to whatever trace: what is left warns of nothing in a sound program, and blames nobody whom the whole does not. Where
    the whole was stopped from outside, that can't be seen behind missing events (docs/reading.md): who seems to have run then is not looked at."""
    rng = random.Random(2026)
    whole = {}
    for i in range(SWEPT):
        path, kind = rng.choice(paths), rng.choice(damages.KINDS)
        if path not in whole:
            data = v1oracle.unpacked(path)
            findings = json.loads(stwatch.run(data, "diagnose", "--format", "json").stdout)["findings"]
            whole[path] = data, findings
        data, findings = whole[path]
        rules = {f["rule"] for f in findings}
        names = {who for _, who in blamed(findings)} | {None, "", LOST}
        code, _, warned = stwatch.diagnose(kind(rng, data))
        wrong = [(rule, who) for rule, who in blamed(warned) if rule not in CONTRADICTIONS and (
            not findings or (who not in names and who.encode() in data and "outside-program" not in rules))]
        report.check("%s %d of %s" % (kind.__name__, i, os.path.basename(path)), wrong or (code not in (0, 3, 4) and code) or None)


def main():
    report = harness.Report()
    with harness.Scratch() as scratch:
        stwatch = Stwatch(harness.program(), scratch if isinstance(scratch, str) else scratch.path)
        check_commands(stwatch, report)
        check_twice(stwatch, report)
        check_gaps(stwatch, report)
        check_order(stwatch, report)
        check_earlier_among_inputs(stwatch, report)
        check_refused(stwatch, report)
        check_batches(stwatch, report)
        check_states(stwatch, report)
        check_misread(stwatch, report)
        check_v1_cuts(stwatch, report)
        check_v1_unnamed(stwatch, report)
        check_v1_times(stwatch, report)
        check_v1_ring(stwatch, report)
        check_v1_variants(stwatch, report)
        check_cuts(stwatch, report)
        check_variants(stwatch, report)
        check_untold_procs(stwatch, report)
        check_blamed(stwatch, report)
        check_sweep(stwatch, report, sys.argv[2:] or sorted(glob.glob(os.path.join(FOLDER, "*.trace*")) + glob.glob(os.path.join(harness.DATA, "v1", "*.gz"))))
    report.finish()


if __name__ == "__main__":
    main()
