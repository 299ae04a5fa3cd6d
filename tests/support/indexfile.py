"""The file of an index (src/engine/index.h) taken apart, so that tests can put a state into it that is none although its hash says that it was written so."""
import struct

HEAD = 16
M = (1 << 64) - 1
P1, P2, P3, P4, P5 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5


def _rotate(x, by):
    return (x << by | x >> (64 - by)) & M


def _round(lane, value):
    return _rotate((lane + value * P2) & M, 31) * P1 & M


def digest(data):
    """As stw_digest, with the seed 0."""
    h, at = P5, 0
    if len(data) >= 32:
        lanes = [(P1 + P2) & M, P2, 0, -P1 & M]
        for at in range(0, len(data) - 31, 32):
            lanes = [_round(lane, word) for lane, word in zip(lanes, struct.unpack_from("<4Q", data, at))]
        at = len(data) // 32 * 32
        h = sum(_rotate(lane, by) for lane, by in zip(lanes, (1, 7, 12, 18))) & M
        for lane in lanes:
            h = ((h ^ _round(0, lane)) * P1 + P4) & M
    h = (h + len(data)) & M
    while len(data) - at >= 8:
        h = (_rotate(h ^ _round(0, struct.unpack_from("<Q", data, at)[0]), 27) * P1 + P4) & M
        at += 8
    if len(data) - at >= 4:
        h = (_rotate(h ^ struct.unpack_from("<I", data, at)[0] * P1 & M, 23) * P2 + P3) & M
        at += 4
    for byte in data[at:]:
        h = _rotate(h ^ byte * P5 & M, 11) * P1 & M
    h = (h ^ h >> 33) * P2 & M
    h = (h ^ h >> 29) * P3 & M
    return h ^ h >> 32


def _varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return value, at


def _put(value):
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def states(data):
    """[(place, size, place of the hash in the table)] of the states that are kept."""
    table, _, _ = struct.unpack_from("<3Q", data, HEAD)
    at, out = table, []
    for _ in range(11):
        _, at = _varint(data, at)
    length, at = _varint(data, at)
    count, at = _varint(data, at + length)
    for _ in range(count):
        for _ in range(13):
            _, at = _varint(data, at)
        size, at = _varint(data, at)
        if size:
            place, at = _varint(data, at)
            out.append((place, size, at))
            _, at = _varint(data, at)
    return out


def with_state(data, number, state):
    """The index with other bytes as one of its states, as many as there are, and hashes that fit."""
    place, size, hash_at = states(data)[number]
    assert len(state) == size
    table, _, _ = struct.unpack_from("<3Q", data, HEAD)
    _, after = _varint(data, hash_at)
    rest = data[table:hash_at] + _put(digest(state)) + data[after:]
    head = data[:HEAD] + struct.pack("<3Q", table, len(rest), digest(rest))
    return head + data[len(head):place] + state + data[place + size:table] + rest
