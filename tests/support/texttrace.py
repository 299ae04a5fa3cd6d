"""Traces in text, as bytes.

    texttrace.py FILE OUT        converts a scenario, a `.test` file of Go's own or a file of Go's fuzz corpus

Three forms of text are read:

1. Go's `.test` files: `-- expect --` (SUCCESS, or FAILURE and a quoted regular expression), `-- trace --` (`Trace Go1.22`, then an
   event a line with name=value arguments, a frame a line after a Stack, data="…" after a String).
2. Go's fuzz corpus: `go test fuzz v1` and []byte("…").
3. Scenarios of our own (tests/scenarios/*.txt): the same event lines, shorter, after directives.

       expect accept | expect reject WORDS      WORDS: a regular expression that Go's message matches
       Trace Go1.26
       gen 1 freq=1000000000                    begins a generation; sync, strings and stacks are written for it at its end
       batch m=1 time=100                       begins a batch; its size is counted; m=none: of no thread
       GoBlock dt=1 reason_string="sleep" stack=main.f:7<main.main:3
       = GoID=1 Running->Waiting Reason="sleep" what the event before must print, between its time and its stack; any number of them
       ~ GoID=1 Running->Waiting                what must stand, in this order, in the lines of a reading that goes on past what is wrong

   Left-out arguments are 0, dt is 1. A string in quotes and a stack in frames (innermost first, all in one file) get a number in the
   generation's tables. `gen` takes freq=N (default 1 GHz), sync=no (no sync batch at all), clock=no (no clock snapshot),
   end=no (no end of the generation, 1.26). Any of Go's event lines, EventBatch with its size too, may stand instead.
   `status=` words stand for numbers: running, runnable, syscall, waiting; idle, abandoned. `hex 01 ff` puts bytes into the batch,
   `raw hex …` into the file, `repeat N LINE` repeats a line.
"""
import re
import sys

import tracewire as wire

_ESCAPES = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, '"': 34, "'": 39}
_G_STATUS = {"runnable": 1, "running": 2, "syscall": 3, "waiting": 4}
_P_STATUS = {"running": 1, "idle": 2, "syscall": 3, "abandoned": 4}


class BadText(Exception):
    pass


def go_unquote(text):
    """The bytes of a Go string literal, in double quotes or backquotes."""
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] == "`":
        return text[1:-1].replace("\r", "").encode()
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        raise BadText("not a quoted string: %.40r" % text)
    body, out, at = text[1:-1], bytearray(), 0
    while at < len(body):
        c = body[at]
        at += 1
        if c != "\\":
            out += c.encode("utf-8", "surrogateescape")
            continue
        c = body[at]
        at += 1
        if c in _ESCAPES:
            out.append(_ESCAPES[c])
        elif c in "xuU":
            width = {"x": 2, "u": 4, "U": 8}[c]
            value = int(body[at:at + width], 16)
            out += bytes([value]) if c == "x" else chr(value).encode()
            at += width
        elif c in "01234567":
            out.append(int(body[at - 1:at + 2], 8))
            at += 2
        else:
            raise BadText("unknown escape \\%s" % c)
    return bytes(out)


class Case:
    """A trace with what is expected of it."""

    def __init__(self, data, accept=None, error=None, expected=()):
        self.data = data              # the trace's bytes
        self.accept = accept          # True, False, None: unknown
        self.error = error            # a regular expression on Go's message, or None
        self.expected = list(expected)  # (event's name, what it prints), scenarios only
        self.past = []                # what a reading past damage must print, in order; scenarios only
        self.stricter = False         # Go's reader accepts it, ours must not: error is about our message; scenarios of version 1 only


def _strip_comment(line):
    quoted = False
    for i, c in enumerate(line):
        if c == '"' and (i == 0 or line[i - 1] != "\\"):
            quoted = not quoted
        elif c == "#" and not quoted:
            return line[:i].strip()
    return line.strip()


def _lines(text):
    for line in text.splitlines():
        line = _strip_comment(line)
        if line:
            yield line


def _fields(words):
    out = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise BadText("argument without a value: %r" % word)
        out[name] = value
    return out


def _number(text):
    if text == "none":
        return wire.NO_THREAD
    value = int(text, 0)
    if not 0 <= value < 1 << 64:
        raise BadText("no 64-bit number: %s" % text)
    return value


def _plain_event(line, rest):
    """The bytes of one of Go's own event lines; rest gives the lines that follow."""
    name, *words = line.split()
    spec = wire.BY_NAME.get(name)
    if spec is None:
        raise BadText("unknown event %r" % name)
    given = _fields(words)
    if list(given) != spec.args:
        raise BadText("%s takes %s, not %s" % (name, spec.args, list(given)))
    values = [_number(given[arg]) for arg in spec.args]
    out = bytearray([spec.number])
    for value in values:
        out += wire.varint(value)
    if spec.frames:
        for _ in range(values[1]):
            frame = _fields(next(rest).split())
            if list(frame) != ["pc", "func", "file", "line"]:
                raise BadText("not a frame: %s" % frame)
            for value in frame.values():
                out += wire.varint(_number(value))
    if spec.data:
        key, _, value = next(rest).partition("=")
        if key.strip() != "data":
            raise BadText("%s without its data" % name)
        data = go_unquote(value)
        out += wire.varint(len(data)) + data
    return bytes(out)


def _plain_trace(text):
    lines = _lines(text)
    match = re.fullmatch(r"Trace\s+Go1\.(\d+)", next(lines, ""))
    if not match:
        raise BadText("no `Trace Go1.N` line")
    return wire.header(int(match[1])) + b"".join(_plain_event(line, lines) for line in lines)


def read_go_test(text):
    """One of Go's `.test` files."""
    parts, name = {}, None
    for line in text.splitlines(keepends=True):
        match = re.fullmatch(r"-- (.+) --\s*", line)
        if match:
            name = match[1].strip()
            parts[name] = ""
        elif name:
            parts[name] += line
    expect = parts["expect"].strip()
    verdict, _, pattern = expect.partition(" ")
    if verdict not in ("SUCCESS", "FAILURE"):
        raise BadText("no verdict: %r" % expect)
    error = go_unquote(pattern).decode() if pattern.strip() else None
    return Case(_plain_trace(parts["trace"]), verdict == "SUCCESS", error)


def read_go_fuzz(text):
    """A file of Go's fuzz corpus, of one argument: bytes."""
    first, _, rest = text.partition("\n")
    match = re.fullmatch(r"\[\]byte\((.*)\)\s*", rest, re.S)
    if first.strip() != "go test fuzz v1" or not match:
        raise BadText("not a corpus file of one []byte")
    return Case(go_unquote(match[1]))


class _Scenario:
    """Builds our own form line by line."""

    def __init__(self):
        self.version = None
        self.out = bytearray()
        self.batch = None      # the open batch, else None
        self.gen = None        # {"number", "options"} of the open generation
        self.strings, self.stacks = {}, {}
        self.case = Case(b"")
        self.last = None

    def close_batch(self):
        if self.batch is not None:
            self.out += self.batch.encode()
            self.batch = None

    def string(self, text):
        return self.strings.setdefault(text, len(self.strings) + 1)

    def stack(self, text):
        if text in self.stacks:
            return self.stacks[text][0]
        frames = []
        for i, part in enumerate(text.split("<")):
            function, _, line = part.rpartition(":")
            pc = 0x1000 * (len(self.stacks) + 1) + i
            frames.append((pc, self.string(function.encode()), self.string(b"scenario.go"), int(line)))
        self.stacks[text] = (len(self.stacks) + 1, frames)
        return self.stacks[text][0]

    def close_gen(self):
        self.close_batch()
        if self.gen is None:
            return
        number, options = self.gen["number"], self.gen["options"]
        table = lambda name, data: wire.Batch("EventBatch", number, data=bytes([wire.number(name)]) + data).encode()
        if self.stacks:
            data = b""
            for at, frames in self.stacks.values():
                data += wire.encode_events([[wire.number("Stack"), [at, len(frames)], b""]])
                data += b"".join(wire.varint(v) for frame in frames for v in frame)
            self.out += table("Stacks", data)
        if self.strings:
            data = b""
            for text, at in self.strings.items():
                data += wire.encode_events([[wire.number("String"), [at], wire.varint(len(text)) + text]])
            self.out += table("Strings", data)
        if options.get("sync") != "no":
            frequency = wire.encode_events([[wire.number("Frequency"), [_number(options.get("freq", "1000000000"))], b""]])
            if self.version < 25:
                self.out += wire.Batch("EventBatch", number, data=frequency).encode()
            else:
                if options.get("clock") != "no":
                    frequency += wire.encode_events([[wire.number("ClockSnapshot"), [1, 1000, 1700000000, 5], b""]])
                self.out += table("Sync", frequency)
        if self.version >= 26 and options.get("end") != "no":
            self.out.append(wire.number("EndOfGeneration"))
        self.gen, self.strings, self.stacks = None, {}, {}

    def value(self, spec, arg, text):
        if text.startswith('"'):
            return self.string(go_unquote(text))
        if arg.endswith("stack") and not re.fullmatch(r"\w+", text):
            return self.stack(text)
        words = {"gstatus": _G_STATUS, "pstatus": _P_STATUS}.get(arg, {})
        return words[text] if text in words else _number(text)

    def put(self, data):
        if self.batch is not None:
            self.batch.data += data
        else:
            self.out += data

    def event(self, line, rest):
        words = re.findall(r'(?:[^\s"]|"(?:[^"\\]|\\.)*")+', line)
        spec = wire.BY_NAME.get(words[0])
        if spec is None:
            raise BadText("unknown event or directive %r" % words[0])
        self.last = spec.name
        if spec.frames or spec.data or (spec.name == "EventBatch" and "size" in line):
            if spec.name in ("EventBatch", "ExperimentalBatch"):
                self.close_batch()
            return self.put(_plain_event(line, rest))
        given = _fields(words[1:])
        if "status" in given:
            given[next(a for a in spec.args if a.endswith("gstatus") or a.endswith("pstatus"))] = given.pop("status")
        unknown = set(given) - set(spec.args)
        if unknown:
            raise BadText("%s takes no %s" % (spec.name, sorted(unknown)))
        out = bytes([spec.number])
        for arg in spec.args:
            out += wire.varint(self.value(spec, arg, given.get(arg, "1" if arg == "dt" else "0")))
        self.put(out)

    def line(self, line, rest):
        word, _, tail = line.partition(" ")
        tail = tail.strip()
        if word == "expect":
            verdict, _, pattern = tail.partition(" ")
            if verdict not in ("accept", "reject"):
                raise BadText("expect accept, or expect reject WORDS")
            self.case.accept, self.case.error = verdict == "accept", pattern.strip() or None
        elif word == "Trace":
            self.version = int(tail[len("Go1."):])
            self.out += wire.header(self.version)
        elif word == "gen":
            self.close_gen()
            number, *options = tail.split()
            self.gen = {"number": _number(number), "options": _fields(options)}
        elif word == "batch":
            self.close_batch()
            given = {"gen": str(self.gen["number"]) if self.gen else "1", "m": "none", "time": "0", **_fields(tail.split())}
            kind = "ExperimentalBatch" if "exp" in given else "EventBatch"
            self.batch = wire.Batch(kind, _number(given["gen"]), _number(given["m"]), _number(given["time"]))
            self.batch.exp = _number(given.get("exp", "1"))
        elif word == "hex":
            self.put(bytes.fromhex(tail))
        elif word == "raw":
            self.close_batch()
            self.put(bytes.fromhex(tail.partition(" ")[2]))
        elif word == "repeat":
            times, _, what = tail.partition(" ")
            for _ in range(int(times)):
                self.line(what, iter(()))
        elif word == "=":
            self.case.expected.append((self.last, tail))
        elif word == "~":
            self.case.past.append(tail)
        else:
            self.event(line, rest)


def read_scenario(text):
    build, lines = _Scenario(), _lines(text)
    for line in lines:
        try:
            build.line(line, lines)
        except (BadText, ValueError, KeyError, StopIteration) as err:
            raise BadText("in %r: %s" % (line, err)) from err
    build.close_gen()
    build.case.data = bytes(build.out)
    if build.case.accept is None:
        raise BadText("no `expect` line")
    return build.case


def read(path):
    """The case in a file of any of the three forms."""
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        text = file.read()
    if text.startswith("go test fuzz v1"):
        return read_go_fuzz(text)
    if re.search(r"^-- expect --", text, re.M):
        return read_go_test(text)
    return read_scenario(text)


def main():
    if len(sys.argv) != 3:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    case = read(sys.argv[1])
    with open(sys.argv[2], "wb") as file:
        file.write(case.data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
