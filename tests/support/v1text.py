"""Version 1 traces in text, as bytes, for tests.

    v1text.py FILE OUT

A scenario (tests/scenarios/v1/*.txt) is written as texttrace.py's are, in the records of v1wire.py:

    expect accept | expect reject WORDS      WORDS: a regular expression that Go's message matches
    expect stricter WORDS                    Go's reader lets pass what makes no sense: ours must not, with a message that WORDS match
    Trace Go1.21 [freq=1000000000]           the version; freq=no: no frequency at the end
    batch p=0 time=100                       a Batch of a proc (p=none: of no proc); to 1.6 also seq=N
    GoCreate g=1 new_stack=main.f:7 stack=main.g:9<main.main:3
    = GoID=1 NotExist->Runnable Reason=""    what the event before must print; any number of them

Left-out arguments are 0, dt and dseq are 1. A string in quotes and a stack in frames (innermost first) get a number in the tables,
which are written at the end in a batch of proc 0, with the frequency. A Log takes text="…". `hex 01 ff` puts bytes where it stands,
`repeat N LINE` repeats a line, `footer` writes the tables here instead of at the end, `extra=N` sets a record's two top bits.
"""
import re
import sys

import v1wire as wire
from texttrace import BadText, Case, _fields, _lines, _number, go_unquote


class _Scenario:
    def __init__(self):
        self.version, self.options = None, {}
        self.out = bytearray()
        self.strings, self.stacks = {}, {}
        self.case = Case(b"")
        self.last = None
        self.closed = False

    def string(self, text):
        return self.strings.setdefault(text, len(self.strings) + 1)

    def stack(self, text):
        if text not in self.stacks:
            frames = []
            for i, part in enumerate(text.split("<")):
                function, _, line = part.rpartition(":")
                frames.append((0x1000 * (len(self.stacks) + 1) + i, self.string(function.encode()), self.string(b"scenario.go"), int(line)))
            self.stacks[text] = (len(self.stacks) + 1, frames)
        return self.stacks[text][0]

    def put(self, record):
        self.out += record.encode(self.version)

    def footer(self):
        """Tables and frequency, in the order in which the version's runtime writes them."""
        tables = []
        for at, frames in self.stacks.values():
            numbers = [pc for pc, *_ in frames] if self.version < 7 else [v for frame in frames for v in frame]
            tables.append(wire.Record(wire.STACK, [at, len(frames)] + numbers, extra=3))
        if self.version >= 7:
            self.put(wire.Record(wire.BATCH, [0, 0]))
            tables = [wire.Record(wire.STRING, [at], text) for text, at in self.strings.items()] + tables
        for record in tables:
            self.put(record)
        frequency = self.options.get("freq", "1000000000")
        if frequency != "no":
            self.put(wire.Record(wire.FREQUENCY, [_number(frequency)] + [0] * (self.version < 7)))
        self.closed = True

    def value(self, arg, text):
        if text.startswith('"'):
            return self.string(go_unquote(text))
        if arg.endswith("stack") and not re.fullmatch(r"\w+", text):
            return self.stack(text)
        return _number(text)

    def event(self, line):
        name, *words = re.findall(r'(?:[^\s"]|"(?:[^"\\]|\\.)*")+', line)
        spec = wire.specs(self.version).get(wire.NUMBERS.get(name))
        if spec is None:
            raise BadText("unknown record or directive %r" % name)
        self.last = name
        given = _fields(words)
        extra, text = given.pop("extra", None), given.pop("text", None)
        unknown = set(given) - set(spec.args)
        if unknown:
            raise BadText("%s of 1.%d takes no %s" % (name, self.version, sorted(unknown)))
        values = [self.value(arg, given.get(arg, "1" if arg in ("dt", "dseq") else "0")) for arg in spec.args]
        text = go_unquote(text) if text else b"" if name == "Log" else None
        self.put(wire.Record(spec.number, values, text, extra and int(extra)))

    def line(self, line):
        word, _, tail = line.partition(" ")
        tail = tail.strip()
        if word == "expect":
            verdict, _, pattern = tail.partition(" ")
            if verdict not in ("accept", "reject", "stricter"):
                raise BadText("expect accept, expect reject WORDS, or expect stricter WORDS")
            self.case.accept, self.case.error = verdict == "accept", pattern.strip() or None
            self.case.stricter = verdict == "stricter"
        elif word == "Trace":
            version, *options = tail.split()
            self.version, self.options = int(version[len("Go1."):]), _fields(options)
            self.out += wire.header(self.version)
        elif word == "batch":
            given = {"p": "none", "time": "0", "seq": "0", **_fields(tail.split())}
            names = ("p", "seq", "time") if self.version < 7 else ("p", "time")
            self.put(wire.Record(wire.BATCH, [_number(given[n]) for n in names]))
        elif word == "hex":
            self.out += bytes.fromhex(tail)
        elif word == "footer":
            self.footer()
        elif word == "repeat":
            times, _, what = tail.partition(" ")
            for _ in range(int(times)):
                self.line(what)
        elif word == "=":
            self.case.expected.append((self.last, tail))
        else:
            self.event(line)


def read_scenario(text):
    build = _Scenario()
    for line in _lines(text):
        try:
            build.line(line)
        except (BadText, ValueError, KeyError) as err:
            raise BadText("in %r: %s" % (line, err)) from err
    if not build.closed:
        build.footer()
    build.case.data = bytes(build.out)
    if build.case.accept is None:
        raise BadText("no `expect` line")
    return build.case


def read(path):
    with open(path, encoding="utf-8") as file:
        return read_scenario(file.read())


def main():
    if len(sys.argv) != 3:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    with open(sys.argv[2], "wb") as file:
        file.write(read(sys.argv[1]).data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
