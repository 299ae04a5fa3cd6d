"""The wire form of version 1 traces (Go 1.5 to 1.21), for tests that build, take apart and damage them.

A trace is a header of 16 bytes and records. A record's first byte holds its type in the low six bits and above them how many numbers
follow besides those that every record has (its time; to 1.6 a sequence number before it); 3 says that a length in bytes follows, and
that many bytes of numbers. A Batch record says whose events follow, and from what time their differences count.
"""
from tracewire import NO_THREAD, read_varint, varint

NO_PROC = NO_THREAD
VERSIONS = (5, 7, 8, 9, 10, 11, 19, 21)   # what stands in headers
CONVERTED = (11, 19, 21)                  # those of them that Go 1.22 and later still reads

# number name since arguments. `arg:7` is there since 1.7, `arg:-6` to 1.6. To 1.6 every timed record has a seq before its dt.
_TABLE = """
1 Batch 5 p seq:-6 ticks
2 Frequency 5 freq unused:-6
3 Stack 5 id size
4 Gomaxprocs 5 dt procs stack
5 ProcStart 5 dt thread
6 ProcStop 5 dt
7 GCStart 5 dt seq:7 stack
8 GCDone 5 dt
9 STWStart 5 dt kind:10
10 STWDone 5 dt
11 SweepStart 5 dt stack
12 SweepDone 5 dt swept:9 reclaimed:9
13 GoCreate 5 dt g new_stack stack
14 GoStart 5 dt g seq:7
15 GoEnd 5 dt
16 GoStop 5 dt stack
17 GoSched 5 dt stack
18 GoPreempt 5 dt stack
19 GoSleep 5 dt stack
20 GoBlock 5 dt stack
21 GoUnblock 5 dt g seq:7 stack
22 GoBlockSend 5 dt stack
23 GoBlockRecv 5 dt stack
24 GoBlockSelect 5 dt stack
25 GoBlockSync 5 dt stack
26 GoBlockCond 5 dt stack
27 GoBlockNet 5 dt stack
28 GoSysCall 5 dt stack
29 GoSysExit 5 dt g seq ts
30 GoSysBlock 5 dt
31 GoWaiting 5 dt g
32 GoInSyscall 5 dt g
33 HeapAlloc 5 dt mem
34 HeapGoal 5 dt mem
35 TimerGoroutine 5 g unused:-6
36 FutileWakeup 5 dt
37 String 7 id
38 GoStartLocal 7 dt g
39 GoUnblockLocal 7 dt g stack
40 GoSysExitLocal 7 dt g ts
41 GoStartLabel 8 dt g seq label
42 GoBlockGC 8 dt stack
43 AssistStart 9 dt stack
44 AssistDone 9 dt
45 TaskCreate 11 dt task parent name stack
46 TaskEnd 11 dt task stack
47 Region 11 dt task mode name stack
48 Log 11 dt task key stack
49 CPUSample 19 dt ts p g stack
"""


class Spec:
    """A type of record, as a version has it."""

    def __init__(self, number, name, since, args, version):
        self.number, self.name, self.since = number, name, since
        self.args = []
        if version < 7 and "dt" in args:
            self.args.append("dseq")
        for arg in args:
            word, _, when = arg.partition(":")
            if not when or (int(when) > 0 and version >= int(when)) or (int(when) < 0 and version <= -int(when)):
                self.args.append(word)
        self.timed = "dt" in self.args


def _specs(version):
    out = {}
    for line in _TABLE.strip().splitlines():
        number, name, since, *args = line.split()
        out[int(number)] = Spec(int(number), name, int(since), args, version)
    return out


SPECS = {version: _specs(version) for version in VERSIONS}
NUMBERS = {spec.name: spec.number for spec in SPECS[21].values()}
BATCH, FREQUENCY, STACK, TIMER, STRING, LOG = (NUMBERS[n] for n in ("Batch", "Frequency", "Stack", "TimerGoroutine", "String", "Log"))


def specs(version):
    """The table of a version; of one that no Go wrote, that of the next older."""
    return SPECS[max(v for v in VERSIONS if v <= max(version, 5))]


def header(version):
    text = b"go 1.%d trace" % version
    return text + b"\0" * (16 - len(text))


class Record:
    """A record: its type, its numbers, and the bytes of a string where one follows. extra: the two top bits, if not the truth."""

    def __init__(self, number, values, text=None, extra=None):
        self.number, self.values, self.text, self.extra = number, values, text, extra

    def copy(self):
        return Record(self.number, list(self.values), self.text, self.extra)

    def encode(self, version):
        if self.number == STRING and self.extra is None:
            return bytes([STRING]) + varint(self.values[0]) + varint(len(self.text or b"")) + (self.text or b"")
        extra = len(self.values) - (2 if version < 7 else 1)
        extra = min(3, extra) if self.extra is None else self.extra
        if extra < 0:
            raise ValueError("too few numbers")
        data = b"".join(map(varint, self.values))
        out = bytes([self.number | extra << 6]) + (varint(len(data)) if extra == 3 else b"") + data
        return out if self.text is None else out + varint(len(self.text)) + self.text


class Batch:
    """A Batch record (head, None for what stands before the first) and what follows it."""

    def __init__(self, head, records=()):
        self.head, self.records = head, list(records)

    def copy(self):
        return Batch(self.head and self.head.copy(), [r.copy() for r in self.records])

    def encode(self, version):
        return b"".join(r.encode(version) for r in ([self.head] if self.head else []) + self.records)


def read_record(version, data, at):
    """(record, where it ends); ValueError where there is none."""
    number, extra = data[at] & 63, data[at] >> 6
    at += 1
    if number == STRING:
        identity, at = read_varint(data, at)
        size, at = read_varint(data, at)
        if at + size > len(data):
            raise ValueError("string cut at %d" % at)
        return Record(STRING, [identity], data[at:at + size]), at + size
    values, text = [], None
    if extra == 3:
        size, at = read_varint(data, at)
        end = at + size
        if end > len(data):
            raise ValueError("record cut at %d" % at)
        while at < end:
            value, at = read_varint(data, at)
            values.append(value)
    else:
        for _ in range(extra + (2 if version < 7 else 1)):
            value, at = read_varint(data, at)
            values.append(value)
    if number == LOG:
        size, at = read_varint(data, at)
        text, at = data[at:at + size], at + size
    return Record(number, values, text), at


def decode(data):
    """(version, batches) of a whole trace's bytes."""
    version, at = int(data[5:data.index(b" trace")]), 16
    out = [Batch(None)]
    while at < len(data):
        record, at = read_record(version, data, at)
        if record.number == BATCH:
            out.append(Batch(record))
        else:
            out[-1].records.append(record)
    return version, out if out[0].records else out[1:]


def encode(version, batches):
    return header(version) + b"".join(batch.encode(version) for batch in batches)


def rebatched(data, size):
    """A trace whose buffers are full after so many records: its batches stand in the order in which they were, what was left at the end by proc, then the tables."""
    version, batches = decode(data)
    table = specs(version)
    before = 2 if version < 7 else 1
    streams, tables = {}, []
    for batch in batches:
        clock = list(batch.head.values[1:])
        for record in batch.records:
            if not table[record.number].timed:
                tables.append(record)
                continue
            at = list(clock)
            clock = [c + v for c, v in zip(clock, record.values)]
            streams.setdefault(batch.head.values[0], []).append((at, clock, record))
    full, rest, last = [], [], [0] * before
    for proc in sorted(streams):
        records = streams[proc]
        for i in range(0, len(records), size):
            part = records[i:i + size]
            made = Batch(Record(BATCH, [proc] + part[0][0]), [r for _, _, r in part])
            (full if i + size < len(records) else rest).append((part[-1][1][-1], made))
            last = max(last, part[-1][1], key=lambda clock: clock[-1])
    full.sort(key=lambda pair: pair[0])
    return encode(version, [b for _, b in full + rest] + [Batch(Record(BATCH, [NO_PROC] + last), tables)])
