"""Writes pprof profiles for tests, sound and unsound: https://github.com/google/pprof, proto/profile.proto."""


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7f:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def message(field, data):
    return varint(field << 3 | 2) + varint(len(data)) + data


def packed(field, values):
    return message(field, b"".join(varint(v) for v in values))


class Profile:
    """A profile in the making; texts are numbered as they come."""

    def __init__(self, types, period_type=None, period=0, time=0, duration=0):
        self.texts, self.functions, self.locations, self.samples = [""], {}, {}, []
        self.types = [self.value_type(*t) for t in types]
        self.rest = (message(11, self.value_type(*period_type)) if period_type else b"") + (number(12, period) if period else b"")
        self.rest += (number(9, time) if time else b"") + (number(10, duration) if duration else b"")

    def text(self, text):
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text)

    def value_type(self, kind, unit):
        return number(1, self.text(kind)) + number(2, self.text(unit))

    def location(self, frames):
        """The id of the location of these (function, line) pairs, innermost first."""
        if frames not in self.locations:
            for name, _ in frames:
                self.functions.setdefault(name, (len(self.functions) + 1, self.text(name), self.text(name.split(".")[0] + ".go")))
            self.locations[frames] = len(self.locations) + 1
        return self.locations[frames]

    def sample(self, stack, *values):
        """A stack, leaf first: functions, (function, line) pairs, or tuples of such pairs inlined into one another."""
        ids = []
        for entry in stack:
            entry = (entry, 1) if isinstance(entry, str) else entry
            ids.append(self.location(entry if isinstance(entry[0], tuple) else (entry,)))
        self.samples.append(packed(1, ids) + packed(2, values))

    def fields(self):
        """The fields of the message, each as bytes, in an order that writers use."""
        yield from (message(1, t) for t in self.types)
        yield self.rest
        yield from (message(2, s) for s in self.samples)
        for frames, ident in self.locations.items():
            lines = b"".join(message(4, number(1, self.functions[name][0]) + number(2, line)) for name, line in frames)
            yield message(4, number(1, ident) + lines)
        for ident, name, file in self.functions.values():
            yield message(5, number(1, ident) + number(2, name) + number(4, file))
        yield from (message(6, t.encode() if isinstance(t, str) else t) for t in self.texts)

    def bytes(self):
        return b"".join(self.fields())
