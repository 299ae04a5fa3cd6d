"""Damages traces in ways that a reader must judge rightly: structure first, since a random bit mostly ends in the same few errors.

mutants(bases, number, seed) yields (name, bytes); the same seed gives the same mutants. Each is made by one to three steps from
STEPS, on batches, on events, or on bytes.
"""
import random

import tracewire as wire

_INTERESTING = (0, 1, 2, 3, 4, 5, 127, 128, 255, 256, 1 << 16, (1 << 31) - 1, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 2, (1 << 64) - 1)


class Trace:
    """A trace taken apart: version and batches."""

    def __init__(self, data):
        self.version = int(data[5:7])
        self.batches = wire.batches(data)

    def copy(self):
        twin = object.__new__(Trace)
        twin.version, twin.batches = self.version, [b.copy() for b in self.batches]
        return twin

    def encode(self):
        return wire.encode(self.version, self.batches)


# ---- steps on batches ----

def _some(rng, trace, wanted=lambda b: b.kind != "EndOfGeneration"):
    """The place of a random batch that is wanted; ValueError if there is none."""
    return rng.choice([i for i, b in enumerate(trace.batches) if wanted(b)] or _nothing())


def _nothing():
    raise ValueError("nothing here to change")


def shuffle_in_generation(rng, trace):
    number = trace.batches[_some(rng, trace)].gen
    places = [i for i, b in enumerate(trace.batches) if b.gen == number and b.kind != "EndOfGeneration"]
    moved = [trace.batches[i] for i in places]
    rng.shuffle(moved)
    for i, batch in zip(places, moved):
        trace.batches[i] = batch


def swap_batches(rng, trace):
    i, j = rng.randrange(len(trace.batches)), rng.randrange(len(trace.batches))
    trace.batches[i], trace.batches[j] = trace.batches[j], trace.batches[i]


def drop_batch(rng, trace):
    del trace.batches[rng.randrange(len(trace.batches))]


def double_batch(rng, trace):
    i = rng.randrange(len(trace.batches))
    trace.batches.insert(rng.randint(0, len(trace.batches)), trace.batches[i].copy())


def drop_generation(rng, trace):
    number = trace.batches[_some(rng, trace)].gen
    last = max(i for i, b in enumerate(trace.batches) if b.gen == number)
    end = last + 1 < len(trace.batches) and trace.batches[last + 1].kind == "EndOfGeneration"
    trace.batches = [b for i, b in enumerate(trace.batches) if b.gen != number and not (end and i == last + 1)]


def renumber_generation(rng, trace):
    old = trace.batches[_some(rng, trace)].gen
    new = rng.choice((0, 1, old - 1, old + 1, old + 2, rng.choice(_INTERESTING))) & wire.NO_THREAD
    for batch in trace.batches:
        if batch.gen == old:
            batch.gen = new


def renumber_batch(rng, trace):
    batch = trace.batches[_some(rng, trace)]
    batch.gen = rng.choice((0, batch.gen - 1, batch.gen + 1, rng.choice(_INTERESTING))) & wire.NO_THREAD


def move_to_thread(rng, trace):
    batch = trace.batches[_some(rng, trace)]
    other = trace.batches[_some(rng, trace)].m
    batch.m = rng.choice((other, wire.NO_THREAD, batch.m + 1, rng.choice(_INTERESTING))) & wire.NO_THREAD


def shift_batch_time(rng, trace):
    batch = trace.batches[_some(rng, trace)]
    batch.time = rng.choice((0, batch.time + rng.randint(-5000, 5000), batch.time * 2, rng.choice(_INTERESTING))) & wire.NO_THREAD


def lie_about_size(rng, trace):
    batch = trace.batches[_some(rng, trace)]
    size = len(batch.data)
    batch.size = max(0, rng.choice((0, size - 1, size + 1, size // 2, size * 2, wire.MAX_BATCH, wire.MAX_BATCH + 1, rng.choice(_INTERESTING))))


def cut_batch(rng, trace):
    batch = trace.batches[_some(rng, trace)]
    batch.data = batch.data[:rng.randint(0, len(batch.data))]


def split_batch(rng, trace):
    """Legal where the cut is between two events: one batch becomes two of the same thread."""
    i = _some(rng, trace, lambda b: b.kind == "EventBatch" and b.first() > 8)
    first, second = trace.batches[i], trace.batches[i].copy()
    listed = wire.events(first.data)
    cut = rng.randint(0, len(listed))
    first.data, second.data = wire.encode_events(listed[:cut]), wire.encode_events(listed[cut:])
    second.time = first.time + sum(event[1][0] for event in listed[:cut]) & wire.NO_THREAD
    trace.batches.insert(i + 1, second)


def join_batches(rng, trace):
    i = _some(rng, trace)
    if i + 1 >= len(trace.batches):
        _nothing()
    trace.batches[i].data += trace.batches[i + 1].data
    if rng.random() < 0.7:
        del trace.batches[i + 1]


def empty_batch(rng, trace):
    batch = trace.batches[_some(rng, trace)].copy()
    batch.data = b""
    trace.batches.insert(rng.randint(0, len(trace.batches)), batch)


def change_kind(rng, trace):
    batch = trace.batches[_some(rng, trace)]
    batch.kind = rng.choice(("EventBatch", "ExperimentalBatch", "EndOfGeneration"))
    batch.exp = rng.choice((0, 1, 2, 200))


def end_generation(rng, trace):
    trace.batches.insert(rng.randint(0, len(trace.batches)), wire.Batch("EndOfGeneration"))


def change_version(rng, trace):
    trace.version = rng.choice(wire.VERSIONS)


def repeat_trace(rng, trace):
    trace.batches += [b.copy() for b in trace.batches]


# ---- steps on events ----

def _batch_events(rng, trace, wanted):
    """(batch, its events, the place of a random one that is wanted)."""
    for _ in range(8):
        batch = trace.batches[_some(rng, trace, lambda b: b.kind == "EventBatch")]
        listed = wire.events(batch.data)
        places = [i for i, event in enumerate(listed) if wanted(event)]
        if places:
            return batch, listed, rng.choice(places)
    return _nothing()


def _ends_in(*suffixes):
    def wanted(event):
        return any(arg in suffixes for arg in wire.EVENTS[event[0]].args)
    return wanted


def _change(event, names, change):
    spec = wire.EVENTS[event[0]]
    for i, name in enumerate(spec.args):
        if name in names:
            event[1][i] = change(event[1][i]) & wire.NO_THREAD
            return


def _argument_step(names, choices):
    def step(rng, trace):
        batch, listed, i = _batch_events(rng, trace, _ends_in(*names))
        _change(listed[i], names, lambda old: rng.choice(choices(rng, old)))
        batch.data = wire.encode_events(listed)
    return step


_near = lambda rng, old: (old - 1, old + 1, old + 2, 0, 1, rng.choice(_INTERESTING))
change_sequence = _argument_step(("p_seq", "g_seq", "gc_seq"), _near)
change_status = _argument_step(("gstatus", "pstatus"), lambda rng, old: (0, 1, 2, 3, 4, 5, 6, 255, rng.choice(_INTERESTING)))
change_goroutine = _argument_step(("g", "new_g"), lambda rng, old: (old + 1, old - 1, 1, 2, 7, rng.choice(_INTERESTING)))
change_proc = _argument_step(("p",), lambda rng, old: (0, 1, 2, 3, rng.choice(_INTERESTING)))
change_thread = _argument_step(("m",), lambda rng, old: (0, old + 1, wire.NO_THREAD, rng.choice(_INTERESTING)))
change_delta = _argument_step(("dt", "time"), lambda rng, old: (0, old * 2, old * 1000, old + 1, rng.randint(0, 100000), rng.choice(_INTERESTING)))
change_string = _argument_step(("reason_string", "kind_string", "label_string", "name_string", "key_string", "value_string"), _near)
change_stack = _argument_step(("stack", "new_stack"), _near)
change_task = _argument_step(("task", "parent_task"), _near)
change_table = _argument_step(("id", "nframes", "mono", "sec", "nsec"), _near)
# Never much higher: all times would become equal, and the order of equals is each reader's own.
change_frequency = _argument_step(("freq",), lambda rng, old: (old - 1, old + 1, old // 3, 1000, 1))
change_value = _argument_step(("procs_value", "heapalloc_value", "heapgoal_value", "swept_value", "reclaimed_value", "npages_value", "kindclass", "type", "order"), _near)


def _any(event):
    return True


def drop_event(rng, trace):
    batch, listed, i = _batch_events(rng, trace, _any)
    del listed[i]
    batch.data = wire.encode_events(listed)


def double_event(rng, trace):
    batch, listed, i = _batch_events(rng, trace, _any)
    listed.insert(rng.choice((i, i + 1, len(listed))), [listed[i][0], list(listed[i][1]), listed[i][2]])
    batch.data = wire.encode_events(listed)


def swap_events(rng, trace):
    batch, listed, i = _batch_events(rng, trace, _any)
    j = min(i + 1, len(listed) - 1)
    listed[i], listed[j] = listed[j], listed[i]
    batch.data = wire.encode_events(listed)


def move_event(rng, trace):
    batch, listed, i = _batch_events(rng, trace, _any)
    event = listed.pop(i)
    batch.data = wire.encode_events(listed)
    other, listed, i = _batch_events(rng, trace, _any)
    listed.insert(i, event)
    other.data = wire.encode_events(listed)


def change_type(rng, trace):
    """Another event that takes as many arguments, or any."""
    batch, listed, i = _batch_events(rng, trace, _any)
    event = listed[i]
    alike = [n for n, spec in wire.EVENTS.items() if len(spec.args) == len(event[1])]
    event[0] = rng.choice(alike) if rng.random() < 0.7 else rng.randrange(256)
    batch.data = b"".join(bytes([kind]) + b"".join(map(wire.varint, args)) + rest for kind, args, rest in listed)


def insert_event(rng, trace):
    batch, listed, i = _batch_events(rng, trace, _any)
    spec = rng.choice(list(wire.EVENTS.values()))
    listed.insert(i, [spec.number, [rng.choice((0, 1, 2, 3, 4, rng.choice(_INTERESTING))) for _ in spec.args], b""])
    batch.data = wire.encode_events(listed)


def widen_numbers(rng, trace):
    """Legal: numbers padded with zero bits, as the runtime writes sizes. Eleven bytes are too many."""
    batch, listed, i = _batch_events(rng, trace, _any)
    width = rng.choice((2, 3, 9, 10, 10, 11))
    kind, args, rest = listed[i]
    wide = bytes([kind]) + b"".join(wire.varint(value, width) for value in args) + rest
    batch.data = wire.encode_events(listed[:i]) + wide + wire.encode_events(listed[i + 1:])


BATCH_STEPS = (shuffle_in_generation, swap_batches, drop_batch, double_batch, drop_generation, renumber_generation, renumber_batch,
               move_to_thread, shift_batch_time, lie_about_size, cut_batch, split_batch, join_batches, empty_batch, change_kind,
               end_generation, change_version, repeat_trace)
EVENT_STEPS = (change_sequence, change_status, change_goroutine, change_proc, change_thread, change_delta, change_string, change_stack,
               change_task, change_table, change_frequency, change_value, drop_event, double_event, swap_events, move_event, change_type, insert_event,
               widen_numbers)


# ---- steps on bytes; not the header's, where Go's reader, which scans it like text, takes spaces and signs ----

def _place(rng, data):
    if len(data) <= 16:
        _nothing()
    return rng.randrange(16, len(data))


def flip_bits(rng, data):
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        data[_place(rng, data)] ^= 1 << rng.randrange(8)
    return bytes(data)


def set_byte(rng, data):
    at = _place(rng, data)
    return data[:at] + bytes([rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))]) + data[at + 1:]


def cut_file(rng, data):
    return data[:_place(rng, data)]


def drop_bytes(rng, data):
    at = _place(rng, data)
    return data[:at] + data[at + rng.choice((1, 2, 16, 500)):]


def insert_bytes(rng, data):
    at = _place(rng, data)
    return data[:at] + bytes(rng.randrange(256) for _ in range(rng.choice((1, 2, 10)))) + data[at:]


BYTE_STEPS = (flip_bits, set_byte, cut_file, drop_bytes, insert_bytes)
STEPS = BATCH_STEPS + EVENT_STEPS + BYTE_STEPS


def mutant(rng, trace):
    """(name, bytes) of one damaged copy."""
    names, copy = [], trace.copy()
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3))):
        step = rng.choice(BATCH_STEPS + EVENT_STEPS * 2)
        try:
            step(rng, copy)
        except (ValueError, IndexError):
            continue
        names.append(_ARGUMENT_NAMES.get(step, step.__name__))
    data = copy.encode()
    if not names or rng.random() < 0.1:
        step = rng.choice(BYTE_STEPS)
        data = step(rng, data) if len(data) > 16 else data
        names.append(step.__name__)
    return "+".join(names), data


_ARGUMENT_NAMES = {step: name for name, step in list(globals().items()) if callable(step) and getattr(step, "__name__", "") == "step"}


def mutants(bases, count, seed):
    """bases: [(name, bytes)]. Small bases are taken more often: a step hits something that matters there."""
    rng = random.Random(seed)
    traces = [(name, Trace(data)) for name, data in bases]
    weights = [1.0 / (len(data) + 400) ** 0.5 for _, data in bases]
    for i in range(count):
        name, trace = rng.choices(traces, weights)[0]
        what, data = mutant(rng, trace)
        yield "%d of %s: %s" % (i, name, what), data
