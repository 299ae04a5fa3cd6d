"""Damages version 1 traces, as mutate.py does those of version 2: structure first, then events, then bytes.

mutants(bases, number, seed) yields (name, bytes); the same seed gives the same mutants.
"""
import random

import mutate
import v1wire as wire

_INTERESTING = mutate._INTERESTING
_MASK = wire.NO_THREAD


class Trace:
    """A trace taken apart: version and batches."""

    def __init__(self, data):
        self.version, self.batches = wire.decode(data)

    def copy(self):
        twin = object.__new__(Trace)
        twin.version, twin.batches = self.version, [b.copy() for b in self.batches]
        return twin

    def encode(self):
        return wire.encode(self.version, self.batches)


def _nothing():
    raise ValueError("nothing here to change")


def _batch(rng, trace, wanted=lambda b: True):
    """The place of a random batch that is wanted."""
    return rng.choice([i for i, b in enumerate(trace.batches) if wanted(b)] or _nothing())


def _headed(batch):
    return batch.head is not None


# ---- steps on batches ----

def swap_batches(rng, trace):
    i, j = _batch(rng, trace, _headed), _batch(rng, trace, _headed)
    trace.batches[i], trace.batches[j] = trace.batches[j], trace.batches[i]


def shuffle_procs(rng, trace):
    """Legal: batches of different procs may stand in any order."""
    by = {}
    for batch in filter(_headed, trace.batches):
        by.setdefault(batch.head.values[0], []).append(batch)
    order = [p for p, batches in by.items() for _ in batches]
    rng.shuffle(order)
    trace.batches = [b for b in trace.batches if not _headed(b)] + [by[p].pop(0) for p in order]


def drop_batch(rng, trace):
    del trace.batches[_batch(rng, trace)]


def double_batch(rng, trace):
    trace.batches.insert(rng.randint(0, len(trace.batches)), trace.batches[_batch(rng, trace)].copy())


def empty_batch(rng, trace):
    twin = trace.batches[_batch(rng, trace, _headed)].copy()
    twin.records = []
    trace.batches.insert(rng.randint(1, len(trace.batches)), twin)


def cut_batch(rng, trace):
    batch = trace.batches[_batch(rng, trace)]
    batch.records = batch.records[:rng.randint(0, len(batch.records))]


def split_batch(rng, trace):
    """Legal: one batch becomes two of the same proc."""
    i = _batch(rng, trace, lambda b: _headed(b) and len(b.records) > 1)
    first, second = trace.batches[i], trace.batches[i].copy()
    cut = rng.randint(0, len(first.records))
    specs, timed = wire.specs(trace.version), first.records[:cut]
    for field, arg in ((-1, "dt"), (1, "dseq")):
        if arg == "dseq" and trace.version >= 7:
            continue
        for record in timed:
            spec = specs.get(record.number)
            if spec and arg in spec.args and record.values and record.number != wire.NUMBERS["CPUSample"]:
                second.head.values[field] += record.values[spec.args.index(arg)]
        second.head.values[field] &= _MASK
    first.records, second.records = timed, second.records[cut:]
    trace.batches.insert(i + 1, second)


def join_batches(rng, trace):
    i = _batch(rng, trace, _headed)
    if i + 1 >= len(trace.batches):
        _nothing()
    trace.batches[i].records += trace.batches.pop(i + 1).records


def move_to_proc(rng, trace):
    batch = trace.batches[_batch(rng, trace, _headed)]
    other = trace.batches[_batch(rng, trace, _headed)].head.values[0]
    batch.head.values[0] = rng.choice((other, wire.NO_PROC, batch.head.values[0] + 1, rng.choice(_INTERESTING))) & _MASK


def shift_batch_time(rng, trace):
    values = trace.batches[_batch(rng, trace, _headed)].head.values
    values[-1] = rng.choice((0, values[-1] + rng.randint(-5000, 5000), values[-1] * 2, rng.choice(_INTERESTING))) & _MASK


def headless_batch(rng, trace):
    trace.batches[_batch(rng, trace, _headed)].head = None


def change_version(rng, trace):
    trace.version = rng.choice(wire.CONVERTED if trace.version in wire.CONVERTED else wire.VERSIONS)


def repeat_trace(rng, trace):
    trace.batches += [b.copy() for b in trace.batches]


# ---- steps on records ----

def _record(rng, trace, wanted=lambda r: True):
    """(batch, place of a random record that is wanted)."""
    for _ in range(8):
        batch = trace.batches[_batch(rng, trace, lambda b: b.records)]
        places = [i for i, r in enumerate(batch.records) if wanted(r)]
        if places:
            return batch, rng.choice(places)
    return _nothing()


def _argument_step(names, choices, types=None):
    """A step that changes one argument of one of these names; types: only in these records."""
    def step(rng, trace):
        specs = wire.specs(trace.version)
        has = lambda r: (types is None or r.number in types) and r.number in specs and any(a in names for a in specs[r.number].args)
        batch, i = _record(rng, trace, has)
        args = specs[batch.records[i].number].args
        field = rng.choice([k for k, a in enumerate(args) if a in names])
        if field < len(batch.records[i].values):
            batch.records[i].values[field] = rng.choice(choices(rng, batch.records[i].values[field])) & _MASK
    return step


_near = lambda rng, old: (old - 1, old + 1, old + 2, 0, 1, rng.choice(_INTERESTING))
change_sequence = _argument_step(("seq", "dseq"), _near)
change_goroutine = _argument_step(("g",), lambda rng, old: (old + 1, old - 1, 0, 1, 2, rng.choice(_INTERESTING)))
change_thread = _argument_step(("thread",), lambda rng, old: (0, old + 1, _MASK, rng.choice(_INTERESTING)))
change_delta = _argument_step(("dt",), lambda rng, old: (0, old * 2, old * 1000, old + 1, rng.randint(0, 100000), rng.choice(_INTERESTING)))
change_exit_time = _argument_step(("ts",), lambda rng, old: (0, old - 1, old + 1, old - rng.randint(0, 3000), old + rng.randint(0, 3000), rng.choice(_INTERESTING)))
change_string = _argument_step(("name", "key", "label", "id"), _near, {wire.NUMBERS[n] for n in ("TaskCreate", "Region", "Log", "GoStartLabel", "String")})
change_stack = _argument_step(("stack", "new_stack"), _near)
change_task = _argument_step(("task", "parent", "mode"), _near)
change_kind = _argument_step(("kind", "procs", "mem", "swept", "reclaimed"), _near)
# Never much higher: all times would become equal, and the order of equals is each reader's own.
change_frequency = _argument_step(("freq",), lambda rng, old: (old - 1, old + 1, old // 3, 1000, 1, 0, 1 << 63))
change_timer = _argument_step(("g",), lambda rng, old: (0, 1, old + 1, old - 1), {wire.TIMER})
change_sample = _argument_step(("ts", "p", "g"), _near, {wire.NUMBERS["CPUSample"]})


def change_frames(rng, trace):
    """A number in a stack: its id, its size, a pc, a function, a file, a line."""
    batch, i = _record(rng, trace, lambda r: r.number == wire.STACK)
    values = batch.records[i].values
    field = rng.randrange(min(len(values), 8))
    values[field] = rng.choice((0, 1, values[field] - 1, values[field] + 1, rng.choice(_INTERESTING))) & _MASK


def change_text(rng, trace):
    batch, i = _record(rng, trace, lambda r: r.text is not None)
    text = batch.records[i].text
    batch.records[i].text = rng.choice((b"", b"x", text + b"\xff\xfe", text[:len(text) // 2], text * 3))


def drop_record(rng, trace):
    batch, i = _record(rng, trace)
    del batch.records[i]


def double_record(rng, trace):
    batch, i = _record(rng, trace)
    batch.records.insert(rng.choice((i, i + 1, len(batch.records))), batch.records[i].copy())


def swap_records(rng, trace):
    batch, i = _record(rng, trace)
    j = min(i + 1, len(batch.records) - 1)
    batch.records[i], batch.records[j] = batch.records[j], batch.records[i]


def move_record(rng, trace):
    batch, i = _record(rng, trace)
    record = batch.records.pop(i)
    other = trace.batches[_batch(rng, trace)]
    other.records.insert(rng.randint(0, len(other.records)), record)


def move_table(rng, trace):
    """Legal: strings, stacks, timers and the frequency may stand anywhere behind the first batch."""
    table = {wire.STRING, wire.STACK, wire.TIMER, wire.FREQUENCY}
    batch, i = _record(rng, trace, lambda r: r.number in table)
    record = batch.records.pop(i)
    other = trace.batches[_batch(rng, trace, _headed)]
    other.records.insert(rng.randint(0, len(other.records)), record)


def change_type(rng, trace):
    """Another record that takes as many arguments, or any."""
    batch, i = _record(rng, trace)
    record, specs = batch.records[i], wire.specs(trace.version)
    alike = [n for n, spec in specs.items() if len(spec.args) == len(record.values)]
    record.number = rng.choice(alike) if alike and rng.random() < 0.7 else rng.randrange(64)


def change_local(rng, trace):
    """An event that names a sequence number becomes the one that trusts its proc, or the other way round."""
    n = wire.NUMBERS
    pairs = {n["GoStart"]: n["GoStartLocal"], n["GoUnblock"]: n["GoUnblockLocal"], n["GoSysExit"]: n["GoSysExitLocal"]}
    back = {b: a for a, b in pairs.items()}
    batch, i = _record(rng, trace, lambda r: r.number in pairs or r.number in back)
    record = batch.records[i]
    if record.number in pairs:
        record.number = pairs[record.number]
        del record.values[2]
    else:
        record.number = back[record.number]
        record.values.insert(2, rng.choice((1, 2, 3, 4, rng.choice(_INTERESTING))))


def insert_record(rng, trace):
    batch, i = _record(rng, trace)
    spec = rng.choice(list(wire.specs(trace.version).values()))
    text = b"text" if spec.number in (wire.STRING, wire.LOG) else None
    batch.records.insert(i, wire.Record(spec.number, [rng.choice((0, 1, 2, 3, 4, rng.choice(_INTERESTING))) for _ in spec.args], text))


def change_count(rng, trace):
    """The count of numbers in a record's first byte becomes another one; what follows stays."""
    batch, i = _record(rng, trace, lambda r: r.number != wire.STRING)
    batch.records[i].extra = rng.randrange(4)


def more_or_less(rng, trace):
    batch, i = _record(rng, trace, lambda r: r.number != wire.STRING)
    values = batch.records[i].values
    if rng.random() < 0.5 and values:
        values.pop()
    else:
        values.append(rng.choice(_INTERESTING))


BATCH_STEPS = (swap_batches, shuffle_procs, drop_batch, double_batch, empty_batch, cut_batch, split_batch, join_batches, move_to_proc,
               shift_batch_time, headless_batch, change_version, repeat_trace)
RECORD_STEPS = (change_sequence, change_goroutine, change_thread, change_delta, change_exit_time, change_string, change_stack, change_task, change_kind,
                change_frequency, change_timer, change_sample, change_frames, change_text, drop_record, double_record, swap_records, move_record,
                move_table, change_type, change_local, insert_record, change_count, more_or_less)
_ARGUMENT_NAMES = {step: name for name, step in list(globals().items()) if callable(step) and getattr(step, "__name__", "") == "step"}


def mutant(rng, trace):
    """(name, bytes) of one damaged copy."""
    names, copy = [], trace.copy()
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3))):
        step = rng.choice(BATCH_STEPS + RECORD_STEPS * 2)
        try:
            step(rng, copy)
        except (ValueError, IndexError):
            continue
        names.append(_ARGUMENT_NAMES.get(step, step.__name__))
    try:
        data = copy.encode()
    except (ValueError, IndexError):
        data, names = trace.encode(), []
    if not names or rng.random() < 0.1:
        step = rng.choice(mutate.BYTE_STEPS)
        data = step(rng, data) if len(data) > 16 else data
        names.append(step.__name__)
    return "+".join(names), data


def mutants(bases, count, seed):
    """bases: [(name, bytes)]. Small bases are taken more often: a step hits something that matters there."""
    rng = random.Random(seed)
    traces = [(name, Trace(data)) for name, data in bases]
    weights = [1.0 / (len(data) + 400) ** 0.5 for _, data in bases]
    for i in range(count):
        name, trace = rng.choices(traces, weights)[0]
        what, data = mutant(rng, trace)
        yield "%d of %s: %s" % (i, name, what), data
