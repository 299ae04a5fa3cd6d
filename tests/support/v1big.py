"""A large trace of Go 1.21, written by hand: several procs, batches of a few thousand records, late ends of system calls, logs, samples; and damaged ones of it."""
import random

import v1wire as wire

PROCS, TICKS = 4, 1 << 20


def _record(name, *values, text=None):
    return wire.Record(wire.NUMBERS[name], list(values), text)


class _Proc:
    """What one proc writes, and when."""

    def __init__(self, rng, number, now):
        self.rng, self.number, self.now, self.size = rng, number, now, 0
        self.batches, self.samples = [], []

    def begin(self):
        self.batches.append((self.now, wire.Batch(_record("Batch", self.number, self.now))))
        self.size = self.rng.randrange(1000, 5000)

    def put(self, name, *values, text=None, least=1):
        if self.size == 0:
            self.begin()
        self.size -= 1
        dt = self.rng.choice((least, least + 3, least + 90, least + 300))
        self.now += dt
        self.batches[-1][1].records.append(_record(name, dt, *values, text=text))

    def work(self, rounds):
        """A goroutine that gives way, logs, and makes calls that block."""
        rng, g, seq = self.rng, 100 + self.number, 1
        for i in range(rounds):
            self.put("GoStart", g, seq)
            seq += 1
            if i % 50 == 7:
                self.put("Log", 0, 1, 1, text=b"round %d" % i)
            if i % 40 == 3:
                self.samples.append(_record("CPUSample", 1, self.now + 1, self.number, g, 1))
            if rng.random() < .5:
                self.put("GoSched", 1)
                continue
            self.put("GoSysCall", 1)
            self.put("GoSysBlock")
            called = self.now
            self.put("ProcStop")
            self.put("ProcStart", 1 + self.number, least=5)
            self.put("GoSysExit", g, seq, rng.choice((0, called + 2, called + 3)))
            seq += 1


def trace(rounds=9000, seed=1):
    rng = random.Random(seed)
    procs = [_Proc(rng, number, TICKS + 10 * number) for number in range(PROCS)]
    first = procs[0]
    for number in range(PROCS):
        first.put("GoCreate", 100 + number, 1, 1)
    first.put("GoCreate", 99, 1, 1)
    first.put("ProcStart", 1)
    first.put("GoStart", 99, 1)
    first.put("Gomaxprocs", PROCS, 1)
    first.put("GoEnd")
    for proc in procs:
        if proc is not first:
            proc.now = first.now + proc.number
            proc.put("ProcStart", 1 + proc.number)
        proc.work(rounds)
    full = sorted((b for proc in procs for b in proc.batches), key=lambda b: b[0])
    samples = wire.Batch(_record("Batch", wire.NO_PROC, first.now), [sample for proc in procs for sample in proc.samples])
    tables = [_record("Frequency", 1000000), _record("String", 1, text=b"main.work"), _record("String", 2, text=b"main.go"), _record("Stack", 1, 1, 4096, 1, 2, 3)]
    tables[-1].extra = 3
    return wire.encode(21, [batch for _, batch in full] + [samples, wire.Batch(_record("Batch", 0, first.now), tables)])


def damaged(data, number, seed=1):
    """(name, bytes) of so many: cut, with bytes that are gone, others, zero, or there twice, or without their beginning."""
    rng = random.Random(seed)
    for i in range(number):
        out, at, size = bytearray(data), rng.randrange(16, len(data)), rng.choice((1, 3, 100, 3000, 70000))
        kind = ("cut", "hole", "other", "zeros", "twice", "headless")[i % 6]
        if kind == "cut":
            del out[at:]
        elif kind == "hole":
            del out[at:at + size]
        elif kind == "other":
            out[at] ^= 1 << rng.randrange(8)
        elif kind == "zeros":
            out[at:at + size] = bytes(len(out[at:at + size]))
        elif kind == "twice":
            out[at:at] = out[at:at + size]
        else:
            del out[:at]
        yield "%s %d" % (kind, i), bytes(out)
