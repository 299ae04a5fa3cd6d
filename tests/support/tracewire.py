"""The wire form of version 2 traces (Go 1.22 and later), for tests that build, take apart and damage them.

A trace is a header of 16 bytes and batches. A batch is a type byte, numbers as LEB128, a size and that many bytes; the bytes of a
plain batch are events: a type byte and the arguments that EVENTS lists, each a LEB128 number.
"""

NO_THREAD = (1 << 64) - 1
VERSIONS = (22, 23, 25, 26)
MAX_BATCH = 64 << 10

# By number from 1. Only the shape matters here: which numbers follow, and whether frames or bytes come after them.
_ORDINARY = """
EventBatch gen m time size
Stacks
Stack id nframes
Strings
String id
CPUSamples
CPUSample time m p g stack
Frequency freq
ProcsChange dt procs_value stack
ProcStart dt p p_seq
ProcStop dt
ProcSteal dt p p_seq m
ProcStatus dt p pstatus
GoCreate dt new_g new_stack stack
GoCreateSyscall dt new_g
GoStart dt g g_seq
GoDestroy dt
GoDestroySyscall dt
GoStop dt reason_string stack
GoBlock dt reason_string stack
GoUnblock dt g g_seq stack
GoSyscallBegin dt p_seq stack
GoSyscallEnd dt
GoSyscallEndBlocked dt
GoStatus dt g m gstatus
STWBegin dt kind_string stack
STWEnd dt
GCActive dt gc_seq
GCBegin dt gc_seq stack
GCEnd dt gc_seq
GCSweepActive dt p
GCSweepBegin dt stack
GCSweepEnd dt swept_value reclaimed_value
GCMarkAssistActive dt g
GCMarkAssistBegin dt stack
GCMarkAssistEnd dt
HeapAlloc dt heapalloc_value
HeapGoal dt heapgoal_value
GoLabel dt label_string
UserTaskBegin dt task parent_task name_string stack
UserTaskEnd dt task stack
UserRegionBegin dt task name_string stack
UserRegionEnd dt task name_string stack
UserLog dt task key_string value_string stack
GoSwitch dt g g_seq
GoSwitchDestroy dt g g_seq
GoCreateBlocked dt new_g new_stack stack
GoStatusStack dt g m gstatus stack
ExperimentalBatch exp gen m time
Sync
ClockSnapshot dt mono sec nsec
EndOfGeneration
"""
# By number from 128: written by an experiment of the runtime that notes each allocation.
_ALLOC_FREE = """
Span dt id npages_value kindclass
SpanAlloc dt id npages_value kindclass
SpanFree dt id
HeapObject dt id type
HeapObjectAlloc dt id type
HeapObjectFree dt id
GoroutineStack dt id order
GoroutineStackAlloc dt id order
GoroutineStackFree dt id
"""


class Spec:
    def __init__(self, number, line):
        self.number = number
        self.name, *self.args = line.split()
        self.timed = self.args[:1] == ["dt"]
        self.frames = self.name == "Stack"
        self.data = self.name in ("String", "ExperimentalBatch")


EVENTS = {}
for _base, _lines in ((1, _ORDINARY), (128, _ALLOC_FREE)):
    for _i, _line in enumerate(_lines.strip().splitlines()):
        EVENTS[_base + _i] = Spec(_base + _i, _line)
BY_NAME = {spec.name: spec for spec in EVENTS.values()}


def number(name):
    return BY_NAME[name].number


def header(version):
    return b"go 1.%d trace\x00\x00\x00" % version


def varint(value, width=1):
    """LEB128; padded to width bytes, which is legal and what the runtime does with sizes that it fills in later."""
    out = bytearray()
    while value > 0x7F or len(out) + 1 < width:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data, at):
    """(value, where it ends); ValueError if it is cut or too long."""
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError("no number at %d" % at)
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


class Batch:
    """A batch, or the lone byte that ends a generation (kind EndOfGeneration)."""

    def __init__(self, kind, gen=0, m=NO_THREAD, time=0, data=b"", exp=1, size=None):
        self.kind, self.gen, self.m, self.time, self.data, self.exp = kind, gen, m, time, data, exp
        self.size = size  # what the header claims, if not the truth

    def copy(self):
        return Batch(self.kind, self.gen, self.m, self.time, self.data, self.exp, self.size)

    def encode(self):
        out = bytearray([number(self.kind)])
        if self.kind == "EndOfGeneration":
            return bytes(out)
        if self.kind == "ExperimentalBatch":
            out.append(self.exp & 0xFF)
        for value in (self.gen, self.m, self.time, len(self.data) if self.size is None else self.size):
            out += varint(value)
        return bytes(out) + self.data

    def first(self):
        return self.data[0] if self.data else 0


def batches(data):
    """The batches of a whole trace's bytes; ValueError where it is no sound sequence of them."""
    at, out = 16, []
    while at < len(data):
        spec = EVENTS.get(data[at])
        at += 1
        if spec is None or spec.name not in ("EventBatch", "ExperimentalBatch", "EndOfGeneration"):
            raise ValueError("no batch at %d" % (at - 1))
        batch = Batch(spec.name)
        out.append(batch)
        if spec.name == "EndOfGeneration":
            continue
        if spec.name == "ExperimentalBatch":
            batch.exp = data[at]
            at += 1
        batch.gen, at = read_varint(data, at)
        batch.m, at = read_varint(data, at)
        batch.time, at = read_varint(data, at)
        size, at = read_varint(data, at)
        if at + size > len(data):
            raise ValueError("batch cut at %d" % at)
        batch.data = data[at:at + size]
        at += size
    return out


def events(data):
    """The events in a batch's bytes as lists [number, arguments, rest]; rest holds frames or a string as they stand."""
    at, out = 0, []
    while at < len(data):
        spec = EVENTS.get(data[at])
        if spec is None:
            raise ValueError("no event of type %d" % data[at])
        at += 1
        args = []
        for _ in spec.args:
            value, at = read_varint(data, at)
            args.append(value)
        start = at
        if spec.frames:
            for _ in range(4 * args[1]):
                _, at = read_varint(data, at)
        elif spec.data:
            size, at = read_varint(data, at)
            if at + size > len(data):
                raise ValueError("string cut at %d" % at)
            at += size
        out.append([spec.number, args, data[start:at]])
    return out


def encode_events(listed):
    out = bytearray()
    for kind, args, rest in listed:
        out.append(kind)
        for value in args:
            out += varint(value)
        out += rest
    return bytes(out)


def encode(version, listed):
    return header(version) + b"".join(batch.encode() for batch in listed)
