"""ELF files with Go's table of functions, for tests that build, slim and damage them.

    binarywire.py slim BINARY TRACE OUT      a copy that only holds what naming the trace's addresses needs, gzip'd

The layouts are those of cmd/link/internal/ld/pcln.go in Go 1.2, 1.16, 1.18 and 1.20.
"""
import gzip
import os
import struct
import sys

MAGICS = {12: 0xfffffffb, 116: 0xfffffffa, 118: 0xfffffff0, 120: 0xfffffff1}
EXEC, DYN = 2, 3


def uvarint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def value_table(values):
    """values: (bytes of code, value) in order."""
    out, last, first = b"", -1, True
    for span, value in values:
        difference = value - last
        zigzag = difference << 1 if difference >= 0 else (-difference << 1) - 1
        if not first and zigzag == 0:
            raise ValueError("two equal values in a row")
        out += uvarint(zigzag) + uvarint(span)
        last, first = value, False
    return out + b"\0"


class Function:
    """name; file; lines: (bytes of code, line) in order."""

    def __init__(self, name, file, lines):
        self.name, self.file, self.lines = name, file, lines
        self.size = sum(span for span, _ in lines)


class Table:
    """A table of functions that stand one after the other from `text` on. layout: a key of MAGICS."""

    def __init__(self, functions, text=0x401000, layout=12, word=8, big=False):
        self.functions, self.text, self.layout, self.word, self.big = functions, text, layout, word, big

    def _pack(self, kind, *values):
        return struct.pack((">" if self.big else "<") + kind, *values)

    def _word(self, value):
        return self._pack("Q" if self.word == 8 else "I", value)

    def _entries(self):
        at = self.text
        for f in self.functions:
            yield at, f
            at += f.size
        yield at, None

    def encode(self):
        return self._encode_12() if self.layout == 12 else self._encode_116()

    def _head(self):
        return self._pack("I", MAGICS[self.layout]) + bytes([0, 0, 1, self.word])

    def _record(self, entry, name, file, line, unit):
        start = self._word(entry) if self.layout < 118 else self._pack("I", entry - self.text)
        fields = [name, 0, 0, 0, file, line, 0]
        if self.layout > 12:
            fields.append(unit)
        if self.layout >= 120:
            fields.append(1)
        return start + self._pack("%dI" % len(fields), *fields) + bytes(4)

    def _encode_12(self):
        files = sorted({f.file for f in self.functions})
        head = len(self._head()) + self.word + (2 * len(self.functions) + 1) * self.word + 4
        blob, table = bytearray(), b""
        place = lambda data: (blob.extend(data), head + len(blob) - len(data))[1]
        for entry, f in self._entries():
            table += self._word(entry)
            if f:
                name = place(f.name.encode() + b"\0")
                file = place(value_table([(f.size, files.index(f.file) + 1)]))
                line = place(value_table(f.lines))
                place(bytes(-(head + len(blob)) % 8))
                table += self._word(place(self._record(entry, name, file, line, 0)))
        names = [place(f.encode() + b"\0") for f in files]
        place(bytes(-(head + len(blob)) % 4))
        file_table = place(self._pack("%dI" % (len(names) + 1), len(names) + 1, *names))
        return self._head() + self._word(len(self.functions)) + table + self._pack("I", file_table) + bytes(blob)

    def _encode_116(self):
        files = sorted({f.file for f in self.functions})
        names, file_names, values, units, records = bytearray(b"\0"), bytearray(), bytearray(b"\0"), b"", bytearray()
        add = lambda to, data: (to.extend(data), len(to) - len(data))[1]
        for f in files:
            units += self._pack("I", add(file_names, f.encode() + b"\0"))
        size = 4 if self.layout >= 118 else self.word
        pack = (lambda v: self._pack("I", v)) if size == 4 else self._word
        table, head = b"", (2 * len(self.functions) + 1) * size
        for entry, f in self._entries():
            table += pack(entry - self.text if self.layout >= 118 else entry)
            if f:
                record = self._record(entry, add(names, f.name.encode() + b"\0"), add(values, value_table([(f.size, files.index(f.file))])),
                                      add(values, value_table(f.lines)), 0)
                records.extend(bytes(-len(records) % 8))
                table += pack(head + add(records, record))
        words = 8 if self.layout >= 118 else 7
        at = len(self._head()) + words * self.word
        parts, offsets = b"", []
        for part in (bytes(names), units, bytes(file_names), bytes(values), table + bytes(records)):
            parts += bytes(-(at + len(parts)) % 8)
            offsets.append(at + len(parts))
            parts += part
        start = [self.text] if self.layout >= 118 else []
        return self._head() + b"".join(map(self._word, [len(self.functions), len(files)] + start + offsets)) + parts


def elf(table, code, text=0x401000, word=8, big=False, kind=EXEC, machine=62, section=".gopclntab", more=()):
    """An ELF file with this table and code. more: (name, address, bytes) of further sections."""
    order = ">" if big else "<"
    parts = [(".text", text, code, 5), (section, 0x800000, table, 4)] + [(n, a, d, 6) for n, a, d in more]
    names = b"\0" + b"".join(p[0].encode() + b"\0" for p in parts) + b".shstrtab\0"
    header, program, one = (64, 56, 64) if word == 8 else (52, 32, 40)
    at = header + program * len(parts)
    body, places = b"", []
    for _, address, data, _ in parts:
        body += bytes(-(at + len(body)) % 16)
        places.append(at + len(body))
        body += data
    names_at = at + len(body)
    body += names
    body += bytes(-(at + len(body)) % 8)
    sections_at = at + len(body)

    def section_row(name, kind, flags, address, offset, size):
        name = names.index(name.encode() + b"\0") if name else 0
        if word == 8:
            return struct.pack(order + "IIQQQQIIQQ", name, kind, flags, address, offset, size, 0, 0, 1, 0)
        return struct.pack(order + "10I", name, kind, flags, address, offset, size, 0, 0, 1, 0)

    def segment_row(flags, offset, address, size):
        if word == 8:
            return struct.pack(order + "IIQQQQQQ", 1, flags, offset, address, address, size, size, 4096)
        return struct.pack(order + "8I", 1, offset, address, address, size, size, flags, 4096)

    rows = section_row("", 0, 0, 0, 0, 0)
    programs = b""
    for (name, address, data, flags), place in zip(parts, places):
        rows += section_row(name, 1, 2, address, place, len(data))
        programs += segment_row(flags, place, address, len(data))
    rows += section_row(".shstrtab", 3, 0, 0, names_at, len(names))
    ident = b"\x7fELF" + bytes([2 if word == 8 else 1, 2 if big else 1, 1]) + bytes(9)
    head = struct.pack(order + ("HHIQQQIHHHHHH" if word == 8 else "HHIIIIIHHHHHH"), kind, machine, 1, text, header, sections_at, 0, header,
                       program, len(parts), one, len(parts) + 2, len(parts) + 1)
    return ident + head + programs + body + rows


# ---- slimming a real one (64 bits, little-endian, the layout of Go 1.2)

def _sections(data):
    at, = struct.unpack_from("<Q", data, 40)
    size, count, names = struct.unpack_from("<HHH", data, 58)
    rows = [struct.unpack_from("<IIQQQQ", data, at + i * size) for i in range(count)]
    base = rows[names][4]
    for name, kind, _, address, offset, length in rows:
        yield data[base + name:data.index(b"\0", base + name)].decode(), kind, address, offset, length


def _terminated(data, at):
    return data[at:data.index(b"\0", at) + 1]


def _value_bytes(data, at):
    """A table of values up to its end: pairs of varints, of which the first of a later pair is 0 at the end."""
    begin, first = at, True
    while True:
        if data[at] == 0 and not first:
            return data[begin:at + 1]
        for _ in range(2):
            while data[at] & 0x80:
                at += 1
            at += 1
        first = False


def trace_addresses(trace):
    """(addresses where goroutines began, return addresses) of a trace of Go 1.5 or 1.6."""
    import v1wire as wire
    starts, returns = set(), set()
    version, batches = wire.decode(trace)
    for batch in batches:
        for record in batch.records:
            if record.number == wire.STACK:
                returns.update(record.values[2:])
            elif record.number == wire.NUMBERS["GoCreate"]:
                starts.add(record.values[3])
    return starts, returns


def slim(data, trace):
    sections = {name: (address, offset, size) for name, _, address, offset, size in _sections(data)}
    starts, returns = trace_addresses(trace)
    kept = bytearray(len(data))
    keep = lambda begin, size: kept.__setitem__(slice(begin, begin + size), data[begin:begin + size])
    table_address, base, _ = sections[".gopclntab"]
    text_address, text, _ = sections[".text"]
    keep(0, 64)
    keep(64, 56 * struct.unpack_from("<H", data, 56)[0])
    keep(struct.unpack_from("<Q", data, 40)[0], 64 * len(sections))
    keep(sections[".shstrtab"][1], sections[".shstrtab"][2])
    count, = struct.unpack_from("<Q", data, base + 8)
    keep(base, 16 + (2 * count + 1) * 8 + 4)
    entries = struct.unpack_from("<%dQ" % (2 * count + 1), data, base + 16)
    file_table, = struct.unpack_from("<I", data, base + 16 + (2 * count + 1) * 8)
    keep(base + file_table, 4)
    wanted = sorted(starts | {pc - 1 for pc in returns})
    for i in range(count):
        if not any(entries[2 * i] <= pc < entries[2 * i + 2] for pc in wanted):
            continue
        record = base + entries[2 * i + 1]
        keep(record, 40)
        name, _, _, _, file, line = struct.unpack_from("<6I", data, record + 8)
        keep(base + name, len(_terminated(data, base + name)))
        for offset in (file, line):
            keep(base + offset, len(_value_bytes(data, base + offset)))
        for number in _file_numbers(data, base + file):
            keep(base + file_table + 4 * number, 4)
            name, = struct.unpack_from("<I", data, base + file_table + 4 * number)
            keep(base + name, len(_terminated(data, base + name)))
    for pc in returns:
        keep(text + pc - text_address - 8, 8)
    return bytes(kept)


def _file_numbers(data, at):
    table, value, out = _value_bytes(data, at), -1, set()
    numbers, v, shift = [], 0, 0
    for b in table[:-1]:
        v |= (b & 0x7f) << shift
        shift += 7
        if b < 0x80:
            numbers.append(v)
            v = shift = 0
    for difference in numbers[::2]:
        value += -(difference + 1 >> 1) if difference & 1 else difference >> 1
        out.add(value)
    return out


def main():
    if len(sys.argv) != 5 or sys.argv[1] != "slim":
        sys.exit(__doc__)
    _, _, binary, trace, out = sys.argv
    with open(binary, "rb") as a, open(trace, "rb") as b:
        data = slim(a.read(), b.read())
    with open(out, "wb") as file:
        file.write(gzip.compress(data, 9, mtime=0))
    print("%s: %d bytes" % (os.path.basename(out), os.path.getsize(out)))


if __name__ == "__main__":
    main()
