"""What happens to the bytes of a trace: ranges that are gone, zero, flipped or twice, batches in another order, cut ends and beginnings."""
import tracewire
import v1wire

HEADER = 16


def size_of(rng, data):
    """A few bytes, a batch, or much of it."""
    return min(rng.choice((rng.randrange(1, 201), 64 << 10, rng.randrange(1, max(2, len(data) // 3)))), len(data) // 2)


def place(rng, data, size):
    return rng.randrange(HEADER, max(HEADER + 1, len(data) - size))


def hole(rng, data):
    size = size_of(rng, data)
    at = place(rng, data, size)
    return data[:at] + data[at + size:]


def zeros(rng, data):
    size = size_of(rng, data)
    at = place(rng, data, size)
    return data[:at] + bytes(len(data[at:at + size])) + data[at + size:]


def noise(rng, data):
    size = size_of(rng, data)
    at = place(rng, data, size)
    return data[:at] + rng.randbytes(len(data[at:at + size])) + data[at + size:]


def twice(rng, data):
    size = size_of(rng, data)
    at = place(rng, data, size)
    return data[:at + size] + data[at:]


def tail(rng, data):
    return data[:place(rng, data, 1)]


def beginning(rng, data):
    return data[place(rng, data, 1):]


def headless(rng, data):
    return data[HEADER:]


def flips(rng, data):
    """Several, so that some of them show: of one, no reader may see anything."""
    out = bytearray(data)
    at = place(rng, data, 64)
    for i in range(at, min(at + 64, len(out)), 2):
        out[i] ^= 1 << rng.randrange(8)
    return bytes(out)


def pieces(data):
    """Its batches, as they stand."""
    if int(data[5:data.index(b" trace")]) < 22:
        version, batches = v1wire.decode(data)
        return [b.encode(version) for b in batches]
    out, at = [], HEADER
    for batch in tracewire.batches(data):
        begin, at = at, at + 1
        if batch.kind != "EndOfGeneration":
            at += batch.kind == "ExperimentalBatch"
            for _ in range(4):
                _, at = tracewire.read_varint(data, at)
            at += len(batch.data)
        out.append(data[begin:at])
    return out


def swapped(rng, data):
    parts = pieces(data)
    if len(parts) > 1:
        i = rng.randrange(len(parts) - 1)
        k = min(len(parts) - 1, i + 1 + rng.choice((0, 0, 1, 5)))
        parts[i], parts[k] = parts[k], parts[i]
    return data[:HEADER] + b"".join(parts)


KINDS = (hole, zeros, noise, twice, tail, beginning, headless, flips, swapped)
